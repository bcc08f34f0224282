// Power cuts and kills on the simulated disk: SQLite's own recovery must find all that was
// answered.
#include "storage/sim_disk.h"
#include "reactor/sim/sim_world.h"
#include "storage/shapes.h"
#include "storage/tables/catalog.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>

namespace storage::test {
namespace {

using base::Result;

/// A database on a disk that loses power, and what its writer was told.
class PowerCut : public testing::Test {
protected:
    void open() {
        auto opened = make_inline_database(
            {.path = "parley.db", .stores = all_stores(), .now = kNow, .disk = &disk});
        ASSERT_TRUE(opened) << opened.error().message();
        database = std::move(*opened);
    }

    void write(int number) {
        sim.on(sim.world(0), [&] {
            database
                ->write([number](Transaction& t) {
                    return MapStore(t, "test").put("owner", std::to_string(number), "value");
                })
                .both([this, number](Result<void> answer) {
                    if (answer) answered.insert(std::to_string(number));
                })
                .detach("test");
        });
    }

    std::set<std::string> stored() {
        std::set<std::string> found;
        sim.on(sim.world(0), [&] {
            database->read([](Transaction& t) { return MapStore(t, "test").list("owner"); })
                .both([&](auto rows) {
                    ASSERT_TRUE(rows);
                    for (const auto& row : *rows)
                        found.insert(row.first);
                })
                .detach("test");
        });
        sim.run_ready();
        return found;
    }

    reactor::SimWorld sim{{.shards = 1}};
    SimDisk disk{42};
    std::unique_ptr<Database> database;
    std::set<std::string> answered;
};

TEST_F(PowerCut, loses_nothing_that_was_answered) {
    int number = 0;
    for (int round = 0; round < 40; ++round) {
        open();
        for (int i = 0; i < round; ++i) {
            write(number++);
            if (i % 3 == 0) sim.run_ready();
        }
        disk.power_off();
        database.reset();
        sim.run_ready();
        disk.power_on();
        open();
        const std::set<std::string> found = stored();
        for (const std::string& key : answered)
            EXPECT_TRUE(found.contains(key)) << key << " in round " << round;
        database.reset();
    }
    EXPECT_GT(answered.size(), 200U);
}

TEST_F(PowerCut, undoes_what_was_never_synced) {
    open();
    write(1);
    disk.fail_next_sync();
    sim.run_ready();
    EXPECT_TRUE(answered.empty());
    disk.power_off();
    database.reset();
    disk.power_on();
    open();
    EXPECT_TRUE(stored().empty());
}

TEST_F(PowerCut, keeps_everything_when_only_the_process_dies) {
    open();
    write(1);
    sim.run_ready();
    disk.kill_process();
    database.reset();
    disk.power_on();
    open();
    EXPECT_EQ(stored(), std::set<std::string>{"1"});
}

TEST_F(PowerCut, fails_writes_while_the_disk_is_full_and_goes_on_when_there_is_room) {
    open();
    write(1);
    sim.run_ready();
    disk.set_capacity_bytes(disk.used_bytes());
    write(2);
    sim.run_ready();
    EXPECT_EQ(answered, std::set<std::string>{"1"});
    disk.set_capacity_bytes(0);
    write(3);
    sim.run_ready();
    EXPECT_EQ(stored(), (std::set<std::string>{"1", "3"}));
}

TEST(SimDisk, loses_the_same_bytes_for_the_same_seed) {
    const auto after_a_cut = [](std::uint64_t seed) {
        reactor::SimWorld sim{{.shards = 1}};
        SimDisk disk(seed);
        std::size_t found = 0;
        for (int round = 0; round < 2; ++round) {
            auto database = make_inline_database(
                {.path = "parley.db", .stores = all_stores(), .now = kNow, .disk = &disk});
            if (round == 1) return disk.used_bytes() + found;
            sim.on(sim.world(0), [&] {
                for (int i = 0; i < 50; ++i)
                    (*database)
                        ->write([i](Transaction& t) {
                            return MapStore(t, "test").put("owner", std::to_string(i), "value");
                        })
                        .both([&](Result<void>) { ++found; })
                        .detach("test");
            });
            sim.run_ready();
            disk.power_off();
            database->reset();
            disk.power_on();
        }
        return std::uint64_t{0};
    };
    EXPECT_EQ(after_a_cut(7), after_a_cut(7));
}

}  // namespace
}  // namespace storage::test
