#include "server/app/room_commands.h"

#include "server/admin/common_arguments.h"
#include "server/routing/room_operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace server {
namespace {

using base::Errc;
using reactor::Deferred;
using Arguments = AdminArguments;

constexpr AdminArgument kRoom{"room", ArgumentType::jid, true, "The room, as room@rooms.host."};
constexpr AdminArgument kReason{"reason", ArgumentType::text, false, "Shown to those concerned."};
constexpr AdminArgument kLimit{"limit", ArgumentType::integer, false,
                               "Entries of a page; 100 if not given."};

constexpr AdminMend kNoSuchRoom{Errc::not_found, "parleyctl rooms list shows the rooms there are"};

AdminValue about(const xmpp::Jid& room) {
    return AdminValue::Object{{"room", room.text()}};
}

Deferred<AdminValue> list(RoomOperations& rooms, Arguments arguments) {
    const xmpp::Jid service = arguments.jid("service");
    const auto limit = page_limit_of(arguments, RoomOperations::kPageMax);
    if (!limit) co_return limit.error();
    auto listing = rooms.list(service.text(), arguments.text("after"), *limit);
    auto page = co_await std::move(listing);
    if (!page) co_return page.error();
    AdminValue::Array found;
    for (const RoomSummary& one : page->rooms)
        found.push_back(AdminValue::Object{{"room", one.room.text()}, {"name", one.name}});
    co_return AdminValue(
        AdminValue::Object{{"rooms", std::move(found)}, {"next", std::move(page->next)}});
}

AdminValue settings_value(const std::vector<RoomDetails::Setting>& settings) {
    AdminValue::Object value;
    for (const auto& [name, values] : settings)
        value.emplace_back(name, values.size() == 1
                                     ? AdminValue(values.front())
                                     : AdminValue(AdminValue::Array(values.begin(), values.end())));
    return value;
}

AdminValue details_value(const RoomDetails& details) {
    AdminValue::Array people;
    for (const RoomDetails::Person& person : details.people)
        people.push_back(AdminValue::Object{{"jid", person.jid.text()},
                                            {"affiliation", person.affiliation},
                                            {"nick", person.nick},
                                            {"reason", person.reason}});
    AdminValue::Array occupants;
    for (const RoomDetails::Occupant& occupant : details.occupants)
        occupants.push_back(AdminValue::Object{
            {"nick", occupant.nick}, {"jid", occupant.jid.text()}, {"role", occupant.role}});
    return AdminValue::Object{
        {"room", details.room.text()},       {"created", details.created_at.seconds()},
        {"subject", details.subject},        {"settings", settings_value(details.settings)},
        {"affiliations", std::move(people)}, {"occupants", std::move(occupants)}};
}

Deferred<AdminValue> show(RoomOperations& rooms, Arguments arguments) {
    auto describing = rooms.describe(arguments.jid("room"));
    const auto details = co_await std::move(describing);
    if (!details) co_return details.error();
    co_return details_value(*details);
}

Deferred<AdminValue> messages(RoomOperations& rooms, Arguments arguments) {
    const auto limit = page_limit_of(arguments, RoomOperations::kMessagePageMax);
    if (!limit) co_return limit.error();
    auto reading = rooms.messages(arguments.jid("room"), arguments.text("after"), *limit);
    auto page = co_await std::move(reading);
    if (!page) co_return page.error();
    AdminValue::Array found;
    for (const RoomMessagePage::Message& one : page->messages)
        found.push_back(
            AdminValue::Object{{"id", one.id}, {"time", one.at.seconds()}, {"xml", one.xml}});
    co_return AdminValue(
        AdminValue::Object{{"messages", std::move(found)}, {"next", std::move(page->next)}});
}

Deferred<AdminValue> create(RoomOperations& rooms, Arguments arguments) {
    const xmpp::Jid room = arguments.jid("room");
    auto making = rooms.create(room, arguments.jid("owner"), arguments.text("name"));
    const auto made = co_await std::move(making);
    if (!made) co_return made.error();
    co_return about(room);
}

Deferred<AdminValue> destroy(RoomOperations& rooms, Arguments arguments) {
    auto reason = reason_of(arguments);
    if (!reason) co_return reason.error();
    const xmpp::Jid room = arguments.jid("room");
    std::optional<xmpp::Jid> venue;
    if (arguments.has("venue")) venue = arguments.jid("venue");
    auto ending = rooms.destroy(room, std::move(venue), *std::move(reason));
    const auto ended = co_await std::move(ending);
    if (!ended) co_return ended.error();
    co_return about(room);
}

Deferred<AdminValue> set_affiliation(RoomOperations& rooms, Arguments arguments) {
    auto reason = reason_of(arguments);
    if (!reason) co_return reason.error();
    const xmpp::Jid room = arguments.jid("room");
    const xmpp::Jid user = arguments.jid("jid");
    const std::string affiliation = arguments.text("affiliation");
    auto setting = rooms.set_affiliation(room, user, affiliation, *std::move(reason));
    const auto set = co_await std::move(setting);
    if (!set) co_return set.error();
    co_return AdminValue(AdminValue::Object{
        {"room", room.text()}, {"jid", user.bare().text()}, {"affiliation", affiliation}});
}

/// The functions above are coroutines with all they need in their parameters.
using Run = Deferred<AdminValue> (*)(RoomOperations& rooms, Arguments arguments);

struct Standard {
    std::string_view name;
    std::string_view help;
    std::vector<AdminArgument> arguments;
    std::vector<AdminMend> mends;
    bool changes;
    Run run;
};

std::vector<Standard> room_commands() {
    return {
        {"list-rooms",
         "Lists chat rooms, hidden ones as well, page by page.",
         {{"service", ArgumentType::jid, false, "Only of this domain, such as rooms.host."},
          kPageAfter,
          kLimit},
         {},
         false,
         list},
        {"show-room",
         "Answers a room's settings, affiliations and occupants.",
         {kRoom},
         {kNoSuchRoom},
         false,
         show},
        {"room-messages",
         "Answers a room's archive, oldest first, page by page.",
         {kRoom, kPageAfter, kLimit},
         {kNoSuchRoom},
         false,
         messages},
        {"create-room",
         "Makes a persistent room.",
         {kRoom,
          {"owner", ArgumentType::jid, true, "Its owner, as name@domain."},
          {"name", ArgumentType::text, false, "What people see."}},
         {{Errc::already_exists, "parleyctl rooms show shows the room that there is"}},
         true,
         create},
        {"destroy-room",
         "Removes everybody from a room and deletes all it has.",
         {kRoom, {"venue", ArgumentType::jid, false, "The room to go to instead."}, kReason},
         {kNoSuchRoom},
         true,
         destroy},
        {"set-room-affiliation",
         "Makes somebody owner, admin, member, none or outcast of a room.",
         {kRoom,
          {"jid", ArgumentType::jid, true, "Who, as name@domain; a domain can be an outcast."},
          {"affiliation", ArgumentType::text, true, "owner, admin, member, none or outcast."},
          kReason},
         {kNoSuchRoom, {Errc::already_exists, "make somebody else an owner first"}},
         true,
         set_affiliation},
    };
}

}  // namespace

void add_room_commands(AdminCommands& commands, RoomOperations& rooms) {
    for (Standard& command : room_commands())
        commands.add({.name = command.name,
                      .help = command.help,
                      .arguments = std::move(command.arguments),
                      .mends = std::move(command.mends),
                      .changes = command.changes,
                      .run = [&rooms, run = command.run](Arguments arguments) {
                          return run(rooms, std::move(arguments));
                      }});
}

}  // namespace server
