// The settings of the archive (modules/archive*.cpp).
#pragma once

#include "server/config/core_keys.h"
#include "storage/tables/archive.h"
#include "storage/tables/archive_preferences.h"

namespace server::keys {

inline constexpr BoolKey kArchiveEnabled{
    "archive.enabled", true,
    "Keep the messages of accounts, so that each of their clients has the whole history "
    "(XEP-0313). Off: nothing is added, and nobody may ask; what there is stays."};
inline constexpr ChoiceKey<storage::ArchiveDefault> kArchiveDefault{
    "archive.default",
    storage::ArchiveDefault::always,
    {"always", "never", "roster"},
    "What is archived for an account that has not chosen (XEP-0441): everything, nothing, or what "
    "it exchanges with its contacts."};
inline constexpr IntegerKey kArchivePageDefault{
    "archive.page_default", 50, 1, storage::kArchivePageMax,
    "Messages that answer one query where the client does not say how many it wants."};
inline constexpr IntegerKey kArchivePageMax{
    "archive.page_max", storage::kArchivePageMax, 1, storage::kArchivePageMax,
    "Most messages that answer one query, and not more than 2 MiB of them; the client asks again "
    "for more. A client that was away for a night should catch up with one."};
inline constexpr DurationKey kArchiveKeep{
    "archive.keep", 365 * kDay, 0s, 36'500 * kDay,
    "Archived messages older than this are deleted. Long enough for who rarely comes, and still a "
    "bound on the disk and on what a thief finds. 0: never."};
inline constexpr IntegerKey kArchiveMessagesMax{
    "archive.messages_max", 1'000'000, 0, 1'000'000'000,
    "Messages in the archive of one account; past it the oldest are deleted. 0: no limit."};

}  // namespace server::keys
