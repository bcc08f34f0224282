#include "tests/bench/asio/child.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace bench {
namespace {

double seconds_of(clockid_t clock) {
    timespec time{};
    require(clock_gettime(clock, &time) == 0, "clock_gettime");
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

double thread_cpu_seconds() {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}
double elapsed_seconds() {
    return seconds_of(CLOCK_MONOTONIC);
}

Child::Child(const Serve& serve) {
    int ends[2];
    require(pipe(ends) == 0, "pipe");
    pid_ = fork();
    require(pid_ >= 0, "fork");
    if (pid_ == 0) {
        close(ends[0]);
        serve([&](std::uint16_t port) {
            require(write(ends[1], &port, sizeof port) == sizeof port, "write");
            close(ends[1]);
        });
        _exit(1);
    }
    close(ends[1]);
    require(read(ends[0], &port_, sizeof port_) == sizeof port_, "the server did not start");
    close(ends[0]);
}

Child::~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
}

double Child::cpu_seconds() const {
    clockid_t clock = 0;
    require(clock_getcpuclockid(pid_, &clock) == 0, "clock_getcpuclockid");
    return seconds_of(clock);
}

std::int64_t Child::memory_bytes() const {
    std::ifstream rollup("/proc/" + std::to_string(pid_) + "/smaps_rollup");
    std::string line;
    while (std::getline(rollup, line))
        if (line.starts_with("Private_Dirty:")) return std::atoll(line.c_str() + 14) * 1024;
    require(false, "smaps_rollup");
    return 0;
}

}  // namespace bench
