// RAII ends of registrations: destroying one unhooks what it registered. Registrations happen while
// a shard is built and end when it is torn down, never during dispatch.
#pragma once

#include "reactor/base/unique_function.h"

#include <utility>
#include <vector>

namespace server {

class Subscription {
public:
    Subscription() = default;
    explicit Subscription(base::UniqueFunction<void()> undo) : undo_(std::move(undo)) {}
    Subscription(Subscription&& other) noexcept : undo_(std::exchange(other.undo_, nullptr)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        if (this != &other) {
            end();
            undo_ = std::exchange(other.undo_, nullptr);
        }
        return *this;
    }
    ~Subscription() { end(); }

private:
    void end() {
        if (undo_) std::exchange(undo_, nullptr)();
    }
    base::UniqueFunction<void()> undo_;
};

/// `subscriptions_ += context.iq.on_get(…)`; keep it the last member of a module.
class Subscriptions {
public:
    Subscriptions& operator+=(Subscription subscription) {
        list_.push_back(std::move(subscription));
        return *this;
    }

private:
    std::vector<Subscription> list_;
};

}  // namespace server
