// The move of the older offline store (offline.h) into offline queues (messages_deliveries.h): a
// store without tables of its own, whose one migration empties the one and fills the other. It runs
// when it is in the catalog, behind the two; from then on nobody may write to the older store.
#pragma once

#include "storage/schema.h"

namespace storage {

extern const StoreSchema kOfflineMoveSchema;

}  // namespace storage
