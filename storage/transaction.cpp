#include "storage/transaction.h"

#include "reactor/base/check.h"

namespace storage {

const Cell& Row::cell(std::size_t column, ValueKind wanted) const {
    CHECK(column < cells_.size());
    static constexpr Cell kNothing;
    const Cell& found = cells_[column];
    if (found.kind == wanted) return found;
    mismatched_ = true;
    return kNothing;
}

bool Row::is_null(std::size_t column) const {
    CHECK(column < cells_.size());
    return cells_[column].kind == ValueKind::null;
}

std::int64_t Row::int64(std::size_t column) const {
    return cell(column, ValueKind::integer).integer;
}

std::string_view Row::text(std::size_t column) const {
    return cell(column, ValueKind::text).bytes;
}

std::string_view Row::blob(std::size_t column) const {
    return cell(column, ValueKind::blob).bytes;
}

std::optional<std::int64_t> Row::optional_int64(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return int64(column);
}

std::optional<base::WallTime> Row::optional_time(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return time(column);
}

std::optional<std::string_view> Row::optional_text(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::optional<std::string_view> Row::optional_blob(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return blob(column);
}

}  // namespace storage
