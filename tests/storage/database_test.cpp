// Group commit, order, isolation, caps and shutdown of a Database, on every engine.
#include "storage/database.h"

#include "storage/shapes.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

constexpr std::string_view kOwner = "juliet@capulet.example";

auto put(std::string key, std::string value = "x") {
    return [key = std::move(key), value = std::move(value)](Transaction& t) {
        return MapStore(t, "test").put(kOwner, key, value);
    };
}

auto keys() {
    return [](Transaction& t) -> Result<std::vector<std::string>> {
        std::vector<std::string> keys;
        for (const auto& [key, value] : TRY(MapStore(t, "test").list(kOwner)))
            keys.push_back(key);
        return keys;
    };
}

using Keys = std::vector<std::string>;

/// Holds a storage thread inside an operation until it is opened.
class Gate {
public:
    auto operation() {
        return [this](Transaction&) -> Result<void> {
            std::unique_lock lock(mutex_);
            reached_ = true;
            changed_.notify_all();
            changed_.wait(lock, [this] { return open_; });
            return {};
        };
    }
    void wait_until_reached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return reached_; });
    }
    void open() {
        std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
};

class DatabaseTest : public EveryEngine {
protected:
    /// Starts all functions in one turn, so that they are one batch on every engine, and waits.
    template <class... Functions>
    std::vector<Result<void>> write_together(Functions... functions) {
        std::vector<Result<void>> answers;
        Gate gate;
        std::size_t waiting = sizeof...(functions);
        const auto start = [&](auto function) {
            database->write(std::move(function))
                .both([&](Result<void> answer) {
                    answers.push_back(std::move(answer));
                    if (--waiting == 0) database.loop.reactor().stop();
                })
                .detach("test");
        };
        {
            reactor::Reactor::Scope scope(database.loop.reactor());
            if (database.threaded()) {
                ++waiting;
                start(gate.operation());
                gate.wait_until_reached();
            }
            (start(std::move(functions)), ...);
        }
        gate.open();
        database.loop.reactor().run();
        if (database.threaded()) answers.erase(answers.begin());
        return answers;
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest, every_engine(), name_of);

TEST_P(DatabaseTest, shows_a_write_to_a_read_that_starts_after_its_answer) {
    for (int i = 0; i < 50; ++i) {
        database.must(put(std::to_string(i)));
        const auto count =
            database.read([](Transaction& t) { return MapStore(t, "test").count(kOwner); });
        ASSERT_TRUE(count);
        ASSERT_EQ(*count, i + 1);
    }
}

TEST_P(DatabaseTest, commits_what_waits_together_in_one_transaction) {
    const auto before = database->statistics();
    const auto answers = write_together(put("a"), put("b"), put("c"), put("d"), put("e"));
    for (const auto& answer : answers)
        EXPECT_TRUE(answer);
    const auto after = database->statistics();
    const std::uint64_t gates = database.threaded() ? 1 : 0;
    EXPECT_EQ(after.commits - before.commits, 1 + gates);
    EXPECT_EQ(after.writes - before.writes, 5 + gates);
    EXPECT_EQ(after.batch_max, 5);
    EXPECT_EQ(after.batch_sizes[3], 1);  // 5 to 8.
    EXPECT_EQ(after.write_queue, 0);
}

TEST_P(DatabaseTest, undoes_an_operation_that_fails_alone) {
    const auto answers = write_together(
        put("a"),
        [](Transaction& t) -> Result<void> {
            TRY(MapStore(t, "test").put(kOwner, "half", "x"));
            return base::fail(Errc::unsupported, "changed its mind");
        },
        put("b"));
    ASSERT_EQ(answers.size(), 3);
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code(), Errc::unsupported);
    EXPECT_TRUE(answers[2]);
    EXPECT_EQ(database.read(keys()), (Keys{"a", "b"}));
    EXPECT_EQ(database->statistics().failed_writes, 1);
}

TEST_P(DatabaseTest, runs_the_others_of_a_batch_again_when_one_fails) {
    std::atomic<int> runs = 0;
    const auto fails = [](Transaction&) -> Result<void> { return base::fail(Errc::unsupported); };
    const auto counts = [&runs](Transaction& t) {
        ++runs;
        return MapStore(t, "test").put(kOwner, "a", "x");
    };
    auto answers = write_together(counts, fails, put("b"));
    EXPECT_EQ(answers[1].error().code(), Errc::unsupported);
    EXPECT_TRUE(answers[0] && answers[2]);
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(database.read(keys()), (Keys{"a", "b"}));
    // For some batches from now on each has its savepoint.
    answers = write_together(counts, fails, put("c"));
    EXPECT_TRUE(answers[0] && !answers[1] && answers[2]);
    EXPECT_EQ(runs, 3);
    EXPECT_EQ(database.read(keys()), (Keys{"a", "b", "c"}));
    EXPECT_EQ(database->statistics().failed_writes, 2);
}

TEST_P(DatabaseTest, runs_an_operation_that_may_change_what_it_owns_once) {
    std::atomic<int> runs = 0;
    const auto answers = write_together(
        [&runs, left = 1](Transaction& t) mutable -> Result<void> {
            ++runs;
            if (--left < 0) return base::fail(Errc::internal);
            return MapStore(t, "test").put(kOwner, "a", "x");
        },
        [](Transaction&) -> Result<void> { return base::fail(Errc::unsupported); });
    EXPECT_TRUE(answers[0]);
    EXPECT_FALSE(answers[1]);
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(database.read(keys()), Keys{"a"});
}

TEST_P(DatabaseTest, undoes_an_operation_that_throws_alone) {
    const auto answers = write_together(put("a"), [](Transaction& t) -> Result<void> {
        TRY(MapStore(t, "test").put(kOwner, "half", "x"));
        throw std::runtime_error("a bug in a library");
    });
    ASSERT_EQ(answers.size(), 2);
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code(), Errc::internal);
    EXPECT_EQ(database.read(keys()), Keys{"a"});
}

TEST_P(DatabaseTest, fails_the_whole_batch_when_its_commit_fails) {
    database.must(put("before"));
    database.faults.fail_next_commit({Errc::io_error, "injected"});
    std::vector<Result<void>> answers;
    if (database.threaded()) {
        // The gate of write_together would take the fault.
        answers.push_back(database.write(put("a")));
    } else {
        answers = write_together(put("a"), put("b"), put("c"));
    }
    for (const auto& answer : answers) {
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().message(), "io_error: injected");
    }
    EXPECT_EQ(database.read(keys()), Keys{"before"});
    EXPECT_EQ(database->statistics().failed_commits, 1);
    database.must(put("after"));
    EXPECT_EQ(database.read(keys()), (Keys{"after", "before"}));
}

TEST_P(DatabaseTest, fails_one_write_or_read_on_demand) {
    database.faults.fail_next_write();
    EXPECT_EQ(database.write(put("a")).error().code(), Errc::io_error);
    EXPECT_TRUE(database.write(put("b")));
    database.faults.fail_next_read(Errc::busy);
    EXPECT_EQ(database.read(keys()).error().code(), Errc::busy);
    EXPECT_EQ(database.read(keys()), Keys{"b"});
}

TEST_P(DatabaseTest, refuses_writes_and_still_reads_while_the_disk_is_full) {
    database.must(put("a"));
    database.faults.disk_full(true);
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(database.write(put("b")).error().code(), Errc::no_space);
    EXPECT_EQ(database.read(keys()), Keys{"a"});
    database.faults.disk_full(false);
    EXPECT_TRUE(database.write(put("b")));
}

TEST_P(DatabaseTest, answers_writes_in_the_order_they_were_issued) {
    constexpr int kWrites = 1000;  // More than one batch.
    std::vector<int> answered;
    {
        reactor::Reactor::Scope scope(database.loop.reactor());
        for (int i = 0; i < kWrites; ++i)
            database
                ->write([i](Transaction& t) -> Result<int> {
                    TRY(
                        t.execute("INSERT INTO sm_sessions (token, account, resource, created_at, "
                                  "max_seconds) VALUES ($1, 'a', 'r', 0, 0)",
                                  {std::to_string(i)}));
                    return i;
                })
                .both([&](Result<int> answer) {
                    answered.push_back(answer.value_or(-1));
                    if (answered.size() == kWrites) database.loop.reactor().stop();
                })
                .detach("test");
    }
    database.loop.reactor().run();
    std::vector<int> stored;
    EXPECT_TRUE(database.read([&](Transaction& t) {
        return t.query("SELECT token FROM sm_sessions ORDER BY session", {}, [&](const Row& row) {
            stored.push_back(std::stoi(std::string(row.text(0))));
        });
    }));
    ASSERT_EQ(answered.size(), kWrites);
    for (int i = 0; i < kWrites; ++i)
        ASSERT_EQ(answered[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(stored, answered);
    EXPECT_LE(database->statistics().batch_max, database.options.batch_max);
}

TEST_P(DatabaseTest, keeps_a_write_whose_answer_nobody_waits_for) {
    {
        reactor::Reactor::Scope scope(database.loop.reactor());
        static_cast<void>(database->write(put("a")));  // Drops the Deferred.
    }
    database.must(put("b"));
    EXPECT_EQ(database.read(keys()), (Keys{"a", "b"}));
}

TEST_P(DatabaseTest, refuses_one_write_and_one_read_past_the_cap) {
    database.close();
    database.options.write_queue_max = 3;
    database.options.read_queue_max = 2;
    database.open();
    std::vector<reactor::Deferred<void>> writes;
    std::vector<reactor::Deferred<std::int64_t>> reads;
    Gate gate;
    Gate read_gates[2];
    reactor::Reactor& reactor = database.loop.reactor();
    const auto read = [](Transaction& t) { return t.execute("SELECT 1"); };
    {
        reactor::Reactor::Scope scope(reactor);
        if (database.threaded()) {
            writes.push_back(database->write(gate.operation()));
            gate.wait_until_reached();
            for (Gate& each : read_gates) {
                if (!database.on_file()) break;  // There the writer reads, and it is held.
                writes.push_back(database->read(each.operation()));
                each.wait_until_reached();
            }
        }
        for (int i = 0; i < 3; ++i)
            writes.push_back(database->write(put(std::to_string(i))));
        for (int i = 0; i < 2; ++i)
            reads.push_back(database->read(read));
        auto write_past = database->write(put("past"));
        auto read_past = database->read(read);
        ASSERT_TRUE(write_past.settled());
        EXPECT_EQ(write_past.take().error().code(), Errc::queue_full);
        ASSERT_TRUE(read_past.settled());
        EXPECT_EQ(read_past.take().error().code(), Errc::queue_full);
        EXPECT_EQ(database->statistics().write_queue, 3);
        EXPECT_EQ(database->statistics().read_queue, 2);
        EXPECT_EQ(database->statistics().refused, 2);
    }
    gate.open();
    for (Gate& each : read_gates)
        each.open();
    for (auto& each : writes)
        EXPECT_TRUE(database.loop.run([&] { return std::move(each); }));
    for (auto& each : reads)
        EXPECT_TRUE(database.loop.run([&] { return std::move(each); }));
    EXPECT_EQ(database.read(keys()), (Keys{"0", "1", "2"}));
}

TEST_P(DatabaseTest, runs_what_is_queued_when_it_closes_and_refuses_the_rest) {
    std::vector<reactor::Deferred<void>> writes;
    reactor::Reactor& reactor = database.loop.reactor();
    {
        reactor::Reactor::Scope scope(reactor);
        for (int i = 0; i < 100; ++i)
            writes.push_back(database->write(put(std::to_string(i))));
        database->close();
        database->close();
        auto late = database->write(put("late"));
        ASSERT_TRUE(late.settled());
        EXPECT_EQ(late.take().error().code(), Errc::closed);
        auto late_read = database->read(keys());
        EXPECT_EQ(late_read.take().error().code(), Errc::closed);
    }
    for (auto& each : writes)
        EXPECT_TRUE(database.loop.run([&] { return std::move(each); }));
    if (!database.on_file()) return;
    database.close();
    database.open();
    EXPECT_EQ(database.read(keys())->size(), 100);
}

TEST(Database, gives_a_read_one_snapshot_while_writes_go_on) {
    TestDatabase database;
    database.must(put("a"));
    Gate gate;
    std::optional<reactor::Deferred<Keys>> during;
    {
        reactor::Reactor::Scope scope(database.loop.reactor());
        during = database->read([&gate](Transaction& t) -> Result<Keys> {
            TRY(MapStore(t, "test").count(kOwner));  // The snapshot begins here.
            TRY(gate.operation()(t));
            return keys()(t);
        });
    }
    gate.wait_until_reached();
    database.must(put("b"));
    gate.open();
    EXPECT_EQ(database.loop.run([&] { return *std::move(during); }), Keys{"a"});
    EXPECT_EQ(database.read(keys()), (Keys{"a", "b"}));
}

TEST(Database, fails_every_write_of_a_batch_whose_commit_fails_on_threads_too) {
    TestDatabase database;
    Gate gate;
    std::vector<Result<void>> answers;
    const auto start = [&](auto function) {
        database->write(std::move(function))
            .both([&](Result<void> answer) {
                answers.push_back(std::move(answer));
                if (answers.size() == 4) database.loop.reactor().stop();
            })
            .detach("test");
    };
    {
        reactor::Reactor::Scope scope(database.loop.reactor());
        start(gate.operation());
        gate.wait_until_reached();
        start([&](Transaction&) -> Result<void> {
            database.faults.fail_next_commit();  // The gate's own commit is over by now.
            return {};
        });
        start(put("a"));
        start(put("b"));
    }
    gate.open();
    database.loop.reactor().run();
    EXPECT_TRUE(answers[0]);
    for (std::size_t i = 1; i < 4; ++i)
        EXPECT_EQ(answers[i].error().code(), Errc::io_error);
    EXPECT_EQ(database.read(keys()), Keys{});
    EXPECT_EQ(database->statistics().failed_writes, 3);
}

TEST(Database, answers_each_shard_on_its_own_thread_in_its_own_order) {
    constexpr int kShards = 3;
    std::array<Loop, kShards> loops;  // Outlive the database, which posts to them.
    TestDatabase database;
    constexpr int kWrites = 300;
    std::vector<std::vector<int>> answered(kShards);
    std::vector<std::thread> threads;
    for (std::size_t shard = 0; shard < kShards; ++shard)
        threads.emplace_back([&, shard] {
            Loop& loop = loops[shard];
            const auto thread = std::this_thread::get_id();
            {
                reactor::Reactor::Scope scope(loop.reactor());
                for (int i = 0; i < kWrites; ++i) {
                    auto insert = put(std::to_string(shard) + "." + std::to_string(i));
                    database->write(std::move(insert))
                        .both([&, i](Result<void> answer) {
                            EXPECT_TRUE(answer);
                            EXPECT_EQ(std::this_thread::get_id(), thread);
                            answered[shard].push_back(i);
                            if (i == kWrites - 1) loop.reactor().stop();
                        })
                        .detach("test");
                }
            }
            loop.reactor().run();
        });
    for (std::thread& thread : threads)
        thread.join();
    for (const auto& numbers : answered) {
        EXPECT_EQ(numbers.size(), kWrites);
        EXPECT_TRUE(std::ranges::is_sorted(numbers));
    }
    EXPECT_EQ(database.read(keys())->size(), kShards * kWrites);
    const Statistics statistics = database->statistics();
    EXPECT_EQ(statistics.writes, kShards * kWrites);
    EXPECT_LT(statistics.commits, statistics.writes);
    EXPECT_LE(statistics.batch_max, database.options.batch_max);
}

}  // namespace
}  // namespace storage::test
