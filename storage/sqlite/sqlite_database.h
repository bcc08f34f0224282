// SqliteDatabase: Database over one SQLite file. Queues on this side, connections on that side, and
// lanes that carry one to the other.
#pragma once

#include "storage/database.h"
#include "storage/lanes.h"
#include "storage/operation_queue.h"
#include "storage/sqlite/batch.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/open_file.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace storage::sqlite {

class SqliteDatabase final : public Database {
public:
    /// `readers` empty: reads run on the writer, between batches.
    SqliteDatabase(const DatabaseOptions& options, OpenedFile file,
                   std::vector<std::unique_ptr<Connection>> readers);
    ~SqliteDatabase() override { close(); }

    /// Exactly one of these, once, before the first operation.
    base::Result<void> start_threads();
    void start_turn_lanes();

    void close() override;
    Statistics statistics() const override;

protected:
    base::Result<void> enqueue_write(std::unique_ptr<Operation>& operation) override;
    base::Result<void> enqueue_read(std::unique_ptr<Operation>& operation) override;

private:
    base::Result<void> enqueue(OperationQueue& queue, Lane& lane,
                               std::unique_ptr<Operation>& operation);
    void work_as_writer();
    void work_as_reader(std::uint32_t worker);
    bool commit_waiting();
    bool read_waiting(Connection& connection);

    const std::uint32_t batch_max_;
    Faults* const faults_;
    OpenedFile file_;
    std::vector<std::unique_ptr<Connection>> readers_;
    OperationQueue writes_;
    OperationQueue reads_;
    Counters counters_;
    std::uint32_t marked_left_ = 0;  // The writer's: see commit_batch.
    std::unique_ptr<Lane> write_lane_;
    std::unique_ptr<Lane> read_lane_;  // Null: reads are the writer's work too.
};

}  // namespace storage::sqlite
