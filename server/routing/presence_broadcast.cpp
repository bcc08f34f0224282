#include "server/routing/presence_broadcast.h"

#include "reactor/base/text.h"
#include "server/routing/hooks.h"
#include "server/routing/router.h"
#include "xmpp/payloads/delay.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace server {
namespace {

using xmpp::PresenceType;
using xmpp::Stanza;

Stanza make_presence(PresenceType type, const xmpp::Jid& from) {
    Stanza presence = Stanza::presence(type);
    presence.set_from(from);
    return presence;
}

Stanza addressed(const Stanza& presence, const xmpp::Jid& to) {
    Stanza copy = presence;
    copy.set_to(to);
    return copy;
}

}  // namespace

bool PresenceBroadcast::sees_broadcasts(const Account& account, const xmpp::Jid& entity) {
    if (entity.same_bare(account.jid())) return true;
    const Contact* contact = account.roster.find(entity.bare());
    return contact != nullptr && contact->has_from();
}

std::optional<std::int8_t> priority_of(const Stanza& presence) {
    const xmpp::Element* element = presence.child("priority", xmpp::ns::client);
    if (element == nullptr) return 0;
    const std::string content = element->text();
    // xs:byte: white space around it collapses, a plus sign is allowed.
    constexpr std::string_view kSpaces = " \t\r\n";
    std::string_view text = content;
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    text = text.substr(0, text.find_last_not_of(kSpaces) + 1);
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
    const std::optional<std::int64_t> value = base::parse_integer(text);
    if (!value || *value < std::numeric_limits<std::int8_t>::min() ||
        *value > std::numeric_limits<std::int8_t>::max())
        return std::nullopt;
    return static_cast<std::int8_t>(*value);
}

void PresenceBroadcast::send(const Stanza& presence, const xmpp::Jid& to) {
    router_.route(addressed(presence, to));
}

void PresenceBroadcast::send_to_contacts(Account& account, const Stanza& presence) {
    // By index: routing may come back to this account, though never to change its roster.
    for (std::size_t i = 0; i < account.roster.items().size(); ++i) {
        const Contact& contact = account.roster.items()[i];
        if (!contact.has_from()) continue;
        const xmpp::Jid to = contact.jid();
        if (!account.blocks(to)) send(presence, to);
    }
}

void PresenceBroadcast::send_probes(Account& account, const Resource& resource) {
    const Stanza probe = make_presence(PresenceType::probe, resource.jid);
    for (std::size_t i = 0; i < account.roster.items().size(); ++i) {
        const Contact& contact = account.roster.items()[i];
        if (!contact.has_to()) continue;
        const xmpp::Jid to = contact.jid();
        if (!account.blocks(to)) send(probe, to);
    }
}

bool PresenceBroadcast::announce(Account& account, Resource& resource, Stanza presence,
                                 std::int8_t priority) {
    const bool initial = !resource.available();
    presence.share_content();
    resource.presence = presence;
    resource.priority = priority;

    // An entity is subscribed to its own presence: all available resources get it, the sender too.
    for (const auto& own : account.resources()) {
        if (!own->available()) continue;
        own->session->deliver(addressed(presence, own->jid));
        if (initial && own.get() != &resource)
            resource.session->deliver(addressed(*own->presence, resource.jid));
    }
    send_to_contacts(account, presence);
    if (initial) send_probes(account, resource);

    ResourceEvent event{account, resource};
    static_cast<void>(hooks_.presence_changed.run(event));
    return initial;
}

void PresenceBroadcast::withdraw(Account& account, Resource& resource, Stanza presence,
                                 bool reflect) {
    const bool was_available = resource.available();
    presence.share_content();
    resource.presence.reset();
    resource.priority = 0;
    const std::vector<xmpp::Jid> directed = std::exchange(resource.directed, {});

    if (was_available) {
        for (const auto& own : account.resources()) {
            if (own->available() || (reflect && own.get() == &resource))
                own->session->deliver(addressed(presence, own->jid));
        }
        send_to_contacts(account, presence);
    }
    for (const xmpp::Jid& entity : directed)
        if (!was_available || !sees_broadcasts(account, entity)) send(presence, entity);

    if (!reflect || !was_available) return;
    ResourceEvent event{account, resource};
    static_cast<void>(hooks_.presence_changed.run(event));
}

bool PresenceBroadcast::direct(Account& account, Resource& resource, Stanza&& presence) {
    const xmpp::Jid& to = *presence.to();
    const auto known = std::ranges::find(resource.directed, to);
    if (presence.presence_type() == PresenceType::unavailable) {
        if (known != resource.directed.end()) resource.directed.erase(known);
    } else if (known == resource.directed.end() &&
               !(resource.available() && sees_broadcasts(account, to))) {
        if (resource.directed.size() >= kDirectedMax) return false;
        resource.directed.push_back(to);
    }
    router_.route(std::move(presence));
    return true;
}

std::size_t PresenceBroadcast::send_current(Account& account, const xmpp::Jid& to) {
    std::size_t count = 0;
    if (account.blocks(to)) return count;
    for (const auto& resource : account.resources()) {
        if (!resource->available()) continue;
        ++count;
        send(*resource->presence, to);
    }
    return count;
}

void PresenceBroadcast::send_unavailable(Account& account, const xmpp::Jid& to) {
    if (account.blocks(to)) return;
    for (const auto& resource : account.resources())
        if (resource->available())
            send(make_presence(PresenceType::unavailable, resource->jid), to);
}

void PresenceBroadcast::hide(Account& account, const Blocklist& more) {
    const auto newly = [&](const xmpp::Jid& peer) {
        return !account.blocks(peer) && account.blocks_by(more, peer);
    };
    for (std::size_t i = 0; i < account.roster.items().size(); ++i) {
        const Contact& contact = account.roster.items()[i];
        if (!contact.has_from()) continue;
        const xmpp::Jid to = contact.jid();
        if (newly(to)) send_unavailable(account, to);
    }
    // One resource of a contact: it alone sees the account go.
    for (const std::string& item : more.jids()) {
        const base::Result<xmpp::Jid> peer = xmpp::Jid::parse(item);
        if (!peer || peer->is_bare() || newly(peer->bare()) || !newly(*peer)) continue;
        if (sees_broadcasts(account, *peer)) send_unavailable(account, *peer);
    }
    for (const auto& resource : account.resources())
        withdraw_directed(account, *resource, more);
}

void PresenceBroadcast::withdraw_directed(Account& account, Resource& resource,
                                          const Blocklist& more) {
    std::vector<xmpp::Jid> withdrawn;
    std::erase_if(resource.directed, [&](const xmpp::Jid& entity) {
        if (!account.blocks_by(more, entity)) return false;
        withdrawn.push_back(entity);
        return true;
    });
    for (const xmpp::Jid& entity : withdrawn)
        if (!resource.available() || !sees_broadcasts(account, entity))
            send(make_presence(PresenceType::unavailable, resource.jid), entity);
}

void PresenceBroadcast::show(Account& account, const Blocklist& fewer) {
    const auto no_more = [&](const xmpp::Jid& peer) {
        return !account.blocks(peer) && account.blocks_by(fewer, peer);
    };
    for (std::size_t i = 0; i < account.roster.items().size(); ++i) {
        const Contact& contact = account.roster.items()[i];
        const bool sees = contact.has_from();
        const bool is_seen = contact.has_to();
        const xmpp::Jid peer = contact.jid();
        if (!no_more(peer)) continue;
        if (sees) send_current(account, peer);
        if (is_seen) probe(account, peer);
    }
    for (const std::string& item : fewer.jids()) {
        const base::Result<xmpp::Jid> peer = xmpp::Jid::parse(item);
        if (!peer || peer->is_bare() || no_more(peer->bare()) || !no_more(*peer)) continue;
        if (sees_broadcasts(account, *peer)) send_current(account, *peer);
    }
}

void PresenceBroadcast::probe(Account& account, const xmpp::Jid& contact) {
    for (const auto& resource : account.resources())
        if (resource->available()) send(make_presence(PresenceType::probe, resource->jid), contact);
}

bool PresenceBroadcast::answer_probe(Account& account, const Stanza& probe) {
    const xmpp::Jid& prober = *probe.from();
    if (!sees_broadcasts(account, prober)) {
        answer_stranger(account, probe);
        return true;
    }
    const xmpp::Jid& to = *probe.to();
    if (to.is_bare()) return send_current(account, prober) != 0;
    const Resource* resource = account.find(to.resource());
    const bool available = resource != nullptr && resource->available();
    send(available ? *resource->presence : make_presence(PresenceType::unavailable, to), prober);
    return true;
}

void PresenceBroadcast::send_offline(const xmpp::Jid& account, const xmpp::Jid& to,
                                     std::optional<base::WallTime> since) {
    Stanza offline = make_presence(PresenceType::unavailable, account);
    if (since) offline.edit().add(xmpp::delay_element(account.text(), *since));
    send(offline, to);
}

// A stranger learns nothing, not even whether the account exists, unless a resource showed itself
// by directed presence (§4.6.6): then only that it is there.
void PresenceBroadcast::answer_stranger(Account& account, const Stanza& probe) {
    const xmpp::Jid& prober = *probe.from();
    const xmpp::Jid& to = *probe.to();
    const Resource* resource = to.is_full() ? account.find(to.resource()) : nullptr;
    if (resource != nullptr &&
        std::ranges::find(resource->directed, prober) != resource->directed.end()) {
        send(make_presence(PresenceType::available, resource->jid), prober);
        return;
    }
    send(make_presence(PresenceType::unsubscribed, account.jid()), prober.bare());
}

}  // namespace server
