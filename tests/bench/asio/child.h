// A server in a process of its own, so that its CPU time and its memory can be told from the
// load's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace bench {

/// What a server in the child does: listens on 127.0.0.1, calls `ready(port)` once, serves for
/// ever.
using Serve = std::function<void(const std::function<void(std::uint16_t)>& ready)>;

class Child {
public:
    /// Forks and waits until it listens. Ends the program when it does not.
    explicit Child(const Serve& serve);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    /// Kills it.
    ~Child();

    std::uint16_t port() const noexcept { return port_; }
    /// CPU time of all its threads, kernel included, so far.
    double cpu_seconds() const;
    /// Memory that is its own (private and dirty).
    std::int64_t memory_bytes() const;

private:
    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
};

/// Ends the program with the text and errno when `good` is false.
void require(bool good, const char* what);

/// CPU time of the calling thread.
double thread_cpu_seconds();
double elapsed_seconds();

}  // namespace bench
