// The real World: entropy, the pool's threads and caps, shards with their mailboxes on real
// threads. Run under ThreadSanitizer too.
#include "reactor/real_world.h"

#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

namespace reactor {
namespace {

using base::Errc;

TEST(RealClock, moves_forward_and_knows_the_year) {
    const RealClock clock;
    const auto first = clock.monotonic();
    EXPECT_LE(first, clock.monotonic());
    EXPECT_GT(clock.wall(), base::WallTime::from_seconds(1'700'000'000));
}

TEST(RealEntropy, gives_bytes_that_differ) {
    RealEntropy entropy;
    std::set<std::string> tokens;
    for (int i = 0; i < 1000; ++i)
        tokens.insert(entropy.token());
    EXPECT_EQ(tokens.size(), 1000u);
    std::string large(5000, '\0');
    entropy.secure(std::as_writable_bytes(std::span(large)));
    EXPECT_NE(large, std::string(5000, '\0'));
    std::set<std::uint64_t> numbers;
    for (int i = 0; i < 1000; ++i)
        numbers.insert(entropy.jitter());
    EXPECT_EQ(numbers.size(), 1000u);
    entropy.secure({});
}

class FixedEntropy final : public Entropy {
public:
    void secure(std::span<std::byte> into) override {
        std::uint8_t value = 0xFB;
        for (std::byte& byte : into)
            byte = std::byte(value++);
    }
    std::uint64_t jitter() override { return 0; }
};

TEST(Entropy, writes_tokens_in_url_safe_base64_without_padding) {
    FixedEntropy entropy;
    EXPECT_EQ(entropy.token(3), "-_z9");
    EXPECT_EQ(entropy.token(1), "-w");
    EXPECT_EQ(entropy.token(2), "-_w");
    EXPECT_EQ(entropy.token(0), "");
    EXPECT_EQ(entropy.token().size(), 16u);
}

class PoolTest : public testing::Test {
protected:
    template <class T>
    base::Result<T> wait_for(Deferred<T> work) {
        std::optional<base::Result<T>> result;
        Deferred<> told = std::move(work).both([&](base::Result<T> given) {
            result.emplace(std::move(given));
            reactor_.stop();
        });
        reactor_.run();
        return *std::move(result);
    }

    RealClock clock_;
    Reactor reactor_{clock_};
    Reactor::Scope scope_{reactor_};
};

TEST_F(PoolTest, runs_work_on_another_thread_and_answers_here) {
    ThreadPool pool({});
    const auto here = std::this_thread::get_id();
    const auto there =
        wait_for(pool.run(WorkClass::crypto, [] { return std::this_thread::get_id(); }));
    EXPECT_NE(*there, here);
    EXPECT_TRUE(wait_for(pool.run(WorkClass::misc, [] {})));
    const auto failed = wait_for(
        pool.run(WorkClass::misc, []() -> base::Result<int> { return base::fail(Errc::corrupt); }));
    EXPECT_EQ(failed.error().code(), Errc::corrupt);
    const auto thrown =
        wait_for(pool.run(WorkClass::dns, []() -> int { throw std::runtime_error("bad"); }));
    EXPECT_EQ(thrown.error().message(), "internal: bad");
}

TEST_F(PoolTest, destroys_the_work_on_the_shard) {
    ThreadPool pool({});
    struct Witness {
        std::thread::id& where;
        ~Witness() { where = std::this_thread::get_id(); }
    };
    std::thread::id where;
    EXPECT_TRUE(
        wait_for(pool.run(WorkClass::misc, [witness = std::make_unique<Witness>(where)] {})));
    reactor_.run_turn();
    EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(PoolTest, refuses_what_is_beyond_the_cap_of_its_class_only) {
    BlockingPoolOptions options;
    options.misc = {.threads = 1, .queued_max = 2};
    std::latch release(1);
    std::latch begun(1);
    ThreadPool pool(options);
    auto running = pool.run(WorkClass::misc, [&] {
        begun.count_down();
        release.wait();
    });
    begun.wait();
    auto first = pool.run(WorkClass::misc, [] { return 1; });
    auto second = pool.run(WorkClass::misc, [] { return 2; });
    EXPECT_EQ(test::failure_of(pool.run(WorkClass::misc, [] { return 3; })).code(),
              Errc::queue_full);
    EXPECT_EQ(*wait_for(pool.run(WorkClass::crypto, [] { return 4; })), 4);
    release.count_down();
    EXPECT_EQ(*wait_for(std::move(second)), 2);
    EXPECT_EQ(test::value_of(first), 1);
    test::value_of(running);
}

TEST_F(PoolTest, close_finishes_what_is_queued_and_refuses_the_rest) {
    ThreadPool pool({});
    std::atomic<int> done = 0;
    std::vector<Deferred<>> work;
    for (int i = 0; i < 100; ++i)
        work.push_back(pool.run(WorkClass::misc, [&] { ++done; }));
    pool.close();
    EXPECT_EQ(done, 100);
    EXPECT_TRUE(pool.closed());
    EXPECT_EQ(test::failure_of(pool.run(WorkClass::misc, [] {})).code(), Errc::closed);
    reactor_.run_turn();
    for (auto& each : work)
        test::value_of(each);
}

TEST_F(PoolTest, discards_the_result_of_dropped_work) {
    ThreadPool pool({});
    std::atomic<bool> ran = false;
    {
        Deferred<> dropped = pool.run(WorkClass::misc, [&] { ran = true; });
    }
    pool.close();
    EXPECT_TRUE(ran);
    reactor_.run_turn();
}

RealShardsOptions shards_of(ShardId count) {
    RealShardsOptions options;
    options.count = count;
    options.pool = {.crypto = {1, 16}, .dns = {1, 16}, .misc = {1, 16}};
    return options;
}

TEST(RealShards, runs_start_and_finish_on_every_shard) {
    constexpr ShardId kShards = 4;
    RealShards shards(shards_of(kShards), base::Log::silent(), {});
    std::array<std::thread::id, kShards> started;
    std::array<std::thread::id, kShards> finished;
    std::atomic<ShardId> running = 0;
    shards.run(
        [&](ShardId id) {
            EXPECT_EQ(shards.current(), id);
            EXPECT_EQ(&Reactor::current(), &shards.world(id).reactor);
            started[id] = std::this_thread::get_id();
            if (++running == kShards) shards.stop();
        },
        [&](ShardId id) {
            EXPECT_EQ(shards.current(), id);
            finished[id] = std::this_thread::get_id();
        });
    EXPECT_EQ(started, finished);
    EXPECT_EQ(std::set(started.begin(), started.end()).size(), kShards);
    EXPECT_EQ(started[0], std::this_thread::get_id());
}

// Everybody mails everybody, and every shard sees every sender's numbers in order.
TEST(RealShards, mail_keeps_its_order_per_pair_and_none_is_lost) {
    constexpr ShardId kShards = 3;
    constexpr int kCalls = 20'000;
    RealShards shards(shards_of(kShards), base::Log::silent(), {});
    std::array<std::array<int, kShards>, kShards>
        next{};  // [receiver][sender], the receiver's own.
    std::atomic<int> left = kShards * (kShards - 1) * kCalls;
    std::atomic<std::uint64_t> refused = 0;

    auto send_all = [&](ShardId from, ShardId to) -> Deferred<> {
        for (int i = 0; i < kCalls; ++i) {
            while (!shards.post(to, [&, from, to, i] {
                EXPECT_EQ(next[to][from], i);
                next[to][from] = i + 1;
                if (--left == 0) shards.stop();
            })) {
                ++refused;
                co_await sleep(shards.world(from).reactor, std::chrono::milliseconds(1));
            }
        }
        co_return {};
    };
    std::array<std::vector<Deferred<>>, kShards> senders;
    shards.run(
        [&](ShardId id) {
            for (ShardId to = 0; to < kShards; ++to)
                if (to != id) senders[id].push_back(send_all(id, to));
        },
        [&](ShardId id) { senders[id].clear(); });
    EXPECT_EQ(left, 0);
    EXPECT_GT(refused, 0u) << "the mailboxes were meant to fill up";
}

TEST(RealShards, a_full_mailbox_refuses_and_takes_nothing) {
    RealShards shards(shards_of(2), base::Log::silent(), {});
    std::atomic<std::uint32_t> received = 0;
    {
        const Reactor::Scope scope(shards.world(0).reactor);
        for (std::uint32_t i = 0; i < Shards::kMailboxMax; ++i)
            EXPECT_TRUE(shards.post(1, [&] {
                if (++received == Shards::kMailboxMax) shards.stop();
            }));
        EXPECT_FALSE(shards.post(1, [] { ADD_FAILURE(); }));
    }
    shards.run([](ShardId) {}, [](ShardId) {});
    EXPECT_EQ(received, Shards::kMailboxMax);
}

TEST(RealShards, run_on_answers_with_values_failures_and_deferreds) {
    RealShards shards(shards_of(2), base::Log::silent(), {});
    auto ask = [](RealShards& all) -> Deferred<> {
        for (const ShardId target : {0u, 1u}) {
            auto ask_id = all.run_on(target, [&all] { return all.current(); });
            auto id = co_await std::move(ask_id);
            EXPECT_EQ(id, target);
            auto ask_failing = all.run_on(
                target, []() -> base::Result<int> { return base::fail(Errc::not_found); });
            auto failed = co_await std::move(ask_failing);
            EXPECT_EQ(failed.error().code(), Errc::not_found);
            auto ask_later = all.run_on(target, [&all, target]() -> Deferred<std::string> {
                co_await sleep(all.world(target).reactor, std::chrono::milliseconds(1));
                co_return "later";
            });
            auto later = co_await std::move(ask_later);
            EXPECT_EQ(later, "later");
            auto ask_throwing =
                all.run_on(target, []() -> Deferred<> { throw std::runtime_error("bad"); });
            auto thrown = co_await std::move(ask_throwing);
            EXPECT_EQ(thrown.error().message(), "internal: bad");
            EXPECT_EQ(all.current(), 0u);
        }
        all.stop();
        co_return {};
    };
    std::optional<Deferred<>> asking;
    shards.run(
        [&](ShardId id) {
            if (id == 0) asking = ask(shards);
        },
        [&](ShardId id) {
            if (id == 0) test::value_of(*asking);
        });
}

TEST(RealShards, answers_beyond_the_lane_are_refused_at_the_question) {
    RealShards shards(shards_of(2), base::Log::silent(), {});
    std::vector<Deferred<int>> answers;
    std::uint32_t refused = 0;
    std::uint32_t answered = 0;
    auto collect = [&](std::vector<Deferred<int>> all) -> Deferred<> {
        for (auto& each : all) {
            auto result = co_await std::move(each);
            result ? ++answered : ++refused;
        }
        // The places are free again.
        for (int i = 0; i < 3; ++i)
            EXPECT_TRUE(co_await shards.run_on(1, [] { return 1; }));
        shards.stop();
        co_return {};
    };
    std::optional<Deferred<>> collecting;
    {
        const Reactor::Scope scope(shards.world(0).reactor);
        for (std::uint32_t i = 0; i < Shards::kMailboxMax + 5; ++i)
            answers.push_back(shards.run_on(1, [] { return 1; }));
    }
    shards.run(
        [&](ShardId id) {
            if (id == 0) collecting = collect(std::move(answers));
        },
        [&](ShardId id) {
            if (id == 0) collecting.reset();
        });
    EXPECT_EQ(answered, Shards::kMailboxMax);
    EXPECT_EQ(refused, 5u);
}

TEST(RealShards, a_dropped_question_discards_its_answer) {
    RealShards shards(shards_of(2), base::Log::silent(), {});
    std::atomic<bool> ran = false;
    shards.run(
        [&](ShardId id) {
            if (id != 0) return;
            {
                Deferred<> dropped = shards.run_on(1, [&] { ran = true; });
            }
            shards.run_on(1, [] {}).then([&] { shards.stop(); }).detach("the end of the test");
        },
        [](ShardId) {});
    EXPECT_TRUE(ran);
}

TEST(RealShards, other_threads_post_through_the_reactor) {
    RealShards shards(shards_of(2), base::Log::silent(), {});
    std::thread other([&] {
        EXPECT_TRUE(shards.post(1, [&] {
            EXPECT_EQ(shards.current(), 1u);
            shards.stop();
        }));
    });
    shards.run([](ShardId) {}, [](ShardId) {});
    other.join();
}

TEST(RealShards, mail_that_was_never_read_goes_with_the_shards) {
    auto witness = std::make_shared<int>(1);
    {
        RealShards shards(shards_of(2), base::Log::silent(), {});
        const Reactor::Scope scope(shards.world(0).reactor);
        EXPECT_TRUE(shards.post(1, [witness] {}));
        Deferred<> question = shards.run_on(1, [witness] {});
        EXPECT_EQ(witness.use_count(), 3);
    }
    EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace reactor
