// The catalog of stores: a new store is one line in catalog.cpp, which gives it its tables and
// makes account removal reach it.
#pragma once

#include "storage/schema.h"

#include <span>

namespace storage {

/// For DatabaseOptions::stores. Static data.
std::span<const StoreSchema> all_stores();

}  // namespace storage
