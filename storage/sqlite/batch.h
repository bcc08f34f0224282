// Group commit: runs a batch of operations in one SQLite transaction and commits. And reads: one
// operation on one snapshot. Both leave the answers in the operations.
//
// A savepoint costs a copy of every page that the operation touches, and hardly any operation
// fails. So a batch runs without, and only when one of it fails is it undone and run again with a
// savepoint for each; for some batches they stay, as failures come in groups.
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
/// if they are undone. `faults` may be null. `marked_left`: kept from batch to batch, at first 0:
/// so many more are to have savepoints.
void commit_batch(Connection& connection, std::span<const std::unique_ptr<Operation>> operations,
                  Faults* faults, Counters& counters, std::uint32_t& marked_left);

void run_read(Connection& connection, Operation& operation, Faults* faults, Counters& counters);

}  // namespace storage::sqlite
