// What accompanies work without being passed: the lane in which its steps wait for their turn
// (reactor/task/task.h) and the bindings that it sees (reactor/context.h). A coroutine belongs to
// the surroundings in which it was started, and so does all that it starts. Most work has neither,
// which costs a null pointer. Internal to the reactor.
#pragma once

#include "reactor/frame_memory.h"
#include "reactor/ready_queue.h"

#include <atomic>
#include <cstddef>
#include <utility>

namespace reactor::detail {

/// Where the coroutines of one task wait, so that they can be paused and scheduled. Counted: lives
/// until its owner and the last coroutine in it are gone. Shard only.
class Lane {
public:
    Lane() = default;
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Takes over an item of this lane, whose turn has come in the ready queue: runs it or keeps
    /// it for later.
    virtual void admit(ReadyItem& item) = 0;

    void retain() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }

protected:
    virtual ~Lane() = default;

private:
    std::size_t references_ = 1;  // The owner's.
};

/// One binding and those around it. Immutable; shared by everything that was started inside it, on
/// any thread.
class Context {
public:
    Context(const void* key, Context* outer) noexcept : key_(key), outer_(outer) {
        if (outer_ != nullptr) outer_->retain();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void retain() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    const Context* find(const void* key) const noexcept {
        for (const Context* at = this; at != nullptr; at = at->outer_)
            if (at->key_ == key) return at;
        return nullptr;
    }

protected:
    virtual ~Context() {
        if (outer_ != nullptr) outer_->release();
    }

private:
    std::atomic<int> users_ = 1;
    const void* key_;
    Context* outer_;
};

/// A lane and a context, at least one of them; shared by what was started inside a scope, counted,
/// of one thread.
class Surroundings final : public FrameAllocated {
public:
    Surroundings(Lane* lane, Context* context) noexcept : lane_(lane), context_(context) {
        if (lane_ != nullptr) lane_->retain();
        if (context_ != nullptr) context_->retain();
    }
    Surroundings(const Surroundings&) = delete;
    Surroundings& operator=(const Surroundings&) = delete;

    Lane* lane() const noexcept { return lane_; }
    Context* context() const noexcept { return context_; }
    void retain() noexcept { ++users_; }
    void release() noexcept {
        if (--users_ == 0) delete this;
    }

private:
    ~Surroundings() {
        if (context_ != nullptr) context_->release();
        if (lane_ != nullptr) lane_->release();
    }

    Lane* const lane_;
    Context* const context_;
    std::size_t users_ = 1;
};

/// Of what starts now on this thread; null for most work.
inline constinit thread_local Surroundings* current_surroundings = nullptr;

inline Lane* current_lane() noexcept {
    return current_surroundings != nullptr ? current_surroundings->lane() : nullptr;
}
inline Context* current_context() noexcept {
    return current_surroundings != nullptr ? current_surroundings->context() : nullptr;
}

/// Makes surroundings, or none, current while it lives; somebody else keeps them.
class SurroundingsScope {
public:
    explicit SurroundingsScope(Surroundings* surroundings) noexcept
        : outer_(std::exchange(current_surroundings, surroundings)) {}
    SurroundingsScope(const SurroundingsScope&) = delete;
    SurroundingsScope& operator=(const SurroundingsScope&) = delete;
    ~SurroundingsScope() { current_surroundings = outer_; }

private:
    Surroundings* outer_;
};

/// The same for a lane and a context that may have no surroundings yet.
class FreshScope {
public:
    FreshScope(Lane* lane, Context* context)
        : made_{lane != nullptr || context != nullptr ? new Surroundings(lane, context) : nullptr},
          scope_(made_.surroundings) {}
    FreshScope(const FreshScope&) = delete;
    FreshScope& operator=(const FreshScope&) = delete;
    ~FreshScope() = default;

private:
    // Released when no longer current: what a context holds may start work when it goes.
    struct Share {
        Surroundings* surroundings;
        ~Share() {
            if (surroundings != nullptr) surroundings->release();
        }
    };
    const Share made_;
    SurroundingsScope scope_;
};

/// A share in the current context, also in none; may go to another thread.
class ContextRef {
public:
    ContextRef() noexcept : context_(current_context()) {
        if (context_ != nullptr) context_->retain();
    }
    /// Takes over the share that `fresh` was made with.
    explicit ContextRef(Context& fresh) noexcept : context_(&fresh) {}
    ContextRef(ContextRef&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
    ContextRef& operator=(ContextRef&&) = delete;
    ~ContextRef() {
        if (context_ != nullptr) context_->release();
    }
    Context* get() const noexcept { return context_; }

private:
    Context* context_;
};

}  // namespace reactor::detail
