// The inline database in the simulated world: virtual time, several shards, no threads.
#include "reactor/sim/sim_world.h"
#include "storage/faults.h"
#include "storage/shapes.h"
#include "storage/tables/catalog.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <chrono>
#include <string>
#include <vector>

namespace storage::test {
namespace {

using namespace std::chrono_literals;
using base::Result;

class Simulated : public testing::Test {
protected:
    Simulated() : sim({.shards = 2}) {
        auto opened = make_inline_database(
            {.path = ":memory:", .stores = all_stores(), .now = kNow, .faults = &faults});
        database = std::move(*opened);
    }

    /// A write of `key` from `shard`, whose answer goes into `events`.
    void put(reactor::ShardId shard, std::string key) {
        sim.on(sim.world(shard), [&] {
            database
                ->write([key](Transaction& t) { return MapStore(t, "test").put("owner", key, ""); })
                .both([this, key, shard](Result<void> answer) {
                    EXPECT_TRUE(answer);
                    EXPECT_EQ(&reactor::Reactor::current(), &sim.world(shard).reactor);
                    events.push_back(key);
                })
                .detach("test");
        });
    }

    reactor::SimWorld sim;
    Faults faults;
    std::unique_ptr<Database> database;
    std::vector<std::string> events;
};

TEST_F(Simulated, answers_in_a_later_turn_without_time_passing) {
    const auto before = sim.now();
    put(0, "a");
    EXPECT_TRUE(events.empty());
    sim.run_ready();
    EXPECT_EQ(events, std::vector<std::string>{"a"});
    EXPECT_EQ(sim.now(), before);
}

TEST_F(Simulated, takes_as_long_as_the_faults_say) {
    faults.delay(250ms);
    put(0, "a");
    put(0, "b");
    sim.advance(249ms);
    EXPECT_TRUE(events.empty());
    sim.advance(2ms);
    EXPECT_EQ(events, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(database->statistics().commits, 1);
}

TEST_F(Simulated, answers_each_shard_in_its_own_turn) {
    for (int i = 0; i < 10; ++i)
        put(static_cast<reactor::ShardId>(i % 2), std::to_string(i));
    sim.run_ready();
    EXPECT_EQ(events.size(), 10);
}

TEST_F(Simulated, may_go_while_operations_wait) {
    faults.delay(1s);
    put(0, "a");
    put(1, "b");
    database.reset();
    sim.run_ready();
    EXPECT_EQ(events.size(), 2);  // Closing ran what was queued.
}

}  // namespace
}  // namespace storage::test
