#include "tests/bots/measure/process_usage.h"

#include <array>
#include <chrono>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace bots {
namespace {

// A child that waits to be killed.
class Child {
public:
    Child() : pid_(fork()) {
        if (pid_ == 0) {
            for (;;)
                pause();
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        end();
        reap();
    }
    int pid() const { return pid_; }
    void end() const { kill(pid_, SIGKILL); }
    void wait_until_ended() const {
        siginfo_t info{};
        waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
    }
    void reap() const { waitpid(pid_, nullptr, 0); }

private:
    pid_t pid_;
};

void burn_cpu(double seconds) {
    const double until = own_usage().cpu_s + seconds;
    volatile double sink = 0;
    while (own_usage().cpu_s < until)
        for (int i = 0; i < 100'000; ++i)
            sink = sink + i;
}

TEST(ProcessUsage, grows_with_the_cpu_time_used) {
    const std::array<int, 1> pids = {getpid()};
    auto watch = ProcessWatch::open(pids);
    ASSERT_TRUE(watch);
    const auto before = watch->read(UsageDetail::quick);
    const ProcessUsage own_before = own_usage();
    burn_cpu(0.05);
    const auto after = watch->read(UsageDetail::quick);
    const ProcessUsage own_after = own_usage();
    ASSERT_TRUE(before && after);
    EXPECT_GE(after->cpu_s - before->cpu_s, 0.045);
    EXPECT_GE(own_after.cpu_s - own_before.cpu_s, 0.045);
    EXPECT_NEAR(after->cpu_s, own_after.cpu_s, 0.1);
}

TEST(ProcessUsage, has_memory_and_pss_only_when_asked) {
    const std::array<int, 1> pids = {getpid()};
    auto watch = ProcessWatch::open(pids);
    ASSERT_TRUE(watch);
    const auto quick = watch->read(UsageDetail::quick);
    ASSERT_TRUE(quick);
    EXPECT_GT(quick->rss_bytes, 100'000U);
    EXPECT_EQ(quick->pss_bytes, 0U);
    const auto full = watch->read(UsageDetail::full);
    ASSERT_TRUE(full);
    EXPECT_GT(full->pss_bytes, 0U);
    EXPECT_LE(full->pss_bytes, full->rss_bytes);
    EXPECT_EQ(watch->note(), "");
    EXPECT_GT(own_usage(UsageDetail::full).pss_bytes, 0U);
}

TEST(ProcessUsage, sums_several_processes) {
    const Child child;
    const std::array<int, 1> alone = {child.pid()};
    const std::array<int, 2> both = {getpid(), child.pid()};
    auto one = ProcessWatch::open(alone);
    auto two = ProcessWatch::open(both);
    ASSERT_TRUE(one && two);
    EXPECT_GT(two->read(UsageDetail::quick)->rss_bytes, one->read(UsageDetail::quick)->rss_bytes);
    EXPECT_EQ(two->pids(), (std::vector<int>{getpid(), child.pid()}));
}

TEST(ProcessUsage, says_clearly_that_a_process_is_gone) {
    const Child child;
    const std::array<int, 1> pids = {child.pid()};
    auto watch = ProcessWatch::open(pids);
    ASSERT_TRUE(watch);
    child.end();
    child.wait_until_ended();
    const auto zombie = watch->read(UsageDetail::full);
    ASSERT_FALSE(zombie);
    EXPECT_EQ(zombie.error().code(), base::Errc::not_found);
    EXPECT_NE(zombie.error().message().find("is gone"), std::string::npos);
    EXPECT_FALSE(ProcessWatch::open(pids));
    child.reap();
    EXPECT_FALSE(watch->read(UsageDetail::quick));
    const auto reopened = ProcessWatch::open(pids);
    ASSERT_FALSE(reopened);
    EXPECT_NE(reopened.error().message().find("no process"), std::string::npos);
}

TEST(ProcessUsage, refuses_pids_that_make_no_sense) {
    EXPECT_EQ(ProcessWatch::open({}).error().code(), base::Errc::invalid_argument);
    for (const std::vector<int>& pids : {std::vector<int>{0}, {-1}, {getpid(), getpid()}})
        EXPECT_EQ(ProcessWatch::open(pids).error().code(), base::Errc::invalid_argument);
}

}  // namespace
}  // namespace bots
