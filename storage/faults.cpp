#include "storage/faults.h"

#include <utility>

namespace storage {

void Faults::fail_next_write(base::Failure failure) {
    std::lock_guard lock(mutex_);
    write_ = std::move(failure);
}

void Faults::fail_next_commit(base::Failure failure) {
    std::lock_guard lock(mutex_);
    commit_ = std::move(failure);
}

void Faults::fail_next_read(base::Failure failure) {
    std::lock_guard lock(mutex_);
    read_ = std::move(failure);
}

void Faults::disk_full(bool full) {
    std::lock_guard lock(mutex_);
    disk_full_ = full;
}

void Faults::delay(base::Duration duration) {
    std::lock_guard lock(mutex_);
    delay_ = duration;
}

void Faults::mend() {
    std::lock_guard lock(mutex_);
    write_.reset();
    commit_.reset();
    read_.reset();
    disk_full_ = false;
    delay_ = base::Duration(0);
}

std::optional<base::Failure> Faults::take_write_failure() {
    std::lock_guard lock(mutex_);
    if (disk_full_) return base::Failure(base::Errc::no_space, "the disk is full");
    return std::exchange(write_, std::nullopt);
}

std::optional<base::Failure> Faults::take_commit_failure() {
    std::lock_guard lock(mutex_);
    return std::exchange(commit_, std::nullopt);
}

std::optional<base::Failure> Faults::take_read_failure() {
    std::lock_guard lock(mutex_);
    return std::exchange(read_, std::nullopt);
}

base::Duration Faults::delay() const {
    std::lock_guard lock(mutex_);
    return delay_;
}

}  // namespace storage
