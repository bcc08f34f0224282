// Linked into each test program of the reactor: after every test nothing of it may live on, neither
// coroutines and pending Deferreds, nor detached work, descriptors (sockets, watches, loops) or
// threads (pools, shards). Timers left armed end the program where their wheel goes (TimerWheel).
#include "reactor/frame_memory.h"
#include "reactor/ready_queue.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <thread>

#ifdef __SANITIZE_THREAD__
// A child that borrows our memory until it is the other program (vfork) counts as a fork for
// ThreadSanitizer, which would end us at the next thread.
extern "C" const char* __tsan_default_options() {
    return "die_after_fork=0";
}
#endif

namespace reactor {
namespace {

std::int64_t entries(const char* directory) {
    std::error_code error;
    const std::filesystem::directory_iterator all(directory, error);
    return error ? 0 : std::distance(begin(all), end(all));
}

std::int64_t threads() {
    return entries("/proc/self/task");
}

struct Alive {
    std::int64_t frames = detail::live_frames();
    std::int64_t descriptors = entries("/proc/self/fd");
    std::int64_t threads = reactor::threads();
};

class LeakListener final : public testing::EmptyTestEventListener {
    // ThreadSanitizer has a thread of its own from the first one on.
    void OnTestProgramStart(const testing::UnitTest&) override {
        std::thread([] {}).join();
    }
    void OnTestStart(const testing::TestInfo&) override { before_ = Alive(); }
    void OnTestEnd(const testing::TestInfo& test) override {
        // The kernel may list a thread for a moment after it was joined, at the start of a test
        // too.
        for (int i = 0; i < kPatience_ms && threads() > before_.threads; ++i)
            ::poll(nullptr, 0, 1);
        const Alive after;
        // A failed assertion leaves a test in the middle of its work.
        if (test.result()->Failed() || test.result()->Skipped()) return;
        EXPECT_EQ(after.frames, before_.frames) << "coroutines or pending Deferreds live on";
        EXPECT_EQ(after.descriptors, before_.descriptors) << "descriptors stay open";
        EXPECT_LE(after.threads, before_.threads) << "threads live on";
        EXPECT_FALSE(ReadyQueue::of_thread().has_detached()) << "detached work lives on";
        EXPECT_TRUE(ReadyQueue::of_thread().empty()) << "something is still ready to run";
    }

    static constexpr int kPatience_ms = 20'000;
    Alive before_;
};

const bool registered = [] {
    testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
    return true;
}();

}  // namespace
}  // namespace reactor
