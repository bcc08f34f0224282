#include "server/modules/muc/room_info.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

#include <ranges>
#include <string>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::DiscoInfo;
using xmpp::FieldType;

constexpr std::string_view kRoomInfo = "http://jabber.org/protocol/muc#roominfo";

// What rooms and service have in common.
void add_common(DiscoInfo& info) {
    for (const std::string_view feature :
         {xmpp::ns::disco_info, xmpp::ns::disco_items, xmpp::ns::muc, xmpp::ns::occupant_ids,
          xmpp::ns::vcard, xmpp::ns::commands,
          std::string_view("http://jabber.org/protocol/muc#stable_id"),
          std::string_view("http://jabber.org/protocol/muc#register"),
          std::string_view("http://jabber.org/protocol/muc#roomconfig"), kRoomInfo})
        info.add_feature(feature);
}

void add_field(xmpp::DataForm& form, FieldType type, std::string_view var, std::string_view label,
               std::string_view value) {
    form.add(type, var, value).label = label;
}

xmpp::DataForm info_form(const Room& room) {
    const RoomConfig& config = room.config();
    xmpp::DataForm form{.type = xmpp::FormType::result};
    form.set_form_type(kRoomInfo);
    add_field(form, FieldType::text_single, "muc#roominfo_description", "Description",
              config.description);
    add_field(form, FieldType::text_single, "muc#roominfo_occupants", "Number of occupants",
              std::to_string(room.occupants().size()));
    if (!config.language.empty())
        add_field(form, FieldType::text_single, "muc#roominfo_lang", "Language of discussion",
                  config.language);
    add_field(form, FieldType::boolean, "muc#roominfo_subjectmod",
              "The room subject can be modified by participants", config.subject_open ? "1" : "0");
    add_field(form, FieldType::boolean, "muc#roomconfig_changesubject", "Subject can be modified",
              config.subject_open ? "1" : "0");
    add_field(form, FieldType::text_single, "muc#maxhistoryfetch",
              "Maximum Number of History Messages Returned by Room",
              std::to_string(config.history_max));
    add_field(form, FieldType::text_single, "muc#roominfo_slow_mode_duration", "Slow Mode",
              std::to_string(config.slow_mode_seconds));
    if (!config.pubsub.empty())
        add_field(form, FieldType::text_single, "muc#roomconfig_pubsub", "Associated pubsub node",
                  config.pubsub);
    if (!room.avatar_hashes().empty()) {
        xmpp::FormField& hashes =
            form.ask(FieldType::text_multi, "muc#roominfo_avatarhash", "Avatar hash");
        for (const auto hash : std::views::split(room.avatar_hashes(), ' '))
            hashes.values.emplace_back(hash.begin(), hash.end());
    }
    if (const std::string hash = room.hats().hash(); !hash.empty())
        add_field(form, FieldType::text_single, "hats#hash", "Hats hash", hash);
    // §14.10.1: what is said in a closed room is not for those outside.
    const bool closed = config.members_only || !config.password.empty() || !config.listed;
    if (!closed && !room.subject().xml.empty())
        if (const auto message = xmpp::read_stanza(room.subject().xml))
            add_field(form, FieldType::text_single, "muc#roominfo_subject",
                      "Current Discussion Topic",
                      message->element().child_text("subject", xmpp::ns::client));
    return form;
}

}  // namespace

DiscoInfo service_info(std::string_view name) {
    DiscoInfo info;
    info.identities.push_back(
        {.category = "conference", .type = "text", .name = std::string(name)});
    add_common(info);
    info.add_feature(xmpp::ns::rsm);
    return info;
}

DiscoInfo room_info(const Room& room) {
    const RoomConfig& config = room.config();
    DiscoInfo info;
    info.identities.push_back(
        {.category = "conference",
         .type = "text",
         .name = config.name.empty() ? std::string(room.jid().local()) : config.name});
    add_common(info);
    info.add_feature("http://jabber.org/protocol/muc#self-ping-optimization");
    info.add_feature("http://jabber.org/protocol/muc#request");
    info.add_feature(xmpp::ns::ping);
    info.add_feature(xmpp::ns::registration);
    info.add_feature(xmpp::ns::stanza_ids);
    info.add_feature(xmpp::kMucAffiliationVersions);
    info.add_feature(kHatsNamespace);
    if (config.archived) {
        info.add_feature(xmpp::ns::archive);
        info.add_feature("urn:xmpp:mam:2#extended");
        info.add_feature(xmpp::ns::retraction);
        info.add_feature("urn:xmpp:message-retract:1#tombstone");
        info.add_feature(xmpp::ns::moderation);
    }
    info.add_feature(config.password.empty() ? "muc_unsecured" : "muc_passwordprotected");
    info.add_feature(config.listed ? "muc_public" : "muc_hidden");
    info.add_feature(config.persistent ? "muc_persistent" : "muc_temporary");
    info.add_feature(config.members_only ? "muc_membersonly" : "muc_open");
    info.add_feature(config.moderated ? "muc_moderated" : "muc_unmoderated");
    info.add_feature(config.anonymous ? "muc_semianonymous" : "muc_nonanonymous");
    info.forms.push_back(info_form(room));
    return info;
}

DiscoInfo reserved_nick(const Room& room, const xmpp::Jid& user) {
    DiscoInfo info;
    info.node = kReservedNickNode;
    const Affiliated* known = room.affiliations().find(user.bare());
    if (known != nullptr && !known->nick.empty())
        info.identities.push_back({.category = "conference", .type = "text", .name = known->nick});
    return info;
}

namespace {

// XEP-0050 §2.2.
RoomAnswer command_list(const Room& room, const xmpp::Jid& user) {
    xmpp::DiscoItems items{.node = std::string(xmpp::ns::commands)};
    for (const RoomCommandName& command : room.commands_for(user))
        items.items.push_back({.jid = room.jid().text(),
                               .node = std::string(command.node),
                               .name = std::string(command.title)});
    return items.to_element();
}

RoomAnswer command_info(const Room& room, const xmpp::Jid& user, std::string_view node) {
    if (node == xmpp::ns::commands) {
        DiscoInfo info{.node = std::string(node)};
        info.identities.push_back(
            {.category = "automation", .type = "command-list", .name = "Commands"});
        return info.to_element();
    }
    for (const RoomCommandName& command : room.commands_for(user)) {
        if (command.node != node) continue;
        DiscoInfo info{.node = std::string(node)};
        info.identities.push_back(
            {.category = "automation", .type = "command-node", .name = std::string(command.title)});
        info.add_feature(xmpp::ns::commands);
        info.add_feature(xmpp::ns::data_forms);
        return info.to_element();
    }
    return std::unexpected(Room::has_command(node) ? xmpp::StanzaError::forbidden()
                                                   : xmpp::StanzaError::item_not_found());
}

}  // namespace

std::optional<RoomAnswer> answer_about(const Room& room, const xmpp::Stanza& request) {
    if (request.iq_type() != xmpp::IqType::get) return std::nullopt;
    const xmpp::Element& payload = *request.payload();
    const std::string_view node = payload.attribute("node");
    if (payload.is("ping", xmpp::ns::ping)) return RoomAnswer(std::nullopt);
    if (payload.is("query", xmpp::ns::disco_info)) {
        if (node.empty()) return room_info(room).to_element();
        if (node == kReservedNickNode) return reserved_nick(room, *request.from()).to_element();
        // §16.1.2: nothing that others are sent is taken away.
        if (node == kTrafficNode) return std::unexpected(xmpp::StanzaError::service_unavailable());
        return command_info(room, *request.from(), node);
    }
    if (payload.is("query", xmpp::ns::disco_items)) {
        if (node == xmpp::ns::commands) return command_list(room, *request.from());
        if (!node.empty()) return std::unexpected(xmpp::StanzaError::item_not_found());
        // §6.5: who is in is not for those who are not.
        return xmpp::DiscoItems{}.to_element();
    }
    return std::nullopt;
}

}  // namespace server::modules::muc
