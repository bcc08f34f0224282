// Group commit: runs a batch of operations in one SQLite transaction, a savepoint each, and
// commits. And reads: one operation on one snapshot. Both leave the answers in the operations.
#pragma once

#include "storage/operation_queue.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

namespace storage {
class Faults;
}

namespace storage::sqlite {

class Connection;

/// Counts of Statistics, written by storage threads.
struct Counters {
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> writes{0};
    std::atomic<std::uint64_t> failed_writes{0};
    std::atomic<std::uint64_t> failed_commits{0};
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> failed_reads{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> batch_max{0};
    std::atomic<std::uint64_t> batch_sizes[9] = {};

    void count_commit(std::uint64_t operations);
};

/// When this returns, every operation has its answer: its own if its effects are on disk, a failure
/// if they are undone. `faults` may be null.
void commit_batch(Connection& connection, std::span<const std::unique_ptr<Operation>> operations,
                  Faults* faults, Counters& counters);

void run_read(Connection& connection, Operation& operation, Faults* faults, Counters& counters);

}  // namespace storage::sqlite
