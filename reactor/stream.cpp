// What every ByteStream shares: endpoints as text, and readiness as a Deferred.
#include "reactor/stream.h"

#include <utility>

namespace reactor {
namespace {

/// Observes `stream` until it is told. Lives in its own canceller, so that dropping or cancelling
/// the Deferred ends it.
class ReadyWait final : public StreamObserver {
public:
    ReadyWait(ByteStream& stream, Interest interest) : stream_(stream), interest_(interest) {}
    ReadyWait(const ReadyWait&) = delete;
    ReadyWait& operator=(const ReadyWait&) = delete;
    ~ReadyWait() {
        if (stopped_) return;
        stream_.disarm(interest_);
        stream_.set_observer(nullptr);
    }

    static Deferred<void> start(ByteStream& stream, Interest interest) {
        auto wait = std::make_unique<ReadyWait>(stream, interest);
        ReadyWait& it = *wait;
        auto deferred = it.promise_.deferred([wait = std::move(wait)]() mutable { wait.reset(); });
        stream.set_observer(&it);
        stream.arm(interest);
        return deferred;
    }

private:
    void on_ready(Interest) override {
        stopped_ = true;
        stream_.set_observer(nullptr);
        // Settling destroys the canceller and with it this object.
        Promise<void> promise = std::move(promise_);
        promise.resolve();
    }

    ByteStream& stream_;
    Interest interest_;
    Promise<void> promise_;
    bool stopped_ = false;
};

}  // namespace

std::string Endpoint::to_string() const {
    if (is_unix()) return address;
    const bool v6 = address.find(':') != std::string::npos;
    return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Deferred<void> when_ready(ByteStream& stream, Interest interest) {
    return ReadyWait::start(stream, interest);
}

}  // namespace reactor
