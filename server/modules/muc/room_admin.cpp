// Room: lists and changes of roles and affiliations (XEP-0045 §8.2 to §8.5, §9, §10.3 to §10.8). A
// request is judged as a whole: if one item may not be, none is.
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Jid;
using xmpp::MucStatus;
using xmpp::Stanza;
using xmpp::StanzaError;

/// Changes of one request of which each is told in a message of its own.
constexpr std::size_t kToldAloneMax = 20;
/// Of more, so many in one.
constexpr std::size_t kToldTogetherMax = 100;

// Of two about the same person the later one counts.
void keep_latest(std::vector<Affiliated>& entries) {
    std::unordered_map<std::string_view, std::size_t> latest;
    for (std::size_t i = 0; i < entries.size(); ++i)
        latest[entries[i].jid.text()] = i;
    if (latest.size() == entries.size()) return;
    std::vector<Affiliated> kept;
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (latest[entries[i].jid.text()] == i) kept.push_back(entries[i]);
    entries = std::move(kept);
}

}  // namespace

// --- lists

// Whoever is a member and sees addresses may see the lists of those who belong; in a semi-anonymous
// room that is the admins' (§5.2.1), and the lists of admins and owners are the owners' (§10.5).
bool Room::may_list(const Jid& user, const xmpp::MucList& which) const {
    const Standing standing = standing_of(user);
    if (std::holds_alternative<MucRole>(which)) return standing.role == MucRole::moderator;
    const MucAffiliation affiliation = std::get<MucAffiliation>(which);
    const bool is_staff = standing.affiliation >= MucAffiliation::admin;
    if (affiliation == MucAffiliation::outcast) return is_staff;
    const bool is_reader =
        !config_.anonymous && standing.affiliation >= MucAffiliation::member &&
        (standing.role == MucRole::none || config_.member_list.has(standing.role));
    if (is_reader) return true;
    if (affiliation == MucAffiliation::member) return is_staff;
    return standing.affiliation == MucAffiliation::owner;
}

base::Result<Element, StanzaError> Room::list(const Jid& user, const Element& query) const {
    const xmpp::MucList which = TRY(xmpp::parse_muc_list(query));
    if (!may_list(user, which)) return std::unexpected(StanzaError::forbidden());
    Element answer("query", xmpp::ns::muc_admin);
    if (const MucRole* role = std::get_if<MucRole>(&which)) {
        for (const Occupant& occupant : occupants_)
            if (occupant.role == *role)
                answer.add(xmpp::MucItem{.affiliation = affiliations_.of(occupant.user()),
                                         .role = occupant.role,
                                         .jid = occupant.sessions.back().jid.text(),
                                         .nick = occupant.nick}
                               .to_element(xmpp::ns::muc_admin));
        return answer;
    }
    for (const Affiliated* entry : affiliations_.list(std::get<MucAffiliation>(which)))
        answer.add(xmpp::MucItem{.affiliation = entry->affiliation,
                                 .jid = entry->jid.text(),
                                 .nick = entry->nick,
                                 .reason = entry->reason}
                       .to_element(xmpp::ns::muc_admin));
    return answer;
}

// --- changes

base::Result<Affiliated, StanzaError> Room::judge_affiliation(const Jid& actor,
                                                              const xmpp::MucChange& change) const {
    const Jid who = change.jid->bare();
    if (auto refusal = refuse_affiliation_change(affiliations_.of(actor), actor.same_bare(who),
                                                 affiliations_.of(who), *change.affiliation))
        return std::unexpected(*std::move(refusal));
    return entry_of(change);
}

base::Result<Affiliated, StanzaError> Room::entry_of(const xmpp::MucChange& change) const {
    const Jid who = change.jid->bare();
    const MucAffiliation to = *change.affiliation;
    // A domain can be banned (§9.2) and have nothing else.
    if (!who.has_local() && to != MucAffiliation::outcast && to != MucAffiliation::none)
        return std::unexpected(StanzaError::jid_malformed("a domain has no affiliation"));
    if (who.same_bare(parts_.jid)) return std::unexpected(StanzaError::not_allowed());
    const Affiliated* known = affiliations_.find(who);
    Affiliated entry{.jid = who, .affiliation = to};
    const bool keeps_nick = to >= MucAffiliation::member;
    if (keeps_nick && known != nullptr) entry.nick = known->nick;
    if (keeps_nick && change.nick) {
        entry.nick = *change.nick;
        if (!entry.nick.empty()) {
            const auto prepared = parts_.jid.with_resource(entry.nick);
            if (!prepared || entry.nick.size() > parts_.limits.nick_bytes_max ||
                !is_visible_nick(entry.nick))
                return std::unexpected(StanzaError::not_acceptable("that is no nick"));
            entry.nick = prepared->resource();
            const Affiliated* holder = affiliations_.holder_of(entry.nick);
            if (holder != nullptr && !holder->jid.same_bare(who))
                return std::unexpected(StanzaError::conflict("the nick is another's"));
        }
    }
    entry.reason = change.reason;
    return entry;
}

// A role that was kept ends with the standing it was given in.
void Room::add_affiliation(RoomChange& judged, Affiliated entry) const {
    if (affiliations_.of(entry.jid) != entry.affiliation && kept_roles_.of(entry.jid))
        judged.kept_roles.push_back({.jid = entry.jid, .role = MucRole::none});
    judged.affiliations.push_back(std::move(entry));
}

base::Result<RoomChange, StanzaError> Room::judge(const Stanza& request,
                                                  std::vector<xmpp::MucChange> changes) const {
    const Jid& actor = *request.from();
    const Standing standing = standing_of(actor);
    RoomChange judged{.request = request};
    for (xmpp::MucChange& change : changes) {
        if (change.affiliation) {
            Affiliated entry = TRY(judge_affiliation(actor, change));
            add_affiliation(judged, std::move(entry));
            continue;
        }
        // What only moderators may is refused before it is said who is here.
        if (standing.role != MucRole::moderator) return std::unexpected(StanzaError::forbidden());
        const Occupant* target = find_nick(*change.nick);
        if (target == nullptr)
            return std::unexpected(StanzaError::item_not_found("nobody here has that nick"));
        if (auto refusal = refuse_role_change(
                standing, {affiliations_.of(target->user()), target->role}, *change.role))
            return std::unexpected(*std::move(refusal));
        keep_role(judged, target->user(), *change.role);
        judged.roles.push_back(std::move(change));
    }
    if (auto refusal = finish_lists(judged)) return std::unexpected(*std::move(refusal));
    return judged;
}

// §10.4: a room has an owner, if it had one; and no more entries than there is room for.
std::optional<StanzaError> Room::finish_lists(RoomChange& judged) const {
    keep_latest(judged.affiliations);
    std::size_t owners = affiliations_.owners();
    std::size_t size = affiliations_.size();
    for (const Affiliated& entry : judged.affiliations) {
        const Affiliated* known = affiliations_.find(entry.jid);
        if (known != nullptr && known->affiliation == MucAffiliation::owner) --owners;
        if (entry.affiliation == MucAffiliation::owner) ++owners;
        if (known == nullptr && entry.affiliation != MucAffiliation::none) ++size;
    }
    if (owners == 0 && affiliations_.owners() > 0)
        return StanzaError::conflict("a room must have an owner");
    if (size > parts_.limits.affiliations_max && size > affiliations_.size())
        return StanzaError::resource_constraint("too many affiliations");
    return std::nullopt;
}

// --- applied

void Room::apply(RoomChange change, base::WallTime now, std::string_view stanza_id,
                 Effects& effects) {
    const Jid requester = *change.request.from();
    const std::string actor = nick_of(requester);
    if (change.unlocks) locked_ = false;
    Notices notices;
    for (const xmpp::MucChange& role : change.roles)
        apply_role(role, actor, notices);
    const bool reconfigured = change.config && *change.config != config_;
    for (const KeptRole& kept : change.kept_roles)
        kept_roles_.put(kept);
    for (const Affiliated& entry : change.affiliations) {
        requests_.forget(entry.jid);
        apply_affiliation(entry, actor, notices);
    }
    for (RegistrationRequest& one : change.requests)
        apply_request(std::move(one), notices.rest);
    announce_absent(notices.absent, notices.rest);
    if (change.departed) std::erase(notices.outside, *change.departed);
    std::erase(notices.outside, requester.bare());
    tell_outside(notices.outside, notices.rest);
    if (reconfigured) apply_config(*change.config, notices);
    if (change.destruction) apply_destruction(*change.destruction, notices.removed);
    if (change.subject) subject_ = *std::move(change.subject);
    if (change.vcard) {
        avatar_hashes_ = change.vcard->hashes;
        tell_code(xmpp::MucStatus::configuration_changed, notices.rest);
        send_avatar(everybody(), notices.rest);
    }
    if (change.hats) apply_hats(*std::move(change.hats), notices);
    if (change.moderation) history_.remove(parts_.jid, change.moderation->stanza_id);
    if (change.reflection) reflect(*std::move(change.reflection), now, stanza_id, notices.rest);
    for (const xmpp::MucInvite& invite : change.invites) {
        send_invite(invite, requester, change.request.id(), notices.rest);
        remember_sent({.to = invite.to,
                       .from = requester,
                       .id = std::string(change.request.id()),
                       .nick = {}});
    }
    std::ranges::move(notices.removed, std::back_inserter(effects));
    if (change.request.is_iq())
        send(change.request.reply_result(std::move(change.reply)), requester, effects);
    std::ranges::move(notices.rest, std::back_inserter(effects));
}

void Room::apply_role(const xmpp::MucChange& change, const std::string& actor, Notices& notices) {
    Occupant* target = find_nick(*change.nick);
    if (target == nullptr) return;
    PresenceText text{.reason = change.reason, .actor_nick = actor};
    if (*change.role == MucRole::none) {
        text.codes = codes_of(Removal::kicked);
        text.role = MucRole::none;
        text.leaves = true;
        remove_occupant(index_of(*target), text, notices.removed, notices.rest);
        return;
    }
    if (target->role == *change.role) return;
    const bool was_shown = is_shown(*target);
    target->role = *change.role;
    if (was_shown && !is_shown(*target)) {
        // Out of sight from now on (muc#roomconfig_presencebroadcast).
        PresenceText hidden = text;
        hidden.leaves = true;
        tell_others(*target, hidden, notices.rest);
    }
    tell_all(*target, text, notices.rest);
}

void Room::apply_affiliation(const Affiliated& entry, const std::string& actor, Notices& notices) {
    const MucAffiliation before = affiliations_.of(entry.jid);
    PresenceText text{.reason = entry.reason, .actor_nick = actor};
    text.since = affiliations_.version();
    affiliations_.put(kept_form_of(entry));
    text.until = affiliations_.version();
    bool is_shown_here = false;
    bool is_here = false;
    // Backwards, as those who must go are taken out. A ban of a domain concerns all from there.
    for (std::size_t i = occupants_.size(); i-- > 0;) {
        Occupant& occupant = occupants_[i];
        const bool by_domain = !entry.jid.has_local() &&
                               occupant.user().domain() == entry.jid.domain() &&
                               affiliations_.find(occupant.user()) == nullptr;
        if (!occupant.user().same_bare(entry.jid) && !by_domain) continue;
        is_here = true;
        is_shown_here = is_shown_here || (is_shown(occupant) && !by_domain);
        apply_affiliation_here(occupant, before, entry, text, notices);
    }
    enforce_nick(entry, notices.rest);
    if (is_shown_here || before == entry.affiliation) return;
    notices.absent.push_back({.jid = entry.jid,
                              .affiliation = entry.affiliation,
                              .since = text.since,
                              .until = text.until});
    if (!entry.jid.has_local()) return;
    if (config_.members_only && before == MucAffiliation::none &&
        entry.affiliation >= MucAffiliation::member) {
        invite_new_member(entry.jid, notices.rest);
    } else if (!is_here) {
        notices.outside.push_back(entry.jid);
    }
}

// §7.10: who registers while they are here under another nick, where that is not to be. If it is
// another occupant's, they keep theirs as long as they stay.
void Room::enforce_nick(const Affiliated& entry, Effects& effects) {
    const std::string* nick = locked_nick_of(entry.jid);
    if (nick == nullptr || find_nick(*nick) != nullptr) return;
    if (const Occupant* here = occupant_of_user(entry.jid))
        rename(occupants_[index_of(*here)], *nick, {MucStatus::nick_modified}, effects);
}

void Room::apply_affiliation_here(Occupant& occupant, MucAffiliation before,
                                  const Affiliated& entry, PresenceText text, Notices& notices) {
    const MucRole role =
        initial_role(affiliations_.of(occupant.user()), config_.moderated, config_.members_only);
    if (role == MucRole::none) {
        text.codes = codes_of(entry.affiliation == MucAffiliation::outcast ? Removal::banned
                                                                           : Removal::affiliation);
        text.role = MucRole::none;
        text.leaves = true;
        remove_occupant(index_of(occupant), text, notices.removed, notices.rest);
        return;
    }
    if (before == entry.affiliation) return;
    // §5.1.3: a gain counts at once; who is no admin any more is no moderator by that either.
    const bool was_staff = before >= MucAffiliation::admin;
    if (role > occupant.role || was_staff) occupant.role = role;
    tell_all(occupant, text, notices.rest);
}

// §9.5: whoever becomes a member of a members-only room is invited; by the room, as it were.
void Room::invite_new_member(const Jid& member, Effects& effects) const {
    Stanza message = Stanza::message(xmpp::MessageType::normal);
    message.set_from(parts_.jid);
    Element x("x", xmpp::ns::muc_user);
    x.add_child("invite").set_attribute("from", parts_.jid.text());
    if (!config_.password.empty()) x.add_text_child("password", config_.password);
    message.edit().add(std::move(x));
    send(std::move(message), member, effects);
}

// §18.1: a courtesy to whoever is not here to see what has become of them. An invitation says it
// already; who did it themselves knows.
void Room::tell_outside(std::span<const Jid> users, Effects& effects) const {
    for (const Jid& user : users) {
        Stanza message = Stanza::message(xmpp::MessageType::normal);
        message.set_from(parts_.jid);
        message.edit().add(
            xmpp::muc_user_element({.affiliation = affiliations_.of(user), .role = MucRole::none},
                                   {MucStatus::affiliation_changed}));
        send(std::move(message), user, effects);
    }
}

// §10.3: the changes of those who are not here, for those who may know their addresses. Many at
// once come together, as XEP-0463 has it.
void Room::announce_absent(std::span<const Absent> absent, Effects& effects) const {
    if (absent.empty()) return;
    const std::vector<Jid> to = config_.anonymous ? moderators() : everybody();
    if (to.empty()) return;
    const std::size_t together = absent.size() <= kToldAloneMax ? 1 : kToldTogetherMax;
    while (!absent.empty()) {
        const auto told = absent.first(std::min(together, absent.size()));
        absent = absent.subspan(told.size());
        Element x("x", xmpp::ns::muc_user);
        for (const Absent& one : told)
            x.add(xmpp::MucItem{
                .affiliation = one.affiliation, .role = MucRole::none, .jid = one.jid.text()}
                      .to_element(xmpp::ns::muc_user));
        if (told.back().until != 0)
            x.add(xmpp::muc_versions_element(std::to_string(told.front().since),
                                             std::to_string(told.back().until)));
        Stanza message = Stanza::message(xmpp::MessageType::normal);
        message.set_from(parts_.jid);
        message.edit().add(std::move(x));
        effects.push_back({.stanza = std::move(message), .to = to});
    }
}

}  // namespace server::modules::muc
