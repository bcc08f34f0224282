#include "reactor/ready_queue.h"

#include <utility>

namespace reactor {

namespace {

thread_local constinit ReadyQueue* current_queue = nullptr;

void splice(detail::Link& from, detail::Link& to) noexcept {
    if (from.next == &from) return;
    from.next->previous = to.previous;
    to.previous->next = from.next;
    from.previous->next = &to;
    to.previous = from.previous;
    from.next = from.previous = &from;
}

}  // namespace

ReadyQueue& ReadyQueue::of_thread() noexcept {
    thread_local ReadyQueue queue{base::Log::silent()};
    return queue;
}

ReadyQueue& ReadyQueue::current() noexcept {
    return current_queue ? *current_queue : of_thread();
}

ReadyQueue::Scope::Scope(ReadyQueue& queue) noexcept
    : outer_(std::exchange(current_queue, &queue)) {}

ReadyQueue::Scope::~Scope() {
    current_queue = outer_;
}

ReadyQueue::~ReadyQueue() {
    drop_detached();
    clear();
}

void ReadyQueue::drop_detached() noexcept {
    while (detached_.next != &detached_)
        delete static_cast<detail::DetachedBase*>(detached_.next);
}

void ReadyQueue::clear() noexcept {
    while (items_.next != &items_)
        items_.next->unlink();
}

void ReadyQueue::adopt(ReadyQueue& other) noexcept {
    splice(other.items_, items_);
    splice(other.detached_, detached_);
}

std::size_t ReadyQueue::run(std::size_t steps_max) {
    std::size_t steps = 0;
    while (steps < steps_max && items_.next != &items_) {
        auto* item = static_cast<ReadyItem*>(items_.next);
        item->unlink();
        ++steps;
        item->run();
    }
    return steps;
}

}  // namespace reactor
