#include "storage/sqlite/batch.h"

#include "storage/faults.h"
#include "storage/sqlite/connection.h"

#include <algorithm>
#include <bit>
#include <exception>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace storage::sqlite {
namespace {

using base::Errc;
using base::Failure;
using base::Result;
using OperationSpan = std::span<Operation* const>;

/// Runs the function; nullopt: it succeeded. The failure is already the operation's answer.
std::optional<Failure> run_function(Operation& operation, SqliteTransaction& transaction) {
    std::optional<Failure> failure;
    bool succeeded = false;
    try {
        succeeded = operation.run(transaction);
    } catch (const std::bad_alloc&) {
        failure = Failure(Errc::resource_exhausted, "out of memory in a database operation");
    } catch (const std::exception& exception) {
        failure = Failure(Errc::internal, exception.what());
    }
    // A function that went on after a failed statement does not make it good.
    if (!failure && succeeded && transaction.doom()) failure = transaction.doom();
    if (failure) {
        operation.fail(*failure);
        return failure;
    }
    if (succeeded) return std::nullopt;
    return transaction.doom().value_or(Failure(Errc::cancelled));
}

/// Batches that are given a savepoint per operation after one that lacked them had to be undone.
constexpr std::uint32_t kMarkedBatches = 32;

/// One batch in the making; see commit_batch.
class Batch {
public:
    Batch(Connection& connection, Faults* faults, Counters& counters)
        : connection_(connection), faults_(faults), counters_(counters) {}

    /// Without savepoints. False: an operation failed, everything is undone and to be done again.
    bool run_unmarked(OperationSpan operations) {
        if (!begin(operations)) return true;
        for (Operation* operation : operations) {
            const auto failure = run_whole(*operation);
            if (!failure) {
                kept_.push_back(operation);
                continue;
            }
            roll_back();
            if (operations.size() > 1) return false;
            ++counters_.failed_writes;
            return true;
        }
        commit();
        return true;
    }

    /// With savepoints. Runs operations and commits them; yields how many it took from the front:
    /// all, unless SQLite gave up the transaction half-way.
    std::size_t run_marked(OperationSpan operations) {
        if (!begin(operations)) return operations.size();
        std::size_t taken = 0;
        while (taken < operations.size() && connection_.in_transaction())
            run_one(*operations[taken++]);
        if (!connection_.in_transaction()) {
            connection_.forget();
            undo_kept(lost_);
        } else if (kept_.empty()) {
            roll_back();
        } else {
            commit();
        }
        return taken;
    }

private:
    bool begin(OperationSpan operations) {
        auto begun = connection_.control("BEGIN IMMEDIATE");
        if (begun) return true;
        for (Operation* operation : operations)
            fail(*operation, begun.error());
        return false;
    }

    void fail(Operation& operation, const Failure& failure) {
        operation.fail(failure);
        ++counters_.failed_writes;
    }

    void undo_kept(const Failure& failure) {
        for (Operation* operation : kept_)
            fail(*operation, failure);
        kept_.clear();
    }

    void roll_back() {
        connection_.forget();
        if (connection_.in_transaction()) static_cast<void>(connection_.control("ROLLBACK"));
    }

    /// nullopt: it succeeded. The failure is already the operation's answer.
    std::optional<Failure> run_whole(Operation& operation) {
        SqliteTransaction transaction(connection_, Access::write);
        return run_function(operation, transaction);
    }

    Result<void> write_memory() {
        if (!connection_.memory()) return {};
        SqliteTransaction transaction(connection_, Access::write);
        return connection_.memory()->write(transaction);
    }

    void run_one(Operation& operation) {
        auto marked = connection_.control("SAVEPOINT operation");
        if (!marked) return give_up(operation, marked.error());
        auto failure = run_whole(operation);
        if (!failure) {
            // With its own operation, so that it goes with it.
            if (auto written = write_memory(); !written) {
                failure = written.error();
                operation.fail(*failure);
            }
        }
        if (failure) {
            ++counters_.failed_writes;
            lost_ = *failure;  // Means something only if the transaction is gone.
            undo();
            return;
        }
        auto released = connection_.control("RELEASE operation");
        if (!released) return give_up(operation, released.error());
        kept_.push_back(&operation);
    }

    void undo() {
        connection_.forget();
        if (!connection_.in_transaction()) return;
        auto undone = connection_.control("ROLLBACK TO operation");
        if (undone) undone = connection_.control("RELEASE operation");
        if (undone) return;
        lost_ = undone.error();
        roll_back();
    }

    /// The savepoint itself failed: the whole transaction is not to be trusted.
    void give_up(Operation& operation, const Failure& failure) {
        fail(operation, failure);
        lost_ = failure;
        roll_back();
    }

    void commit() {
        Result<void> committed;
        if (auto failure = faults_ != nullptr ? faults_->take_commit_failure() : std::nullopt)
            committed = std::unexpected(std::move(*failure));
        else if (auto written = write_memory(); !written)
            committed = std::move(written);
        else
            committed = connection_.control("COMMIT");
        if (committed) {
            counters_.count_commit(kept_.size());
            return;
        }
        ++counters_.failed_commits;
        roll_back();
        undo_kept(committed.error());
    }

    Connection& connection_;
    Faults* faults_;
    Counters& counters_;
    std::vector<Operation*> kept_;
    Failure lost_ = Errc::internal;
};

/// Operations that no injected failure keeps from running.
std::vector<Operation*> runnable(std::span<const std::unique_ptr<Operation>> operations,
                                 Faults* faults, Counters& counters) {
    std::vector<Operation*> left;
    left.reserve(operations.size());
    for (const auto& operation : operations) {
        if (faults != nullptr) {
            if (auto failure = faults->take_write_failure()) {
                operation->fail(*std::move(failure));
                ++counters.failed_writes;
                continue;
            }
        }
        left.push_back(operation.get());
    }
    return left;
}

}  // namespace

void Counters::count_commit(std::uint64_t operations) {
    ++commits;
    writes += operations;
    if (operations > batch_max) batch_max = operations;
    // 1 → 0, 2 → 1, 3-4 → 2, 5-8 → 3 …
    const auto bucket = static_cast<std::size_t>(std::bit_width(operations - 1));
    ++batch_sizes[std::min<std::size_t>(bucket, std::size(batch_sizes) - 1)];
}

void commit_batch(Connection& connection, std::span<const std::unique_ptr<Operation>> operations,
                  Faults* faults, Counters& counters, std::uint32_t& marked_left) {
    const std::vector<Operation*> all = runnable(operations, faults, counters);
    OperationSpan left = all;
    const bool is_one = left.size() == 1;
    if (is_one || (marked_left == 0 && std::ranges::all_of(left, &Operation::repeatable))) {
        if (left.empty() || Batch(connection, faults, counters).run_unmarked(left)) return;
        marked_left = kMarkedBatches;
    }
    if (marked_left > 0) --marked_left;
    while (!left.empty())
        left = left.subspan(Batch(connection, faults, counters).run_marked(left));
}

void run_read(Connection& connection, Operation& operation, Faults* faults, Counters& counters) {
    ++counters.reads;
    Result<void> begun;
    if (auto failure = faults != nullptr ? faults->take_read_failure() : std::nullopt)
        begun = std::unexpected(std::move(*failure));
    else
        begun = connection.control("BEGIN");
    if (!begun) {
        operation.fail(begun.error());
        ++counters.failed_reads;
        return;
    }
    SqliteTransaction transaction(connection, Access::read_only);
    if (run_function(operation, transaction)) ++counters.failed_reads;
    if (connection.in_transaction()) static_cast<void>(connection.control("ROLLBACK"));
}

}  // namespace storage::sqlite
