// What a query of an archive (XEP-0313 §4), a user's or a room's, asks of the store: its ids, times
// and page within the limits. A value in, a value out.
#pragma once

#include "server/routing/archive_id.h"
#include "storage/tables/archive.h"
#include "xmpp/core/error.h"
#include "xmpp/payloads/mam.h"

#include <cstddef>
#include <cstdint>

namespace server::modules {

struct ArchivePageLimits {
    std::uint32_t messages_default = 50;  ///< Where the client does not say.
    std::uint32_t messages_max = 1000;
    std::size_t bytes_max = 0;
};

/// Errors: feature-not-implemented for pages by position, bad-request for two ranges at once,
/// item-not-found for an id that is none of this archive's.
base::Result<storage::ArchiveQuery, xmpp::StanzaError> plan_archive_query(
    const xmpp::MamQuery& query, const ArchiveIds& ids, const ArchivePageLimits& limits);

/// Whether the page is the one before a message, or the last.
bool pages_backwards(const storage::ArchiveQuery& query);

/// What the client is told when the store has not found the page.
xmpp::StanzaError refusal_of_archive_query(const base::Failure& why);

}  // namespace server::modules
