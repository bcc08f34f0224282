#include "storage/sqlite/batch.h"

#include "storage/faults.h"
#include "storage/sqlite/connection.h"

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
using OperationSpan = std::span<const std::unique_ptr<Operation>>;

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

/// One batch in the making; see commit_batch.
class Batch {
public:
    Batch(Connection& connection, Faults* faults, Counters& counters)
        : connection_(connection), faults_(faults), counters_(counters) {}

    /// Runs operations and commits them; yields how many it took from the front: all, unless SQLite
    /// gave up the transaction half-way.
    std::size_t run(OperationSpan operations) {
        if (auto begun = connection_.control("BEGIN IMMEDIATE"); !begun) {
            for (const auto& operation : operations)
                fail(*operation, begun.error());
            return operations.size();
        }
        std::size_t taken = 0;
        while (taken < operations.size() && connection_.in_transaction())
            run_one(*operations[taken++]);
        if (!connection_.in_transaction()) {
            undo_kept(lost_);
        } else if (kept_.empty()) {
            roll_back();
        } else {
            commit();
        }
        return taken;
    }

private:
    void fail(Operation& operation, const Failure& failure) {
        operation.fail(failure);
        ++counters_.failed_writes;
    }

    void undo_kept(const Failure& failure) {
        for (Operation* operation : kept_)
            fail(*operation, failure);
        kept_.clear();
    }

    void roll_back() { static_cast<void>(connection_.control("ROLLBACK")); }

    void run_one(Operation& operation) {
        if (faults_ != nullptr) {
            if (auto failure = faults_->take_write_failure()) return fail(operation, *failure);
        }
        auto marked = connection_.control("SAVEPOINT operation");
        if (!marked) return give_up(operation, marked.error());
        SqliteTransaction transaction(connection_, Access::write);
        if (auto failure = run_function(operation, transaction)) {
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
        if (connection_.in_transaction()) roll_back();
    }

    void commit() {
        Result<void> committed;
        if (auto failure = faults_ != nullptr ? faults_->take_commit_failure() : std::nullopt)
            committed = std::unexpected(std::move(*failure));
        else
            committed = connection_.control("COMMIT");
        if (committed) {
            counters_.count_commit(kept_.size());
            return;
        }
        ++counters_.failed_commits;
        if (connection_.in_transaction()) roll_back();
        undo_kept(committed.error());
    }

    Connection& connection_;
    Faults* faults_;
    Counters& counters_;
    std::vector<Operation*> kept_;
    Failure lost_ = Errc::internal;
};

}  // namespace

void Counters::count_commit(std::uint64_t operations) {
    ++commits;
    writes += operations;
    if (operations > batch_max) batch_max = operations;
    // 1 → 0, 2 → 1, 3-4 → 2, 5-8 → 3 …
    const auto bucket = static_cast<std::size_t>(std::bit_width(operations - 1));
    ++batch_sizes[std::min<std::size_t>(bucket, std::size(batch_sizes) - 1)];
}

void commit_batch(Connection& connection, OperationSpan operations, Faults* faults,
                  Counters& counters) {
    while (!operations.empty()) {
        Batch batch(connection, faults, counters);
        operations = operations.subspan(batch.run(operations));
    }
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
