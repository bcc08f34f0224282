// Lane: where the coroutines of one task wait for their turn. A coroutine belongs to the lane that
// was current when it was started, and with it all that it starts. Most have none and run straight
// from the ready queue; a Task (reactor/task.h) brings one, so that it can be paused and scheduled
// (reactor/scheduling.h).
#pragma once

#include "reactor/ready_queue.h"

#include <cstddef>
#include <utility>

namespace reactor::detail {

/// Counted: lives until its owner and the last coroutine in it are gone. Shard only.
class Lane {
public:
    Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// The lane whose item is running; null outside any.
    static Lane* current() noexcept { return current_; }

    /// Takes over an item of this lane, whose turn has come in the ready queue: runs it or keeps
    /// it for later.
    virtual void admit(ReadyItem& item) = 0;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }

    /// Makes a lane (or none) current. What is started inside belongs to it.
    class Scope {
    public:
        explicit Scope(Lane* lane) noexcept : outer_(std::exchange(current_, lane)) {}
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope() { current_ = outer_; }

    private:
        Lane* outer_;
    };

protected:
    virtual ~Lane() = default;

private:
    static inline constinit thread_local Lane* current_ = nullptr;
    std::size_t references_ = 1;  // The owner's.
};

}  // namespace reactor::detail
