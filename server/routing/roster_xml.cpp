#include "server/routing/roster_xml.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/core/precis.h"

#include <algorithm>
#include <string_view>

namespace server {
namespace {

using xmpp::StanzaError;

std::string_view name_of(storage::Subscription subscription) {
    switch (subscription) {
        case storage::Subscription::to:
            return "to";
        case storage::Subscription::from:
            return "from";
        case storage::Subscription::both:
            return "both";
        case storage::Subscription::none:
            break;
    }
    return "none";
}

// §2.3.3: duplicates are found by the profile of resourceparts, or by bytes where it has no answer.
std::string comparable(const std::string& group) {
    base::Result<std::string> prepared = xmpp::prepare_opaque(group);
    return prepared ? *std::move(prepared) : group;
}

base::Result<std::vector<std::string>, StanzaError> parse_groups(const xmpp::Element& item) {
    std::vector<std::string> groups;
    std::vector<std::string> seen;
    for (const xmpp::Element& child : item.children()) {
        if (!child.is("group", xmpp::ns::roster)) continue;
        std::string group = child.text();
        if (group.empty())
            return std::unexpected(StanzaError::not_acceptable("a group has no name"));
        if (group.size() > storage::kRosterGroupBytesMax)
            return std::unexpected(StanzaError::not_acceptable("the name of a group is too long"));
        if (groups.size() == storage::kRosterGroupsMax)
            return std::unexpected(StanzaError::not_acceptable("too many groups"));
        std::string key = comparable(group);
        if (std::ranges::find(seen, key) != seen.end())
            return std::unexpected(StanzaError::bad_request("a group is named twice"));
        seen.push_back(std::move(key));
        groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace

base::Result<RosterSet, StanzaError> parse_roster_set(const xmpp::Element& query,
                                                      const xmpp::Jid& owner) {
    const xmpp::Element* item = query.first_child();
    if (item == nullptr || query.child_count() != 1 || !item->is("item", xmpp::ns::roster))
        return std::unexpected(StanzaError::bad_request("a roster set has exactly one item"));
    base::Result<xmpp::Jid> contact = xmpp::Jid::parse(item->attribute("jid"));
    if (!contact) return std::unexpected(StanzaError::bad_request("the item has no valid jid"));

    RosterSet set;
    set.contact = *std::move(contact);
    set.remove = item->attribute("subscription") == "remove";
    if (set.remove) return set;
    if (set.contact == owner)
        return std::unexpected(StanzaError::not_allowed("nobody is their own contact"));
    set.name = item->attribute("name");
    if (set.name.size() > storage::kRosterNameBytesMax)
        return std::unexpected(StanzaError::not_acceptable("the name is too long"));
    base::Result<std::vector<std::string>, StanzaError> groups = parse_groups(*item);
    if (!groups) return std::unexpected(std::move(groups).error());
    set.groups = *std::move(groups);
    return set;
}

xmpp::Element roster_item_element(const storage::RosterItem& item) {
    xmpp::Element element("item", xmpp::ns::roster);
    element.set_attribute("jid", item.jid.text());
    if (!item.name.empty()) element.set_attribute("name", item.name);
    element.set_attribute("subscription", name_of(item.subscription));
    if (item.ask) element.set_attribute("ask", "subscribe");
    if (item.approved) element.set_attribute("approved", "true");
    for (const std::string& group : item.groups)
        element.add_text_child("group", group);
    return element;
}

xmpp::Element removed_item_element(const xmpp::Jid& contact) {
    xmpp::Element element("item", xmpp::ns::roster);
    element.set_attribute("jid", contact.text());
    element.set_attribute("subscription", "remove");
    return element;
}

xmpp::Element roster_query_element(storage::RosterVersion version) {
    xmpp::Element query("query", xmpp::ns::roster);
    query.set_attribute("ver", std::to_string(version));
    return query;
}

xmpp::Stanza roster_push(xmpp::Element item, storage::RosterVersion version, const xmpp::Jid& to) {
    xmpp::Stanza push = xmpp::Stanza::iq(xmpp::IqType::set, "roster-" + std::to_string(version));
    push.set_to(to);
    xmpp::Element query = roster_query_element(version);
    query.add(std::move(item));
    push.edit().add(std::move(query));
    return push;
}

}  // namespace server
