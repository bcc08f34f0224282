// The offline store of old databases, whose messages are in offline queues now
// (messages_deliveries.h): what is left of it are its migrations, of which the last moves them. It
// stands behind the message store in the catalog.
#pragma once

#include "storage/schema.h"

namespace storage {

extern const StoreSchema kOfflineMoveSchema;

}  // namespace storage
