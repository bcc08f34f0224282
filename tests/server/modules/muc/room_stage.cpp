#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace server::modules::muc::test {
namespace {

using xmpp::Jid;
using xmpp::Stanza;

Jid jid(std::string_view text) {
    auto parsed = Jid::parse(text);
    if (!parsed) throw std::runtime_error("not an address: " + std::string(text));
    return *std::move(parsed);
}

Room make_room(const OccupantIds& ids, const RoomLimits& limits, const RoomService& service,
               SharedTexts& texts, const RoomConfig& config, bool configured) {
    Room::Parts parts{
        .jid = jid(kRoom), .ids = ids, .limits = limits, .service = service, .texts = texts};
    if (!configured) return Room::make_new(std::move(parts), config, jid(kCrone));
    return Room(std::move(parts), {.config = config,
                                   .subject = {},
                                   .affiliations = {{.jid = jid(kCrone).bare(),
                                                     .affiliation = xmpp::MucAffiliation::owner}}});
}

std::string codes_of(const xmpp::Element& x) {
    std::string codes;
    for (const xmpp::Element& child : x.children()) {
        if (child.name() != "status") continue;
        codes += codes.empty() ? "" : " ";
        codes += child.attribute("code");
    }
    return codes.empty() ? "" : " {" + codes + "}";
}

std::string error_of(const Stanza& stanza) {
    const auto error = stanza.error();
    if (!error) return "!";
    return "! " + std::string(name_of(error->condition())) + " " +
           std::string(name_of(error->type()));
}

std::string presence_line(const Stanza& stanza) {
    std::string line = stanza.presence_type() == xmpp::PresenceType::unavailable ? "-" : "+";
    line += stanza.from()->resource();
    const xmpp::Element* x = stanza.child("x", xmpp::ns::muc_user);
    if (x == nullptr) return line + " ?";
    if (const xmpp::Element* item = x->child("item")) {
        line += " " + std::string(item->attribute("affiliation")) + "/" +
                std::string(item->attribute("role"));
        if (item->has_attribute("jid")) line += " [" + std::string(item->attribute("jid")) + "]";
        if (item->has_attribute("nick")) line += " nick=" + std::string(item->attribute("nick"));
        if (const xmpp::Element* actor = item->child("actor"))
            line += " by=" + std::string(actor->attribute("nick"));
        if (!item->child_text("reason").empty()) line += " '" + item->child_text("reason") + "'";
    }
    if (const xmpp::Element* destroy = x->child("destroy"))
        line += " destroyed " + std::string(destroy->attribute("jid"));
    return line + codes_of(*x);
}

std::string message_line(const Stanza& stanza) {
    const std::string nick(stanza.from()->resource());
    if (const xmpp::Element* x = stanza.child("x", xmpp::ns::muc_user)) {
        if (const xmpp::Element* invite = x->child("invite"))
            return "invited by " + std::string(invite->attribute("from"));
        if (const xmpp::Element* decline = x->child("decline"))
            return "declined by " + std::string(decline->attribute("from"));
        if (const xmpp::Element* item = x->child("item"))
            return "absent " + std::string(item->attribute("jid")) + " " +
                   std::string(item->attribute("affiliation"));
        if (!codes_of(*x).empty()) return codes_of(*x).substr(1);
    }
    if (stanza.child("x", xmpp::ns::data_forms) != nullptr) return "form";
    const bool is_late = stanza.child("delay", xmpp::ns::delay) != nullptr;
    std::string line = is_late ? "late " : "";
    if (stanza.child("subject", xmpp::ns::client) != nullptr && !stanza.has_body())
        return line + nick + "# " + stanza.element().child_text("subject", xmpp::ns::client);
    if (stanza.message_type() == xmpp::MessageType::groupchat)
        return line + nick + ": " + stanza.body_text();
    return "(" + nick + ") " + stanza.body_text();
}

}  // namespace

std::string line_of(const Stanza& stanza) {
    if (stanza.is_error()) return error_of(stanza);
    if (stanza.is_presence()) return presence_line(stanza);
    if (stanza.is_message()) return message_line(stanza);
    return std::string(name_of(stanza.iq_type())) + " " + std::string(stanza.id());
}

RoomStage::RoomStage(const RoomConfig& config, bool configured)
    : ids_(std::string(OccupantIds::kSecretBytes, 's')),
      room_(make_room(ids_, limits, service, texts_, config, configured)) {}

void RoomStage::send(std::string_view from, std::string_view xml) {
    auto element = xmpp::read_element(xml);
    if (!element) throw std::runtime_error("not XML: " + std::string(xml));
    const std::string to(element->attribute("to"));
    element->set_attribute("to", to.empty() || to.front() == '/' ? std::string(kRoom) + to : to);
    element->set_attribute("from", from);
    if (element->name() == "iq" && !element->has_attribute("id")) element->set_attribute("id", "i");
    auto read = Stanza::from_element(*std::move(element));
    if (!read) throw std::runtime_error("not a stanza: " + std::string(xml));
    const Stanza stanza = *std::move(read);
    Effects effects;
    Outcome outcome;
    if (stanza.is_presence()) {
        room_.on_presence(stanza, now, effects);
    } else if (stanza.is_message()) {
        outcome = room_.on_message(stanza, now, effects);
    } else {
        EXPECT_TRUE(room_.on_iq(stanza, effects, outcome)) << xml;
    }
    if (auto* said = std::get_if<Reflection>(&outcome)) {
        const std::string id = said->archived ? "archived-" + std::to_string(++last_id_) : "";
        room_.reflect(std::move(*said), now, id, effects);
    } else if (auto* change = std::get_if<RoomChange>(&outcome)) {
        if (saves) room_.apply(std::move(*change), now, "", effects);
    }
    collect(std::move(effects));
}

void RoomStage::collect(Effects effects) {
    for (Delivery& delivery : effects) {
        for (const Jid& to : delivery.to_all != nullptr ? *delivery.to_all : delivery.to) {
            Stanza copy = delivery.stanza;
            copy.set_to(to);
            // As the client gets it.
            auto read = xmpp::read_stanza(copy.to_xml());
            ASSERT_TRUE(read.has_value()) << copy.to_xml();
            sent_.emplace_back(to, *std::move(read));
        }
    }
}

void RoomStage::apply(RoomChange change) {
    Effects effects;
    room_.apply(std::move(change), now, "", effects);
    collect(std::move(effects));
}

void RoomStage::enter(std::string_view from, std::string_view nick) {
    send(from, "<presence xmlns='jabber:client' to='/" + std::string(nick) +
                   "'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    forget();
}

bool RoomStage::continue_entry(std::string_view who) {
    Effects effects;
    const bool more = room_.continue_entry(jid(who), now, effects);
    collect(std::move(effects));
    return more;
}

void RoomStage::admin(std::string_view from, std::string_view items) {
    send(from,
         "<iq xmlns='jabber:client' type='set' id='a'><query "
         "xmlns='http://jabber.org/protocol/muc#admin'>" +
             std::string(items) + "</query></iq>");
}

void RoomStage::affiliate(std::string_view bare, std::string_view affiliation) {
    admin(kCrone,
          "<item jid='" + std::string(bare) + "' affiliation='" + std::string(affiliation) + "'/>");
    forget();
}

void RoomStage::configure(std::string_view fields) {
    send(kCrone,
         "<iq xmlns='jabber:client' type='set' id='c'><query "
         "xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' "
         "type='submit'>" +
             std::string(fields) + "</x></query></iq>");
}

std::vector<Stanza> RoomStage::taken(std::string_view who) {
    std::vector<Stanza> found;
    std::vector<std::pair<Jid, Stanza>> rest;
    for (auto& one : sent_) {
        if (one.first.text() == who) {
            found.push_back(std::move(one.second));
        } else {
            rest.push_back(std::move(one));
        }
    }
    sent_ = std::move(rest);
    return found;
}

std::string RoomStage::heard(std::string_view who) {
    std::string lines;
    for (const Stanza& stanza : taken(who)) {
        if (!lines.empty()) lines += "\n";
        lines += line_of(stanza);
    }
    return lines;
}

std::vector<std::string> RoomStage::everything() {
    std::vector<std::string> lines;
    for (const auto& [to, stanza] : std::exchange(sent_, {}))
        lines.push_back(std::string(to.local()) + " " + line_of(stanza));
    return lines;
}

}  // namespace server::modules::muc::test
