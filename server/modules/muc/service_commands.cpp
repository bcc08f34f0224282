#include "server/modules/muc/service_commands.h"

#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/muc_requests.h"

#include <algorithm>
#include <array>
#include <utility>

namespace server::modules::muc {
namespace {

using base::Errc;
using xmpp::CommandRequest;
using xmpp::CommandResponse;
using xmpp::DataForm;
using xmpp::FieldType;
using xmpp::Jid;
using xmpp::StanzaError;

constexpr std::string_view kList = "list-rooms";
constexpr std::string_view kShow = "show-room";
constexpr std::string_view kCreate = "create-room";
constexpr std::string_view kDestroy = "destroy-room";
constexpr std::string_view kSetAffiliation = "set-room-affiliation";
constexpr std::size_t kRoomsShown = 200;

struct Command {
    std::string_view node;
    std::string_view title;
};
constexpr std::array<Command, 5> kCommands = {{{kList, "List all rooms"},
                                               {kShow, "Show a room"},
                                               {kCreate, "Make a room"},
                                               {kDestroy, "Destroy a room"},
                                               {kSetAffiliation, "Say who somebody is in a room"}}};

const Command* find_command(std::string_view node) {
    const auto found = std::ranges::find(kCommands, node, &Command::node);
    return found == kCommands.end() ? nullptr : &*found;
}

DataForm form_of(const Command& command) {
    DataForm form;
    form.title = command.title;
    if (command.node == kList) {
        form.ask(FieldType::text_single, "after", "Behind this room", false);
        return form;
    }
    form.ask(FieldType::jid_single, "room", "Room", true);
    if (command.node == kCreate) {
        form.ask(FieldType::jid_single, "owner", "Owner", true);
        form.ask(FieldType::text_single, "name", "Name", false);
    }
    if (command.node == kDestroy) form.ask(FieldType::jid_single, "venue", "Venue", false);
    if (command.node == kSetAffiliation) {
        form.ask(FieldType::jid_single, "jid", "Address", true);
        form.ask(FieldType::list_single, "affiliation", "Affiliation", true);
        for (const auto* name : {"owner", "admin", "member", "none", "outcast"})
            form.fields.back().options.push_back({.value = name, .label = name});
    }
    if (command.node == kDestroy || command.node == kSetAffiliation)
        form.ask(FieldType::text_single, "reason", "Reason", false);
    return form;
}

StanzaError refusal_of_order(const base::Failure& failure) {
    const std::string why(failure.detail());
    switch (failure.code()) {
        case Errc::not_found:
            return StanzaError::item_not_found(why);
        case Errc::already_exists:
            return StanzaError::conflict(why);
        case Errc::invalid_argument:
            return StanzaError::not_acceptable(why);
        case Errc::busy:
        case Errc::queue_full:
            return StanzaError::resource_constraint(why);
        default:
            return StanzaError::internal_server_error();
    }
}

DataForm result_form(const RoomSummaryPage& page) {
    DataForm form{.type = xmpp::FormType::result};
    form.title = "Rooms";
    for (const auto* name : {"room", "name"})
        form.reported.push_back({.var = name, .type = FieldType::text_single, .label = name});
    for (const RoomSummary& one : page.rooms)
        form.items.push_back(
            {{.var = "room", .values = {one.room.text()}}, {.var = "name", .values = {one.name}}});
    if (!page.next.empty()) form.add(FieldType::text_single, "next", page.next);
    return form;
}

DataForm result_form(const RoomDetails& details) {
    DataForm form{.type = xmpp::FormType::result};
    form.title = details.room.text();
    form.add(FieldType::text_single, "subject", details.subject);
    for (const auto& [name, values] : details.settings) {
        form.add(FieldType::text_multi, name);
        form.fields.back().values = values;
    }
    const auto add_lines = [&](std::string_view var, std::vector<std::string> lines) {
        form.add(FieldType::text_multi, var);
        form.fields.back().values = std::move(lines);
    };
    std::vector<std::string> people;
    for (const RoomDetails::Person& person : details.people)
        people.push_back(person.affiliation + " " + person.jid.text() +
                         (person.nick.empty() ? "" : " " + person.nick));
    std::vector<std::string> occupants;
    for (const RoomDetails::Occupant& occupant : details.occupants)
        occupants.push_back(occupant.role + " " + occupant.jid.text() + " " + occupant.nick);
    add_lines("affiliations", std::move(people));
    add_lines("occupants", std::move(occupants));
    return form;
}

}  // namespace

bool ServiceCommands::is_operator(const Jid& user) const {
    return std::ranges::find(operators_, user.bare()) != operators_.end();
}

std::optional<xmpp::DiscoItems> ServiceCommands::items(const Jid& service, const Jid& user,
                                                       std::string_view node) const {
    if (node != xmpp::ns::commands) return std::nullopt;
    xmpp::DiscoItems items{.node = std::string(node)};
    if (!is_operator(user)) return items;
    for (const Command& command : kCommands)
        items.items.push_back({.jid = service.text(),
                               .node = std::string(command.node),
                               .name = std::string(command.title)});
    return items;
}

std::optional<xmpp::DiscoInfo> ServiceCommands::info(std::string_view node) const {
    xmpp::DiscoInfo info{.node = std::string(node)};
    if (node == xmpp::ns::commands) {
        info.identities.push_back(
            {.category = "automation", .type = "command-list", .name = "Commands"});
        return info;
    }
    const Command* command = find_command(node);
    if (command == nullptr) return std::nullopt;
    info.identities.push_back(
        {.category = "automation", .type = "command-node", .name = std::string(command->title)});
    info.add_feature(xmpp::ns::commands);
    info.add_feature(xmpp::ns::data_forms);
    return info;
}

reactor::Deferred<IqReply> ServiceCommands::run(xmpp::Stanza request) {
    if (!is_operator(*request.from())) return IqReply(StanzaError::forbidden());
    auto asked = CommandRequest::parse(*request.payload());
    if (!asked) return IqReply(asked.error());
    const Command* command = find_command(asked->node);
    if (command == nullptr || operations_ == nullptr) return IqReply(StanzaError::item_not_found());
    CommandResponse response{
        .node = asked->node,
        .session_id = asked->session_id.empty() ? std::string(request.id()) : asked->session_id};
    const bool cancels = asked->action == xmpp::CommandAction::cancel ||
                         (asked->form && asked->form->type == xmpp::FormType::cancel);
    if (cancels) {
        response.status = xmpp::CommandStatus::canceled;
        return IqReply(response.to_element());
    }
    if (asked->action == xmpp::CommandAction::prev || asked->action == xmpp::CommandAction::next)
        return IqReply(xmpp::command_error("bad-action"));
    if (!asked->form) {
        if (asked->action == xmpp::CommandAction::complete)
            return IqReply(xmpp::command_error("bad-payload", "the form is missing"));
        response.status = xmpp::CommandStatus::executing;
        response.form = form_of(*command);
        return IqReply(response.to_element());
    }
    const auto checked = xmpp::check_submission(form_of(*command), *asked->form);
    if (asked->form->type != xmpp::FormType::submit || !checked)
        return IqReply(xmpp::command_error(
            "bad-payload", checked ? std::string() : std::string(checked.error().detail())));
    return complete(std::move(request), *std::move(asked->form), std::move(response));
}

reactor::Deferred<IqReply> ServiceCommands::complete(xmpp::Stanza request, DataForm form,
                                                     CommandResponse response) {
    RoomOperations* const operations = operations_;
    if (response.node == kList) {
        auto listing = world_.shards.run_on(
            0,
            [operations, service = std::string(request.to()->domain()),
             after = form.text("after")] { return operations->list(service, after, kRoomsShown); });
        const base::Result<RoomSummaryPage> page = co_await std::move(listing);
        if (!page) co_return IqReply(refusal_of_order(page.error()));
        response.form = result_form(*page);
        co_return IqReply(response.to_element());
    }
    const auto room = Jid::parse(form.text("room"));
    if (!room) co_return IqReply(xmpp::command_error("bad-payload"));
    if (response.node == kShow) {
        auto showing = world_.shards.run_on(
            0, [operations, room = *room] { return operations->describe(room); });
        const base::Result<RoomDetails> details = co_await std::move(showing);
        if (!details) co_return IqReply(refusal_of_order(details.error()));
        response.form = result_form(*details);
        co_return IqReply(response.to_element());
    }
    auto changing = change(response.node, *room, std::move(form));
    const base::Result<void> changed = co_await std::move(changing);
    if (!changed) co_return IqReply(refusal_of_order(changed.error()));
    response.note = "Done.";
    co_return IqReply(response.to_element());
}

reactor::Deferred<void> ServiceCommands::change(std::string node, Jid room, DataForm form) {
    RoomOperations* const operations = operations_;
    std::string reason = xmpp::muc_reason(form.text("reason"));
    if (node == kDestroy) {
        std::optional<Jid> venue;
        if (auto parsed = Jid::parse(form.text("venue"))) venue = *std::move(parsed);
        return world_.shards.run_on(
            0, [operations, room = std::move(room), venue = std::move(venue),
                reason = std::move(reason)] { return operations->destroy(room, venue, reason); });
    }
    const auto who = Jid::parse(form.text(node == kCreate ? "owner" : "jid"));
    if (!who)
        return reactor::Deferred<void>(base::Failure(Errc::invalid_argument, "that is no address"));
    if (node == kCreate)
        return world_.shards.run_on(
            0, [operations, room = std::move(room), owner = *who, name = form.text("name")] {
                return operations->create(room, owner, name);
            });
    return world_.shards.run_on(
        0, [operations, room = std::move(room), who = *who, affiliation = form.text("affiliation"),
            reason = std::move(reason)] {
            return operations->set_affiliation(room, who, affiliation, reason);
        });
}

}  // namespace server::modules::muc
