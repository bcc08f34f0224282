#include "server/modules/muc/rooms_operator.h"

#include "server/routing/router.h"
#include "storage/database.h"
#include "storage/tables/archive.h"
#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using base::Errc;
using xmpp::Jid;
using xmpp::StanzaCondition;

base::Failure no_such_room(const Jid& room) {
    return {Errc::not_found, "there is no room " + room.text()};
}

base::Failure failure_of(const Jid& room, const xmpp::StanzaError& refusal) {
    const std::string why =
        refusal.text().empty() ? std::string(name_of(refusal.condition())) : refusal.text();
    switch (refusal.condition()) {
        case StanzaCondition::item_not_found:
            return no_such_room(room);
        case StanzaCondition::conflict:
            return {Errc::already_exists, room.text() + ": " + why};
        case StanzaCondition::resource_constraint:
            return {Errc::busy, room.text() + ": " + why};
        case StanzaCondition::internal_server_error:
            return {Errc::internal, room.text() + ": " + why};
        default:
            return {Errc::invalid_argument, room.text() + ": " + why};
    }
}

// The password is for those who know it.
std::vector<RoomDetails::Setting> settings_of(std::string_view config) {
    constexpr std::string_view kSecret = "muc#roomconfig_roomsecret";
    std::vector<RoomDetails::Setting> settings;
    const auto element = xmpp::read_element(config);
    if (!element) return settings;
    const auto form = xmpp::DataForm::parse(*element);
    if (!form) return settings;
    for (const xmpp::FormField& field : form->fields)
        if (field.var != kSecret) settings.emplace_back(field.var, field.values);
    return settings;
}

std::string subject_of(std::string_view xml) {
    const auto message = xmpp::read_stanza(xml);
    return message ? message->element().child_text("subject", xmpp::ns::client) : std::string();
}

RoomDetails details_of(const Jid& room, const storage::RoomState& state) {
    RoomDetails details{.room = room,
                        .created_at = state.row.created_at,
                        .subject = subject_of(state.row.subject),
                        .settings = settings_of(state.row.config)};
    for (const storage::RoomAffiliationRow& row : state.affiliations) {
        const auto affiliation = static_cast<MucAffiliation>(row.affiliation);
        if (affiliation == MucAffiliation::none) continue;
        details.people.push_back({.jid = row.jid,
                                  .affiliation = std::string(name_of(affiliation)),
                                  .nick = row.nick,
                                  .reason = row.reason});
    }
    const auto power = [](const RoomDetails::Person& person) {
        return xmpp::parse_muc_affiliation(person.affiliation).value_or(MucAffiliation::none);
    };
    std::ranges::stable_sort(details.people, std::ranges::greater(), power);
    return details;
}

std::vector<RoomDetails::Occupant> occupants_of(const Room* room) {
    std::vector<RoomDetails::Occupant> occupants;
    if (room == nullptr) return occupants;
    for (const Occupant& occupant : room->occupants())
        for (const OccupantSession& session : occupant.sessions)
            occupants.push_back({.nick = occupant.nick,
                                 .jid = session.jid,
                                 .role = std::string(name_of(occupant.role))});
    return occupants;
}

}  // namespace

base::Result<void> RoomsOperator::check(const Jid& room) const {
    if (!room.has_local() || room.is_full())
        return base::fail(Errc::invalid_argument, "a room is named room@rooms.host");
    if (std::ranges::find(services_, room.domain()) == services_.end())
        return base::fail(Errc::not_found,
                          "the domain " + std::string(room.domain()) + " has no rooms");
    return {};
}

reactor::Deferred<void> RoomsOperator::order(Jid room, RoomOrder order) {
    if (auto checked = check(room); !checked) co_return checked.error();
    const reactor::ShardId id = shard_of(room.bare_view(), parts_.world.shards.count());
    auto ordering = parts_.world.shards.run_on(
        id, [rooms = all_[id], room, order = std::move(order)]() mutable {
            return rooms->order(room, std::move(order));
        });
    const base::Result<OrderResult> result = co_await std::move(ordering);
    if (!result) co_return result.error();
    if (*result) co_return failure_of(room, **result);
    co_return {};
}

// The mark is the last room's address; services come in their order.
reactor::Deferred<RoomSummaryPage> RoomsOperator::list(std::string service, std::string after,
                                                       std::size_t limit) {
    if (!service.empty() && std::ranges::find(services_, service) == services_.end())
        co_return base::fail(Errc::not_found, "the domain " + service + " has no rooms");
    Jid mark;
    if (!after.empty()) {
        auto parsed = Jid::parse(after);
        if (!parsed) co_return parsed.error();
        mark = std::move(*parsed);
    }
    bool passed = mark.empty();
    RoomSummaryPage page;
    for (const std::string& one : services_) {
        if (!service.empty() && one != service) continue;
        const bool is_mark = one == mark.domain();
        if (!passed && !is_mark) continue;
        passed = true;
        storage::RoomListQuery query;
        query.hidden = true;
        if (is_mark) query.after = std::string(mark.local());
        query.max = static_cast<std::uint32_t>(std::min(limit, kPageMax) - page.rooms.size());
        auto reading = parts_.database.read([one, query](storage::Transaction& transaction) {
            return storage::Rooms(transaction).listed(one, query);
        });
        base::Result<storage::RoomPage> found = co_await std::move(reading);
        if (!found) co_return found.error();
        for (storage::RoomListing& room : found->rooms)
            page.rooms.push_back({.room = std::move(room.jid), .name = std::move(room.name)});
        if (page.rooms.size() >= limit) {
            page.next = page.rooms.back().room.text();
            break;
        }
    }
    co_return page;
}

reactor::Deferred<RoomDetails> RoomsOperator::describe(Jid room) {
    if (auto checked = check(room); !checked) co_return checked.error();
    auto reading = parts_.database.read([room](storage::Transaction& transaction) {
        return storage::Rooms(transaction).load(room);
    });
    const base::Result<std::optional<storage::RoomState>> state = co_await std::move(reading);
    if (!state) co_return state.error();
    if (!*state) co_return no_such_room(room);
    RoomDetails details = details_of(room, **state);
    const reactor::ShardId id = shard_of(room.bare_view(), parts_.world.shards.count());
    auto looking = parts_.world.shards.run_on(
        id, [rooms = all_[id], room] { return occupants_of(rooms->loaded(room)); });
    base::Result<std::vector<RoomDetails::Occupant>> occupants = co_await std::move(looking);
    if (!occupants) co_return occupants.error();
    details.occupants = std::move(*occupants);
    co_return details;
}

reactor::Deferred<RoomMessagePage> RoomsOperator::messages(Jid room, std::string after,
                                                           std::size_t limit) {
    if (auto checked = check(room); !checked) co_return checked.error();
    storage::ArchiveQuery query;
    query.max = static_cast<std::uint32_t>(std::min(limit, kMessagePageMax));
    query.bytes_max = 1U << 20U;
    if (!after.empty()) {
        query.after = parts_.archive_ids.parse(after);
        if (!query.after)
            co_return base::fail(Errc::invalid_argument, "that is no message of an archive");
    }
    auto reading = parts_.database.read([room, query](storage::Transaction& transaction)
                                            -> base::Result<std::optional<storage::ArchivePage>> {
        if (!TRY(storage::Rooms(transaction).load(room))) return std::nullopt;
        return TRY(storage::Archive(transaction).page(room, query));
    });
    const base::Result<std::optional<storage::ArchivePage>> found = co_await std::move(reading);
    if (!found) co_return found.error();
    if (!*found) co_return no_such_room(room);
    RoomMessagePage page;
    for (const storage::ArchivedMessage& message : (*found)->messages)
        page.messages.push_back({.id = parts_.archive_ids.text(message.id),
                                 .at = storage::time_of(message.id),
                                 .xml = message.stanza});
    if (!(*found)->complete && !page.messages.empty()) page.next = page.messages.back().id;
    co_return page;
}

reactor::Deferred<void> RoomsOperator::create(Jid room, Jid owner, std::string name) {
    if (!owner.has_local())
        return reactor::Deferred<void>(
            base::Failure(Errc::invalid_argument, "an owner is named user@host"));
    if (name.size() > kRoomNameBytesMax)
        return reactor::Deferred<void>(
            base::Failure(Errc::invalid_argument, "the name is too long"));
    RoomConfig config = all_[0]->settings().defaults;
    config.persistent = true;
    config.name = std::move(name);
    RoomOrder make{
        .judge = [config](const Room& made) -> base::Result<RoomChange, xmpp::StanzaError> {
            return made.order_configuration(config);
        },
        .owner = owner.bare()};
    return order(std::move(room), std::move(make));
}

reactor::Deferred<void> RoomsOperator::destroy(Jid room, std::optional<Jid> venue,
                                               std::string reason) {
    xmpp::MucDestroy destruction{
        .venue = std::move(venue), .password = {}, .reason = xmpp::muc_reason(std::move(reason))};
    RoomOrder end{
        .judge = [destruction](const Room& one) -> base::Result<RoomChange, xmpp::StanzaError> {
            return one.order_destruction(destruction);
        }};
    return order(std::move(room), std::move(end));
}

reactor::Deferred<void> RoomsOperator::set_affiliation(Jid room, Jid user, std::string affiliation,
                                                       std::string reason) {
    const auto wanted = xmpp::parse_muc_affiliation(affiliation);
    if (!wanted)
        return reactor::Deferred<void>(base::Failure(
            Errc::invalid_argument, "an affiliation is owner, admin, member, none or outcast"));
    xmpp::MucChange change{
        .affiliation = *wanted, .jid = user.bare(), .reason = xmpp::muc_reason(std::move(reason))};
    RoomOrder setting{.judge = [change](const Room& one) { return one.judge_order({change}); }};
    return order(std::move(room), std::move(setting));
}

}  // namespace server::modules::muc
