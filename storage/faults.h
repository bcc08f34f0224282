// Faults: failures injected into a database, for tests and the simulator. Thread safe.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/failure.h"

#include <mutex>
#include <optional>

namespace storage {

/// Given to a database in DatabaseOptions; must outlive it. Every setter may be called at any time
/// from any thread and takes effect with the next operation.
class Faults {
public:
    /// The next write operation fails alone, before its function runs.
    void fail_next_write(base::Failure failure = base::Errc::io_error);
    /// The next commit fails: all writes of that batch fail and leave no trace.
    void fail_next_commit(base::Failure failure = base::Errc::io_error);
    /// The next read fails before its function runs.
    void fail_next_read(base::Failure failure = base::Errc::io_error);
    /// While set, every write fails with no_space; reads go on.
    void disk_full(bool full);
    /// Answers of an inline database take this long in (virtual) time. Ignored by real threads.
    void delay(base::Duration duration);
    /// Nothing fails or takes long any more, nor what was to.
    void mend();

    // For the engine.
    std::optional<base::Failure> take_write_failure();
    std::optional<base::Failure> take_commit_failure();
    std::optional<base::Failure> take_read_failure();
    base::Duration delay() const;

private:
    mutable std::mutex mutex_;
    std::optional<base::Failure> write_;
    std::optional<base::Failure> commit_;
    std::optional<base::Failure> read_;
    bool disk_full_ = false;
    base::Duration delay_{0};
};

}  // namespace storage
