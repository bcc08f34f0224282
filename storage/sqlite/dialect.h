// The schema dialect of storage/schema.h in SQLite's words.
#pragma once

#include <string>
#include <string_view>

namespace storage::sqlite {

/// BIGINT, BYTEA and identity columns become INTEGER, BLOB and AUTOINCREMENT; every CREATE TABLE
/// becomes STRICT, and WITHOUT ROWID where it says `/* clustered */`. Quoted text stays as it is.
std::string to_sqlite_schema(std::string_view sql);

}  // namespace storage::sqlite
