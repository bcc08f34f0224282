// ReadyQueue: what a shard still has to run in this turn (resumed coroutines, continuations,
// deferred calls), first in, first out. Each Reactor owns one and makes it current while its turn
// runs. Outside any turn (set-up, tests) a queue of the thread itself stands in; the next turn on
// the thread adopts what lies there.
#pragma once

#include "reactor/base/log.h"

#include <cstddef>
#include <string_view>

namespace reactor {

class ReadyQueue;

namespace detail {

class Node;

/// A link of a circular, doubly linked list; unlinked while `next` is null.
struct Link {
    Link* next = nullptr;
    Link* previous = nullptr;

    bool linked() const noexcept { return next != nullptr; }
    void unlink() noexcept {
        previous->next = next;
        next->previous = previous;
        next = previous = nullptr;
    }
    void insert_before(Link& place) noexcept {
        next = &place;
        previous = place.previous;
        previous->next = this;
        place.previous = this;
    }
};

/// A Deferred that nobody waits for; owned by the queue until it settles.
struct DetachedBase : Link {
    DetachedBase() = default;
    DetachedBase(const DetachedBase&) = delete;
    DetachedBase& operator=(const DetachedBase&) = delete;
    virtual ~DetachedBase() {
        if (linked()) unlink();
    }
    /// For dumps of what is alive: its reason, and what it waits for (null: nothing known).
    virtual std::string_view why() const noexcept { return "call"; }
    virtual const Node* waits_for() const noexcept { return nullptr; }
};

}  // namespace detail

/// Something to run once. Destroying it takes it out of the queue.
class ReadyItem : private detail::Link {
public:
    ReadyItem() = default;
    ReadyItem(const ReadyItem&) = delete;
    ReadyItem& operator=(const ReadyItem&) = delete;
    bool queued() const noexcept { return linked(); }

protected:
    /// Leaves the queue, if in one.
    void withdraw() noexcept {
        if (linked()) unlink();
    }
    ~ReadyItem() {
        if (linked()) unlink();
    }
    /// Called once per push, with the item already out of the queue; may destroy the item.
    virtual void run() = 0;

private:
    friend class ReadyQueue;
};

class ReadyQueue {
public:
    explicit ReadyQueue(base::Log log) : log_(log) {
        items_.next = items_.previous = &items_;
        detached_.next = detached_.previous = &detached_;
    }
    ReadyQueue(const ReadyQueue&) = delete;
    ReadyQueue& operator=(const ReadyQueue&) = delete;
    /// Drops the detached work (hard cancel); items that others own just leave the queue.
    ~ReadyQueue();

    /// The queue of the turn that runs on this thread, or the thread's own.
    static ReadyQueue& current() noexcept;

    /// To the back. Precondition: not queued anywhere.
    void push(ReadyItem& item) noexcept { item.insert_before(items_); }
    bool empty() const noexcept { return items_.next == &items_; }
    /// Runs items, those that they push included, until none is left or `steps_max` have run.
    /// An exception from an item passes through; call again to go on behind it.
    std::size_t run(std::size_t steps_max);

    /// Takes over the items and detached work of `other`, behind its own.
    void adopt(ReadyQueue& other) noexcept;
    void own(detail::DetachedBase& work) noexcept { work.insert_before(detached_); }
    void drop_detached() noexcept;
    bool has_detached() const noexcept { return detached_.next != &detached_; }
    /// Calls `visit` for each detached work, the oldest first.
    template <class Visitor>
    void for_each_detached(Visitor visit) const {
        for (const detail::Link* at = detached_.next; at != &detached_; at = at->next)
            visit(static_cast<const detail::DetachedBase&>(*at));
    }

    const base::Log& log() const noexcept { return log_; }
    void set_log(const base::Log& log) noexcept { log_ = log; }

    /// Makes a queue current for the thread while it lives. Nests.
    class Scope {
    public:
        explicit Scope(ReadyQueue& queue) noexcept;
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope();

    private:
        ReadyQueue* outer_;
    };
    /// The thread's own queue, whether or not a turn runs.
    static ReadyQueue& of_thread() noexcept;

private:
    void clear() noexcept;

    detail::Link items_;
    detail::Link detached_;
    base::Log log_;
};

}  // namespace reactor
