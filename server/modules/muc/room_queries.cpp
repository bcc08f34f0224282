#include "server/modules/muc/room_queries.h"

#include "reactor/reactor.h"
#include "server/modules/archive_plan.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/vcards.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace server::modules::muc {
namespace {

using storage::ArchivedMessage;
using storage::ArchiveQuery;
using xmpp::MamQuery;
using xmpp::Stanza;
using xmpp::StanzaError;

}  // namespace

// What a client sent of that name was taken out before the room put its own behind everything.
std::string without_address(std::string_view stanza) {
    constexpr std::string_view kStart = "<x xmlns='http://jabber.org/protocol/muc#user'>";
    constexpr std::string_view kEnd = "</x>";
    const std::size_t start = stanza.rfind(kStart);
    const std::size_t end = start == std::string_view::npos ? start : stanza.find(kEnd, start);
    if (end == std::string_view::npos) return std::string(stanza);
    std::string shorter(stanza.substr(0, start));
    shorter += stanza.substr(end + kEnd.size());
    return shorter;
}

RoomQueries::RoomQueries(Parts parts)
    : parts_(parts),
      queries_(parts.metrics.counter("module_rooms_queries_total", "Queries of rooms' archives.")),
      tasks_(parts.world.reactor) {}

bool RoomQueries::concerns(const Stanza& request) {
    const xmpp::Element& payload = *request.payload();
    return payload.ns() == xmpp::ns::archive ||
           (payload.is("vCard", xmpp::ns::vcard) && request.iq_type() == xmpp::IqType::get);
}

// XEP-0313 §6.1.2: the right to enter, now. A password proves it only at the door, so those who are
// in or belong to the room have it.
void RoomQueries::answer(const Room& room, Stanza request) {
    queries_.add();
    const xmpp::Jid& user = *request.from();
    if (request.payload()->ns() == xmpp::ns::archive) {
        const Standing standing = room.standing_of(user);
        const bool knows_password = room.config().password.empty() ||
                                    standing.role != MucRole::none ||
                                    standing.affiliation >= MucAffiliation::member;
        if (!room.config().archived) return reply(request, StanzaError::service_unavailable());
        if (!room.may_enter(user) || !knows_password)
            return reply(request, StanzaError::forbidden());
    }
    if (!under_way_.take(user.bare_view(), memory_of(request)))
        return reply(request, StanzaError::resource_constraint());
    const bool sees_addresses = room.sees_addresses(user);
    tasks_.add("room query", take_turn(std::move(request), sees_addresses));
}

reactor::Deferred<void> RoomQueries::take_turn(Stanza request, bool sees_addresses) {
    const std::string user(request.from()->bare_view());
    const std::size_t bytes = memory_of(request);
    Line& line = lines_[user];
    if (line.running < kRunningMax) {
        ++line.running;
    } else {
        reactor::Deferred<void> turn = line.waiting.emplace_back().deferred();
        co_await std::move(turn);
    }
    auto running = run(std::move(request), sees_addresses);
    co_await std::move(running);
    under_way_.give_back(user, bytes);
    end_turn(user);
    co_return {};
}

// The next one takes the place of the one that ended.
void RoomQueries::end_turn(const std::string& user) {
    const auto line = lines_.find(user);
    if (line->second.waiting.empty()) {
        if (--line->second.running == 0) lines_.erase(line);
        return;
    }
    reactor::Promise<void> next = std::move(line->second.waiting.front());
    line->second.waiting.pop_front();
    next.try_resolve({});
}

reactor::Deferred<void> RoomQueries::run(Stanza request, bool sees_addresses) {
    const xmpp::Element& payload = *request.payload();
    const bool is_get = request.iq_type() == xmpp::IqType::get;
    IqReply answer = StanzaError::service_unavailable();
    if (payload.ns() == xmpp::ns::vcard) {
        auto looking = vcard(*request.to());
        base::Result<IqReply> found = co_await std::move(looking);
        answer = found ? *std::move(found) : IqReply(refusal_of(found.error()));
    } else if (payload.name() == "query" && is_get) {
        answer = xmpp::mam_form_element();
    } else if (payload.name() == "query") {
        auto paging = page(request, sees_addresses);
        base::Result<IqReply> found = co_await std::move(paging);
        answer = found ? *std::move(found) : IqReply(refusal_of(found.error()));
    } else if (payload.name() == "metadata" && is_get) {
        auto looking = metadata(*request.to());
        base::Result<IqReply> found = co_await std::move(looking);
        answer = found ? *std::move(found) : IqReply(refusal_of(found.error()));
    }
    reply(request, std::move(answer));
    co_return {};
}

reactor::Deferred<IqReply> RoomQueries::page(Stanza request, bool sees_addresses) {
    auto query = MamQuery::parse(*request.payload());
    if (!query) co_return IqReply(query.error());
    // Who wrote what is not to be found out by asking for it (XEP-0313 §4.1.2).
    if (query->with && !sees_addresses) co_return IqReply(StanzaError::forbidden());
    // There is nothing else in it.
    query->include_groupchat.reset();
    const auto planned = plan_archive_query(*query, parts_.ids,
                                            {.messages_default = settings_.page_max,
                                             .messages_max = settings_.page_max,
                                             .bytes_max = settings_.page_bytes_max});
    if (!planned) co_return IqReply(planned.error());
    auto finding = parts_.database.read(
        [room = request.to()->bare(), planned = *planned](storage::Transaction& transaction) {
            return storage::Archive(transaction).page(room, planned);
        });
    const base::Result<storage::ArchivePage> page = co_await std::move(finding);
    if (!page) co_return IqReply(refusal_of_archive_query(page.error()));
    co_return send(request, *query, *planned, *page, sees_addresses);
}

IqReply RoomQueries::send(const Stanza& request, const MamQuery& query, const ArchiveQuery& planned,
                          const storage::ArchivePage& page, bool sees_addresses) {
    const auto& messages = page.messages;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const ArchivedMessage& message =
            query.flip_page ? messages[messages.size() - 1 - i] : messages[i];
        parts_.router.route(
            xmpp::mam_result(*request.to(), *request.from(), query, parts_.ids.text(message.id),
                             storage::time_of(message.id),
                             sees_addresses ? message.stanza : without_address(message.stanza)));
    }
    xmpp::MamFin fin;
    fin.complete = page.complete;
    if (page.count) fin.set.count = static_cast<std::uint32_t>(*page.count);
    if (messages.empty()) return fin.to_element();
    fin.set.first = parts_.ids.text(messages.front().id);
    fin.set.last = parts_.ids.text(messages.back().id);
    if (!pages_backwards(planned) && !planned.after) {
        fin.set.first_index = 0;
    } else if (planned.last_page && page.count) {
        fin.set.first_index =
            static_cast<std::uint32_t>(*page.count - static_cast<std::int64_t>(messages.size()));
    }
    return fin.to_element();
}

reactor::Deferred<IqReply> RoomQueries::metadata(xmpp::Jid room) {
    auto reading = parts_.database.read([room = room.bare()](storage::Transaction& transaction) {
        return storage::Archive(transaction).ends(room);
    });
    const base::Result<std::optional<storage::ArchiveEnds>> ends = co_await std::move(reading);
    if (!ends) co_return IqReply(refusal_of(ends.error()));
    xmpp::MamMetadata found;
    if (*ends) {
        const auto end_of = [this](storage::MessageId id) {
            return xmpp::MamMetadata::End{.id = parts_.ids.text(id),
                                          .timestamp = storage::time_of(id)};
        };
        found.start = end_of((*ends)->first);
        found.end = end_of((*ends)->last);
    }
    co_return IqReply(found.to_element());
}

reactor::Deferred<IqReply> RoomQueries::vcard(xmpp::Jid room) {
    auto reading = parts_.database.read([room](storage::Transaction& transaction) {
        return storage::Vcards(transaction).get(room);
    });
    const base::Result<std::optional<storage::Vcard>> kept = co_await std::move(reading);
    if (!kept) co_return IqReply(refusal_of(kept.error()));
    if (!*kept) co_return IqReply(StanzaError::item_not_found());
    auto element = xmpp::read_element((*kept)->xml);
    if (!element) co_return IqReply(StanzaError::internal_server_error());
    co_return IqReply(*std::move(element));
}

void RoomQueries::reply(const Stanza& request, IqReply answer) {
    if (answer.error()) return parts_.router.bounce(request, *answer.error());
    parts_.router.route(request.reply_result(std::move(answer).take_payload()));
}

}  // namespace server::modules::muc
