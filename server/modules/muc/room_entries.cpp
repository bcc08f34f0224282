// Room: entering a large one. The presence of all who are there comes in pages, as fast as the
// newcomer takes it; until the last of them it hears nothing else, and then what has changed of
// what it was shown. In the others' eyes it is there from the beginning.
#include "server/modules/muc/room.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace server::modules::muc {
namespace {

/// Of a presence, beside what its client said.
constexpr std::size_t kPresenceBytes = 400;

}  // namespace

using xmpp::Jid;

// It is asked of everybody in the room with everything that is told.
bool Room::is_entering(const Jid& session) const {
    return std::ranges::binary_search(entries_, session, {}, &Entry::session);
}

void Room::begin_entry(Entry entry) {
    end_entry(entry.session);
    new_entries_.push_back(entry.session);
    const auto place = std::ranges::lower_bound(entries_, entry.session, {}, &Entry::session);
    entries_.insert(place, std::move(entry));
    listeners_.reset();
}

void Room::end_entry(const Jid& session) {
    const auto found = std::ranges::equal_range(entries_, session, {}, &Entry::session);
    if (found.empty()) return;
    entries_.erase(found.begin(), found.end());
    listeners_.reset();
}

// Who is behind the place that was reached is shown as they are by then.
void Room::note_missed(const Occupant& occupant) {
    if (entries_.empty() || occupants_.empty()) return;
    const bool is_here = !std::less<>()(&occupant, &occupants_.front()) &&
                         !std::less<>()(&occupants_.back(), &occupant);
    if (!is_here) return;  // It has left: note_removal.
    for (Entry& entry : entries_)
        if (index_of(occupant) < entry.next) entry.missed.try_emplace(occupant.nick, true);
}

// Under the new nick it has been shown to nobody who is still entering. Names between the first and
// the last concern nobody, and somebody who changes it all the time does not make us remember them.
void Room::note_rename(const Occupant& occupant, const std::string& nick) {
    for (Entry& entry : entries_) {
        if (index_of(occupant) >= entry.next) continue;
        const auto before = entry.missed.find(occupant.nick);
        if (before != entry.missed.end() && !before->second) entry.missed.erase(before);
        entry.missed.try_emplace(nick, false);
    }
}

// `index`: of the one who is about to be removed.
void Room::note_removal(std::size_t index) {
    for (Entry& entry : entries_) {
        if (index >= entry.next) continue;
        const auto known = entry.missed.try_emplace(occupants_[index].nick, true).first;
        if (!known->second) entry.missed.erase(known);
        --entry.next;
    }
}

bool Room::continue_entry(const Jid& session, base::WallTime now, Effects& effects) {
    const auto entry = std::ranges::lower_bound(entries_, session, {}, &Entry::session);
    if (entry == entries_.end() || entry->session != session) return false;
    const Occupant* self = occupant_of(session);
    if (self == nullptr) {
        end_entry(session);
        return false;
    }
    const bool sees = !config_.anonymous || self->role == MucRole::moderator;
    std::size_t bytes = 0;
    for (; entry->next < occupants_.size() && bytes < parts_.limits.entry_page_bytes;
         ++entry->next) {
        const Occupant& other = occupants_[entry->next];
        if (&other == self || !is_shown(other)) continue;
        bytes += kPresenceBytes + other.sessions.back().presence.size();
        send(presence_of(other, other.sessions.back(), sees, {}, false), session, effects);
    }
    if (entry->next < occupants_.size()) return true;
    const Entry done = std::move(*entry);
    entries_.erase(entry);
    listeners_.reset();
    send_missed(*self, done, sees, effects);
    const auto own = std::ranges::find(self->sessions, session, &OccupantSession::jid);
    complete_entry(*self, *own, done, now, effects);
    return false;
}

void Room::send_missed(const Occupant& self, const Entry& entry, bool sees,
                       Effects& effects) const {
    std::map<std::string, bool> missed = entry.missed;
    for (const Occupant& other : occupants_) {
        const auto found = missed.find(other.nick);
        if (found == missed.end() || (!is_shown(other) && &other != &self)) continue;
        missed.erase(found);
        if (&other != &self)
            send(presence_of(other, other.sessions.back(), sees, {}, false), entry.session,
                 effects);
    }
    for (const auto& [nick, was_shown] : missed) {
        if (!was_shown) continue;
        xmpp::Stanza gone = xmpp::Stanza::presence(xmpp::PresenceType::unavailable);
        gone.set_from(occupant_jid(nick));
        gone.edit().add(xmpp::muc_user_element(
            {.affiliation = MucAffiliation::none, .role = MucRole::none}, {}));
        send(std::move(gone), entry.session, effects);
    }
}

}  // namespace server::modules::muc
