// Gate: lets a bounded number through at a time; the others wait in line.
#pragma once

#include "reactor/deferred.h"

#include <cstddef>
#include <deque>
#include <utility>

namespace bots {

class Gate {
public:
    /// A place inside; given back when it is destroyed. The gate outlives it.
    class Pass {
    public:
        Pass() = default;
        explicit Pass(Gate& gate) noexcept : gate_(&gate) {}
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Pass& operator=(Pass&& other) noexcept {
            if (this != &other) {
                leave();
                gate_ = std::exchange(other.gate_, nullptr);
            }
            return *this;
        }
        ~Pass() { leave(); }
        void leave() noexcept {
            if (gate_) std::exchange(gate_, nullptr)->left();
        }

    private:
        Gate* gate_ = nullptr;
    };

    explicit Gate(std::size_t places) noexcept : free_(places) {}
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    reactor::Deferred<Pass> enter() {
        if (free_ > 0) {
            --free_;
            return base::Result<Pass>(Pass(*this));
        }
        return waiting_.emplace_back().deferred();
    }

private:
    void left() noexcept {
        while (!waiting_.empty()) {
            reactor::Promise<Pass> next = std::move(waiting_.front());
            waiting_.pop_front();
            if (!next.wanted()) continue;
            next.resolve(Pass(*this));
            return;
        }
        ++free_;
    }

    std::size_t free_;
    std::deque<reactor::Promise<Pass>> waiting_;
};

}  // namespace bots
