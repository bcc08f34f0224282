// Accounts by XEP-0077: made before login, over a few streams that each make many; removed by their
// owner, who has to log in for it (§3.2).
#include "reactor/reactor.h"
#include "tests/bots/accounts/batch.h"
#include "tests/bots/accounts/registration_stream.h"
#include "xmpp/core/namespaces.h"

#include <chrono>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr BotNumber kChunk = 20;
constexpr int kAttemptsMax = 3;

class Nobody final : public ClientObserver {};

/// Logs in as that bot and removes its account. False: it could not log in, so there is none.
reactor::Deferred<bool> remove_one(Batch& batch, ClientShared& shared, BotNumber bot) {
    ClientOptions options;
    options.jid = batch.plan.names.full(bot);
    options.password = batch.plan.password;
    options.addresses = batch.plan.addresses;
    options.security = batch.plan.security;
    options.mechanism = batch.plan.mechanism;
    options.stream_management = false;
    Nobody nobody;
    Client client(shared, std::move(options), nobody);
    auto connecting = client.connect();
    const auto connected = co_await std::move(connecting);
    if (!connected && connected.error().is(base::Errc::permission_denied)) co_return false;
    if (!connected) co_return connected.error();
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
    iq.edit().add_child("query", xmpp::ns::registration).add_child("remove");
    auto asking = client.request(std::move(iq), 10s);
    const auto answer = co_await std::move(asking);
    // Some servers close the stream of an account that is gone before they answer.
    const bool gone = answer || answer.error().is(base::Errc::connection_lost) ||
                      answer.error().is(base::Errc::connection_done);
    if (!gone) co_return answer.error().with("the server does not remove the account");
    co_return true;
}

}  // namespace

reactor::Deferred<void> create_in_band(Batch& batch) {
    ClientShared shared({.world = batch.world, .resolver = nullptr, .tls = batch.plan.tls});
    RegistrationStream stream(batch.world, shared, batch.plan);
    while (const auto chunk = batch.take(kChunk)) {
        int attempts = 0;
        for (BotNumber bot = chunk->first; bot < chunk->end && !batch.options.stop_wanted();) {
            if (!stream.open()) {
                auto connecting = stream.connect(bot);
                const auto connected = co_await std::move(connecting);
                if (!connected) co_return connected.error();
            }
            auto creating = stream.create(bot);
            const auto made = co_await std::move(creating);
            if (made) {
                batch.count(*made == RegistrationStream::Outcome::created);
                attempts = 0;
                ++bot;
                continue;
            }
            // Servers may close a stream after so many; a refusal stays one.
            const bool broken = !made.error().is(base::Errc::permission_denied) &&
                                !made.error().is(base::Errc::resource_exhausted);
            if (!broken || ++attempts == kAttemptsMax) co_return made.error();
        }
    }
    stream.close();
    co_return {};
}

reactor::Deferred<void> remove_in_band(Batch& batch) {
    ClientShared shared({.world = batch.world, .resolver = nullptr, .tls = batch.plan.tls});
    while (const auto chunk = batch.take(1)) {
        auto removing = remove_one(batch, shared, chunk->first);
        const auto removed = co_await std::move(removing);
        if (!removed) co_return removed.error();
        batch.count(*removed);
    }
    co_return {};
}

}  // namespace bots
