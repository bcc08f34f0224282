// Deferred<T>: a value or Failure that comes later. Move-only, one consumer, one shard.
// Any function that returns a Deferred may be a coroutine; it starts at once and runs to its first
// wait. Inside, `co_await` yields Result<T>; outside, chain with `then`, `rescue`, `both`,
// `ensure`.
//
// Two ways to give up. `cancel()` asks: the work may clean up and the Deferred still settles, as
// `cancelled` unless a result was already there. Dropping the Deferred ends the work at once:
// frames are destroyed, cancellers run, nothing is delivered. Continuations are never run from
// inside `resolve` or `cancel`; they are queued and run later in the same turn, in order.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/deferred_node.h"

#include <memory>
#include <string_view>

namespace reactor {

class Reactor;

template <class T = void>
class [[nodiscard]] Deferred {
    static_assert(std::is_void_v<T> || std::is_nothrow_move_constructible_v<T>);

public:
    /// A Deferred<void> coroutine says `co_return {};` at its end, any coroutine may
    /// `co_return failure;`, `co_return base::fail(…);` or `co_return Errc::…;`.
    /// A coroutine keeps copies of its parameters but not of what they refer to: take strings by
    /// value, and never call a capturing lambda coroutine that is not stored until it settles
    /// (`then` and its kin do store theirs). g++ 12 destroys twice what a temporary lambda or
    /// aggregate inside a co_await expression holds: make such a Deferred in a statement of its
    /// own.
    using promise_type = detail::CoroutineNode<T>;

    /// Ready at once: from T, Result<T>, base::fail(…), or what converts to them.
    template <class U = base::Result<T>>
        requires(!std::same_as<std::remove_cvref_t<U>, Deferred> &&
                 std::convertible_to<U, base::Result<T>>)
    Deferred(U&& result)  // NOLINT(google-explicit-constructor): `return value;`
        : result_(std::forward<U>(result)), state_(State::ready) {}
    Deferred(base::Failure failure) noexcept  // NOLINT(google-explicit-constructor)
        : result_(std::unexpected(std::move(failure))), state_(State::ready) {}
    template <std::same_as<base::Errc> Code>
    Deferred(Code code) noexcept  // NOLINT(google-explicit-constructor)
        : result_(base::fail(code)), state_(State::ready) {}
    /// For producers: consumes `node`, which must outlive its `drop()`.
    explicit Deferred(detail::ValueNode<T>& node) noexcept : node_(&node), state_(State::pending) {}

    Deferred(Deferred&& other) noexcept : node_(nullptr) { steal(other); }
    Deferred& operator=(Deferred&& other) noexcept {
        if (this != &other) {
            drop();
            steal(other);
        }
        return *this;
    }
    /// Hard cancel. A failure that nobody saw (other than `cancelled`) is logged as
    /// "deferred.unhandled".
    ~Deferred() { drop(); }

    /// True when a result is there: `co_await` does not suspend and `take` may be called.
    bool settled() const noexcept {
        return state_ == State::ready || (state_ == State::pending && node_->settled());
    }
    /// False after the result was taken or the Deferred was moved from.
    bool valid() const noexcept { return state_ != State::empty; }
    /// Asks the work to end. Idempotent; may be called again while the work cleans up.
    void cancel() noexcept {
        if (state_ == State::pending) node_->cancel();
    }

    /// Calls `f` with the value; it may return U, Result<U> or Deferred<U> (awaited). A failure
    /// skips it. `f` lives until the returned Deferred settles. Settled already: runs at once.
    template <class F>
    auto then(F f) && -> Deferred<detail::Flattened<typename detail::ThenResult<F, T>::Type>>;
    /// Calls `g` with the failure (also `cancelled`); it returns T, Result<T>, Failure or
    /// Deferred<T>.
    template <class G>
    Deferred<T> rescue(G g) &&;
    /// Calls `h` with the Result<T>; returns as for `then`.
    template <class H>
    auto both(H h) && -> Deferred<detail::Flattened<std::invoke_result_t<H&, base::Result<T>>>>;
    /// Calls `h()` whatever came and passes the result on; waits if it returns a Deferred<void>,
    /// whose failure replaces a value. Not called on a drop.
    template <class H>
    Deferred<T> ensure(H h) &&;

    /// `co_await std::move(d).as_result()`: never throws, a cancellation is a failure like others.
    detail::AsResult<T> as_result() && noexcept { return {*this}; }
    /// Lets the work run on without a consumer, owned by the running Reactor (dropped with it).
    /// A failure other than `cancelled` is logged as "deferred.unhandled" with `why`, a literal.
    void detach(std::string_view why) &&;

    // For adapters (task sets, tests) rather than everyday code.

    /// Queues `waiter` once when the result is there (now, if it is). It must be destroyed or this
    /// Deferred dropped before either goes.
    void notify(ReadyItem& waiter) noexcept {
        CHECK(valid());
        if (settled()) {
            ReadyQueue::current().push(waiter);
        } else {
            node_->set_waiter(&waiter);
        }
    }
    /// The result; leaves the Deferred empty. Precondition: settled.
    base::Result<T> take() noexcept {
        CHECK(settled());
        if (state_ == State::ready) {
            base::Result<T> result = std::move(result_);
            destroy_result();
            return result;
        }
        base::Result<T> result = node_->take();
        state_ = State::empty;
        std::exchange(node_, nullptr)->drop();
        return result;
    }
    detail::Node* node() const noexcept { return state_ == State::pending ? node_ : nullptr; }

private:
    enum class State : std::uint8_t { empty, ready, pending };

    void destroy_result() noexcept {
        std::destroy_at(&result_);
        node_ = nullptr;
        state_ = State::empty;
    }
    void steal(Deferred& other) noexcept {
        state_ = other.state_;
        if (other.state_ == State::ready) {
            std::construct_at(&result_, std::move(other.result_));
            other.destroy_result();
        } else {
            node_ = std::exchange(other.node_, nullptr);
            other.state_ = State::empty;
        }
    }
    void drop() noexcept {
        if (state_ == State::empty) return;
        const bool failed = state_ == State::ready ? !result_ : node_->failed();
        if (failed) report_failure();
        if (state_ == State::ready) {
            destroy_result();
        } else {
            state_ = State::empty;
            std::exchange(node_, nullptr)->drop();
        }
    }
    void report_failure() const noexcept {
        const base::Failure& failure = state_ == State::ready ? result_.error() : node_->failure();
        if (!failure.is(base::Errc::cancelled)) detail::report_unhandled(failure, "dropped");
    }

    union {
        base::Result<T> result_;
        detail::ValueNode<T>* node_;
    };
    State state_;
};

/// The producing side. Belongs to one shard like its Deferred; across threads send a message that
/// resolves it there (BlockingPool::run and Shards::run_on do).
template <class T = void>
class Promise {
public:
    Promise() : node_(new detail::PromiseNode<T>) {}
    Promise(Promise&& other) noexcept
        : node_(std::exchange(other.node_, nullptr)), taken_(other.taken_) {}
    Promise& operator=(Promise&& other) noexcept {
        if (this == &other) return *this;
        leave();
        node_ = std::exchange(other.node_, nullptr);
        taken_ = other.taken_;
        return *this;
    }
    /// Unresolved: the Deferred fails with `broken_promise`.
    ~Promise() { leave(); }

    /// The one consumer's side; call once.
    Deferred<T> deferred() {
        CHECK(node_ && !taken_);
        taken_ = true;
        return Deferred<T>(*node_);
    }
    /// `canceller` runs at once, at most once, when the consumer cancels or drops before a result:
    /// it withdraws the operation and may destroy this Promise. Must not throw.
    Deferred<T> deferred(base::UniqueFunction<void()> canceller) {
        Deferred<T> result = deferred();
        node_->set_canceller(std::move(canceller));
        return result;
    }

    /// False if it was resolved, cancelled or dropped before; `result` is then discarded.
    bool try_resolve(base::Result<T> result) noexcept {
        CHECK(node_);
        return node_->try_resolve(std::move(result));
    }
    /// Nobody listening any more is fine; resolving twice is a bug (CHECK).
    void resolve(base::Result<T> result = {}) noexcept {
        CHECK(!std::exchange(resolved_, true));
        try_resolve(std::move(result));
    }
    void fail(base::Failure failure) noexcept { resolve(std::unexpected(std::move(failure))); }
    /// False once resolving has no effect: resolved, cancelled or dropped.
    bool wanted() const noexcept { return node_ && node_->wanted(); }

private:
    void leave() noexcept {
        if (!node_) return;
        auto* node = std::exchange(node_, nullptr);
        if (!taken_) node->drop();
        node->producer_leaves();
    }

    detail::PromiseNode<T>* node_;
    bool taken_ = false;
    bool resolved_ = false;
};

inline Deferred<void> ready() {
    return base::Result<void>();
}
template <class T>
Deferred<std::remove_cvref_t<T>> ready(T&& value) {
    return base::Result<std::remove_cvref_t<T>>(std::forward<T>(value));
}
template <class T = void>
Deferred<T> failed(base::Failure failure) {
    return Deferred<T>(std::move(failure));
}
/// Settles when everything queued before it has run.
Deferred<void> yield();
/// Settles after `delay`, in the turn that sees it elapsed. Cancelling takes effect at once.
Deferred<void> sleep(Reactor& reactor, base::Duration delay);

}  // namespace reactor

#include "reactor/deferred_chain.h"
