#include "storage/tables/catalog.h"

#include "storage/shapes.h"
#include "storage/tables/archive_preferences.h"
#include "storage/tables/last_activity.h"
#include "storage/tables/messages.h"
#include "storage/tables/messages_offline_move.h"
#include "storage/tables/meta.h"
#include "storage/tables/private_xml.h"
#include "storage/tables/rooms.h"
#include "storage/tables/roster.h"
#include "storage/tables/sm_sessions.h"
#include "storage/tables/users.h"
#include "storage/tables/vcards.h"

#include <array>

namespace storage {

std::span<const StoreSchema> all_stores() {
    static const std::array stores = {
        kMetaSchema,
        kUsersSchema,
        kRosterSchema,
        kVcardsSchema,
        kPrivateXmlSchema,
        kLastActivitySchema,
        kShapesSchema,
        kMessagesSchema,
        kOfflineMoveSchema,
        kSmSessionsSchema,
        kArchivePreferencesSchema,
        kRoomsSchema,
    };
    return stores;
}

}  // namespace storage
