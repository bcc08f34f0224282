// What lies behind a pending Deferred: a node that a producer settles and one consumer waits on.
// Internal to deferred.h; use Deferred and Promise.
//
// A node belongs to its consumer: `drop()` is the consumer's last call and ends the work at once.
// Settling never runs the consumer; it queues it (reactor/ready_queue.h). Nodes live on one shard.
#pragma once

#include "reactor/base/check.h"
#include "reactor/base/result.h"
#include "reactor/base/unique_function.h"
#include "reactor/frame_memory.h"
#include "reactor/ready_queue.h"
#include "reactor/surroundings.h"

#include <bit>
#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace reactor {

template <class T>
class Deferred;

/// Thrown by `co_await` in a coroutine that was cancelled. Not a std::exception, and nobody catches
/// it: it unwinds the coroutine, whose Deferred then settles as `cancelled`.
struct Cancelled {};

/// Switches on, for this thread, that a failure remembers each co_await and co_return it passes
/// (`Failure::traceback`). Off at first: it costs an allocation per hop of a failure.
void capture_tracebacks(bool on) noexcept;

namespace detail {

inline constinit thread_local bool tracebacks_captured = false;

/// Runs a function that must not throw; an exception is logged as "deferred.canceller_exception".
void run_canceller(base::UniqueFunction<void()>& canceller) noexcept;
/// Call inside a catch block.
base::Failure failure_of_current_exception() noexcept;
/// Logs "deferred.unhandled".
void report_unhandled(const base::Failure& failure, std::string_view why) noexcept;

class Node;

/// A std::source_location in four bytes: how far it lies from a constant of the same program. One
/// of a library that was loaded farther away than that reaches is unknown.
class Place {
public:
    void set(std::source_location at) noexcept {
        static_assert(sizeof at == sizeof(std::intptr_t));
        const std::intptr_t away = std::bit_cast<std::intptr_t>(at) - anchor();
        offset_ = static_cast<std::int32_t>(away);
        if (offset_ != away) offset_ = 0;
    }
    /// Line 0 when unknown.
    std::source_location get() const noexcept {
        if (offset_ == 0) return {};
        return std::bit_cast<std::source_location>(anchor() + offset_);
    }

private:
    static std::intptr_t anchor() noexcept { return reinterpret_cast<std::intptr_t>(&kAnchor); }
    static constexpr char kAnchor = 0;

    std::int32_t offset_ = 0;
};

/// One step of what a pending node waits for; for reactor/task_dump.h.
struct Hop {
    std::string_view what;
    std::source_location at;  ///< Of the co_await; line 0 when it is no coroutine.
    const Node* next = nullptr;
};

class Node {
public:
    Node() = default;
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    bool settled() const noexcept { return settled_; }
    /// Queues `waiter` when the node settles. Precondition: not settled.
    void set_waiter(ReadyItem* waiter) noexcept { waiter_ = waiter; }
    /// Cooperative: asks the work to end; the node still settles. No effect once settled.
    virtual void cancel() noexcept = 0;
    /// The consumer leaves, settled or not. The node may be gone afterwards.
    virtual void drop() noexcept = 0;
    virtual Hop hop() const noexcept { return {"wait", {}, nullptr}; }

protected:
    ~Node() = default;
    void wake() noexcept {
        settled_ = true;
        if (ReadyItem* waiter = std::exchange(waiter_, nullptr))
            ReadyQueue::current().push(*waiter);
    }

private:
    ReadyItem* waiter_ = nullptr;
    bool settled_ = false;
};

template <class T>
class ValueNode : public Node {
public:
    /// Precondition: settled.
    base::Result<T> take() noexcept { return *std::move(result_); }
    bool failed() const noexcept { return result_ && !*result_; }
    const base::Failure& failure() const noexcept { return result_->error(); }

protected:
    ~ValueNode() = default;
    void settle(base::Result<T> result) noexcept {
        result_.emplace(std::move(result));
        wake();
    }

    std::optional<base::Result<T>> result_;
};

/// What Promise and Deferred share. Freed when both sides are gone.
template <class T>
class PromiseNode final : public ValueNode<T>, public FrameAllocated {
public:
    bool wanted() const noexcept { return consumer_ && !this->settled() && !cancelling_; }
    void set_canceller(base::UniqueFunction<void()> canceller) {
        canceller_ = std::move(canceller);
    }
    /// False: settled or given up before; `result` is discarded.
    bool try_resolve(base::Result<T> result) noexcept {
        if (!wanted()) return false;
        base::UniqueFunction<void()> canceller;  // What it holds is freed last: it may end us.
        if (canceller_) canceller = std::exchange(canceller_, {});
        this->settle(std::move(result));
        return true;
    }
    void producer_leaves() noexcept {
        try_resolve(base::fail(base::Errc::broken_promise));
        producer_ = false;
        free_if_unused();
    }

    void cancel() noexcept override {
        if (!wanted()) return;
        withdraw();
        if (consumer_) {
            this->settle(base::fail(base::Errc::cancelled));
        } else {
            free_if_unused();
        }
    }
    void drop() noexcept override {
        this->set_waiter(nullptr);
        if (wanted()) withdraw();
        consumer_ = false;
        this->result_.reset();
        free_if_unused();
    }
    Hop hop() const noexcept override { return {"promise", {}, nullptr}; }

private:
    // The canceller may destroy the Promise, or the Deferred: `withdrawing_` keeps the node.
    void withdraw() noexcept {
        cancelling_ = true;
        if (!canceller_) return;
        auto canceller = std::exchange(canceller_, {});
        withdrawing_ = true;
        run_canceller(canceller);
        withdrawing_ = false;
    }
    void free_if_unused() noexcept {
        if (!producer_ && !consumer_ && !withdrawing_) delete this;
    }

    base::UniqueFunction<void()> canceller_;
    bool producer_ = true;
    bool consumer_ = true;
    bool cancelling_ = false;
    bool withdrawing_ = false;
};

/// The part of a coroutine that does not depend on its result: waiting, cancelling, resuming.
class CoroutineCore : public ReadyItem {
public:
    /// Ready results taken in a row before the coroutine goes to the back of the queue, so that
    /// one that never has to wait cannot starve the loop.
    static constexpr std::uint8_t kInlineStepsMax = 128;

    bool cancelled() const noexcept { return cancelled_; }
    bool may_go_on() noexcept { return ++inline_steps_ < kInlineStepsMax; }
    /// Suspends until `node` settles; null or settled: just to the back of the queue.
    void wait_for(Node* node) noexcept {
        inline_steps_ = 0;
        if (!node || node->settled()) {
            ReadyQueue::current().push(*this);
            return;
        }
        awaiting_ = node;
        node->set_waiter(this);
        if (cancel_pending_) {
            cancel_pending_ = false;
            node->cancel();
        }
    }
    void stopped_waiting() noexcept { awaiting_ = nullptr; }
    /// Where the co_await stands that comes next.
    void awaits_at(std::source_location place) noexcept { awaiting_at_.set(place); }
    /// Marks the way of a failure that passes through here, if that is switched on.
    template <class T>
    void trace(base::Result<T>& result) const {
        if (!result && tracebacks_captured) trace_failure(result.error(), awaiting_at_.get());
    }
    static void trace_failure(base::Failure& failure, std::source_location at);

protected:
    CoroutineCore() noexcept : surroundings_(current_surroundings) {
        if (surroundings_ != nullptr) surroundings_->retain();
    }
    ~CoroutineCore() {
        if (surroundings_ != nullptr) surroundings_->release();
    }
    // A result that is already there wins; the cancellation then hits the next suspension.
    void cancel_core() noexcept {
        cancelled_ = true;
        if (awaiting_ && !awaiting_->settled()) {
            awaiting_->cancel();
        } else {
            cancel_pending_ = true;
        }
    }

    Node* awaiting_ = nullptr;
    Surroundings* const surroundings_;  // In which it was started, and goes on.
    Place awaiting_at_;
    bool cancelled_ : 1 = false;
    bool running_ : 1 = false;
    bool orphaned_ : 1 = false;

private:
    bool cancel_pending_ : 1 = false;
    std::uint8_t inline_steps_ = 0;
};

/// Awaits a Deferred in place: it stays where it is (a temporary or a variable of the coroutine),
/// so whoever else refers to it may cancel it meanwhile.
template <class T, bool kThrowsCancelled>
class Awaiter {
public:
    Awaiter(Deferred<T>& deferred, CoroutineCore& coroutine) noexcept
        : deferred_(deferred), coroutine_(coroutine) {}

    bool await_ready() const noexcept { return deferred_.settled() && coroutine_.may_go_on(); }
    void await_suspend(std::coroutine_handle<>) noexcept { coroutine_.wait_for(deferred_.node()); }
    base::Result<T> await_resume() {
        coroutine_.stopped_waiting();
        base::Result<T> result = deferred_.take();
        coroutine_.trace(result);
        if constexpr (kThrowsCancelled) {
            if (!result && result.error().is(base::Errc::cancelled) && coroutine_.cancelled())
                throw Cancelled{};
        }
        return result;
    }

private:
    Deferred<T>& deferred_;
    CoroutineCore& coroutine_;
};

/// What `as_result()` returns: only good for `co_await`.
template <class T>
struct AsResult {
    Deferred<T>& deferred;
};

template <class T>
class CoroutineNode : public ValueNode<T>, public CoroutineCore {
public:
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept {
        free_frame(block, bytes);
    }

    Deferred<T> get_return_object() noexcept { return Deferred<T>(*this); }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    auto final_suspend() noexcept {
        struct Finish {
            CoroutineNode& node;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<>) const noexcept { node.finish(); }
            void await_resume() const noexcept {}
        };
        return Finish{*this};
    }
    void unhandled_exception() noexcept {
        this->result_.emplace(std::unexpected(failure_of_current_exception()));
    }
    void return_value(base::Result<T> result,
                      std::source_location at = std::source_location::current()) noexcept {
        if (!result && tracebacks_captured) trace_failure(result.error(), at);
        this->result_.emplace(std::move(result));
    }
    void return_value(base::Failure failure,
                      std::source_location at = std::source_location::current()) noexcept {
        if (tracebacks_captured) trace_failure(failure, at);
        this->result_.emplace(std::unexpected(std::move(failure)));
    }
    template <class U>
        requires(!std::is_void_v<T> && std::convertible_to<U, T> &&
                 !std::same_as<std::remove_cvref_t<U>, base::Result<T>>)
    void return_value(U&& value) {
        this->result_.emplace(std::forward<U>(value));
    }

    template <class U>
    Awaiter<U, true> await_transform(
        Deferred<U>&& deferred,
        std::source_location at = std::source_location::current()) noexcept {
        awaits_at(at);
        return {deferred, *this};
    }
    template <class U>
    Awaiter<U, true> await_transform(Deferred<U>& deferred) = delete;  // co_await std::move(it)
    template <class U>
    Awaiter<U, false> await_transform(
        AsResult<U> wrapped, std::source_location at = std::source_location::current()) noexcept {
        awaits_at(at);
        return {wrapped.deferred, *this};
    }

    void cancel() noexcept override {
        if (!this->settled()) cancel_core();
    }
    // A coroutine that drops its own Deferred is destroyed when it next suspends.
    void drop() noexcept override {
        this->set_waiter(nullptr);
        if (running_) {
            orphaned_ = true;
        } else {
            handle().destroy();
        }
    }
    Hop hop() const noexcept override { return {"coroutine", awaiting_at_.get(), awaiting_}; }

private:
    std::coroutine_handle<CoroutineNode> handle() noexcept {
        return std::coroutine_handle<CoroutineNode>::from_promise(*this);
    }
    void run() override {
        if (surroundings_ == current_surroundings) {
            resume();
        } else {
            Lane* const lane = surroundings_ != nullptr ? surroundings_->lane() : nullptr;
            if (lane != nullptr && lane != current_lane()) return lane->admit(*this);
            const SurroundingsScope scope(surroundings_);
            resume();
        }
        if (orphaned_) handle().destroy();
    }
    void resume() {
        running_ = true;
        handle().resume();
        running_ = false;
    }
    // Running off the end means success where there is no value to return.
    void finish() noexcept {
        if (!this->result_) {
            if constexpr (std::is_void_v<T>) {
                this->result_.emplace();
            } else {
                this->result_.emplace(
                    base::fail(base::Errc::internal, "a coroutine without result"));
            }
        }
        this->wake();
    }
};

// What a continuation's return type makes of a Deferred: R, Result<R> and Deferred<R> all give R.
template <class R>
struct Flat {
    using Type = R;
    static constexpr bool kIsDeferred = false;
};
template <class R>
struct Flat<base::Result<R>> : Flat<R> {};
template <class R>
struct Flat<Deferred<R>> {
    using Type = R;
    static constexpr bool kIsDeferred = true;
};
template <class R>
using Flattened = typename Flat<std::remove_cvref_t<R>>::Type;

template <class F, class T>
struct ThenResult {
    using Type = std::invoke_result_t<F&, T>;
};
template <class F>
struct ThenResult<F, void> {
    using Type = std::invoke_result_t<F&>;
};

}  // namespace detail
}  // namespace reactor
