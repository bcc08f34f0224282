// RoomConfig: what an owner can set of a room (XEP-0045 §10, muc#roomconfig), and its data form.
// Owners and admins, which the form lists as well, are affiliations and not part of it.
#pragma once

#include "reactor/base/result.h"
#include "reactor/net/pace.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/muc.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace server::modules::muc {

/// muc#roomconfig_allowpm, from the most open.
enum class PrivateMessages : std::uint8_t { anyone, participants, moderators, none };

inline constexpr std::size_t kRoomNameBytesMax = 256;
inline constexpr std::size_t kRoomDescriptionBytesMax = 2048;
inline constexpr std::size_t kRoomLanguageBytesMax = 64;
inline constexpr std::size_t kRoomPasswordBytesMax = 256;
inline constexpr std::size_t kRoomPubsubBytesMax = 2048;
inline constexpr std::uint32_t kSlowModeSecondsMax = 86'400;

/// A set of roles: visitor, participant, moderator.
struct RoleSet {
    bool visitor = true;
    bool participant = true;
    bool moderator = true;

    bool has(xmpp::MucRole role) const;
    friend bool operator==(const RoleSet&, const RoleSet&) = default;
};

struct RoomConfig {
    std::string name{};
    std::string description{};
    std::string language{};
    std::string pubsub{};  ///< XMPP URI of the node that belongs to it; empty: none.
    /// Empty: none is needed. Never empty in a password-protected room.
    std::string password{};
    bool listed = true;  ///< In the service's list of rooms: a public room, not a hidden one.
    bool persistent = false;
    bool moderated = false;
    bool members_only = false;
    bool anonymous = true;               ///< Semi-anonymous: only moderators see real addresses.
    bool archived = true;                ///< Whoever may enter may read what was said.
    bool subject_open = false;           ///< Participants may change the subject.
    bool registration_approved = false;  ///< By an admin, before it makes a member (§9.9).
    bool nicks_locked = false;           ///< Whoever has a reserved nick has no other one (§7.10).
    bool invites_open = false;           ///< Members may invite into a members-only room.
    PrivateMessages private_messages = PrivateMessages::anyone;
    RoleSet broadcast{};    ///< Whose presence is shown.
    RoleSet member_list{};  ///< Who of the members may get it.
    std::optional<std::uint32_t> occupants_max{};
    std::uint32_t history_max = 20;
    std::uint32_t slow_mode_seconds = 0;  ///< XEP-0500.

    friend bool operator==(const RoomConfig&, const RoomConfig&) = default;
};

inline constexpr std::uint32_t kNickBytesMax = 256;

/// What the service allows and begins with.
struct RoomLimits {
    std::uint32_t occupants_max = 5000;  ///< Of any room.
    std::uint32_t history_max = 50;
    std::size_t affiliations_max = 10'000;
    std::uint32_t nick_bytes_max = kNickBytesMax;
    /// Messages, changes of presence and requests to others, of one occupant and of all.
    reactor::PaceLimit occupant_pace{.per_second = 100, .burst = 500};
    reactor::PaceLimit room_pace{.per_second = 10'000, .burst = 50'000};
    /// Of presence that who enters is shown at a time, before it has taken that, about.
    std::size_t entry_page_bytes = 131'072;
};

/// The full lists of the form.
struct RoomStaff {
    std::vector<xmpp::Jid> owners{};
    std::vector<xmpp::Jid> admins{};
};

/// The form that asks for it (§10.1.3, §10.2), filled in.
xmpp::DataForm room_form(const RoomConfig& config, const RoomStaff& staff, const RoomLimits& limits,
                         std::string_view room_name);

struct RoomSubmission {
    RoomConfig config;
    /// Full lists, bare, in order and each once, where the form had the field.
    std::optional<std::vector<xmpp::Jid>> owners{};
    std::optional<std::vector<xmpp::Jid>> admins{};
};

/// `current` with what the submission says; fields that it leaves out stay as they are (§10.1.3).
/// Errors: not-acceptable, naming the field.
base::Result<RoomSubmission, xmpp::StanzaError> read_room_form(const RoomConfig& current,
                                                               const xmpp::DataForm& submission,
                                                               const RoomLimits& limits);

/// For the store: a submission with all fields, and back. What is missing or invalid in a text that
/// another version wrote is as `RoomConfig{}` has it.
std::string save_config(const RoomConfig& config);
RoomConfig load_config(std::string_view text);

}  // namespace server::modules::muc
