// Linked into each test program of the reactor: after every test nothing of it may live on, neither
// coroutines and pending Deferreds, nor detached work, descriptors (sockets, watches, loops) or
// threads (pools, shards). Timers left armed end the program where their wheel goes (TimerWheel).
#include "reactor/frame_memory.h"
#include "reactor/ready_queue.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <iterator>

namespace reactor {
namespace {

std::int64_t entries(const char* directory) {
    std::error_code error;
    const std::filesystem::directory_iterator all(directory, error);
    return error ? 0 : std::distance(begin(all), end(all));
}

struct Alive {
    std::int64_t frames = detail::live_frames();
    std::int64_t descriptors = entries("/proc/self/fd");
    std::int64_t threads = entries("/proc/self/task");
};

class LeakListener final : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo&) override { before_ = Alive(); }
    void OnTestEnd(const testing::TestInfo& test) override {
        const Alive after;
        // A failed assertion leaves a test in the middle of its work.
        if (test.result()->Failed() || test.result()->Skipped()) return;
        EXPECT_EQ(after.frames, before_.frames) << "coroutines or pending Deferreds live on";
        EXPECT_EQ(after.descriptors, before_.descriptors) << "descriptors stay open";
        EXPECT_EQ(after.threads, before_.threads) << "threads live on";
        EXPECT_FALSE(ReadyQueue::of_thread().has_detached()) << "detached work lives on";
        EXPECT_TRUE(ReadyQueue::of_thread().empty()) << "something is still ready to run";
    }

    Alive before_;
};

const bool registered = [] {
    testing::UnitTest::GetInstance()->listeners().Append(new LeakListener);
    return true;
}();

}  // namespace
}  // namespace reactor
