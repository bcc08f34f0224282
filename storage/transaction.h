// Transaction: SQL with `$1` parameters and typed rows, the same for every engine. Used only inside
// storage/: the typed stores (storage/tables/) and shapes wrap it; nothing outside writes SQL.
// SQL is written in the dialect that SQLite >= 3.40 and PostgreSQL >= 15 share.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace storage {

/// Most parameters of one statement and most columns of one row.
inline constexpr std::size_t kColumnsMax = 64;

/// Marks bytes that are not text (BYTEA, BLOB). A view: see Parameter.
struct Blob {
    std::string_view bytes;
};

enum class ValueKind : std::uint8_t { null, integer, real, text, blob };

/// A value bound to `$n`. A view: text and bytes must live until the statement has run, which the
/// arguments of the call do.
class Parameter {
public:
    Parameter(std::nullopt_t) noexcept {}  // NOLINT(google-explicit-constructor)
    template <std::integral Integer>
    Parameter(Integer value) noexcept  // NOLINT(google-explicit-constructor)
        : kind_(ValueKind::integer), integer_(static_cast<std::int64_t>(value)) {}
    Parameter(base::WallTime time) noexcept  // NOLINT(google-explicit-constructor)
        : Parameter(time.microseconds) {}
    Parameter(std::string_view text) noexcept  // NOLINT(google-explicit-constructor)
        : kind_(ValueKind::text), bytes_(text) {}
    Parameter(const std::string& text) noexcept  // NOLINT(google-explicit-constructor)
        : Parameter(std::string_view(text)) {}
    Parameter(const char* text) noexcept  // NOLINT(google-explicit-constructor)
        : Parameter(std::string_view(text)) {}
    Parameter(Blob blob) noexcept  // NOLINT(google-explicit-constructor)
        : kind_(ValueKind::blob), bytes_(blob.bytes) {}
    template <class T>
    Parameter(const std::optional<T>& value) noexcept {  // NOLINT(google-explicit-constructor)
        if (value) *this = Parameter(*value);
    }

    ValueKind kind() const noexcept { return kind_; }
    std::int64_t integer() const noexcept { return integer_; }
    std::string_view bytes() const noexcept { return bytes_; }

private:
    ValueKind kind_ = ValueKind::null;
    std::int64_t integer_ = 0;
    std::string_view bytes_;
};

/// One column of the current row. A view into the engine's memory.
struct Cell {
    ValueKind kind = ValueKind::null;
    std::int64_t integer = 0;
    double real = 0;
    std::string_view bytes;
};

/// The current row of a query; valid only inside the visitor, and so is the text it hands out.
/// A getter whose column has another type (also NULL, unless it is an optional_ one) yields zero or
/// nothing and makes the query fail with Errc::corrupt after the visitor has returned. A column
/// number past the end is a CHECK: the SQL and its visitor are written together.
class Row {
public:
    Row(std::span<const Cell> cells, bool& mismatched) : cells_(cells), mismatched_(mismatched) {}

    std::size_t size() const noexcept { return cells_.size(); }
    bool is_null(std::size_t column) const;
    std::int64_t int64(std::size_t column) const;
    bool flag(std::size_t column) const { return int64(column) != 0; }
    base::WallTime time(std::size_t column) const { return {int64(column)}; }
    std::string_view text(std::size_t column) const;
    std::string_view blob(std::size_t column) const;
    std::optional<std::int64_t> optional_int64(std::size_t column) const;
    std::optional<base::WallTime> optional_time(std::size_t column) const;
    std::optional<std::string_view> optional_text(std::size_t column) const;
    std::optional<std::string_view> optional_blob(std::size_t column) const;
    /// For a row that has the right types but makes no sense (a JID that does not parse).
    void mark_corrupt() const noexcept { mismatched_ = true; }

private:
    const Cell& cell(std::size_t column, ValueKind wanted) const;

    std::span<const Cell> cells_;
    bool& mismatched_;
};

using Parameters = std::initializer_list<Parameter>;

/// One transaction, open while the function given to Database::read or ::write runs. It commits
/// when that function returns a value and rolls back when it returns a failure. Storage thread
/// only; never keep a reference past the function.
///
/// Errors of all calls: already_exists (a unique key is taken), invalid_argument (another
/// constraint), no_space, busy, corrupt, io_error, permission_denied, internal (bad SQL); sentences
/// name the database and the mend.
class Transaction {
public:
    Transaction() = default;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    virtual ~Transaction() = default;

    /// Runs one statement; yields the number of rows it inserted, changed or removed.
    base::Result<std::int64_t> execute(std::string_view sql, Parameters parameters = {}) {
        return run(sql, {parameters.begin(), parameters.size()}, nullptr, nullptr);
    }

    /// Runs one statement and calls `visit(const Row&)` for each row. `visit` returns void, or
    /// Result<void> whose failure ends the query and is passed on. It may not start another
    /// statement with the same SQL.
    template <class Visitor>
    base::Result<void> query(std::string_view sql, Parameters parameters, Visitor visit) {
        auto call = [](void* context, const Row& row) -> base::Result<void> {
            Visitor& visitor = *static_cast<Visitor*>(context);
            if constexpr (std::is_void_v<std::invoke_result_t<Visitor&, const Row&>>) {
                visitor(row);
                return {};
            } else {
                return visitor(row);
            }
        };
        auto changed = run(sql, {parameters.begin(), parameters.size()}, call, &visit);
        if (!changed) return std::unexpected(std::move(changed).error());
        return {};
    }

    /// `map(const Row&)` of the first row, or nullopt when there is none. The statement runs to its
    /// end: add LIMIT 1 where more rows could match.
    template <class Map>
    auto first(std::string_view sql, Parameters parameters, Map map)
        -> base::Result<std::optional<std::invoke_result_t<Map&, const Row&>>> {
        std::optional<std::invoke_result_t<Map&, const Row&>> answer;
        auto done = query(sql, parameters, [&](const Row& row) {
            if (!answer) answer.emplace(map(row));
        });
        if (!done) return std::unexpected(std::move(done).error());
        return answer;
    }

protected:
    /// Null or called for each row.
    using RowFunction = base::Result<void> (*)(void* context, const Row& row);
    virtual base::Result<std::int64_t> run(std::string_view sql,
                                           std::span<const Parameter> parameters, RowFunction visit,
                                           void* context) = 0;
};

}  // namespace storage
