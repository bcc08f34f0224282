// A closed loop for benchmarks of a database: keeps a number of operations under way.
#pragma once

#include "tests/storage/test_database.h"

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace storage::test {

/// Keeps `outstanding` operations under way until `count` are answered. `start` begins one and
/// yields its Deferred; a failure aborts the benchmark.
template <class Start>
class Window {
public:
    Window(Loop& loop, Start start, std::int64_t count)
        : loop_(loop), start_(std::move(start)), left_(count) {}

    void run(std::int64_t outstanding) {
        {
            reactor::Reactor::Scope scope(loop_.reactor());
            while (outstanding-- > 0)
                next();
        }
        loop_.reactor().run();
    }

private:
    void next() {
        if (started_ == left_) return;
        ++started_;
        start_()
            .both([this](auto answer) {
                if (!answer) std::abort();
                if (++answered_ == left_) return loop_.reactor().stop();
                next();
            })
            .detach("bench");
    }

    Loop& loop_;
    Start start_;
    std::int64_t left_;
    std::int64_t started_ = 0;
    std::int64_t answered_ = 0;
};

}  // namespace storage::test
