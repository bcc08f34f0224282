// Affiliations: who has a lasting association with a room, with the nicks that are reserved for
// them (XEP-0045 §5.2). A value; saving it is not its business.
#pragma once

#include "reactor/base/text_map.h"
#include "server/modules/muc/room_config.h"
#include "xmpp/core/jid.h"
#include "xmpp/payloads/muc.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::modules::muc {

/// The form in which nicks are compared: what looks alike is alike (case, width, spaces around).
std::string nick_key(std::string_view nick);
/// What nicks look like, for those who would be taken for somebody else (§13.6). Two that are both
/// plain ASCII look different as soon as they are.
bool look_alike(std::string_view nick, std::string_view skeleton, std::string_view other,
                std::string_view other_skeleton);
std::string nick_skeleton(std::string_view nick);
/// Of both, to find nicks among many.
struct NickHashes {
    std::uint32_t key = 0;
    std::uint32_t skeleton = 0;
};
NickHashes hashes_of_nick(std::string_view nick);
/// One of the two, of what nick_key or nick_skeleton has made.
std::uint32_t hash_of_nick(std::string_view key_or_skeleton);
/// §14.1: nothing that cannot be seen.
bool is_visible_nick(std::string_view nick);

struct Affiliated {
    xmpp::Jid jid;  ///< Bare; for outcasts also a domain.
    xmpp::MucAffiliation affiliation = xmpp::MucAffiliation::none;
    std::string nick{};  ///< Reserved; empty: none.
    std::string reason{};
    /// Of the change that made it so (XEP-0463); 0: it has none yet.
    std::int64_t version = 0;

    friend bool operator==(const Affiliated&, const Affiliated&) = default;
};

/// As it is kept: the reason is told to everybody once, and stays with a ban alone (§9.2).
Affiliated kept_form_of(Affiliated entry);

class Affiliations {
public:
    /// Those who had an affiliation and are remembered for who asks what changed.
    static constexpr std::size_t kTombstonesMax = 1000;

    /// Of somebody's bare address. A ban of a whole domain counts for everybody there who has no
    /// affiliation of their own (§9.2).
    xmpp::MucAffiliation of(const xmpp::Jid& jid) const;
    /// What is noted of exactly that address; null: nothing.
    const Affiliated* find(const xmpp::Jid& bare) const;
    /// Whose reserved nick that is; null: nobody's.
    const Affiliated* holder_of(std::string_view nick) const;

    /// Whose reserved nick looks like it; null: nobody's.
    const Affiliated* look_alike_of(std::string_view nick) const;

    /// Replaces what is noted of `entry.jid`; with affiliation none it is forgotten. Once there are
    /// versions, an entry without one gets the next.
    void put(Affiliated entry);

    /// XEP-0463. The version of the whole; 0: nobody has been told of any.
    std::int64_t version() const { return version_; }
    /// Everything so far is as of `version`, and removals up to `forgotten` are not known.
    void set_versions(std::int64_t version, std::int64_t forgotten);
    /// Numbers what was not numbered when it was put.
    void number_all();
    /// What changed since, by version, with affiliation none for what is gone. nullopt: not known.
    std::optional<std::vector<const Affiliated*>> since(std::int64_t version) const;

    /// All of one kind, by address.
    std::vector<const Affiliated*> list(xmpp::MucAffiliation affiliation) const;
    std::size_t size() const { return entries_.size(); }
    std::size_t owners() const { return owners_; }
    RoomStaff staff() const;

private:
    void forget_nick(const Affiliated& entry);

    base::TextMap<Affiliated> entries_;    // By bare address.
    base::TextMap<std::string> by_nick_;  // nick_key to address.
    base::TextMap<std::string> by_look_;  // nick_skeleton to address.
    std::size_t owners_ = 0;
    std::list<Affiliated> tombstones_;  // By version.
    std::int64_t version_ = 0;
    std::int64_t forgotten_ = 0;
};

}  // namespace server::modules::muc
