// Room: entering (XEP-0045 §7.2), changing nick (§7.6) and availability (§7.7), leaving (§7.14).
#include "server/modules/muc/room.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Jid;
using xmpp::MucStatus;
using xmpp::PresenceType;
using xmpp::Stanza;
using xmpp::StanzaCondition;
using xmpp::StanzaError;

// §14.2: only the service says anything of roles and the like; ids are given here as well.
bool is_for_others(const xmpp::Element& child) {
    const std::string_view ns = child.ns();
    return ns != xmpp::ns::muc && ns != xmpp::ns::muc_user && ns != xmpp::ns::occupant_ids &&
           ns != xmpp::ns::stanza_ids && ns != xmpp::ns::delay && ns != kHatsNamespace;
}

std::string content_for_others(const Stanza& presence) {
    std::string content;
    for (const xmpp::Element& child : presence.element().children())
        if (is_for_others(child)) append_xml(content, child, xmpp::ns::client);
    return content;
}

}  // namespace

void Room::on_presence(const Stanza& presence, base::WallTime now, Effects& effects) {
    const Jid& user = *presence.from();
    Occupant* occupant = find_session(user);
    switch (presence.presence_type()) {
        case PresenceType::available:
            break;
        case PresenceType::unavailable:
            if (occupant != nullptr && presence.to()->is_full()) {
                std::string last_words = content_for_others(presence);
                if (last_words.size() > kPresenceBytesMax) last_words.clear();
                leave(presence, &last_words,
                      parts_.service.stopping ? Removal::shutdown : Removal::left, effects);
            }
            return;
        case PresenceType::error:
            if (occupant != nullptr && means_gone(presence.error()))
                leave(presence, nullptr, Removal::error, effects);
            return;
        case PresenceType::probe:
            return answer_probe(presence, effects);
        default:
            return;  // Subscriptions are not for rooms.
    }
    if (presence.to()->is_bare())
        return refuse_presence(presence, StanzaError::jid_malformed("a nick is missing"), effects);
    const xmpp::Element* x = presence.child("x", xmpp::ns::muc);
    if (x != nullptr) return enter(presence, *x, now, effects);
    if (occupant == nullptr) {
        // §7.2.17: a client that believes to be in the room learns that it is not.
        Stanza kick = Stanza::presence(PresenceType::unavailable);
        kick.set_from(*presence.to());
        kick.edit().add(xmpp::muc_user_element(
            {.affiliation = std::max(affiliations_.of(user), MucAffiliation::none),
             .role = MucRole::none,
             .reason = "You are not in the room."},
            {MucStatus::self, MucStatus::kicked, MucStatus::removed_by_error}));
        send(std::move(kick), user, effects);
        return;
    }
    if (presence.to()->resource() == occupant->nick) {
        update_presence(*occupant, presence, effects);
    } else {
        change_nick(*occupant, presence, std::string(presence.to()->resource()), effects);
    }
}

void Room::refuse_presence(const Stanza& presence, const StanzaError& error,
                           Effects& effects) const {
    StanzaError by_room = error;
    Stanza reply = presence.reply_error(std::move(by_room).with_by(parts_.jid));
    // As the examples have it, the payload first.
    xmpp::Element& root = reply.edit();
    if (presence.child("x", xmpp::ns::muc) != nullptr) {
        const xmpp::Element answer = *root.first_child();
        root.clear_content();
        root.add_child("x", xmpp::ns::muc);
        root.add(answer);
    }
    const Jid to = *presence.from();
    send(std::move(reply), to, effects);
}

std::optional<OccupantSession> Room::session_from(const Stanza& presence) const {
    std::string content = content_for_others(presence);
    if (content.size() > kPresenceBytesMax) return std::nullopt;
    return OccupantSession{.jid = *presence.from(),
                           .presence = parts_.texts.share(std::move(content)),
                           .lang = parts_.texts.share(std::string(presence.lang()))};
}

// --- entering

std::optional<StanzaError> Room::refuse_nick(const Jid& user, std::string_view nick) const {
    if (!is_visible_nick(nick)) return StanzaError::jid_malformed("an invisible nick");
    if (nick.size() > parts_.limits.nick_bytes_max)
        return StanzaError::policy_violation("the nick is too long")
            .with_type(xmpp::ErrorType::modify);
    const Occupant* holder = find_nick(nick);
    if (holder != nullptr && !holder->user().same_bare(user)) return StanzaError::conflict();
    const Affiliated* reserved = affiliations_.holder_of(nick);
    if (reserved != nullptr && !reserved->jid.same_bare(user)) return StanzaError::conflict();
    // §13.6: nobody is to be taken for another.
    const Affiliated* taken_for = affiliations_.look_alike_of(nick);
    if (taken_for != nullptr && !taken_for->jid.same_bare(user)) return StanzaError::conflict();
    const std::string skeleton = nick_skeleton(nick);
    const std::uint32_t hash = hash_of_nick(skeleton);
    const bool mimics = std::ranges::any_of(occupants_, [&](const Occupant& other) {
        return other.nick_hashes.skeleton == hash && !other.user().same_bare(user) &&
               look_alike(nick, skeleton, other.nick, nick_skeleton(other.nick));
    });
    if (mimics) return StanzaError::conflict();
    return std::nullopt;
}

std::optional<StanzaError> Room::refuse_entry(const Jid& user, std::string_view nick,
                                              const xmpp::MucJoin& join) const {
    const MucAffiliation affiliation = affiliations_.of(user);
    if (affiliation == MucAffiliation::outcast) return StanzaError::forbidden();
    if (locked_ && affiliation != MucAffiliation::owner) return StanzaError::item_not_found();
    if (!may_enter(user)) return StanzaError::registration_required();
    if (!config_.password.empty() &&
        !base::equal_constant_time(join.password.value_or(""), config_.password))
        return StanzaError::not_authorized();
    if (auto refusal = refuse_nick(user, nick)) return refusal;
    const bool is_staff = affiliation >= MucAffiliation::admin;
    const std::uint32_t most = std::min(config_.occupants_max.value_or(parts_.limits.occupants_max),
                                        parts_.limits.occupants_max) +
                               (is_staff ? kStaffReserve : 0);
    const Occupant* same = find_nick(nick);
    if ((same == nullptr && occupants_.size() >= most) ||
        (same != nullptr && same->sessions.size() >= kSessionsMax))
        return StanzaError::service_unavailable().with_type(xmpp::ErrorType::wait);
    return std::nullopt;
}

void Room::enter(const Stanza& presence, const xmpp::Element& x, base::WallTime now,
                 Effects& effects) {
    const Jid& user = *presence.from();
    // §7.10: whoever may have only one nick gets that.
    const std::string* locked_nick = locked_nick_of(user);
    const std::string nick =
        locked_nick != nullptr ? *locked_nick : std::string(presence.to()->resource());
    const bool assigned = nick != presence.to()->resource();
    const xmpp::MucJoin join = xmpp::MucJoin::parse(x);
    auto session = session_from(presence);
    if (!session)
        return refuse_presence(presence, StanzaError::policy_violation("the presence is too big"),
                               effects);
    if (Occupant* known = find_session(user)) {
        // §7.2.1: the client has lost track; it gets everything again.
        if (known->nick != nick) change_nick(*known, presence, nick, effects);
        if (known->nick != nick) return;
        const auto own = std::ranges::find(known->sessions, user, &OccupantSession::jid);
        const bool changed = own->presence.view() != session->presence.view();
        *own = *session;
        std::rotate(own, own + 1, known->sessions.end());
        if (changed && is_shown(*known)) tell_others(*known, {}, effects);
        send_all_to_newcomer(*known, known->sessions.back(),
                             {.session = user,
                              .join = join,
                              .id = std::string(presence.id()),
                              .created = false,
                              .assigned = assigned},
                             now, effects);
        return;
    }
    if (const auto refusal = refuse_entry(user, nick, join))
        return refuse_presence(presence, *refusal, effects);
    const bool created = locked_ && occupants_.empty();
    Occupant* occupant = find_nick(nick);
    if (occupant == nullptr) {
        occupant = &add_occupant(nick, role_on_entry(user), *std::move(session));
    } else {
        add_session(*occupant, *std::move(session));
    }
    send_all_to_newcomer(*occupant, occupant->sessions.back(),
                         {.session = user,
                          .join = join,
                          .id = std::string(presence.id()),
                          .created = created,
                          .assigned = assigned},
                         now, effects);
}

// §7.1: others' presence, one's own, the history, the subject; everything else comes behind.
void Room::send_all_to_newcomer(const Occupant& self, const OccupantSession& session, Entry entry,
                                base::WallTime now, Effects& effects) {
    if (entry.join.affiliations_since && affiliations_.version() != 0)
        send_affiliations(session.jid, *entry.join.affiliations_since, effects);
    if (is_shown(self)) {
        tell_others(self, {}, effects);
        // The user's other clients see that there is one more.
        for (const OccupantSession& own : self.sessions)
            if (own.jid != session.jid)
                send(presence_of(self, session, true, {}, true), own.jid, effects);
    }
    if (occupants_.size() > kEntryAtOnceMax) return begin_entry(std::move(entry));
    const bool sees = !config_.anonymous || self.role == MucRole::moderator;
    for (const Occupant& other : occupants_)
        if (&other != &self && is_shown(other))
            send(presence_of(other, other.sessions.back(), sees, {}, false), session.jid, effects);
    complete_entry(self, session, entry, now, effects);
}

void Room::complete_entry(const Occupant& self, const OccupantSession& session, const Entry& entry,
                          base::WallTime now, Effects& effects) const {
    PresenceText text;
    if (!config_.anonymous) text.codes.push_back(MucStatus::non_anonymous);
    if (config_.archived) text.codes.push_back(MucStatus::logged);
    if (entry.created) text.codes.push_back(MucStatus::created);
    if (entry.assigned) text.codes.push_back(MucStatus::nick_modified);
    if (entry.join.affiliations_since) text.until = affiliations_.version();
    Stanza own = presence_of(self, session, true, text, true);
    if (!entry.id.empty()) own.set_id(entry.id);
    send(std::move(own), session.jid, effects);
    for (Stanza& said : history_.replay(parts_.jid, session.jid, entry.join.history, now))
        effects.push_back({.stanza = std::move(said), .to = {session.jid}});
    send_subject(session.jid, effects);
    if (!avatar_hashes_.empty()) send_avatar({session.jid}, effects);
    if (affiliations_.of(session.jid) >= MucAffiliation::admin) send_requests(session.jid, effects);
}

void Room::send_subject(const Jid& to, Effects& effects) const {
    std::optional<Stanza> message;
    if (!subject_.xml.empty()) message = xmpp::read_stanza(subject_.xml);
    if (message) {
        message->append_child(xmpp::delay_element(parts_.jid.text(), subject_.at));
    } else {
        message = Stanza::message(xmpp::MessageType::groupchat);
        message->set_from(parts_.jid);
        message->edit().add_child("subject");
    }
    send(*std::move(message), to, effects);
}

// --- being there

void Room::update_presence(Occupant& occupant, const Stanza& presence, Effects& effects) {
    auto session = session_from(presence);
    if (!session)
        return refuse_presence(presence, StanzaError::policy_violation("the presence is too big"),
                               effects);
    const auto own = std::ranges::find(occupant.sessions, *presence.from(), &OccupantSession::jid);
    *own = *std::move(session);
    std::rotate(own, own + 1, occupant.sessions.end());
    tell_all(occupant, {}, effects);
}

void Room::change_nick(Occupant& occupant, const Stanza& presence, const std::string& nick,
                       Effects& effects) {
    std::optional<StanzaError> refusal;
    if (!may(occupant.role, RolePrivilege::change_nick)) refusal = StanzaError::not_acceptable();
    const std::string* locked_nick = locked_nick_of(occupant.user());
    if (locked_nick != nullptr && *locked_nick != nick)
        refusal = StanzaError::not_acceptable("that is not the nick you have registered")
                      .with_type(xmpp::ErrorType::cancel);
    if (!refusal) refusal = refuse_nick(occupant.user(), nick);
    const Occupant* holder = find_nick(nick);
    if (!refusal && holder != nullptr && holder != &occupant) refusal = StanzaError::conflict();
    auto session = session_from(presence);
    if (!refusal && !session) refusal = StanzaError::policy_violation("the presence is too big");
    if (refusal) return refuse_presence(presence, *refusal, effects);
    const auto own = std::ranges::find(occupant.sessions, *presence.from(), &OccupantSession::jid);
    *own = *std::move(session);
    std::rotate(own, own + 1, occupant.sessions.end());
    rename(occupant, nick, {}, effects);
}

// One goes and another one comes, in the others' eyes. `codes`: of the latter.
void Room::rename(Occupant& occupant, const std::string& nick, std::vector<MucStatus> codes,
                  Effects& effects) {
    tell_all(occupant, {.codes = {MucStatus::new_nick}, .new_nick = nick, .leaves = true}, effects);
    note_rename(occupant, nick);
    occupant.nick = nick;
    occupant.nick_hashes = hashes_of_nick(nick);
    tell_all(occupant, {.codes = std::move(codes)}, effects);
}

const std::string* Room::locked_nick_of(const Jid& user) const {
    if (!config_.nicks_locked) return nullptr;
    const Affiliated* known = affiliations_.find(user);
    return known == nullptr || known->nick.empty() ? nullptr : &known->nick;
}

// §17.3: to synchronise, or to learn whether the room is online. Asked for the room itself, it
// shows who asks that they are in it; everything is shown to who enters again. By their bare
// address it is somebody's server that asks for them. Until a newcomer knows who is here, that
// comes anyway.
void Room::answer_probe(const Stanza& probe, Effects& effects) const {
    const Jid& user = *probe.from();
    const Occupant* asker = user.is_bare() ? occupant_of_user(user) : occupant_of(user);
    if (asker == nullptr)
        return refuse_presence(probe, StanzaError::not_acceptable("you are not in the room"),
                               effects);
    std::vector<Jid> to = user.is_bare() ? clients_of(*asker) : std::vector<Jid>{user};
    std::erase_if(to, [&](const Jid& client) { return is_entering(client); });
    if (to.empty()) return;
    const Occupant* target = probe.to()->is_bare() ? asker : find_nick(probe.to()->resource());
    const bool is_self = target == asker;
    std::optional<Stanza> answer;
    if (target != nullptr && (is_self || is_shown(*target))) {
        const bool sees = is_self || !config_.anonymous || asker->role == MucRole::moderator;
        answer = presence_of(*target, target->sessions.back(), sees, {}, is_self);
    } else {
        answer = Stanza::presence(PresenceType::unavailable);
        answer->set_from(*probe.to());
        answer->edit().add(xmpp::muc_user_element(
            {.affiliation = MucAffiliation::none, .role = MucRole::none}, {}));
    }
    if (!probe.id().empty()) answer->set_id(probe.id());
    effects.push_back({.stanza = *std::move(answer), .to = std::move(to)});
}

// --- leaving

std::vector<MucStatus> Room::codes_of(Removal why) {
    switch (why) {
        case Removal::left:
            return {};
        case Removal::kicked:
            return {MucStatus::kicked};
        case Removal::banned:
            return {MucStatus::banned};
        case Removal::affiliation:
            return {MucStatus::removed_by_affiliation};
        case Removal::members_only:
            return {MucStatus::removed_by_members_only};
        case Removal::error:
            return {MucStatus::removed_by_error};
        case Removal::shutdown:
            return {MucStatus::removed_by_shutdown};
    }
    return {};
}

// One client; its occupant goes with the last one.
void Room::leave(const Stanza& stanza, const std::string* last_words, Removal why,
                 Effects& effects) {
    const Jid& session = *stanza.from();
    Occupant* occupant = find_session(session);
    PresenceText text{
        .codes = codes_of(why), .role = MucRole::none, .leaves = true, .last_words = last_words};
    // Clients wait for the answer to what they sent (§7.14). That a room which was never configured
    // goes with its owner (§10.1.3) is said to nobody: whoever left knows, and there is no one
    // else.
    if (why == Removal::left) text.id = stanza.id();
    if (occupant->sessions.size() == 1)
        return remove_occupant(index_of(*occupant), text, effects, effects);
    end_entry(session);
    const auto own = std::ranges::find(occupant->sessions, session, &OccupantSession::jid);
    send(presence_of(*occupant, *own, true, text, true), session, effects);
    occupant->sessions.erase(own);
    --sessions_;
    listeners_.reset();
    tell_all(*occupant, {}, effects);
}

// All clients of an occupant.
void Room::remove_occupant(std::size_t index, const PresenceText& text, Effects& to_self,
                           Effects& to_others) {
    note_removal(index);
    const Occupant gone = std::move(occupants_[index]);
    occupants_.erase(occupants_.begin() + static_cast<std::ptrdiff_t>(index));
    sessions_ -= gone.sessions.size();
    listeners_.reset();
    for (const OccupantSession& session : gone.sessions)
        end_entry(session.jid);
    tell_self(gone, text, to_self);
    if (is_shown(gone)) tell_others(gone, text, to_others);
}

}  // namespace server::modules::muc
