// Several Deferreds at once: all results whatever they are, the first value, a race with one
// winner, values of different types. `when_all` for one type is in combine.h. Cancelling or
// dropping the whole does so to every part that is still pending.
#pragma once

#include "reactor/combine.h"

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace reactor {

/// The value that came first and its place in the list given.
template <class T>
struct First {
    std::size_t index = 0;
    T value;
};
template <>
struct First<void> {
    std::size_t index = 0;
};

/// What becomes of the parts that are not needed any more.
enum class Rest : std::uint8_t {
    cancelled,  ///< Asked to end; their clean-up goes on in the reactor's keeping.
    runs_on,    ///< Left alone in the reactor's keeping; a failure is logged as unhandled.
};

namespace detail {

/// What the nodes below share: the parts, and cancelling them all while a canceller may drop us.
template <class T, class R>
class Gathering : public ValueNode<R>, public FrameAllocated {
public:
    void cancel() noexcept override {
        if (this->settled()) return;
        cancelled_ = true;
        bool destroyed = false;
        bool* const outer = std::exchange(destroyed_, &destroyed);
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            parts_[i]->work.cancel();
            if (!destroyed) continue;
            if (outer) *outer = true;
            return;
        }
        destroyed_ = outer;
    }
    void drop() noexcept override { delete this; }
    Hop hop() const noexcept override {
        for (const auto& part : parts_)
            if (!part->result) return {"gather", {}, part->work.node()};
        return {"gather", {}, nullptr};
    }

protected:
    struct Part final : ReadyItem, FrameAllocated {
        Part(Gathering& owner, std::size_t place, Deferred<T> its_work)
            : whole(owner), index(place), work(std::move(its_work)) {}
        void run() override {
            result.emplace(work.take());
            --whole.unsettled_;
            whole.part_settled(*this);
        }
        /// The work, which then tells us no more.
        Deferred<T> release() noexcept {
            if (Node* node = work.node()) node->set_waiter(nullptr);
            withdraw();
            return std::move(work);
        }

        Gathering& whole;
        std::size_t index;
        Deferred<T> work;
        std::optional<base::Result<T>> result;
    };

    explicit Gathering(std::vector<Deferred<T>> parts) : unsettled_(parts.size()) {
        parts_.reserve(parts.size());
        for (Deferred<T>& part : parts)
            parts_.push_back(std::make_unique<Part>(*this, parts_.size(), std::move(part)));
        for (auto& part : parts_)
            part->work.notify(*part);
    }
    virtual ~Gathering() {
        if (destroyed_) *destroyed_ = true;
    }
    virtual void part_settled(Part& part) = 0;

    /// Call last: a canceller of the rest may drop this node.
    void settle_and_leave(base::Result<R> result, Rest rest) {
        std::vector<Deferred<T>> left;
        for (auto& part : parts_)
            if (!part->result) left.push_back(part->release());
        // The parts are kept: the one that settled is still running.
        this->settle(std::move(result));
        for (Deferred<T>& work : left) {
            if (rest == Rest::cancelled) work.cancel();
            std::move(work).detach("the rest of a gathering");
        }
    }

    std::vector<std::unique_ptr<Part>> parts_;
    std::size_t unsettled_;
    bool cancelled_ = false;

private:
    bool* destroyed_ = nullptr;  // Set while cancel() runs.
};

template <class T>
class SettledNode final : public Gathering<T, std::vector<base::Result<T>>> {
public:
    explicit SettledNode(std::vector<Deferred<T>> parts)
        : Gathering<T, std::vector<base::Result<T>>>(std::move(parts)) {}

private:
    using typename Gathering<T, std::vector<base::Result<T>>>::Part;
    void part_settled(Part&) override {
        if (this->unsettled_ > 0) return;
        std::vector<base::Result<T>> results;
        results.reserve(this->parts_.size());
        for (auto& part : this->parts_)
            results.push_back(*std::move(part->result));
        this->settle(std::move(results));
    }
};

template <class T>
class FirstNode final : public Gathering<T, First<T>> {
public:
    FirstNode(std::vector<Deferred<T>> parts, Rest rest)
        : Gathering<T, First<T>>(std::move(parts)), rest_(rest) {}

private:
    using typename Gathering<T, First<T>>::Part;
    void part_settled(Part& part) override {
        if (this->settled()) return;
        if (*part.result) {
            if constexpr (std::is_void_v<T>) {
                this->settle_and_leave(First<T>{part.index}, rest_);
            } else {
                this->settle_and_leave(First<T>{part.index, **std::move(part.result)}, rest_);
            }
        } else if (this->unsettled_ == 0) {
            this->settle(std::unexpected(all_failed()));
        }
    }
    base::Failure all_failed() const {
        if (this->cancelled_) return base::Errc::cancelled;
        std::string text = "all of " + std::to_string(this->parts_.size()) + " failed";
        for (const auto& part : this->parts_)
            text += "; " + std::to_string(part->index) + ": " + part->result->error().message();
        return {this->parts_.front()->result->error().code(), std::move(text)};
    }

    Rest rest_;
};

template <class T>
class AllOrFirstFailureNode final : public Gathering<T, typename AllValues<T>::Type> {
public:
    using Values = typename AllValues<T>::Type;
    explicit AllOrFirstFailureNode(std::vector<Deferred<T>> parts)
        : Gathering<T, Values>(std::move(parts)) {}

private:
    using typename Gathering<T, Values>::Part;
    void part_settled(Part& part) override {
        if (this->settled()) return;
        if (!*part.result) {
            this->settle_and_leave(
                std::unexpected(part.result->error().with("part " + std::to_string(part.index))),
                Rest::runs_on);
        } else if (this->unsettled_ == 0) {
            if constexpr (std::is_void_v<T>) {
                this->settle({});
            } else {
                Values values;
                values.reserve(this->parts_.size());
                for (auto& each : this->parts_)
                    values.push_back(**std::move(each->result));
                this->settle(std::move(values));
            }
        }
    }
};

// void cannot be a member of a tuple.
template <class T>
using TupleMember = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <class T>
Deferred<void> store(Deferred<T> part, std::optional<TupleMember<T>>& slot) {
    base::Result<T> result = co_await std::move(part).as_result();
    if (!result) co_return std::move(result).error();
    if constexpr (std::is_void_v<T>) {
        slot.emplace();
    } else {
        slot.emplace(*std::move(result));
    }
    co_return {};
}

template <class... T, std::size_t... kIndex>
Deferred<std::tuple<TupleMember<T>...>> all_of(std::index_sequence<kIndex...>,
                                               Deferred<T>... parts) {
    std::tuple<std::optional<TupleMember<T>>...> slots;
    std::vector<Deferred<void>> work;
    work.reserve(sizeof...(T));
    (work.push_back(store<T>(std::move(parts), std::get<kIndex>(slots))), ...);
    Deferred<void> all = when_all(std::move(work));
    base::Result<void> result = co_await std::move(all).as_result();
    if (!result) co_return std::move(result).error();
    std::tuple<TupleMember<T>...> values(*std::move(std::get<kIndex>(slots))...);
    co_return base::Result<std::tuple<TupleMember<T>...>>(std::move(values));
}

}  // namespace detail

/// Every result in the order given, values and failures alike; it does not fail itself. Cancelling
/// it cancels the parts, whose results then are there too. An empty list is ready at once.
template <class T>
Deferred<std::vector<base::Result<T>>> when_all_settled(std::vector<Deferred<T>> parts) {
    using Results = std::vector<base::Result<T>>;
    if (parts.empty()) return base::Result<Results>();
    return Deferred<Results>(*new detail::SettledNode<T>(std::move(parts)));
}

/// The first value; the others run on unless told otherwise. When all fail: a failure with the code
/// of the first in the list and all their texts. An empty list fails with `empty_set`.
template <class T>
Deferred<First<T>> when_any(std::vector<Deferred<T>> parts, Rest rest = Rest::runs_on) {
    if (parts.empty()) return base::Failure(base::Errc::empty_set, "the first of no Deferreds");
    return Deferred<First<T>>(*new detail::FirstNode<T>(std::move(parts), rest));
}

/// `when_any` whose losers are cancelled.
template <class T>
Deferred<First<T>> race(std::vector<Deferred<T>> parts) {
    return when_any(std::move(parts), Rest::cancelled);
}

/// `when_all` that fails at the first failure ("part 2: …") and leaves the others running, as
/// Twisted's gatherResults.
template <class T>
Deferred<typename detail::AllValues<T>::Type> when_all_or_first_failure(
    std::vector<Deferred<T>> parts) {
    using Values = typename detail::AllValues<T>::Type;
    if (parts.empty()) return base::Result<Values>();
    return Deferred<Values>(*new detail::AllOrFirstFailureNode<T>(std::move(parts)));
}

/// `when_all` over different types: a tuple in which void is std::monostate.
template <class A, class B, class... More>
Deferred<std::tuple<detail::TupleMember<A>, detail::TupleMember<B>, detail::TupleMember<More>...>>
when_all(Deferred<A> first, Deferred<B> second, Deferred<More>... more) {
    return detail::all_of<A, B, More...>(std::index_sequence_for<A, B, More...>(), std::move(first),
                                         std::move(second), std::move(more)...);
}

}  // namespace reactor
