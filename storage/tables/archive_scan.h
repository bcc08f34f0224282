// ArchiveScan: walks the rows of one archive in the order of ids, from either end, over both tables
// that hold them (messages_rows.h). Private to archive*.cpp.
#pragma once

#include "storage/tables/messages_rows.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storage {

/// Which rows: ids between the two, which are not meant.
struct ArchiveRange {
    MessageId after = std::numeric_limits<MessageId>::min();
    MessageId before = std::numeric_limits<MessageId>::max();

    bool empty() const { return after >= before; }
};

struct ArchiveFilter {
    OwnerKey owner = 0;
    std::optional<PeerKey> peer = {};
    std::optional<std::string> peer_resource = {};  ///< Only with `peer`.
    bool groupchat = true;
};

enum class ArchiveOrder : std::uint8_t { oldest_first, newest_first };

class ArchiveScan {
public:
    ArchiveScan(Transaction& transaction, ArchiveFilter filter)
        : transaction_(transaction), filter_(std::move(filter)) {}

    /// The first `limit` rows that match; `peer` of the rows is not set. Errors: resource_exhausted
    /// when that means looking at more than kArchiveResourceRowsMax rows for a resource.
    base::Result<std::vector<ArchiveRow>> rows(ArchiveRange range, ArchiveOrder order,
                                               std::size_t limit);
    /// How many match; nullopt: more than `count_max`, or too many to look at.
    base::Result<std::optional<std::int64_t>> count(ArchiveRange range, std::int64_t count_max);

private:
    base::Result<void> scan_table(std::string_view table, ArchiveRange range, ArchiveOrder order,
                                  std::size_t limit, std::vector<ArchiveRow>& rows);
    base::Result<void> scan_segments(ArchiveRange range, ArchiveOrder order, std::size_t limit,
                                     std::vector<ArchiveRow>& rows);
    /// Segments of the peer that begin within `range`.
    base::Result<std::vector<MessageId>> segments(ArchiveRange range, ArchiveOrder order,
                                                  std::size_t limit);
    /// The one of the peer's that the range begins in, or the range's first id.
    base::Result<MessageId> first_segment(ArchiveRange range);

    Transaction& transaction_;
    ArchiveFilter filter_;
    std::int64_t rows_looked_at_ = 0;  // For a resource.
};

}  // namespace storage
