#include "reactor/call_in_thread.h"

#include <condition_variable>
#include <mutex>

namespace reactor::detail {

struct ForeignCall::Done {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;  // Under `mutex`.
};

ForeignCall::ForeignCall() : done_(std::make_unique<Done>()) {}
ForeignCall::~ForeignCall() = default;

bool ForeignCall::wait(base::Duration limit) {
    std::unique_lock lock(done_->mutex);
    return done_->changed.wait_for(lock, limit, [this] { return done_->done; });
}

void ForeignCall::finish() {
    // Told under the lock: the waiting thread may free us as soon as it sees `done`.
    const std::lock_guard lock(done_->mutex);
    done_->done = true;
    done_->changed.notify_all();
}

}  // namespace reactor::detail
