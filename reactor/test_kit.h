// For tests: look at Deferreds without a loop. Each call first runs what the thread's ready queue
// holds. A wrong expectation throws TestFailure, which GoogleTest reports. Not for product code.
#pragma once

#include "reactor/base/log.h"
#include "reactor/deferred.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace reactor::test {

class TestFailure : public std::logic_error {
    using std::logic_error::logic_error;
};

/// Runs everything that is ready on this thread. More than a million steps are a zero-delay loop.
inline void run_ready() {
    constexpr std::size_t kStepsMax = 1'000'000;
    ReadyQueue& queue = ReadyQueue::current();
    queue.run(kStepsMax);
    if (!queue.empty()) throw TestFailure("the ready queue does not run empty");
}

template <class T>
base::Result<T> result_of(Deferred<T>& deferred) {
    run_ready();
    if (!deferred.valid()) throw TestFailure("the result was taken already");
    if (!deferred.settled()) throw TestFailure("still pending");
    return deferred.take();
}

/// Takes the value; throws when it is pending or failed.
template <class T>
T value_of(Deferred<T>& deferred) {
    base::Result<T> result = result_of(deferred);
    if (!result) throw TestFailure("failed: " + result.error().message());
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <class T>
T value_of(Deferred<T>&& deferred) {
    return value_of(deferred);
}

/// Takes the failure; throws when it is pending or has a value.
template <class T>
base::Failure failure_of(Deferred<T>& deferred) {
    base::Result<T> result = result_of(deferred);
    if (result) throw TestFailure("it has a value");
    return std::move(result).error();
}
template <class T>
base::Failure failure_of(Deferred<T>&& deferred) {
    return failure_of(deferred);
}

template <class T>
bool pending(const Deferred<T>& deferred) {
    run_ready();
    return deferred.valid() && !deferred.settled();
}

/// Keeps every event for the test to look at. From any thread.
class LogCapture final : public base::LogSink {
public:
    struct Field {
        std::string key;  // Of its own: who logs need not keep it.
        base::LogField::Value value;
    };
    struct Event {
        base::LogLevel level;
        std::string name;
        std::vector<Field> fields;

        /// The text of the field, empty if there is none or it is not text.
        std::string text(std::string_view key) const {
            for (const Field& field : fields)
                if (field.key == key)
                    if (const auto* value = std::get_if<std::string>(&field.value)) return *value;
            return {};
        }
    };

    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override {
        Event copy{level, std::string(event), {}};
        for (const base::LogField& field : fields)
            copy.fields.push_back({std::string(field.key), field.value});
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(copy));
    }
    base::Log log(base::LogLevel least = base::LogLevel::debug) { return base::Log(*this, least); }
    std::vector<Event> events() const {
        const std::lock_guard lock(mutex_);
        return events_;
    }
    std::size_t count(std::string_view name) const {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(
            std::count_if(events_.begin(), events_.end(),
                          [&](const Event& event) { return event.name == name; }));
    }
    /// The first event of that name; throws when there is none.
    Event first(std::string_view name) const {
        for (const Event& event : events())
            if (event.name == name) return event;
        throw TestFailure("no such event: " + std::string(name));
    }

private:
    mutable std::mutex mutex_;
    std::vector<Event> events_;
};

}  // namespace reactor::test
