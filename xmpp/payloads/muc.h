// Multi-user chat (XEP-0045): affiliations, roles and status codes, what a room says about an
// occupant (<x/> of muc#user) and what a client says when it enters (<x/> of muc). Requests to a
// room: muc_requests.h.
#pragma once

#include "reactor/base/clock.h"
#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

/// §5.2, by rising power.
enum class MucAffiliation : std::uint8_t { outcast, none, member, admin, owner };
/// §5.1, by rising power.
enum class MucRole : std::uint8_t { none, visitor, participant, moderator };

inline constexpr std::size_t kMucAffiliationCount = 5;
inline constexpr std::size_t kMucRoleCount = 4;

std::string_view name_of(MucAffiliation affiliation) noexcept;
std::string_view name_of(MucRole role) noexcept;
std::optional<MucAffiliation> parse_muc_affiliation(std::string_view text) noexcept;
std::optional<MucRole> parse_muc_role(std::string_view text) noexcept;

/// §15.6.2: the codes of <status/>.
enum class MucStatus : std::uint16_t {
    non_anonymous = 100,
    affiliation_changed = 101,
    configuration_changed = 104,
    self = 110,
    logged = 170,
    no_longer_logged = 171,
    now_non_anonymous = 172,
    now_semi_anonymous = 173,
    created = 201,
    nick_modified = 210,
    banned = 301,
    new_nick = 303,
    kicked = 307,
    removed_by_affiliation = 321,
    removed_by_members_only = 322,
    removed_by_shutdown = 332,
    removed_by_error = 333,
};

/// <item/> of muc#user and muc#admin. What is empty or absent is left out.
struct MucItem {
    std::optional<MucAffiliation> affiliation{};
    std::optional<MucRole> role{};
    std::string jid{};
    std::string nick{};
    std::string reason{};
    std::string actor_nick{};
    std::string actor_jid{};

    Element to_element(std::string_view ns) const;
};

/// <destroy/>: an alternate venue and why (§10.9).
struct MucDestroy {
    std::optional<Jid> venue{};
    std::string password{};
    std::string reason{};

    Element to_element() const;
};

inline constexpr std::string_view kMucAffiliationVersions = "urn:xmpp:muc:affiliations:1";

/// <mav/>: between which versions an affiliation changed (XEP-0463); an empty one is left out.
Element muc_versions_element(std::string_view since, std::string_view until);

/// <x/> of muc#user with an item and codes in rising order.
Element muc_user_element(const MucItem& item, std::vector<MucStatus> codes = {});
/// The same with codes alone.
Element muc_status_element(std::initializer_list<MucStatus> codes);

/// How much of the discussion a newcomer wants to see (§7.2.14): the smallest of all.
struct MucHistoryLimits {
    std::optional<std::uint32_t> characters{};  ///< Of complete stanzas.
    std::optional<std::uint32_t> stanzas{};
    std::optional<std::uint32_t> seconds{};
    std::optional<base::WallTime> since{};
};

/// <x/> of a presence that enters a room (§7.2.1).
struct MucJoin {
    std::optional<std::string> password{};
    MucHistoryLimits history{};
    /// XEP-0463: the newcomer wants to know the affiliations, all (empty) or since that version.
    std::optional<std::string> affiliations_since{};

    /// What is malformed in it counts as absent: a client that asks for nonsense still gets in.
    static MucJoin parse(const Element& x);
    Element to_element() const;
};

}  // namespace xmpp
