// Database: runs functions over a Transaction on the storage threads and answers in Deferreds.
//
// Writes of all shards are group-committed: one writer takes what is queued, runs it in one
// transaction, commits (on disk, fsync'd) and only then answers them all. An operation that fails
// is undone alone; a commit that fails, fails its whole batch. Reads run on connections of their
// own, each on one snapshot. A read issued after a write's answer arrived sees that write.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/deferred.h"
#include "storage/schema.h"
#include "storage/transaction.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace reactor {
class Reactor;
}

namespace storage {

class Faults;
class SimDisk;

/// One queued function with its answer, type-erased. Owned by the queue, run on a storage thread,
/// settled and destroyed on the shard that asked.
class Operation {
public:
    Operation();  ///< On a shard: remembers Reactor::current().
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    virtual ~Operation() = default;

    /// Runs the function and keeps its answer. False: it failed and is to be rolled back.
    virtual bool run(Transaction& transaction) = 0;
    /// Replaces the answer.
    virtual void fail(base::Failure failure) = 0;
    /// Running the function again, after a roll-back, is as if it had run once: it cannot change
    /// what it captured.
    virtual bool repeatable() const noexcept = 0;
    /// Gives the answer to whoever waits. On the shard.
    virtual void settle() = 0;

    reactor::Reactor& origin() const noexcept { return *origin_; }

private:
    reactor::Reactor* origin_;
};

/// What the database has done since it was opened.
struct Statistics {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;         ///< Operations that were committed.
    std::uint64_t failed_writes = 0;  ///< Rolled back, alone or with their batch; refused ones not.
    std::uint64_t failed_commits = 0;
    std::uint64_t reads = 0;
    std::uint64_t failed_reads = 0;
    std::uint64_t refused = 0;  ///< queue_full.
    std::uint64_t batch_max = 0;
    /// Commits by size of their batch: 1, 2, 3-4, 5-8, … 129-256.
    std::uint64_t batch_sizes[9] = {};
    std::uint64_t write_queue = 0;  ///< Waiting now.
    std::uint64_t read_queue = 0;
};

class Database {
public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    /// As close().
    virtual ~Database() = default;

    /// Runs `function(Transaction&) -> base::Result<R>` in a transaction of its own or of its batch
    /// and answers on the calling shard, after the commit is on disk. The function runs on a
    /// storage thread: it owns what it captures (no references to shard state) and must not wait.
    /// When its batch is undone because of another operation it runs again, unless it is `mutable`.
    /// Writes issued by one shard run, and are answered, in that order. Dropping the Deferred drops
    /// the answer, not the write. Errors: the function's own; queue_full; closed; and those listed
    /// at Transaction.
    template <class Function>
    auto write(Function function) {
        return start(std::move(function), &Database::enqueue_write);
    }

    /// Runs `function(Transaction&) -> base::Result<R>` on a snapshot; a statement that writes
    /// fails with permission_denied. Otherwise as `write`; reads may overtake each other.
    template <class Function>
    auto read(Function function) {
        return start(std::move(function), &Database::enqueue_read);
    }

    /// Refuses new operations (closed), runs everything queued, answers it, flushes the write-ahead
    /// log into the file and closes it. Blocks. Until it returns, the Reactors of all shards that
    /// ever asked must exist; afterwards run their loops once more for the last answers.
    /// Idempotent.
    virtual void close() = 0;

    /// From any thread.
    virtual Statistics statistics() const = 0;

protected:
    /// Takes `operation`, or leaves it and says why not. From any shard.
    virtual base::Result<void> enqueue_write(std::unique_ptr<Operation>& operation) = 0;
    virtual base::Result<void> enqueue_read(std::unique_ptr<Operation>& operation) = 0;

private:
    using Enqueue = base::Result<void> (Database::*)(std::unique_ptr<Operation>&);
    template <class Function>
    auto start(Function function, Enqueue enqueue);
};

inline constexpr std::uint32_t kReaderThreadsMax = 32;

struct DatabaseOptions {
    /// A file, created if missing with mode 0600, or ":memory:".
    std::string path;
    /// The stores whose tables shall exist; see storage/tables/catalog.h: all_stores().
    std::span<const StoreSchema> stores;
    /// Goes into the ledger of migrations.
    base::WallTime now;
    std::uint32_t write_queue_max = 16'384;  ///< Operations waiting; one more is queue_full.
    std::uint32_t read_queue_max = 16'384;
    std::uint32_t batch_max = 256;  ///< Operations in one commit.
    /// A commit waits until the disk has it. False: what was answered survives the process but not
    /// the machine.
    bool sync_commits = true;
    /// The database file grows to at most this; 0: until the disk is full.
    std::uint64_t size_bytes_max = 0;
    /// How long to wait for a lock that another process holds. An inline database never waits.
    std::uint32_t busy_timeout_ms = 5000;
    Faults* faults = nullptr;
    /// For make_inline_database: `path` is a file of this disk.
    SimDisk* disk = nullptr;
};

/// Opens, and migrates, the database on threads of its own: one writer and `reader_threads`
/// (1 to kReaderThreadsMax; ":memory:" reads on the writer).
/// Errors: busy (another process has it), permission_denied, no_space, corrupt, io_error, too_new
/// (a newer program wrote it), invalid_argument (not a database of ours, or its ledger does not
/// match).
base::Result<std::unique_ptr<Database>> open_database(DatabaseOptions options,
                                                      std::uint32_t reader_threads = 2);

/// The same engine without threads, for the simulator and unit tests: operations run on the calling
/// shard's thread at the end of the turn (or after Faults::delay), answers come in a later turn.
/// Deterministic. All shards that use it must share one thread; destroy it before their Reactors.
base::Result<std::unique_ptr<Database>> make_inline_database(DatabaseOptions options);

// --- implementation of the templates ---

template <class Function, class Value>
class TypedOperation final : public Operation {
public:
    explicit TypedOperation(Function function) : function_(std::move(function)) {}

    reactor::Deferred<Value> deferred() { return promise_.deferred(); }
    bool run(Transaction& transaction) override {
        if constexpr (kRepeatable) {
            answer_.emplace(std::as_const(function_)(transaction));
        } else {
            answer_.emplace(function_(transaction));
        }
        return answer_->has_value();
    }
    bool repeatable() const noexcept override { return kRepeatable; }
    void fail(base::Failure failure) override {
        answer_.emplace(std::unexpected(std::move(failure)));
    }
    void settle() override { promise_.resolve(std::move(*answer_)); }

private:
    static constexpr bool kRepeatable = std::is_invocable_v<const Function&, Transaction&>;

    Function function_;
    std::optional<base::Result<Value>> answer_;
    reactor::Promise<Value> promise_;
};

template <class Function>
auto Database::start(Function function, Enqueue enqueue) {
    using Value = typename std::invoke_result_t<Function&, Transaction&>::value_type;
    auto typed = std::make_unique<TypedOperation<Function, Value>>(std::move(function));
    auto deferred = typed->deferred();
    std::unique_ptr<Operation> operation = std::move(typed);
    if (auto taken = (this->*enqueue)(operation); !taken) {
        operation->fail(std::move(taken).error());
        operation->settle();
    }
    return deferred;
}

}  // namespace storage
