// RoomClient: the room's configuration, roles and affiliations: changing them, and whether what was
// answered is in force.
#include "tests/support/room_client.h"
#include "xmpp/core/namespaces.h"

#include <utility>

namespace test {
namespace {

constexpr std::string_view kAffiliations[] = {"owner", "admin", "member", "outcast"};
constexpr std::string_view kDescription = "muc#roomconfig_roomdesc";

}  // namespace

void RoomClient::set_affiliation(const std::string& user, std::string_view affiliation,
                                 const Answered& answered) {
    if (!may_ask()) return;
    affiliations_[user].insert(std::string(affiliation));
    parts_.tasks.add("affiliation", change(user, std::string(affiliation), answered));
}

reactor::Deferred<xmpp::Stanza> RoomClient::set_item(std::string_view by, std::string who,
                                                     std::string_view of, std::string to) {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
    iq.set_to(place_.address)
        .edit()
        .add_child("query", xmpp::ns::muc_admin)
        .add_child("item", xmpp::ns::muc_admin)
        .set_attribute(by, who)
        .set_attribute(of, to);
    return ask(std::move(iq));
}

reactor::Deferred<void> RoomClient::change(std::string user, std::string affiliation,
                                           Answered answered) {
    auto asking = set_item("jid", user, "affiliation", affiliation);
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    if (answer) {
        affiliations_[user] = {affiliation};
        answered_.insert(user);
        ++changes_;
    }
    if (answered) answered(answer.has_value());
    co_return {};
}

void RoomClient::set_role(const std::string& nick, std::string_view role,
                          const Answered& answered) {
    if (may_ask()) parts_.tasks.add("role", change_role(nick, std::string(role), answered));
}

reactor::Deferred<void> RoomClient::change_role(std::string nick, std::string role,
                                                Answered answered) {
    auto asking = set_item("nick", nick, "role", role);
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    const bool is_absent =
        !answer && bots::stanza_condition(answer.error()) == xmpp::StanzaCondition::item_not_found;
    answered(answer.has_value() || is_absent);
    co_return {};
}

// --- configuration

reactor::Deferred<xmpp::Stanza> RoomClient::submit(Fields fields) {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::set, "");
    xmpp::Element& form = iq.set_to(place_.address)
                              .edit()
                              .add_child("query", xmpp::ns::muc_owner)
                              .add_child("x", xmpp::ns::data_forms)
                              .set_attribute("type", "submit");
    const auto add = [&](std::string_view name, std::string_view value) {
        form.add_child("field", xmpp::ns::data_forms)
            .set_attribute("var", name)
            .add_text_child("value", value);
    };
    add("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig");
    for (const auto& [name, value] : fields)
        add(name, value);
    return ask(std::move(iq));
}

reactor::Deferred<void> RoomClient::configure() {
    auto asking = submit(place_.config);
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    // Nobody else gets in before that.
    if (answer) {
        parts_.book.open(place_.room);
    } else if (online()) {
        leave();
        // The room may be gone, which never was anywhere but in memory.
        ping_self();
    }
    co_return {};
}

void RoomClient::change_description() {
    if (!may_ask()) return;
    std::string description = "description " + std::to_string(++last_description_);
    descriptions_.insert(description);
    parts_.tasks.add("description", describe(std::move(description)));
}

reactor::Deferred<void> RoomClient::describe(std::string description) {
    Fields fields{{std::string(kDescription), description}};
    auto asking = submit(std::move(fields));
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    if (answer) {
        descriptions_ = {description};
        ++changes_;
    }
    co_return {};
}

// --- whether it is in force

reactor::Deferred<void> RoomClient::compare_state() {
    auto comparing = compare_affiliations();
    const base::Result<void> compared = co_await std::move(comparing);
    if (!compared) co_return compared.error();
    auto reading = compare_config();
    const base::Result<void> read = co_await std::move(reading);
    co_return read;
}

reactor::Deferred<void> RoomClient::compare_config() {
    xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
    iq.set_to(place_.address).edit().add_child("query", xmpp::ns::muc_owner);
    auto asking = ask(std::move(iq));
    const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
    if (!answer) co_return answer.error();
    const xmpp::Element* query = answer->child("query", xmpp::ns::muc_owner);
    const xmpp::Element* form =
        query == nullptr ? nullptr : query->child("x", xmpp::ns::data_forms);
    if (form == nullptr) co_return base::fail(base::Errc::corrupt, "no form");
    std::map<std::string, std::string> found;
    for (const xmpp::Element& field : form->children())
        found[std::string(field.attribute("var"))] = field.child_text("value");
    const auto complain = [&](const std::string& name) {
        parts_.complain(name + " of " + place_.address.text() + " is '" + found[name] +
                        "', which is not what was answered");
    };
    for (const auto& [name, value] : place_.config)
        if (found[name] != value) complain(name);
    if (!descriptions_.contains(found[std::string(kDescription)]))
        complain(std::string(kDescription));
    co_return {};
}

reactor::Deferred<void> RoomClient::compare_affiliations() {
    std::map<std::string, std::string> found;
    for (const std::string_view affiliation : kAffiliations) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, "");
        iq.set_to(place_.address)
            .edit()
            .add_child("query", xmpp::ns::muc_admin)
            .add_child("item", xmpp::ns::muc_admin)
            .set_attribute("affiliation", affiliation);
        auto asking = ask(std::move(iq));
        const base::Result<xmpp::Stanza> answer = co_await std::move(asking);
        if (!answer) co_return answer.error();
        if (const xmpp::Element* query = answer->child("query", xmpp::ns::muc_admin))
            for (const xmpp::Element& item : query->children())
                found[std::string(item.attribute("jid"))] = affiliation;
    }
    for (const auto& [user, possible] : affiliations_) {
        const auto entry = found.find(user);
        const std::string is = entry == found.end() ? "none" : entry->second;
        // Asked for and never answered for the first time: it may be as it was.
        const bool fits = possible.contains(is) || (is == "none" && !answered_.contains(user));
        if (!fits)
            parts_.complain(user + " is " + is + " in " + place_.address.text() +
                            ", which is not what was answered");
    }
    co_return {};
}

}  // namespace test
