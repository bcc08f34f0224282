// Room: its ad-hoc commands (XEP-0050), by which clients that have no dialogs for rooms administer
// them. Each is a form and then what a request of XEP-0045 would do, with the same rights and the
// same errors; nothing is remembered in between.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/command.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::CommandRequest;
using xmpp::CommandResponse;
using xmpp::DataForm;
using xmpp::FieldType;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::string_view kConfigure = "configure";
constexpr std::string_view kSetAffiliation = "set-affiliation";
constexpr std::string_view kSetRole = "set-role";
constexpr std::string_view kDestroy = "destroy";

void add_choice(DataForm& form, std::string_view var, std::string_view label,
                std::initializer_list<std::string_view> values) {
    xmpp::FormField& field = form.ask(FieldType::list_single, var, label, true);
    for (const std::string_view value : values)
        field.options.push_back({.value = std::string(value), .label = std::string(value)});
}

DataForm role_form() {
    DataForm form;
    form.title = "Role of an occupant";
    form.ask(FieldType::text_single, "nick", "Nick", true);
    add_choice(form, "role", "Role", {"moderator", "participant", "visitor", "none"});
    form.ask(FieldType::text_single, "reason", "Reason", false);
    return form;
}

DataForm affiliation_form() {
    DataForm form;
    form.title = "Affiliation";
    form.ask(FieldType::jid_single, "jid", "Address", true);
    add_choice(form, "affiliation", "Affiliation", {"owner", "admin", "member", "none", "outcast"});
    form.ask(FieldType::text_single, "reason", "Reason", false);
    return form;
}

DataForm destruction_form() {
    DataForm form;
    form.title = "Destroy the room";
    form.instructions.emplace_back("The room goes with all its messages, for good.");
    form.ask(FieldType::jid_single, "venue", "Where to go instead", false);
    form.ask(FieldType::text_single, "reason", "Reason", false);
    return form;
}

base::Result<std::optional<Jid>, StanzaError> jid_in(const DataForm& form, std::string_view var) {
    const std::string text = form.text(var);
    if (text.empty()) return std::nullopt;
    auto jid = Jid::parse(text);
    if (!jid) return std::unexpected(xmpp::command_error("bad-payload", "that is no address"));
    return *std::move(jid);
}

}  // namespace

std::span<const Room::Command> Room::all_commands() {
    static constexpr std::array<Command, 10> kCommands = {{
        {{kSetRole, "Give an occupant another role"}, MucAffiliation::none},
        {{kSetAffiliation, "Give somebody another affiliation"}, MucAffiliation::admin},
        {{kConfigure, "Configure the room"}, MucAffiliation::owner},
        {{kDestroy, "Destroy the room"}, MucAffiliation::owner},
        {{kListHats, "List the hats"}, MucAffiliation::member},
        {{kListAssignedHats, "List who wears which hat"}, MucAffiliation::admin},
        {{kCreateHat, "Make or change a hat"}, MucAffiliation::admin},
        {{kDestroyHat, "Remove a hat"}, MucAffiliation::admin},
        {{kAssignHat, "Give somebody a hat"}, MucAffiliation::admin},
        {{kUnassignHat, "Take a hat back"}, MucAffiliation::admin},
    }};
    return kCommands;
}

// Moderators for a visit have no more than their role.
bool Room::is_allowed(const Command& command, const Standing& standing) {
    if (command.least == MucAffiliation::none) return standing.role == MucRole::moderator;
    return standing.affiliation >= command.least ||
           (command.name.node == kListHats && standing.role != MucRole::none);
}

std::vector<RoomCommandName> Room::commands_for(const Jid& user) const {
    std::vector<RoomCommandName> names;
    const Standing standing = standing_of(user);
    for (const Command& command : all_commands())
        if (is_allowed(command, standing)) names.push_back(command.name);
    return names;
}

bool Room::has_command(std::string_view node) {
    return std::ranges::any_of(all_commands(),
                               [&](const Command& one) { return one.name.node == node; });
}

DataForm Room::command_form(std::string_view node) const {
    if (node == kSetRole) return role_form();
    if (node == kSetAffiliation) return affiliation_form();
    if (node == kDestroy) return destruction_form();
    if (node != kConfigure) return hat_form(node);
    return room_form(config_, affiliations_.staff(), parts_.limits, parts_.jid.local());
}

base::Result<RoomChange, StanzaError> Room::judge_command_form(const Stanza& request,
                                                               std::string_view node,
                                                               const DataForm& form) const {
    const std::string reason = xmpp::muc_reason(form.text("reason"));
    if (node == kConfigure) return judge_form(request, form);
    if (node == kDestroy) {
        RoomChange change{.request = request};
        change.destruction.emplace();
        change.destruction->venue = TRY(jid_in(form, "venue"));
        change.destruction->reason = reason;
        return change;
    }
    if (node == kSetRole) {
        const auto role = xmpp::parse_muc_role(form.text("role"));
        std::string nick = form.text("nick");
        if (!role || nick.empty()) return std::unexpected(xmpp::command_error("bad-payload"));
        return judge(request, {{.role = *role, .nick = std::move(nick), .reason = reason}});
    }
    if (node != kSetAffiliation) return judge_hats(request, node, form);
    const auto affiliation = xmpp::parse_muc_affiliation(form.text("affiliation"));
    const std::optional<Jid> jid = TRY(jid_in(form, "jid"));
    if (!affiliation || !jid) return std::unexpected(xmpp::command_error("bad-payload"));
    return judge(request, {{.affiliation = *affiliation, .jid = *jid, .reason = reason}});
}

base::Result<RoomChange, StanzaError> Room::judge_command(const Stanza& request) const {
    const CommandRequest asked = TRY(CommandRequest::parse(*request.payload()));
    const auto commands = all_commands();
    const auto command =
        std::ranges::find(commands, asked.node, [](const Command& one) { return one.name.node; });
    if (command == commands.end()) return std::unexpected(StanzaError::item_not_found());
    if (!is_allowed(*command, standing_of(*request.from())))
        return std::unexpected(StanzaError::forbidden());
    CommandResponse response{
        .node = asked.node,
        .session_id = asked.session_id.empty() ? std::string(request.id()) : asked.session_id};
    const bool cancels = asked.action == xmpp::CommandAction::cancel ||
                         (asked.form && asked.form->type == xmpp::FormType::cancel);
    RoomChange change{.request = request};
    if (cancels) {
        response.status = xmpp::CommandStatus::canceled;
    } else if (asked.action == xmpp::CommandAction::prev ||
               asked.action == xmpp::CommandAction::next) {
        return std::unexpected(xmpp::command_error("bad-action"));
    } else if (auto list = hat_list(asked.node)) {
        response.form = *std::move(list);
    } else if (!asked.form) {
        if (asked.action == xmpp::CommandAction::complete)
            return std::unexpected(xmpp::command_error("bad-payload", "the form is missing"));
        response.status = xmpp::CommandStatus::executing;
        response.form = command_form(asked.node);
    } else if (asked.form->type != xmpp::FormType::submit) {
        return std::unexpected(xmpp::command_error("bad-payload"));
    } else {
        change = TRY(judge_command_form(request, asked.node, *asked.form));
        response.note = "Done.";
    }
    change.reply = response.to_element();
    return change;
}

}  // namespace server::modules::muc
