#include "xmpp/payloads/message_class.h"

#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/carbon.h"
#include "xmpp/payloads/hints.h"

#include <array>
#include <string_view>

namespace xmpp {
namespace {

// What the children of a message are to the rules below. A set of them describes a message.
enum Part : std::uint32_t {
    kBody = 1U << 0U,
    kLasting = 1U << 1U,  // Means something later, without a body.
    kChatState = 1U << 2U,
    kInstant = 1U << 3U,     // Receipts and markers: part of a conversation (XEP-0280 §6.1).
    kInvitation = 1U << 4U,  // To a room, directly or by the room.
    kRoom = 1U << 5U,        // <x/> of muc#user: sent by a room or through it.
    kPrivate = 1U << 6U,     // <private/> of carbons.
    kEvent = 1U << 7U,       // A notification of XEP-0060.
    kWrapper = 1U << 8U,     // A copy of another message, or one from an archive.
    kStore = 1U << 9U,
    kNoStore = 1U << 10U,
    kNoPermanentStore = 1U << 11U,
    kNoCopy = 1U << 12U,
    kOther = 1U << 13U,  // Something that is not known here.
};
using Parts = std::uint32_t;

constexpr Parts kNothing = 0;  // Says nothing of its own.

struct Known {
    std::string_view ns;
    std::string_view name;  // Empty: any.
    Parts parts;
};

// The first that fits decides.
constexpr std::array kKnown = {
    Known{ns::client, "body", kBody},
    Known{ns::client, "subject", kLasting},
    Known{ns::client, "thread", kNothing},
    Known{ns::chat_states, {}, kChatState},
    Known{ns::receipts, {}, kInstant | kLasting},
    Known{ns::chat_markers, "markable", kInstant},
    Known{ns::chat_markers, {}, kInstant | kLasting},
    Known{ns::stanza_ids, {}, kNothing},
    Known{ns::occupant_ids, {}, kNothing},
    Known{ns::delay, {}, kNothing},
    Known{ns::encryption, {}, kLasting},
    Known{ns::omemo, "encrypted", kLasting},
    Known{"urn:xmpp:omemo:2", "encrypted", kLasting},  // XEP-0384
    Known{"urn:xmpp:openpgp:0", "openpgp", kLasting},  // XEP-0373
    Known{"jabber:x:encrypted", "x", kLasting},        // XEP-0027
    Known{ns::correction, {}, kLasting},
    Known{ns::retraction, {}, kLasting},
    Known{ns::moderation, {}, kLasting},
    Known{ns::fastening, {}, kLasting},
    Known{ns::reactions, {}, kLasting},
    Known{ns::references, {}, kLasting},
    Known{ns::oob, {}, kLasting},
    Known{"urn:xmpp:sfs:0", "file-sharing", kLasting},  // XEP-0447
    Known{"urn:xmpp:sfs:0", "sources", kLasting},
    Known{ns::jingle_messages, {}, kLasting},
    Known{"urn:xmpp:call-invites:0", {}, kLasting},  // XEP-0482
    Known{ns::direct_invitation, {}, kInvitation | kLasting},
    Known{ns::carbons, "private", kPrivate},
    Known{ns::carbons, "sent", kWrapper},
    Known{ns::carbons, "received", kWrapper},
    Known{ns::archive, "result", kWrapper},
    Known{ns::pubsub_event, "event", kEvent},
};

Parts parts_of_hint(Hint hint) {
    switch (hint) {
        case Hint::no_permanent_store:
            return kNoPermanentStore;
        case Hint::no_store:
            return kNoStore;
        case Hint::no_copy:
            return kNoCopy;
        case Hint::store:
            return kStore;
    }
    return kNothing;
}

// <x/> of muc#user by itself only says that a room is involved; with an item or status it tells who
// is in the room how it is now (XEP-0045 §9, §10.2.1): whoever enters later is told anyway.
Parts parts_of_room(const Element& element) {
    if (element.name() != "x") return kOther;
    if (element.child("invite") != nullptr) return kRoom | kInvitation | kLasting;
    const bool is_notice = element.child("item") != nullptr || element.child("status") != nullptr;
    return is_notice || element.has_no_content() ? kRoom : kRoom | kOther;
}

Parts parts_of(const Element& child) {
    const std::string_view ns = child.ns();
    if (ns == ns::hints) {
        const std::optional<Hint> hint = parse_hint(child);
        return hint ? parts_of_hint(*hint) : kNothing;
    }
    if (ns == ns::muc_user) return parts_of_room(child);
    for (const Known& known : kKnown)
        if (ns == known.ns && (known.name.empty() || child.name() == known.name))
            return known.parts;
    return kOther;
}

Parts parts_in(const Element& message) {
    Parts parts = kNothing;
    for (const Element& child : message.children())
        parts |= parts_of(child);
    return parts;
}

bool is_conversation(const Stanza& message) {
    return message.message_type() == MessageType::chat ||
           message.message_type() == MessageType::normal;
}

bool has_lasting_content(Parts parts) {
    if ((parts & (kNoStore | kNoPermanentStore | kWrapper)) != 0) return false;
    return (parts & (kStore | kBody | kLasting)) != 0;
}

bool says_only_chat_state(Parts parts) {
    constexpr Parts kSilent =
        kChatState | kRoom | kPrivate | kNoStore | kNoPermanentStore | kNoCopy;
    return (parts & kChatState) != 0 && (parts & ~kSilent) == 0;
}

// Part of entering a room, which the client waits for (XEP-0045 §7.2.2).
bool is_own_presence_in_room(const Stanza& presence) {
    const Element* room = presence.child("x", ns::muc_user);
    if (room == nullptr) return false;
    for (const Element& child : room->children())
        if (child.is("status", ns::muc_user) && child.attribute("code") == "110") return true;
    return false;
}

Urgency urgency_of_presence(const Stanza& presence) {
    const bool is_update = presence.presence_type() == PresenceType::available ||
                           presence.presence_type() == PresenceType::unavailable;
    return is_update && !is_own_presence_in_room(presence) ? Urgency::later : Urgency::now;
}

}  // namespace

bool is_worth_archiving(const Stanza& message) {
    const Parts parts = parts_in(message.element());
    if (!has_lasting_content(parts)) return false;
    // A headline is for the moment, unless its sender says otherwise (XEP-0334 §4.4).
    return is_conversation(message) ||
           (message.message_type() == MessageType::headline && (parts & kStore) != 0);
}

bool is_worth_archiving_in_room(const Stanza& message) {
    return message.message_type() == MessageType::groupchat &&
           has_lasting_content(parts_in(message.element()));
}

bool is_worth_keeping_offline(const Stanza& message) {
    if (!is_conversation(message)) return false;
    const Parts parts = parts_in(message.element());
    if ((parts & (kNoStore | kWrapper)) != 0) return false;
    constexpr Parts kContent = kStore | kBody | kLasting | kInstant | kEvent | kOther;
    return (parts & kContent) != 0;
}

bool is_only_chat_state(const Stanza& message) {
    if (message.is_error()) return false;
    const Element* copied = copied_message(message);
    return says_only_chat_state(parts_in(copied != nullptr ? *copied : message.element()));
}

CarbonRule carbon_rule(const Stanza& message, bool inbound) {
    const MessageType type = message.message_type();
    if (type == MessageType::groupchat) return CarbonRule::no;
    const Parts parts = parts_in(message.element());
    if ((parts & (kPrivate | kWrapper)) != 0) return CarbonRule::no;
    // Hints in an error belong to the message that it answers (XEP-0334 §5).
    if (type == MessageType::error) return CarbonRule::as_answered;
    if ((parts & kNoCopy) != 0) return CarbonRule::no;
    if ((parts & kInvitation) != 0) return CarbonRule::yes;
    // A room gives private messages to every client that is in it.
    const bool from_occupant = inbound && message.from() && message.from()->is_full();
    if (from_occupant && (parts & kRoom) != 0) return CarbonRule::no;
    const bool is_instant = type == MessageType::chat ||
                            (type == MessageType::normal && (parts & kBody) != 0) ||
                            (parts & (kInstant | kChatState)) != 0;
    return is_instant ? CarbonRule::yes : CarbonRule::no;
}

Urgency urgency_of(const Stanza& stanza) {
    if (stanza.is_iq()) return Urgency::now;
    if (stanza.is_presence()) return urgency_of_presence(stanza);
    if (is_only_chat_state(stanza)) return Urgency::never;
    const bool is_event =
        stanza.message_type() == MessageType::headline && parts_in(stanza.element()) == kEvent;
    return is_event ? Urgency::later : Urgency::now;
}

}  // namespace xmpp
