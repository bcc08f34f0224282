#include "tests/bots/examples/run_client.h"

#include "reactor/real_world.h"
#include "reactor/resolver.h"
#include "reactor/resolver_unbound.h"
#include "reactor/signals.h"
#include "reactor/task_set.h"
#include "reactor/tcp_network.h"
#include "tests/bots/client/client_shared.h"
#include "tests/bots/client/places.h"

#include <fmt/format.h>
#include <csignal>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace bots {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

struct Settings {
    ClientOptions client;
    reactor::TlsClientOptions tls;
};

// Prints what is wrong.
bool refuse(std::string_view program, std::string_view why) {
    fmt::print(stderr,
               "{0}: {1}\nusage: {0} JID PASSWORD [--server HOST[:PORT]] [--ca FILE | --insecure] "
               "[--plain]\n",
               program, why);
    return false;
}

bool read(std::span<char*> words, Settings& settings) {
    const std::string_view program = words[0];
    if (words.size() < 3) return refuse(program, "an address and a password are needed");
    auto jid = xmpp::Jid::parse(words[1]);
    if (!jid) return refuse(program, jid.error().detail());
    settings.client.jid = *std::move(jid);
    settings.client.password = words[2];
    for (std::size_t i = 3; i < words.size(); ++i) {
        const std::string_view word = words[i];
        const std::string_view value = i + 1 < words.size() ? words[i + 1] : std::string_view();
        if (word == "--insecure") {
            settings.tls.verify = reactor::TlsVerify::none;
        } else if (word == "--plain") {
            settings.client.security = ClientSecurity::none;
        } else if (word == "--ca" && !value.empty()) {
            settings.tls.ca_file = value;
            ++i;
        } else if (const auto place = parse_place(value); word == "--server" && place) {
            const std::uint16_t port = place->port == 0 ? kClientPort : place->port;
            settings.client.addresses.push_back({place->host, port});
            ++i;
        } else {
            return refuse(program, fmt::format("cannot make sense of '{}'", word));
        }
    }
    return true;
}

// Everything that lives on the shard.
class Program {
public:
    Program(reactor::RealShards& shards, Settings settings,
            std::shared_ptr<const reactor::TlsClientContext> tls, std::unique_ptr<Bot> bot)
        : shards_(shards),
          bot_(std::move(bot)),
          resolver_(reactor::make_unbound_resolver(world())),
          shared_({.world = world(),
                   .resolver = resolver_ ? resolver_->get() : nullptr,
                   .tls = std::move(tls)}),
          client_(shared_, std::move(settings.client), *bot_),
          signals_(world().reactor, {SIGINT, SIGTERM}, [this](int) { leave(); }),
          tasks_(world().reactor) {
        auto staying = client_.stay_online();
        tasks_.add("examples.client", std::move(staying).both([this](base::Result<void> result) {
            if (!result) fmt::print(stderr, "{}\n", result.error().message());
            exit_code_ = result ? 0 : kExitFailure;
            shards_.stop();
        }));
    }
    int exit_code() const { return exit_code_; }

private:
    reactor::World& world() { return shards_.world(0); }
    // What stay_online yields ends the program; a second signal finds a client that is leaving.
    void leave() {
        client_.disconnect().rescue([](const base::Failure&) {}).detach("leaving");
    }

    reactor::RealShards& shards_;
    std::unique_ptr<Bot> bot_;
    base::Result<std::unique_ptr<reactor::Resolver>> resolver_;
    ClientShared shared_;
    Client client_;
    reactor::SignalWatch signals_;
    int exit_code_ = kExitFailure;
    reactor::TaskSet tasks_;
};

}  // namespace

int run_client(int argc, char** argv, std::unique_ptr<Bot> bot) {
    Settings settings;
    if (!read(std::span(argv, static_cast<std::size_t>(argc)), settings)) return kExitUsage;
    auto tls = reactor::TlsClientContext::create(settings.tls);
    if (!tls) {
        fmt::print(stderr, "{}\n", tls.error().message());
        return kExitUsage;
    }
    reactor::RealShards shards({}, base::Log::silent(), [](reactor::World& world) {
        return reactor::make_tcp_network(world);
    });
    std::unique_ptr<Program> program;
    int exit_code = kExitFailure;
    shards.run(
        [&](reactor::ShardId) {
            program = std::make_unique<Program>(shards, std::move(settings), *std::move(tls),
                                                std::move(bot));
        },
        [&](reactor::ShardId) {
            exit_code = program->exit_code();
            program.reset();
        });
    return exit_code;
}

}  // namespace bots
