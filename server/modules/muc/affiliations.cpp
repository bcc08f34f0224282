#include "server/modules/muc/affiliations.h"

#include "xmpp/core/confusables.h"
#include "xmpp/core/precis.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace server::modules::muc {

using xmpp::Jid;
using xmpp::MucAffiliation;

std::string nick_key(std::string_view nick) {
    // The user name profile folds case and width; word by word, as it has no spaces. What it
    // refuses (symbols, emoji) is compared as it is.
    std::string key;
    while (!nick.empty()) {
        const std::size_t end = std::min(nick.find(' '), nick.size());
        const std::string_view word = nick.substr(0, end);
        nick.remove_prefix(std::min(end + 1, nick.size()));
        if (word.empty()) continue;
        if (!key.empty()) key += ' ';
        const auto folded = xmpp::prepare_username(word);
        key += folded ? std::string_view(*folded) : word;
    }
    return key;
}

std::string nick_skeleton(std::string_view nick) {
    return xmpp::visual_skeleton(nick_key(nick));
}

std::uint32_t hash_of_nick(std::string_view key_or_skeleton) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(key_or_skeleton));
}

NickHashes hashes_of_nick(std::string_view nick) {
    const std::string key = nick_key(nick);
    return {.key = hash_of_nick(key), .skeleton = hash_of_nick(xmpp::visual_skeleton(key))};
}

bool look_alike(std::string_view nick, std::string_view skeleton, std::string_view other,
                std::string_view other_skeleton) {
    return skeleton == other_skeleton && !(xmpp::is_ascii(nick) && xmpp::is_ascii(other));
}

bool is_visible_nick(std::string_view nick) {
    return nick.find_first_not_of(' ') != std::string_view::npos;
}

Affiliated kept_form_of(Affiliated entry) {
    if (entry.affiliation != MucAffiliation::outcast) entry.reason.clear();
    return entry;
}

const Affiliated* Affiliations::find(const Jid& bare) const {
    const auto found = entries_.find(bare.bare_view());
    return found == entries_.end() ? nullptr : &found->second;
}

MucAffiliation Affiliations::of(const Jid& jid) const {
    if (const Affiliated* own = find(jid)) return own->affiliation;
    if (jid.has_local()) {
        const auto domain = entries_.find(jid.domain());
        if (domain != entries_.end() && domain->second.affiliation == MucAffiliation::outcast)
            return MucAffiliation::outcast;
    }
    return MucAffiliation::none;
}

const Affiliated* Affiliations::holder_of(std::string_view nick) const {
    const auto found = by_nick_.find(nick_key(nick));
    if (found == by_nick_.end()) return nullptr;
    const auto entry = entries_.find(found->second);
    return entry == entries_.end() ? nullptr : &entry->second;
}

const Affiliated* Affiliations::look_alike_of(std::string_view nick) const {
    const std::string skeleton = nick_skeleton(nick);
    const auto found = by_look_.find(skeleton);
    if (found == by_look_.end()) return nullptr;
    const auto entry = entries_.find(found->second);
    if (entry == entries_.end()) return nullptr;
    return look_alike(nick, skeleton, entry->second.nick, skeleton) ? &entry->second : nullptr;
}

void Affiliations::forget_nick(const Affiliated& entry) {
    if (entry.nick.empty()) return;
    by_nick_.erase(nick_key(entry.nick));
    by_look_.erase(nick_skeleton(entry.nick));
}

void Affiliations::put(Affiliated entry) {
    const std::string key(entry.jid.bare_view());
    if (entry.version == 0 && version_ != 0) entry.version = ++version_;
    std::erase_if(tombstones_, [&](const Affiliated& one) { return one.jid == entry.jid; });
    const auto known = entries_.find(key);
    if (known != entries_.end()) {
        if (known->second.affiliation == MucAffiliation::owner) --owners_;
        forget_nick(known->second);
    }
    if (entry.affiliation == MucAffiliation::none) {
        if (known != entries_.end()) entries_.erase(known);
        if (entry.version == 0) return;
        tombstones_.push_back(std::move(entry));
        if (tombstones_.size() <= kTombstonesMax) return;
        forgotten_ = tombstones_.front().version;
        tombstones_.pop_front();
        return;
    }
    if (entry.affiliation == MucAffiliation::owner) ++owners_;
    if (!entry.nick.empty()) {
        by_nick_[nick_key(entry.nick)] = key;
        by_look_[nick_skeleton(entry.nick)] = key;
    }
    entries_.insert_or_assign(key, std::move(entry));
}

void Affiliations::set_versions(std::int64_t version, std::int64_t forgotten) {
    version_ = version;
    forgotten_ = forgotten;
}

void Affiliations::number_all() {
    for (auto& [jid, entry] : entries_)
        if (entry.version == 0) entry.version = version_;
}

std::optional<std::vector<const Affiliated*>> Affiliations::since(std::int64_t version) const {
    if (version < forgotten_ || version > version_) return std::nullopt;
    std::vector<const Affiliated*> changed;
    for (const auto& [jid, entry] : entries_)
        if (entry.version > version) changed.push_back(&entry);
    for (const Affiliated& gone : tombstones_)
        if (gone.version > version) changed.push_back(&gone);
    std::ranges::sort(changed, {}, [](const Affiliated* entry) { return entry->version; });
    return changed;
}

std::vector<const Affiliated*> Affiliations::list(MucAffiliation affiliation) const {
    std::vector<const Affiliated*> found;
    for (const auto& [jid, entry] : entries_)
        if (entry.affiliation == affiliation) found.push_back(&entry);
    std::ranges::sort(found, {}, [](const Affiliated* entry) { return entry->jid.text(); });
    return found;
}

RoomStaff Affiliations::staff() const {
    RoomStaff staff;
    for (const Affiliated* owner : list(MucAffiliation::owner))
        staff.owners.push_back(owner->jid);
    for (const Affiliated* admin : list(MucAffiliation::admin))
        staff.admins.push_back(admin->jid);
    return staff;
}

}  // namespace server::modules::muc
