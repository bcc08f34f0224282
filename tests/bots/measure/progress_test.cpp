#include "tests/bots/measure/progress.h"

#include <array>
#include <chrono>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cstdlib>

#include "tests/bots/measure/format.h"

namespace bots {
namespace {

using namespace std::chrono_literals;

Progress measuring() {
    Progress progress;
    progress.workload = "chat";
    progress.phase = Progress::Phase::measure;
    progress.elapsed = 12s;
    progress.remaining = 18s;
    progress.users = 2000;
    progress.now.online = 2000;
    progress.now.messages_per_s = 1998;
    progress.now.latency_p50 = 400us;
    progress.now.latency_p99 = 1900us;
    progress.messages = {.sent = 24'000, .received = 23'998};
    return progress;
}

// A terminal of our own: what is written to `screen` is read from `master`.
class Terminal {
public:
    explicit Terminal(unsigned short columns) : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
        grantpt(master_);
        unlockpt(master_);
        screen_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
        const winsize size{24, columns, 0, 0};
        ioctl(screen_, TIOCSWINSZ, &size);
        fcntl(master_, F_SETFL, O_NONBLOCK);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() {
        close(screen_);
        close(master_);
    }
    int screen() const { return screen_; }
    /// All that was written; the kernel passes it on by and by, and says at the end that there is
    /// nothing left.
    std::string shown() const {
        std::string all;
        std::array<char, 4096> bytes{};
        for (ssize_t count = 0; (count = read(master_, bytes.data(), bytes.size())) > 0;)
            all.append(bytes.data(), static_cast<std::size_t>(count));
        return all;
    }

private:
    int master_;
    int screen_ = -1;
};

TEST(Progress, shows_rate_and_latency_while_measuring) {
    EXPECT_EQ(
        format_progress(measuring(), 120),
        "  chat  12 s of 30 s  2,000 online  1,998 msg/s  p50 400 µs  p99 1.9 ms  2 under way");
}

TEST(Progress, leaves_out_what_matters_least_when_narrow) {
    for (std::size_t columns = 0; columns <= 120; ++columns)
        EXPECT_LE(columns_of(format_progress(measuring(), columns)), columns);
    EXPECT_EQ(format_progress(measuring(), 80),
              "  chat  12 s of 30 s  1,998 msg/s  p50 400 µs  p99 1.9 ms  2 under way");
    EXPECT_EQ(format_progress(measuring(), 51),
              "  12 s of 30 s  1,998 msg/s  p50 400 µs  p99 1.9 ms");
    EXPECT_EQ(format_progress(measuring(), 30), "  12 s of 30 s  1,998 msg/s");
    EXPECT_EQ(format_progress(measuring(), 5), "  12 ");
}

TEST(Progress, shows_faults_to_the_last) {
    Progress progress = measuring();
    progress.messages.duplicated = 3;
    progress.messages.refused = 1;
    progress.errors = 1;
    EXPECT_EQ(format_progress(progress, 60), "  12 s of 30 s  3 duplicated  1 refused  1 error");
}

TEST(Progress, shows_the_ramp_with_the_time_it_still_takes) {
    Progress progress;
    progress.workload = "idle";
    progress.users = 2000;
    progress.now.online = 1240;
    progress.now.logins_per_s = 310;
    progress.remaining = 2600ms;
    EXPECT_EQ(format_progress(progress, 120),
              "  idle  1,240 of 2,000 online  310 logins/s  about 3 s to go");
    progress.remaining = 200ms;
    EXPECT_EQ(format_progress(progress, 120),
              "  idle  1,240 of 2,000 online  310 logins/s  nearly there");
    progress.remaining.reset();
    EXPECT_EQ(format_progress(progress, 120), "  idle  1,240 of 2,000 online  310 logins/s");
}

TEST(Progress, shows_the_end_of_a_run) {
    Progress progress = measuring();
    progress.phase = Progress::Phase::drain;
    EXPECT_EQ(format_progress(progress, 60),
              "  waiting for the last messages  1,998 msg/s  p99 1.9 ms");
    progress.phase = Progress::Phase::clean_up;
    EXPECT_EQ(format_progress(progress, 60), "  chat  closing sessions  2,000 online");
}

TEST(Progress, estimates_the_rest_of_the_ramp_from_its_rate) {
    EXPECT_EQ(ramp_remaining(500, 2000, 2s), 6s);
    EXPECT_EQ(ramp_remaining(2000, 2000, 2s), 0s);
    EXPECT_EQ(ramp_remaining(2001, 2000, 2s), 0s);
    EXPECT_EQ(ramp_remaining(0, 2000, 2s), std::nullopt);
    EXPECT_EQ(ramp_remaining(5, 2000, 0s), std::nullopt);
    EXPECT_EQ(ramp_remaining(1, 4'000'000'000, 1h), 1000h);
}

TEST(Progress, is_quiet_where_there_is_no_terminal) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK), 0);
    {
        ProgressLine line(ends[1]);
        EXPECT_TRUE(line.quiet());
        line.show(measuring());
        line.clear();
    }
    char byte = 0;
    EXPECT_EQ(read(ends[0], &byte, 1), -1);
    close(ends[0]);
    close(ends[1]);
}

TEST(Progress, redraws_one_line_in_a_terminal_and_takes_it_away) {
    const Terminal terminal(41);
    {
        ProgressLine line(terminal.screen());
        EXPECT_FALSE(line.quiet());
        line.show(measuring());
        EXPECT_EQ(terminal.shown(), "\r  12 s of 30 s  1,998 msg/s  p99 1.9 ms\x1b[K");
        line.clear();
        EXPECT_EQ(terminal.shown(), "\r\x1b[K");
        line.clear();
        EXPECT_EQ(terminal.shown(), "");
        line.show(measuring());
        terminal.shown();
    }
    EXPECT_EQ(terminal.shown(), "\r\x1b[K");
}

}  // namespace
}  // namespace bots
