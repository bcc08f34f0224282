#include "storage/sqlite/sqlite_database.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <utility>

namespace storage::sqlite {

using base::Result;

SqliteDatabase::SqliteDatabase(const DatabaseOptions& options, OpenedFile file,
                               std::vector<std::unique_ptr<Connection>> readers)
    : batch_max_(std::max<std::uint32_t>(options.batch_max, 1)),
      faults_(options.faults),
      file_(std::move(file)),
      readers_(std::move(readers)),
      writes_(options.write_queue_max),
      reads_(options.read_queue_max) {}

Result<void> SqliteDatabase::start_threads() {
    write_lane_ =
        TRY(make_thread_lane("storage-write", 1, [this](std::uint32_t) { work_as_writer(); }));
    if (readers_.empty()) return {};
    read_lane_ = TRY(make_thread_lane("storage-read", static_cast<std::uint32_t>(readers_.size()),
                                      [this](std::uint32_t worker) { work_as_reader(worker); }));
    return {};
}

void SqliteDatabase::start_turn_lanes() {
    write_lane_ = make_turn_lane(faults_, [this](std::uint32_t) { work_as_writer(); });
    if (readers_.empty()) return;
    read_lane_ = make_turn_lane(faults_, [this](std::uint32_t worker) { work_as_reader(worker); });
}

Result<void> SqliteDatabase::enqueue(OperationQueue& queue, Lane& lane,
                                     std::unique_ptr<Operation>& operation) {
    auto pushed = queue.push(operation);
    if (!pushed) {
        if (pushed.error().is(base::Errc::queue_full)) ++counters_.refused;
        return pushed;
    }
    lane.wake();
    return {};
}

Result<void> SqliteDatabase::enqueue_write(std::unique_ptr<Operation>& operation) {
    return enqueue(writes_, *write_lane_, operation);
}

Result<void> SqliteDatabase::enqueue_read(std::unique_ptr<Operation>& operation) {
    return enqueue(reads_, read_lane_ ? *read_lane_ : *write_lane_, operation);
}

void SqliteDatabase::work_as_writer() {
    for (bool more = true; more;) {
        more = commit_waiting();
        if (!read_lane_) more = read_waiting(*file_.writer) || more;
    }
}

void SqliteDatabase::work_as_reader(std::uint32_t worker) {
    while (read_waiting(*readers_[worker])) {
    }
}

bool SqliteDatabase::commit_waiting() {
    Operations batch;
    if (!writes_.take(batch, batch_max_)) return false;
    commit_batch(*file_.writer, batch, faults_, counters_, marked_left_);
    deliver(std::move(batch));
    return true;
}

bool SqliteDatabase::read_waiting(Connection& connection) {
    Operations one;
    if (!reads_.take(one, 1)) return false;
    run_read(connection, *one.front(), faults_, counters_);
    deliver(std::move(one));
    return true;
}

void SqliteDatabase::close() {
    if (!file_.writer) return;  // Closed before.
    writes_.close();
    reads_.close();
    if (write_lane_) write_lane_->stop();
    if (read_lane_) read_lane_->stop();
    readers_.clear();
    // The last connection to go moves the write-ahead log into the file; then the lock may go.
    file_.writer.reset();
    file_.lock = {};
}

Statistics SqliteDatabase::statistics() const {
    Statistics now;
    now.commits = counters_.commits;
    now.writes = counters_.writes;
    now.failed_writes = counters_.failed_writes;
    now.failed_commits = counters_.failed_commits;
    now.reads = counters_.reads;
    now.failed_reads = counters_.failed_reads;
    now.refused = counters_.refused;
    now.batch_max = counters_.batch_max;
    std::ranges::copy(counters_.batch_sizes, now.batch_sizes);
    now.write_queue = writes_.size();
    now.read_queue = reads_.size();
    return now;
}

}  // namespace storage::sqlite

namespace storage {
namespace {

using sqlite::Access;
using sqlite::Connection;
using sqlite::SqliteDatabase;

base::Result<std::unique_ptr<SqliteDatabase>> open_unstarted(const DatabaseOptions& options,
                                                             std::uint32_t readers_wanted,
                                                             std::uint32_t busy_timeout_ms) {
    auto file = TRY(sqlite::open_file(options, busy_timeout_ms));
    std::vector<std::unique_ptr<Connection>> readers;
    // A second connection to ":memory:" would be a second database; a simulated disk takes one.
    const bool single = options.path == sqlite::kMemoryPath || options.disk != nullptr;
    const std::uint32_t count = single ? 0 : readers_wanted;
    for (std::uint32_t i = 0; i < count; ++i)
        readers.push_back(TRY(Connection::open({.path = options.path,
                                                .access = Access::read_only,
                                                .busy_timeout_ms = busy_timeout_ms})));
    return std::make_unique<SqliteDatabase>(options, std::move(file), std::move(readers));
}

}  // namespace

base::Result<std::unique_ptr<Database>> open_database(DatabaseOptions options,
                                                      std::uint32_t reader_threads) {
    const std::uint32_t readers = std::clamp<std::uint32_t>(reader_threads, 1, kReaderThreadsMax);
    auto database = TRY(open_unstarted(options, readers, options.busy_timeout_ms));
    TRY(database->start_threads());
    return database;
}

base::Result<std::unique_ptr<Database>> make_inline_database(DatabaseOptions options) {
    auto database = TRY(open_unstarted(options, 1, 0));
    database->start_turn_lanes();
    return database;
}

}  // namespace storage
