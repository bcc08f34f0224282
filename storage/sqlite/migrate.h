// Migrations on SQLite: marks the file as ours, keeps the ledger, applies what is missing, one
// transaction each, and refuses what it does not understand.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "storage/schema.h"

#include <cstdint>
#include <span>

namespace storage::sqlite {

class Connection;

inline constexpr std::int64_t kApplicationId = 0x5041524c;  ///< "PARL", for file(1).
/// Of the ledger itself; a file with a greater number is refused.
inline constexpr std::int64_t kFormatVersion = 1;

/// What the ledger keeps of a migration's text (FNV-1a, 64 bits: against accidents, not attacks).
std::int64_t migration_checksum(std::string_view sql);

/// Reads only: is the file new or ours? Errors: invalid_argument (another program's), too_new (a
/// newer program wrote it), and those of the engine.
base::Result<void> check_owner(Connection& connection);

/// Errors: those of check_owner; too_new and invalid_argument also for a ledger with a step that is
/// not known here or has another text.
base::Result<void> migrate(Connection& connection, std::span<const StoreSchema> stores,
                           base::WallTime now);

}  // namespace storage::sqlite
