// The chaining half of deferred.h (included by it): each continuation is a small coroutine, which
// keeps the callable alive and passes both kinds of cancellation on.
#pragma once

#include "reactor/deferred.h"

namespace reactor {

namespace detail {

/// Calls `f` and gives what it returns as Deferred<U>, ready or not.
template <class U, class F, class... Arguments>
Deferred<U> call_flat(F& f, Arguments&&... arguments) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Arguments...>>) {
        f(std::forward<Arguments>(arguments)...);
        return base::Result<void>();
    } else {
        return f(std::forward<Arguments>(arguments)...);
    }
}

template <class U, class T, class F>
Deferred<U> then_chain(Deferred<T> source, F f) {
    base::Result<T> result = co_await std::move(source).as_result();
    if (!result) co_return std::move(result).error();
    if constexpr (std::is_void_v<T>) {
        Deferred<U> next = call_flat<U>(f);
        co_return co_await std::move(next).as_result();
    } else {
        Deferred<U> next = call_flat<U>(f, *std::move(result));
        co_return co_await std::move(next).as_result();
    }
}

template <class T, class G>
Deferred<T> rescue_chain(Deferred<T> source, G g) {
    base::Result<T> result = co_await std::move(source).as_result();
    if (result) co_return result;
    Deferred<T> next = call_flat<T>(g, std::move(result).error());
    co_return co_await std::move(next).as_result();
}

template <class U, class T, class H>
Deferred<U> both_chain(Deferred<T> source, H h) {
    base::Result<T> result = co_await std::move(source).as_result();
    Deferred<U> next = call_flat<U>(h, std::move(result));
    co_return co_await std::move(next).as_result();
}

template <class T, class H>
Deferred<T> ensure_chain(Deferred<T> source, H h) {
    base::Result<T> result = co_await std::move(source).as_result();
    Deferred<void> next = call_flat<void>(h);
    base::Result<void> after = co_await std::move(next).as_result();
    if (result && !after) co_return std::move(after).error();
    co_return result;
}

/// Waits in the queue's keeping and reports a failure.
template <class T>
class Detached final : public DetachedBase, public ReadyItem, public FrameAllocated {
public:
    Detached(Deferred<T> work, std::string_view why) noexcept : work_(std::move(work)), why_(why) {
        ReadyQueue::current().own(*this);
        work_.notify(*this);
    }
    std::string_view why() const noexcept override { return why_; }
    const Node* waits_for() const noexcept override { return work_.node(); }

private:
    void run() override {
        const base::Result<T> result = work_.take();
        const std::string_view reason = why_;
        delete this;
        if (!result && !result.error().is(base::Errc::cancelled))
            report_unhandled(result.error(), reason);
    }

    Deferred<T> work_;
    std::string_view why_;
};

}  // namespace detail

template <class T>
template <class F>
auto Deferred<T>::then(
    F f) && -> Deferred<detail::Flattened<typename detail::ThenResult<F, T>::Type>> {
    using U = detail::Flattened<typename detail::ThenResult<F, T>::Type>;
    return detail::then_chain<U>(std::move(*this), std::move(f));
}

template <class T>
template <class G>
Deferred<T> Deferred<T>::rescue(G g) && {
    return detail::rescue_chain(std::move(*this), std::move(g));
}

template <class T>
template <class H>
auto Deferred<T>::both(
    H h) && -> Deferred<detail::Flattened<std::invoke_result_t<H&, base::Result<T>>>> {
    using U = detail::Flattened<std::invoke_result_t<H&, base::Result<T>>>;
    return detail::both_chain<U>(std::move(*this), std::move(h));
}

template <class T>
template <class H>
Deferred<T> Deferred<T>::ensure(H h) && {
    return detail::ensure_chain(std::move(*this), std::move(h));
}

template <class T>
void Deferred<T>::detach(std::string_view why) && {
    CHECK(valid());
    // Owned by the ready queue from here on.
    new detail::Detached<T>(std::move(*this), why);
}

}  // namespace reactor
