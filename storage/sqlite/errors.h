// SQLite's result codes as failures: the code a caller branches on and a sentence that names the
// database and the mend. No SQL and no values in the text.
#pragma once

#include "reactor/base/failure.h"

#include <string_view>

struct sqlite3;

namespace storage::sqlite {

/// `code` is what a call on `database` just returned; null before there is one.
base::Failure failure_of(sqlite3* database, int code, std::string_view path);

}  // namespace storage::sqlite
