#include "reactor/thread_event.h"

#include "reactor/reactor.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace reactor {

struct ThreadEvent::Impl {
    /// A share: of the event itself, and of each Deferred that waits.
    class Use {
    public:
        explicit Use(Impl& impl) noexcept : impl_(&impl) { ++impl.users; }
        Use(Use&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
        Use& operator=(Use&&) = delete;
        ~Use() {
            if (impl_ != nullptr && --impl_->users == 0) delete impl_;
        }
        Impl& operator*() const noexcept { return *impl_; }

    private:
        Impl* impl_;
    };

    /// A Promise belongs to its shard; other threads only move the pointer to it.
    struct Waiter {
        Reactor* home;
        std::unique_ptr<Promise<void>> promise;
    };
    using Waiters = std::map<std::uint64_t, Waiter>;

    // Told at home, where the promise ends as well.
    static void wake(Waiters waiters, bool resolve) {
        for (auto& [id, waiter] : waiters)
            waiter.home->post([promise = std::move(waiter.promise), resolve] {
                if (resolve) promise->try_resolve({});
            });
    }

    // On the waiter's shard, when its Deferred was cancelled or dropped. A promise that is on its
    // way home already ends there.
    void forget(std::uint64_t id) {
        std::unique_ptr<Promise<void>> promise;
        const std::lock_guard lock(mutex);
        const auto found = waiters.find(id);
        if (found == waiters.end()) return;
        promise = std::move(found->second.promise);
        waiters.erase(found);
    }

    std::atomic<int> users = 1;
    std::mutex mutex;
    std::condition_variable changed;
    bool is_set = false;  // All under `mutex`.
    std::uint64_t next_id = 0;
    Waiters waiters;
};

ThreadEvent::ThreadEvent() : impl_(new Impl) {}

ThreadEvent::~ThreadEvent() {
    Impl::Waiters waiters;
    {
        const std::lock_guard lock(impl_->mutex);
        waiters.swap(impl_->waiters);
    }
    Impl::wake(std::move(waiters), false);
    if (--impl_->users == 0) delete impl_;
}

void ThreadEvent::set() {
    Impl::Waiters waiters;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->is_set = true;
        waiters.swap(impl_->waiters);
    }
    impl_->changed.notify_all();
    Impl::wake(std::move(waiters), true);
}

void ThreadEvent::clear() {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_set = false;
}

bool ThreadEvent::is_set() const noexcept {
    const std::lock_guard lock(impl_->mutex);
    return impl_->is_set;
}

Deferred<void> ThreadEvent::wait() {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->is_set) return ready();
    const std::uint64_t id = impl_->next_id++;
    auto promise = std::make_unique<Promise<void>>();
    Deferred<void> waiting =
        promise->deferred([use = Impl::Use(*impl_), id] { (*use).forget(id); });
    impl_->waiters.emplace(id, Impl::Waiter{&Reactor::current(), std::move(promise)});
    return waiting;
}

bool ThreadEvent::wait_blocking(base::Duration limit) {
    if (Reactor::has_current()) return is_set();
    std::unique_lock lock(impl_->mutex);
    return impl_->changed.wait_for(lock, limit, [this] { return impl_->is_set; });
}

}  // namespace reactor
