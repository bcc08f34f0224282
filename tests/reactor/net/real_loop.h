// For tests with real descriptors: one shard driven by the test's own thread.
#pragma once

#include "reactor/real_world.h"
#include "reactor/tcp_network.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace reactor::test {

class RealLoop : public testing::Test {
protected:
    RealLoop() : shards(RealShardsOptions(), log.log(), make_tcp_network), scope(world().reactor) {}

    World& world() { return shards.world(0); }
    /// Turns until `done`; the limit only bounds a failing test.
    bool run_until(const std::function<bool()>& done,
                   base::Duration limit = std::chrono::seconds(60)) {
        const auto give_up = clock.monotonic() + limit;
        while (!done()) {
            world().reactor.run_turn();
            if (clock.monotonic() > give_up) return false;
        }
        return true;
    }
    void run_turns(int count) {
        for (int i = 0; i < count; ++i)
            world().reactor.run_turn();
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        if (!run_until([&] { return work.settled(); }))
            return base::fail(base::Errc::internal, "never settled");
        return work.take();
    }
    static std::string temporary(const std::string& name) {
        return testing::TempDir() + "reactor-" + std::to_string(getpid()) + "-" + name;
    }

    LogCapture log;
    RealClock clock;
    RealShards shards;
    Reactor::Scope scope;
};

}  // namespace reactor::test
