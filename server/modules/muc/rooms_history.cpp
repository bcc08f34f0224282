// Rooms: the history that newcomers are shown. It is in the archive as well, so that a room keeps
// it in memory only while something is said or somebody enters.
#include "reactor/reactor.h"
#include "server/modules/muc/rooms.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/stanza_id.h"
#include "xmpp/xml/read_stanza.h"

#include <ranges>
#include <utility>

namespace server::modules::muc {

using storage::ArchivedMessage;
using storage::MessageId;
using xmpp::Jid;

base::Result<std::vector<ArchivedMessage>> Rooms::history_of(storage::Transaction& transaction,
                                                             const Jid& room, MessageId before,
                                                             std::uint32_t messages_max) {
    storage::ArchiveQuery query;
    if (before != 0) query.before_id = before;
    query.last_page = true;
    query.max = messages_max;
    query.bytes_max = History::kBytesMax;
    return TRY(storage::Archive(transaction).page(room, query)).messages;
}

void Rooms::fetch_history(Lane& lane, Waiting next) {
    lane.held = true;
    put_first(lane, std::move(next));
    tasks_.add("room history", run_history(lane.jid));
}

reactor::Deferred<void> Rooms::run_history(Jid room) {
    auto reading = parts_.database.read(
        [room, before = find(room)->history_from,
         most = settings_.limits.history_max](storage::Transaction& transaction) {
            return history_of(transaction, room, before, most);
        });
    const base::Result<std::vector<ArchivedMessage>> messages = co_await std::move(reading);
    Lane* lane = find(room);
    if (lane == nullptr) co_return {};
    lane->held = false;
    if (messages) {
        lane->history_away = false;
        bring_history(*lane, *messages);
    } else {
        parts_.world.log.error("room.history_failed",
                               {{"room", room.text()}, {"why", messages.error().message()}});
        Waiting first = take_first(*lane);
        refuse_waiting(first, refusal_of(messages.error()));
    }
    drain(*lane);
    co_return {};
}

void Rooms::bring_history(Lane& lane, const std::vector<ArchivedMessage>& messages) {
    lane.history_at = parts_.world.reactor.now();
    for (const ArchivedMessage& message : messages | std::views::reverse) {
        auto said = xmpp::read_stanza(without_address(message.stanza));
        if (!said || message.retracted) continue;
        // The subject is no part of the history (XEP-0045 §7.2.13).
        if (said->child("subject", xmpp::ns::client) != nullptr && !said->has_body()) continue;
        said->append_child(xmpp::stanza_id_element(parts_.archive_ids.text(message.id), lane.jid));
        const bool added = lane.room->history().add_older(*said, storage::time_of(message.id),
                                                          lane.room->history_max());
        if (!added) return;
    }
}

// `id`: of what everybody was told, in the archive; 0: it is not there.
void Rooms::note_told(Lane& lane, MessageId id) {
    lane.history_at = parts_.world.reactor.now();
    const bool archives = lane.room->config().archived && !lane.room->locked();
    if (id == 0 && !archives) lane.history_unstored = true;
    if (lane.history_away && lane.history_from == 0) lane.history_from = id;
}

bool Rooms::may_forget_history(const Lane& lane) {
    return lane.room && lane.stored && !lane.history_unstored && !lane.held && !lane.draining &&
           lane.waiting.empty() && lane.storing.empty() && !lane.room->has_entries();
}

}  // namespace server::modules::muc
