#include "tests/bots/run/real_run.h"

#include "reactor/tcp_network.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <utility>

namespace bots {
namespace {

constexpr int kExitKilled = 130;

reactor::RealShardsOptions options_for(std::uint32_t cores) {
    reactor::RealShardsOptions options;
    options.count = cores;
    // Salting passwords: of everybody at once, when everybody logs in at once.
    options.pool.crypto.threads = cores;
    options.pool.crypto.queued_max = 1'000'000;
    // The operator's socket and commands for accounts.
    options.pool.misc.threads = 8;
    return options;
}

}  // namespace

RealRun::RealRun(std::uint32_t cores)
    : shards_(options_for(cores), base::Log::silent(),
              [](reactor::World& world) { return reactor::make_tcp_network(world); }) {}

void RealRun::execute(const std::function<reactor::Deferred<void>()>& work) {
    const auto start = [this, &work](reactor::ShardId id) {
        if (id != 0) return;
        signals_ = std::make_unique<reactor::SignalWatch>(
            world().reactor, std::initializer_list<int>{SIGINT, SIGTERM}, [this](int) {
                if (std::exchange(stopped_, true)) ::_exit(kExitKilled);
                if (on_stop_) on_stop_();
            });
        work_.emplace(work().both([this](const base::Result<void>&) {
            shards_.stop();
            return reactor::ready();
        }));
    };
    const auto finish = [this](reactor::ShardId id) {
        if (id != 0) return;
        work_.reset();
        signals_.reset();
    };
    shards_.run(start, finish);
}

}  // namespace bots
