// Room: one chat room (XEP-0045) as a value without I/O. Stanzas for the room go in, what is to be
// sent comes out as Effects. What has to be saved comes out as a RoomChange, judged and not yet
// applied; a message that everybody is to get as a Reflection, which may be archived before. Until
// the caller has saved and applied it, it gives the room nothing else that could contradict it.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/net/pace.h"
#include "server/modules/muc/affiliations.h"
#include "server/modules/muc/hats.h"
#include "server/modules/muc/history.h"
#include "server/modules/muc/kept_roles.h"
#include "server/modules/muc/occupant_ids.h"
#include "server/modules/muc/privileges.h"
#include "server/modules/muc/registration_requests.h"
#include "server/modules/muc/room_config.h"
#include "server/modules/muc/shared_texts.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/muc_requests.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace server::modules::muc {

/// A stanza with 'from', and to whom it goes (full JIDs mostly); 'to' is set for each.
struct Delivery {
    xmpp::Stanza stanza;
    std::vector<xmpp::Jid> to{};
    /// Instead of `to`, when it is for everybody in the room: the same list while nobody comes or
    /// goes.
    std::shared_ptr<const std::vector<xmpp::Jid>> to_all{};
    /// It is what came, passed on: its sender is told when it has been stored.
    bool passes_on = false;

    std::size_t count() const { return to_all != nullptr ? to_all->size() : to.size(); }
};
using Effects = std::vector<Delivery>;

/// A client in the room.
struct OccupantSession {
    xmpp::Jid jid;                 ///< Full.
    base::SharedBytes presence{};  ///< The content of its presence, as it is shown.
    base::SharedBytes lang{};
};

/// Somebody in the room under one nick, with one client or more of one user (§7.2.8).
struct Occupant {
    std::string nick;
    NickHashes nick_hashes{};
    MucRole role = MucRole::none;
    OccupantId id{};
    std::vector<OccupantSession> sessions{};  ///< At least one; the last one's presence is shown.
    base::WallTime spoke_at{};                ///< 0: it has not.
    reactor::Pace pace{};

    /// The user, by one of the clients.
    const xmpp::Jid& user() const { return sessions.front().jid; }
};

struct RoomSubject {
    std::string xml{};  ///< The message, as it was reflected, without 'to'; empty: never set.
    base::WallTime at{};
};

/// A message for all occupants.
struct Reflection {
    xmpp::Stanza stanza;  ///< From the speaker's occupant JID, without 'to'.
    xmpp::Jid speaker;    ///< Full.
    xmpp::Element item;   ///< <x/> of muc#user with the speaker's real address, for the archive.
    bool archived = false;
};

/// A moderator takes back what somebody else has said (XEP-0425).
struct Moderation {
    std::string stanza_id{};  ///< Of the message, in the room's archive.
    /// What stands in its place, without the time.
    xmpp::Element tombstone{};
};

/// The room's vCard (XEP-0054), of which the photo counts (XEP-0486).
struct RoomVcard {
    std::string xml{};  ///< Empty: none.
    /// SHA-1 of each photo in hexadecimal digits, with spaces between them; empty: none.
    std::string hashes{};
};

/// A change that is to be saved, then applied.
struct RoomChange {
    std::vector<Affiliated> affiliations{};  ///< New values; none: forgotten.
    std::vector<xmpp::MucChange> roles{};
    std::vector<KeptRole> kept_roles{};
    /// Those that come and those that are decided; who gets another affiliation waits no more.
    std::vector<RegistrationRequest> requests{};
    std::optional<RoomConfig> config{};
    std::optional<RoomSubject> subject{};
    std::optional<Reflection> reflection{};  ///< Of the new subject, or of the moderation.
    std::optional<Moderation> moderation{};
    std::optional<RoomVcard> vcard{};
    std::optional<Hats> hats{};
    std::optional<xmpp::MucDestroy> destruction{};
    std::vector<xmpp::MucInvite> invites{};
    bool unlocks = false;
    std::optional<xmpp::Jid> departed{};  ///< The account that is no more; bare.
    /// What an iq is answered with; absent: an empty result.
    std::optional<xmpp::Element> reply{};
    /// Who wants it and is told: an iq, or a message.
    xmpp::Stanza request;

    /// Whether anything of it is kept in the database.
    bool durable() const {
        return !affiliations.empty() || !kept_roles.empty() || !requests.empty() || config ||
               subject || destruction || moderation || vcard || hats || unlocks;
    }
};

using Outcome = std::variant<std::monostate, Reflection, RoomChange>;

/// An ad-hoc command (XEP-0050).
struct RoomCommandName {
    std::string_view node;
    std::string_view title;
};

/// What all rooms of a service have in common at the moment.
struct RoomService {
    bool stopping = false;
    bool shows_avatars = false;  ///< In a presence of the room itself as well (XEP-0486 §5.2).
};

class Room {
public:
    static constexpr std::size_t kPresenceBytesMax = 4096;
    static constexpr std::size_t kSessionsMax = 20;  ///< Clients of one occupant.
    static constexpr std::size_t kRelaysMax = 200;   ///< IQs between occupants under way.
    /// Admins and owners that enter a full room (§7.2.9).
    static constexpr std::uint32_t kStaffReserve = 20;
    static constexpr std::size_t kSubjectBytesMax = 4096;
    /// Formats of a room's photo that have their hash told; the first ones.
    static constexpr std::size_t kPhotosMax = 16;
    /// Owners and admins that are asked when somebody wants to register; the others see it when
    /// they enter.
    static constexpr std::size_t kAskedMax = 50;
    /// Clients in the room for whom a stanza counts once; with twice as many it counts twice.
    static constexpr std::size_t kListenersPerStanza = 500;
    /// Occupants up to which a newcomer is shown all of them at once.
    static constexpr std::size_t kEntryAtOnceMax = 50;

    struct Parts {
        xmpp::Jid jid;  ///< Bare.
        const OccupantIds& ids;
        const RoomLimits& limits;
        const RoomService& service;
        SharedTexts& texts;
    };

    /// What is stored of a room.
    struct Stored {
        RoomConfig config;
        RoomSubject subject;
        std::vector<Affiliated> affiliations;
        std::string avatar_hashes{};
        std::int64_t version = 0;  ///< Of the affiliations.
        std::int64_t forgotten = 0;
        std::vector<KeptRole> roles{};
        Hats hats{};
        std::vector<RegistrationRequest> requests{};
    };

    /// A new one (§10.1.1): locked, until its owner has configured it.
    static Room make_new(Parts parts, const RoomConfig& config, const xmpp::Jid& owner);
    Room(Parts parts, Stored stored);

    // --- what comes in; `now` for delays and histories

    void on_presence(const xmpp::Stanza& presence, base::WallTime now, Effects& effects);
    Outcome on_message(const xmpp::Stanza& message, base::WallTime now, Effects& effects);
    /// Requests for the room or an occupant, and responses from occupants. False: nobody here
    /// answers that request.
    bool on_iq(const xmpp::Stanza& iq, Effects& effects, Outcome& outcome);

    /// False: `user`, who is in the room, has said more than the limits let them. `bytes`: of what
    /// they say now; each kibibyte counts as a stanza. `to_all`: it goes to everybody; in a large
    /// room each kListenersPerStanza count as one.
    bool within_pace(const xmpp::Jid& user, std::size_t bytes, bool to_all,
                     base::MonotonicTime now);

    // --- what the service wants of it, of which nobody in the room is the cause

    /// The account is no more: what the room gave it is taken back.
    RoomChange judge_departure(const xmpp::Jid& account) const;
    /// The time to configure it is over: it ends if that has not happened.
    RoomChange judge_expiry() const;
    /// Affiliations that the operator gives. Errors: those of §9 and §10 that are about the
    /// request.
    base::Result<RoomChange, xmpp::StanzaError> judge_order(
        std::vector<xmpp::MucChange> changes) const;
    RoomChange order_destruction(xmpp::MucDestroy destroy) const;
    /// Unlocks it as well.
    RoomChange order_configuration(RoomConfig config) const;

    /// Applies what was saved, and tells those whom it concerns, the requester included.
    /// `stanza_id`: of the new subject in the archive, or empty.
    void apply(RoomChange change, base::WallTime now, std::string_view stanza_id, Effects& effects);
    /// Sends a reflection to everybody; `stanza_id`: its id in the archive, or empty.
    void reflect(Reflection said, base::WallTime at, std::string_view stanza_id, Effects& effects);

    /// Who has begun to enter since the last time, and is to be led on by `continue_entry`.
    std::vector<xmpp::Jid> take_new_entries() { return std::exchange(new_entries_, {}); }
    bool is_entering(const xmpp::Jid& session) const;
    /// The next page. True: there is more, for when the client has taken this one.
    bool continue_entry(const xmpp::Jid& session, base::WallTime now, Effects& effects);

    // --- what is asked of it

    const xmpp::Jid& jid() const { return parts_.jid; }
    const RoomConfig& config() const { return config_; }
    const RoomSubject& subject() const { return subject_; }
    const Affiliations& affiliations() const { return affiliations_; }
    const std::vector<Occupant>& occupants() const { return occupants_; }
    const Hats& hats() const { return hats_; }
    const RegistrationRequests& requests() const { return requests_; }
    History& history() { return history_; }
    /// Gives back memory that is only of use while people talk.
    void forget_listeners() { listeners_.reset(); }
    /// Of that, what is kept at most.
    std::uint32_t history_max() const {
        return std::min(config_.history_max, parts_.limits.history_max);
    }
    /// Of the room's photos; see RoomVcard.
    const std::string& avatar_hashes() const { return avatar_hashes_; }
    bool locked() const { return locked_; }
    /// Nobody is there, and it does not outlast that.
    bool is_over() const {
        return destroyed_ || (occupants_.empty() && (locked_ || !config_.persistent));
    }
    bool destroyed() const { return destroyed_; }
    std::size_t sessions() const { return sessions_; }
    /// Whether `user` could enter now, password aside (XEP-0313 §6.1.2).
    bool may_enter(const xmpp::Jid& user) const;
    bool sees_addresses(const xmpp::Jid& user) const;
    const Occupant* occupant_of(const xmpp::Jid& full) const;
    Standing standing_of(const xmpp::Jid& user) const;
    xmpp::Jid occupant_jid(std::string_view nick) const;
    /// Those that `user` may run now.
    std::vector<RoomCommandName> commands_for(const xmpp::Jid& user) const;
    static bool has_command(std::string_view node);

    /// The affiliations have been stored for the first time, as that version (XEP-0463).
    void set_version(std::int64_t version);
    /// Puts back a client whose stream outlived a restart. No presence is sent.
    void restore(const std::string& nick, MucRole role, xmpp::Jid client, std::string presence);
    /// Whether anybody has been let in who does not know yet who is there.
    bool has_entries() const { return !entries_.empty(); }

private:
    /// A private message or an invitation, whose refusal goes back to who sent it.
    struct PrivateMessage {
        xmpp::Jid to;
        xmpp::Jid from;
        std::string id;
        std::string nick;  ///< Of the one who got it; empty: it was an invitation.
    };
    /// How a presence differs from what is usual.
    struct PresenceText {
        std::vector<xmpp::MucStatus> codes{};
        std::optional<MucRole> role{};
        std::string new_nick{};
        std::string reason{};
        std::string actor_nick{};
        const xmpp::MucDestroy* destroy = nullptr;
        std::int64_t since = 0;  ///< XEP-0463, likewise `until`.
        std::int64_t until = 0;
        bool leaves = false;                      ///< Unavailable.
        std::string id{};                         ///< Of the request, for who made it.
        const std::string* last_words = nullptr;  ///< Content of the presence that left.
    };
    /// Somebody who is not here has another affiliation.
    struct Absent {
        xmpp::Jid jid;
        MucAffiliation affiliation = MucAffiliation::none;
        std::int64_t since = 0;  ///< XEP-0463, likewise `until`.
        std::int64_t until = 0;
    };
    /// §8.2: those who are removed hear it first, then the requester, then the rest.
    struct Notices {
        Effects removed{};
        Effects rest{};
        std::vector<Absent> absent{};
        /// Who is to be told that their affiliation has changed, without being here; bare.
        std::vector<xmpp::Jid> outside{};
    };
    enum class Removal : std::uint8_t {
        left,
        kicked,
        banned,
        affiliation,
        members_only,
        error,
        shutdown
    };

    /// A client that has been let in and does not know yet who is there.
    struct Entry {
        xmpp::Jid session;
        xmpp::MucJoin join;
        std::string id;
        bool created = false;
        bool assigned = false;  ///< Not the nick that was asked for.
        std::size_t next = 0;   ///< The first occupant that it was not shown.
        /// Nicks before that of whom it missed something, and whether it was shown somebody by
        /// them.
        std::map<std::string, bool> missed{};
    };

    // room_entries.cpp
    void begin_entry(Entry entry);
    void end_entry(const xmpp::Jid& session);
    void note_missed(const Occupant& occupant);
    /// `nick`: the new one.
    void note_rename(const Occupant& occupant, const std::string& nick);
    void note_removal(std::size_t index);
    void send_missed(const Occupant& self, const Entry& entry, bool sees, Effects& effects) const;

    // room_presence.cpp
    void enter(const xmpp::Stanza& presence, const xmpp::Element& x, base::WallTime now,
               Effects& effects);
    std::optional<xmpp::StanzaError> refuse_entry(const xmpp::Jid& user, std::string_view nick,
                                                  const xmpp::MucJoin& join) const;
    std::optional<xmpp::StanzaError> refuse_nick(const xmpp::Jid& user,
                                                 std::string_view nick) const;
    void send_all_to_newcomer(const Occupant& self, const OccupantSession& session, Entry entry,
                              base::WallTime now, Effects& effects);
    void complete_entry(const Occupant& self, const OccupantSession& session, const Entry& entry,
                        base::WallTime now, Effects& effects) const;
    void send_subject(const xmpp::Jid& to, Effects& effects) const;
    void change_nick(Occupant& occupant, const xmpp::Stanza& presence, const std::string& nick,
                     Effects& effects);
    void rename(Occupant& occupant, const std::string& nick, std::vector<xmpp::MucStatus> codes,
                Effects& effects);
    /// The one nick that `user` may have; nullptr: they have the choice.
    const std::string* locked_nick_of(const xmpp::Jid& user) const;
    void answer_probe(const xmpp::Stanza& probe, Effects& effects) const;
    void update_presence(Occupant& occupant, const xmpp::Stanza& presence, Effects& effects);
    /// `stanza`: from the session that leaves.
    void leave(const xmpp::Stanza& stanza, const std::string* last_words, Removal why,
               Effects& effects);
    void remove_occupant(std::size_t index, const PresenceText& text, Effects& to_self,
                         Effects& to_others);
    /// §11.1, §16.2: whoever cannot be reached is not there; an error that says nothing means that.
    static bool means_gone(const std::optional<xmpp::StanzaError>& error);
    static std::vector<xmpp::MucStatus> codes_of(Removal why);
    std::optional<OccupantSession> session_from(const xmpp::Stanza& presence) const;
    void refuse_presence(const xmpp::Stanza& presence, const xmpp::StanzaError& error,
                         Effects& effects) const;

    // room_telling.cpp
    xmpp::Stanza presence_of(const Occupant& occupant, const OccupantSession& session,
                             bool with_address, const PresenceText& text, bool to_self) const;
    void tell_self(const Occupant& occupant, const PresenceText& text, Effects& effects) const;
    void tell_others(const Occupant& occupant, const PresenceText& text, Effects& effects);
    void tell_all(const Occupant& occupant, const PresenceText& text, Effects& effects);
    std::vector<xmpp::Jid> everybody() const;
    std::shared_ptr<const std::vector<xmpp::Jid>> listeners();
    std::vector<xmpp::Jid> moderators() const;
    static std::vector<xmpp::Jid> clients_of(const Occupant& occupant);
    void send(xmpp::Stanza stanza, const xmpp::Jid& to, Effects& effects) const;
    void refuse(const xmpp::Stanza& request, const xmpp::StanzaError& error,
                Effects& effects) const;

    // room_messages.cpp
    Outcome on_groupchat(const xmpp::Stanza& message, base::WallTime now, Effects& effects);
    Reflection reflection_of(const Occupant& speaker, const xmpp::Stanza& message) const;
    void on_private_message(const xmpp::Stanza& message, Effects& effects);
    void on_error(const xmpp::Stanza& message, Effects& effects);
    void remember_sent(PrivateMessage sent);
    Outcome on_room_message(const xmpp::Stanza& message, Effects& effects);

    // room_invitations.cpp
    Outcome on_invites(const xmpp::Stanza& message, xmpp::MucMediated mediated, Effects& effects);
    void send_invite(const xmpp::MucInvite& invite, const xmpp::Jid& from, std::string_view id,
                     Effects& effects) const;
    void on_decline(const xmpp::Stanza& message, const xmpp::MucDecline& decline,
                    Effects& effects) const;
    /// Without a form: it could not be read.
    Outcome on_voice_form(const xmpp::Stanza& message, const base::Result<xmpp::DataForm>& form,
                          Effects& effects);

    // room_approval.cpp
    /// A request, or an admin's answer to one.
    base::Result<RoomChange, xmpp::StanzaError> judge_request(const xmpp::Stanza& request,
                                                              std::string nick) const;
    /// False: it is a form of another kind.
    bool is_approval(const xmpp::Stanza& message, const xmpp::DataForm& form) const;
    Outcome on_approval(const xmpp::Stanza& message, const xmpp::DataForm& form, Effects& effects);
    base::Result<RoomChange, xmpp::StanzaError> judge_approval(const xmpp::Stanza& message,
                                                               const xmpp::DataForm& form) const;
    void apply_request(RegistrationRequest request, Effects& effects);
    void send_requests(const xmpp::Jid& to, Effects& effects) const;

    // room_commands.cpp
    struct Command {
        RoomCommandName name;
        MucAffiliation least;  ///< None: moderators.
    };
    static std::span<const Command> all_commands();
    static bool is_allowed(const Command& command, const Standing& standing);
    base::Result<RoomChange, xmpp::StanzaError> judge_command(const xmpp::Stanza& request) const;
    base::Result<RoomChange, xmpp::StanzaError> judge_command_form(
        const xmpp::Stanza& request, std::string_view node, const xmpp::DataForm& form) const;
    xmpp::DataForm command_form(std::string_view node) const;

    // room_hats.cpp
    static constexpr std::string_view kCreateHat = "urn:xmpp:hats:commands:create";
    static constexpr std::string_view kDestroyHat = "urn:xmpp:hats:commands:destroy";
    static constexpr std::string_view kListHats = "urn:xmpp:hats:commands:list";
    static constexpr std::string_view kAssignHat = "urn:xmpp:hats:commands:assign";
    static constexpr std::string_view kUnassignHat = "urn:xmpp:hats:commands:unassign";
    static constexpr std::string_view kListAssignedHats = "urn:xmpp:hats:commands:list-assigned";
    xmpp::DataForm hat_form(std::string_view node) const;
    /// Nullopt: the command lists nothing.
    std::optional<xmpp::DataForm> hat_list(std::string_view node) const;
    base::Result<RoomChange, xmpp::StanzaError> judge_hats(const xmpp::Stanza& request,
                                                           std::string_view node,
                                                           const xmpp::DataForm& form) const;
    void apply_hats(Hats hats, Notices& notices);

    // room_departure.cpp
    RoomChange order() const;

    // room_roles.cpp
    MucRole role_on_entry(const xmpp::Jid& user) const;
    void keep_role(RoomChange& change, const xmpp::Jid& user, MucRole role) const;

    // room_admin.cpp
    /// What `change` makes of somebody, whoever wants it.
    base::Result<Affiliated, xmpp::StanzaError> entry_of(const xmpp::MucChange& change) const;
    void add_affiliation(RoomChange& judged, Affiliated entry) const;
    std::optional<xmpp::StanzaError> finish_lists(RoomChange& judged) const;
    base::Result<xmpp::Element, xmpp::StanzaError> list(const xmpp::Jid& user,
                                                        const xmpp::Element& query) const;
    bool may_list(const xmpp::Jid& user, const xmpp::MucList& which) const;
    base::Result<RoomChange, xmpp::StanzaError> judge(const xmpp::Stanza& request,
                                                      std::vector<xmpp::MucChange> changes) const;
    base::Result<Affiliated, xmpp::StanzaError> judge_affiliation(
        const xmpp::Jid& actor, const xmpp::MucChange& change) const;
    void apply_role(const xmpp::MucChange& change, const std::string& actor, Notices& notices);
    void apply_affiliation(const Affiliated& entry, const std::string& actor, Notices& notices);
    void apply_affiliation_here(Occupant& occupant, MucAffiliation before, const Affiliated& entry,
                                PresenceText text, Notices& notices);
    void enforce_nick(const Affiliated& entry, Effects& effects);
    void invite_new_member(const xmpp::Jid& member, Effects& effects) const;
    void announce_absent(std::span<const Absent> absent, Effects& effects) const;
    void tell_outside(std::span<const xmpp::Jid> users, Effects& effects) const;
    std::string nick_of(const xmpp::Jid& user) const;
    /// By the bare address; the first, if there are several.
    const Occupant* occupant_of_user(const xmpp::Jid& user) const;

    // room_owner.cpp
    xmpp::Element owner_form() const;
    base::Result<RoomChange, xmpp::StanzaError> judge_owner(const xmpp::Stanza& request) const;
    base::Result<RoomChange, xmpp::StanzaError> judge_form(const xmpp::Stanza& request,
                                                           const xmpp::DataForm& form) const;
    void apply_config(const RoomConfig& config, Notices& notices);
    void tell_code(xmpp::MucStatus code, Effects& effects) const;
    void apply_destruction(const xmpp::MucDestroy& destroy, Effects& effects);

    // room_moderation.cpp
    base::Result<RoomChange, xmpp::StanzaError> judge_moderation(const xmpp::Stanza& request) const;
    void forget_retracted(const xmpp::Stanza& retraction);

    // room_vcard.cpp
    base::Result<RoomChange, xmpp::StanzaError> judge_vcard(const xmpp::Stanza& request) const;
    void send_avatar(std::vector<xmpp::Jid> to, Effects& effects) const;

    // room_versions.cpp
    void send_affiliations(const xmpp::Jid& to, std::string_view since, Effects& effects) const;
    bool sees_all_affiliations(const xmpp::Jid& user) const;

    // room_registration.cpp
    base::Result<xmpp::Element, xmpp::StanzaError> registration(const xmpp::Jid& user) const;
    base::Result<RoomChange, xmpp::StanzaError> judge_registration(
        const xmpp::Stanza& request) const;
    std::optional<xmpp::StanzaError> refuse_registration(const xmpp::Jid& user) const;

    // room_iqs.cpp
    void relay(const xmpp::Stanza& request, Effects& effects);
    void relay_response(const xmpp::Stanza& response, Effects& effects);

    void add_session(Occupant& occupant, OccupantSession session);
    Occupant& add_occupant(const std::string& nick, MucRole role, OccupantSession session);
    Occupant* find_session(const xmpp::Jid& full);
    std::optional<std::size_t> place_of(std::string_view nick) const;
    Occupant* find_nick(std::string_view nick);
    const Occupant* find_nick(std::string_view nick) const;
    std::size_t index_of(const Occupant& occupant) const;
    bool is_shown(const Occupant& occupant) const { return config_.broadcast.has(occupant.role); }

    /// An iq that went through the room: to whom its response goes.
    struct Relay {
        std::uint64_t number = 0;
        xmpp::Jid asked;   ///< As it was sent to.
        xmpp::Jid asker;   ///< Full.
        std::string nick;  ///< Who was asked, as the asker knows them.
        std::string id;
    };

    Parts parts_;
    RoomConfig config_;
    RoomSubject subject_;
    Affiliations affiliations_;
    KeptRoles kept_roles_;
    Hats hats_;
    RegistrationRequests requests_;
    reactor::Pace pace_;
    std::vector<Occupant> occupants_;
    std::size_t sessions_ = 0;
    std::vector<Entry> entries_;  // By session.
    // Null since the last change of the sessions or entries.
    std::shared_ptr<const std::vector<xmpp::Jid>> listeners_;
    std::vector<xmpp::Jid> new_entries_;
    History history_;
    std::string avatar_hashes_;
    std::list<Relay> relays_;  // An empty deque would hold 600 bytes.
    std::list<PrivateMessage> private_messages_;
    std::uint64_t last_relay_ = 0;
    bool locked_ = false;
    bool destroyed_ = false;
};

}  // namespace server::modules::muc
