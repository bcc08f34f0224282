// parley-talkers: pairs of accounts that write to each other without pause, whatever happens to
// their server, and keep books: what was lost, what came twice, what came out of order, and what
// is wrong in their archives; and guests of rooms who do the same there. SIGTERM ends the talking;
// what is still under way is waited for, the archives are read, and the books are printed.
// tests/kill/kill_test.py kills the server meanwhile.
#include "reactor/looping_call.h"
#include "reactor/reactor.h"
#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/task_set.h"
#include "reactor/tcp_network.h"
#include "tests/kill/room_party.h"
#include "tests/kill/talker.h"

#include <fmt/format.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace talkers {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kTalkInterval = 10ms;
constexpr base::Duration kDrainTime = 60s;
/// A little longer than needed: what comes twice comes late.
constexpr base::Duration kQuietTime = 2s;
constexpr base::Duration kLookInterval = 50ms;

class Program {
public:
    Program(reactor::RealShards& shards, std::uint16_t port, int pairs, std::uint32_t guests,
            std::shared_ptr<const reactor::TlsClientContext> tls)
        : shards_(shards),
          shared_({.world = world(), .tls = std::move(tls)}),
          talking_(world().reactor, [this] { return talk(); }),
          signals_(world().reactor, {SIGTERM, SIGINT}, [this](int) { finish(); }),
          rooms_(shared_, tasks_, guests, port),
          tasks_(world().reactor) {
        rooms_.begin();
        for (int i = 0; i < 2 * pairs; ++i) {
            const auto habit = static_cast<Habit>(i / 2 % kHabits);
            talkers_.push_back(
                std::make_unique<Talker>(Device::Parts{shared_, tasks_, books_}, habit, i, port));
            books_.devices += talkers_.back()->devices();
            talkers_.back()->begin();
        }
        tasks_.add("talking", talking_.start(kTalkInterval));
    }

    /// Prints the books; the exit code.
    int conclude() {
        for (std::size_t i = 0; i < talkers_.size(); ++i)
            talkers_[i]->conclude(peer_of(i));
        fmt::print(
            "sent {} received {} archived {} lost {} duplicated {} reordered {} archive_faults {} "
            "refused {} got_for_another {} came_late {} resumed {} logins {} devices {}\n",
            books_.sent, books_.received, books_.archived, books_.lost, books_.duplicated,
            books_.reordered, books_.archive_faults, books_.refused, books_.got_for_another,
            books_.came_late, books_.resumed, books_.logins, books_.devices);
        fmt::print("{}\n", rooms_.text());
        return books_.clean() && rooms_.clean() ? 0 : 1;
    }

private:
    reactor::World& world() { return shards_.world(0); }
    const Talker& peer_of(std::size_t i) const { return *talkers_[i ^ 1U]; }

    reactor::Deferred<void> talk() {
        for (const auto& talker : talkers_)
            talker->talk();
        rooms_.tick();
        return reactor::ready();
    }

    void finish() {
        if (!talking_.running()) return shards_.stop();
        talking_.stop();
        for (const auto& talker : talkers_)
            talker->settle_down();
        rooms_.settle_down();
        tasks_.add("draining", drain());
    }

    bool all_received() const {
        if (!rooms_.at_rest()) return false;
        for (std::size_t i = 0; i < talkers_.size(); ++i)
            if (!talkers_[i]->has_all_of(peer_of(i))) return false;
        return true;
    }

    reactor::Deferred<void> drain() {
        reactor::Reactor& reactor = world().reactor;
        const base::MonotonicTime until = reactor.now() + kDrainTime;
        for (base::MonotonicTime quiet = reactor.now();
             reactor.now() < until && reactor.now() < quiet + kQuietTime;) {
            rooms_.tick();  // Whoever is out of their room knocks.
            if (!all_received()) quiet = reactor.now();
            auto sleeping = reactor::sleep(reactor, kLookInterval);
            static_cast<void>(co_await std::move(sleeping));
        }
        for (const auto& talker : talkers_) {
            auto reading = talker->phone().audit();
            const base::Result<void> read = co_await std::move(reading);
            if (!read) fmt::print(stderr, "reading an archive: {}\n", read.error().message());
        }
        auto auditing = rooms_.audit();
        static_cast<void>(co_await std::move(auditing));
        shards_.stop();
        co_return {};
    }

    reactor::RealShards& shards_;
    Books books_;
    bots::ClientShared shared_;
    reactor::LoopingCall talking_;
    reactor::SignalWatch signals_;
    std::vector<std::unique_ptr<Talker>> talkers_;
    RoomParty rooms_;
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

int run(std::uint16_t port, int pairs, std::uint32_t guests) {
    reactor::TlsClientOptions options;
    options.verify = reactor::TlsVerify::none;
    auto tls = reactor::TlsClientContext::create(options);
    if (!tls) return 2;
    reactor::RealShards shards({}, base::Log::silent(), [](reactor::World& world) {
        return reactor::make_tcp_network(world);
    });
    std::unique_ptr<Program> program;
    int exit_code = 1;
    shards.run(
        [&](reactor::ShardId) {
            program = std::make_unique<Program>(shards, port, pairs, guests, *tls);
        },
        [&](reactor::ShardId) {
            exit_code = program->conclude();
            program.reset();
        });
    return exit_code;
}

}  // namespace
}  // namespace talkers

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: parley-talkers PORT PAIRS GUESTS\n");
        return 2;
    }
    return talkers::run(static_cast<std::uint16_t>(std::stoi(argv[1])), std::stoi(argv[2]),
                        static_cast<std::uint32_t>(std::stoi(argv[3])));
}
