// Queue<T>: values handed from producers to consumers of one shard, bounded on both sides. `put`
// waits for space, `get` for a value; both lines are served in the order of coming. A value goes
// straight to the consumer that has waited longest.
#pragma once

#include "reactor/deferred.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace reactor {

template <class T>
class Queue {
public:
    static constexpr std::size_t kWaitersMax = 65'536;

    /// At most `values_max` values wait for a consumer (0: each must be handed over), at most
    /// `waiters_max` consumers and as many producers for each other.
    explicit Queue(std::size_t values_max, std::size_t waiters_max = kWaitersMax) noexcept
        : values_max_(values_max), waiters_max_(waiters_max) {
        getters_.next = getters_.previous = &getters_;
        putters_.next = putters_.previous = &putters_;
    }
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;
    /// Who waits gets `closed`; values that nobody took are destroyed.
    ~Queue() {
        close();
        while (putters_.next != &putters_)
            Putter::at(*putters_.next).finish(base::fail(base::Errc::closed));
    }

    /// Settles when the value is in the queue or with a consumer. Fails with `closed`, or
    /// `queue_full` when too many producers wait already. Cancelled or dropped while it waits: the
    /// value never was there.
    Deferred<void> put(T value) {
        if (closed_) return base::Errc::closed;
        if (hand_over(value)) return ready();
        if (putting_ >= waiters_max_)
            return base::Failure(base::Errc::queue_full, "too many producers wait for space");
        return Deferred<void>(*new Putter(*this, std::move(value)));
    }
    /// Without waiting: `queue_full` or `closed`, and `value` stays with the caller.
    base::Result<void> try_put(T&& value) {
        if (closed_) return base::fail(base::Errc::closed);
        if (putting_ > 0 || !hand_over(value))
            return base::fail(base::Errc::queue_full,
                              std::to_string(values_max_) + " values wait already");
        return {};
    }
    /// The oldest value. Fails with `closed` once the queue is closed and empty, and with
    /// `resource_exhausted` when too many consumers wait already. A Deferred dropped after a value
    /// was handed to it takes that value with it: prefer cancelling, which lets a value that has
    /// come win.
    Deferred<T> get() {
        if (std::optional<T> value = try_get()) return base::Result<T>(*std::move(value));
        if (closed_) return base::Errc::closed;
        if (getting_ >= waiters_max_)
            return base::Failure(base::Errc::resource_exhausted,
                                 "too many consumers wait for a value");
        return Deferred<T>(*new Getter(*this));
    }
    std::optional<T> try_get() {
        std::optional<T> value;
        if (!values_.empty()) {
            value.emplace(std::move(values_.front()));
            values_.pop_front();
            admit_putter();
        } else if (putters_.next != &putters_) {
            Putter& putter = Putter::at(*putters_.next);
            value.emplace(putter.take_value());
            putter.finish({});
        }
        return value;
    }
    /// No more puts; what is there can still be fetched, producers that wait included. Consumers
    /// that wait get `closed`.
    void close() noexcept {
        closed_ = true;
        while (getters_.next != &getters_)
            Getter::at(*getters_.next).finish(base::fail(base::Errc::closed));
    }

    std::size_t size() const noexcept { return values_.size(); }
    bool closed() const noexcept { return closed_; }
    std::size_t consumers_waiting() const noexcept { return getting_; }
    std::size_t producers_waiting() const noexcept { return putting_; }

private:
    struct WaiterLink : detail::Link {};

    template <class R, class Self>
    class Waiter : public detail::ValueNode<R>, public WaiterLink, public detail::FrameAllocated {
    public:
        static Self& at(detail::Link& link) noexcept {
            return static_cast<Self&>(static_cast<WaiterLink&>(link));
        }
        void finish(base::Result<R> result) noexcept {
            leave();
            this->settle(std::move(result));
        }
        void cancel() noexcept override {
            if (!this->settled()) finish(base::fail(base::Errc::cancelled));
        }
        void drop() noexcept override {
            if (this->linked()) leave();
            delete static_cast<Self*>(this);
        }

    protected:
        Waiter(detail::Link& line, std::size_t& count) noexcept : count_(count) {
            this->insert_before(line);
            ++count_;
        }
        ~Waiter() = default;

    private:
        void leave() noexcept {
            this->unlink();
            --count_;
        }
        std::size_t& count_;
    };

    class Getter final : public Waiter<T, Getter> {
    public:
        explicit Getter(Queue& queue) noexcept
            : Waiter<T, Getter>(queue.getters_, queue.getting_) {}
        detail::Hop hop() const noexcept override { return {"queue.get", {}, nullptr}; }
    };
    class Putter final : public Waiter<void, Putter> {
    public:
        Putter(Queue& queue, T value)
            : Waiter<void, Putter>(queue.putters_, queue.putting_), value_(std::move(value)) {}
        T take_value() noexcept { return std::move(value_); }
        detail::Hop hop() const noexcept override { return {"queue.put", {}, nullptr}; }

    private:
        T value_;
    };

    bool hand_over(T& value) {
        if (getters_.next != &getters_) {
            Getter::at(*getters_.next).finish(base::Result<T>(std::move(value)));
            return true;
        }
        if (values_.size() >= values_max_) return false;
        values_.push_back(std::move(value));
        return true;
    }
    void admit_putter() {
        if (putters_.next == &putters_ || values_.size() >= values_max_) return;
        Putter& putter = Putter::at(*putters_.next);
        values_.push_back(putter.take_value());
        putter.finish({});
    }

    std::size_t values_max_;
    std::size_t waiters_max_;
    std::deque<T> values_;
    detail::Link getters_;
    detail::Link putters_;
    std::size_t getting_ = 0;
    std::size_t putting_ = 0;
    bool closed_ = false;
};

}  // namespace reactor
