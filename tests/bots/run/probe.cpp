#include "tests/bots/run/probe.h"

#include "tests/bots/client/client_shared.h"

#include "xmpp/core/namespaces.h"

#include <fmt/format.h>
#include <chrono>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kAnswerMax = 10s;

class Nobody final : public ClientObserver {};

std::string software_in(const xmpp::Stanza& answer) {
    const xmpp::Element* query = answer.child("query", xmpp::ns::version);
    if (!query) return {};
    const std::string name = query->child_text("name");
    const std::string version = query->child_text("version");
    return version.empty() ? name : fmt::format("{} {}", name, version);
}

}  // namespace

reactor::Deferred<ServerFacts> probe_server(reactor::World& world, const Plan& plan,
                                            BotNumber bot) {
    ClientShared shared({.world = world, .resolver = nullptr, .tls = plan.tls});
    ClientOptions options;
    options.jid = plan.names.full(bot);
    options.password = plan.password;
    options.addresses = plan.addresses;
    options.security = plan.security;
    options.mechanism = plan.mechanism;
    Nobody nobody;
    Client client(shared, std::move(options), nobody);
    auto connecting = client.connect();
    const auto connected = co_await std::move(connecting);
    if (!connected) co_return connected.error();

    ServerFacts facts;
    facts.mechanism = client.mechanism();
    facts.stream_management = client.stream_management();
    const reactor::TlsInfo tls = client.tls_info();
    if (!tls.version.empty()) facts.tls = fmt::format("{} {}", tls.version, tls.cipher);
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
    iq.set_to(plan.names.bare(bot).domain_jid());
    iq.edit().add_child("query", xmpp::ns::version);
    auto asking = client.request(std::move(iq), kAnswerMax);
    if (const auto answer = co_await std::move(asking)) facts.software = software_in(*answer);
    auto leaving = client.disconnect();
    co_await std::move(leaving);
    co_return facts;
}

}  // namespace bots
