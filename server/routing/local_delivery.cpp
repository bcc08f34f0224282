#include "server/routing/local_delivery.h"

namespace server {
namespace {

using enum DeliveryRule;

// RFC 6121 §8.5, one row per message type and kind of stanza. Columns: bare JID with a resource
// that may take it, bare JID without, full JID of a connected resource, full JID of no resource, no
// such account. Two choices are left to us: a message to a bare JID goes to all non-negative
// resources (§8.5.2.1.1, case b), and what may be dropped or bounced for an unknown resource is
// bounced (normal, groupchat) or dropped (headline) by whether its sender could use the answer
// (§8.5.3.2.1).
struct Row {
    DeliveryRule bare_with_takers;
    DeliveryRule bare_without_takers;
    DeliveryRule full_connected;
    DeliveryRule full_unknown;
    DeliveryRule absent;
};

constexpr Row kNormal{to_all_available, store_or_refuse, to_resource, refuse, refuse};
constexpr Row kChat{to_all_available, store_or_refuse, to_resource, as_bare, refuse};
constexpr Row kGroupchat{refuse, refuse, to_resource, refuse, refuse};
constexpr Row kHeadline{to_all_available, ignore, to_resource, ignore, ignore};
constexpr Row kError{ignore, ignore, to_resource, ignore, ignore};
constexpr Row kPresence{presence, presence, presence, presence, presence};
constexpr Row kIqRequest{answer, answer, to_resource, refuse, refuse};
constexpr Row kIqResponse{ignore, ignore, to_resource, ignore, ignore};

const Row& row_of(const xmpp::Stanza& stanza) {
    switch (stanza.kind()) {
        case xmpp::StanzaKind::presence:
            return kPresence;
        case xmpp::StanzaKind::iq:
            return stanza.is_request() ? kIqRequest : kIqResponse;
        case xmpp::StanzaKind::message:
            break;
    }
    switch (stanza.message_type()) {
        case xmpp::MessageType::chat:
            return kChat;
        case xmpp::MessageType::groupchat:
            return kGroupchat;
        case xmpp::MessageType::headline:
            return kHeadline;
        case xmpp::MessageType::error:
            return kError;
        case xmpp::MessageType::normal:
            break;
    }
    return kNormal;
}

}  // namespace

DeliveryRule delivery_rule(const xmpp::Stanza& stanza, Addressed addressed) {
    const Row& row = row_of(stanza);
    switch (addressed) {
        case Addressed::bare_with_takers:
            return row.bare_with_takers;
        case Addressed::bare_without_takers:
            return row.bare_without_takers;
        case Addressed::full_connected:
            return row.full_connected;
        case Addressed::full_unknown:
            return row.full_unknown;
        case Addressed::absent:
            break;
    }
    return row.absent;
}

Addressed addressed_in(Account& account, const xmpp::Jid& to) {
    if (to.is_full())
        return account.find(to.resource()) != nullptr ? Addressed::full_connected
                                                      : Addressed::full_unknown;
    return account.takes_messages() ? Addressed::bare_with_takers : Addressed::bare_without_takers;
}

}  // namespace server
