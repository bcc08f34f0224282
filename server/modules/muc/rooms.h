// Rooms: the rooms that live on one shard, behind the chat service's domains. Each has a lane: what
// comes for it is handled one after the other; the room is loaded before the first, and waits while
// a change of it is saved. Messages to everybody may be stored several at a time, and are sent in
// their order when they are on disk; anything else waits until none is under way. So everybody sees
// one sequence, and nobody sees what a crash undoes.
#pragma once

#include "reactor/base/text_map.h"
#include "reactor/base/units.h"
#include "reactor/looping_call.h"
#include "reactor/task_set.h"
#include "reactor/timers.h"
#include "reactor/world.h"
#include "server/modules/muc/expenses.h"
#include "server/modules/muc/room.h"
#include "server/modules/muc/room_queries.h"
#include "server/modules/muc/service_commands.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/audience.h"
#include "server/routing/router.h"
#include "server/routing/shares.h"
#include "storage/tables/archive.h"
#include "storage/tables/rooms.h"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace storage {
class Database;
}

namespace server::modules::muc {

struct RoomsSettings {
    std::string service_name = "Chatrooms";
    RoomLimits limits{};
    RoomConfig defaults{};          ///< Of a new room.
    bool open_to_all = true;        ///< Whether anybody may make rooms.
    std::uint32_t owned_max = 500;  ///< Rooms of one owner, of those that they make.
    base::Duration unconfigured_timeout = std::chrono::minutes(10);
    bool shows_avatars = false;
    std::vector<xmpp::Jid> operators{};  ///< Bare; they run the service's commands.
    std::size_t rooms_max = 100'000;     ///< In memory, on this shard.
    std::uint32_t page_max = 100;        ///< Messages in a page of an archive.
    std::size_t page_bytes_max = 65'536;
};

/// What the service or its operator wants of a room, in the room's turn.
struct RoomOrder {
    /// On the room as it is then. An error ends it.
    base::UniqueFunction<base::Result<RoomChange, xmpp::StanzaError>(const Room&)> judge;
    /// The room is to be made for that owner; conflict when there is one.
    std::optional<xmpp::Jid> owner{};
};
/// Nothing, or why not.
using OrderResult = std::optional<xmpp::StanzaError>;

class Rooms final : public DomainService {
public:
    /// Stanzas that wait for one room, and for all rooms of the shard; one more is refused with
    /// resource-constraint.
    static constexpr Shares::Limits kWaiting{.each_count_max = 4000,
                                             .each_bytes_max = base::operator""_MiB(16),
                                             .all_count_max = 50'000,
                                             .all_bytes_max = base::operator""_MiB(128)};
    /// Messages of one room that are being stored; further ones wait.
    static constexpr std::size_t kStoringMax = 256;
    /// A busy room tells its occupants of several messages at a time, because a write to a client
    /// costs more than what is in it: so long after the last, for each client, at least and at
    /// most. What is on disk waits at most as long for what is on its way there.
    static constexpr base::Duration kBreathPerSession = std::chrono::microseconds(25);
    static constexpr base::Duration kBreathMin = std::chrono::milliseconds(5);
    static constexpr base::Duration kBreathMax = std::chrono::milliseconds(20);
    /// Presence that those who enter cause before others have their turn: when everybody comes back
    /// at once, who talks does not wait for all of them.
    static constexpr std::size_t kEntryPresenceMax = 2000;
    /// A room that nobody uses leaves memory after at least this, and the history of one in which
    /// nothing is said and which nobody enters: it is in the archive.
    static constexpr base::Duration kIdleTimeout = std::chrono::minutes(5);
    /// Rooms of this shard that their owners have not configured; one more is refused.
    static constexpr std::size_t kUnconfiguredMax = 10'000;
    /// How exactly settings' unconfigured_timeout is kept.
    static constexpr base::Duration kExpiryInterval = std::chrono::seconds(15);
    /// Who is refused for too many unconfigured rooms makes the shard look over all of them, but no
    /// more often.
    static constexpr base::Duration kExpiryIntervalMin = std::chrono::seconds(1);

    struct Parts {
        reactor::World& world;
        Router& router;
        storage::Database& database;
        const ArchiveIds& archive_ids;
        const OccupantIds& occupant_ids;
        Metrics& metrics;
    };

    Rooms(Parts parts, RoomsSettings settings);
    ~Rooms();

    void set(RoomsSettings settings);
    /// Who leaves from now on leaves because of that (XEP-0045 §11.2).
    void set_stopping() { service_.stopping = true; }
    void receive(xmpp::Stanza stanza, const std::optional<Origin>& origin) override;

    /// `room` is on this shard. Answers when it is on disk and everybody in the room has been told.
    reactor::Deferred<OrderResult> order(xmpp::Jid room, RoomOrder order);
    /// Errors: those of the storage.
    reactor::Deferred<void> let_go(xmpp::Jid room, xmpp::Jid account);
    /// A room of this shard that is in memory and configured.
    const Room* loaded(const xmpp::Jid& room);
    const RoomsSettings& settings() const { return settings_; }
    /// Once, before anything comes.
    void connect(RoomOperations& operations) { commands_.connect(operations); }

    /// Those in rooms of this shard, for the time without a server. To be called when all clients
    /// that do not come back have gone.
    std::vector<storage::RoomOccupantRow> occupants() const;
    /// Puts one back who was in a room when the server stopped; the room is on this shard.
    void restore(storage::RoomOccupantRow occupant);

private:
    using OrderPromise = reactor::Promise<OrderResult>;
    struct Ordered {
        RoomOrder order;
        OrderPromise done;
    };
    struct Waiting {
        xmpp::Stanza stanza;
        std::optional<Origin> origin;
        std::optional<Ordered> ordered{};
        std::size_t bytes = 0;  ///< As waiting_ counts them.
    };
    /// Who learns what became of a change: a client's stream, or who ordered it.
    struct Requester {
        std::optional<Origin> origin{};
        std::optional<OrderPromise> ordered{};
    };
    struct Write;  // rooms_saving.cpp
    struct WriteMessage;
    struct Saved;
    struct Unconfigured {
        xmpp::Jid room;
        base::MonotonicTime since{};
    };
    /// A message on its way to disk, in the order of the room.
    struct Storing {
        std::uint64_t ticket = 0;
        Reflection said;
        xmpp::Stanza request;  ///< As it came, for the error if it cannot be stored.
        std::optional<Origin> origin;
        base::WallTime at{};
        storage::MessageId id = 0;
        bool done = false;
        base::MonotonicTime done_at{};
        std::optional<base::Failure> failure{};
    };
    struct Lane {
        xmpp::Jid jid;
        std::optional<Room> room{};
        std::list<Waiting> waiting{};
        std::list<Storing> storing{};
        std::vector<storage::RoomOccupantRow> returning{};
        std::shared_ptr<const Audience> audience{};  ///< The last one of everybody in it.
        base::WallTime created_at{};
        base::MonotonicTime used_at{};
        base::MonotonicTime released_at{};  ///< The last message.
        base::MonotonicTime history_at{};   ///< Its history was added to or shown.
        /// The oldest message since the history went to the archive alone; 0: none.
        storage::MessageId history_from = 0;
        /// Who has been found to own less rooms than they may.
        std::optional<xmpp::Jid> welcome{};
        bool stored = false;            ///< In the database.
        bool held = false;              ///< Being loaded, saved or removed.
        bool draining = false;          ///< On the stack.
        bool resting = false;           ///< In resting_.
        bool history_away = false;      ///< Up to history_from it is in the archive alone.
        bool history_unstored = false;  ///< Some of it is in no archive.
    };

    Lane* find(const xmpp::Jid& room);
    Lane& open(const xmpp::Jid& room);
    void load(Lane& lane);
    void restore_room(Lane& lane, storage::RoomState state, std::string avatar_hashes);
    void receive_for_service(xmpp::Stanza stanza);
    void discover_service(xmpp::Stanza request);
    reactor::Deferred<void> run_command(xmpp::Stanza request);
    reactor::Deferred<void> run_list(xmpp::Stanza request, storage::RoomListQuery query);
    reactor::Deferred<void> run_load(xmpp::Jid room, bool with_history);
    static base::Result<std::vector<storage::ArchivedMessage>> history_of(
        storage::Transaction& transaction, const xmpp::Jid& room, storage::MessageId before,
        std::uint32_t messages_max);
    void fetch_history(Lane& lane, Waiting next);
    reactor::Deferred<void> run_history(xmpp::Jid room);
    void bring_history(Lane& lane, const std::vector<storage::ArchivedMessage>& messages);
    void note_told(Lane& lane, storage::MessageId id);
    static bool may_forget_history(const Lane& lane);
    void put_first(Lane& lane, Waiting one);
    Waiting take_first(Lane& lane);
    void drain(Lane& lane);
    bool may_go_on(const Lane& lane) const;
    void handle(Lane& lane, Waiting next);
    void handle_without_room(Lane& lane, Waiting next);
    void handle_message(Lane& lane, Waiting next);
    void handle_iq(Lane& lane, Waiting next);
    void lead_in(Lane& lane);
    reactor::Deferred<void> run_entry(xmpp::Jid room, xmpp::Jid client);
    reactor::Deferred<void> wait_for(xmpp::Jid client);
    void handle_order(Lane& lane, Ordered ordered);
    bool is_slow_enough(Lane& lane, const Waiting& next);
    /// `user` has caused that; see Expenses.
    void spend(const xmpp::Jid& user, std::size_t cost);
    static std::size_t cost_of(const Effects& effects);
    /// False: it takes time, or is refused.
    bool may_make(Lane& lane, Waiting& next);
    reactor::Deferred<void> run_welcome(xmpp::Jid room, xmpp::Jid user);
    bool is_unconfigured(const Unconfigured& one);
    std::size_t unconfigured_of(const xmpp::Jid& user);
    void make_room(Lane& lane, const xmpp::Jid& owner);
    void expire();
    void refuse_waiting(Waiting& one, const xmpp::StanzaError& error);
    void close_if_over(Lane& lane);
    reactor::Deferred<void> run_remove(xmpp::Jid room);
    void sweep();

    void begin_storing(Lane& lane, Reflection said, Waiting next);
    reactor::Deferred<void> run_store(std::uint64_t ticket, xmpp::Jid room,
                                      reactor::Deferred<Saved> writing);
    void release(Lane& lane);
    bool takes_breath(Lane& lane);
    bool takes_turns(Lane& lane);
    void rest(Lane& lane);
    void end_rests();
    void begin_change(Lane& lane, RoomChange change, Requester requester);
    reactor::Deferred<void> run_change(xmpp::Jid room, RoomChange change, Requester requester);
    Write write_of(const Lane& lane, const RoomChange& change, const Requester& requester) const;
    void finish_change(Lane& lane, RoomChange change, storage::MessageId id, Requester requester);
    storage::RoomRow row_of(const Lane& lane, const RoomConfig& config) const;

    void send(Lane& lane, Effects effects);
    std::shared_ptr<const Audience> audience_of(Lane& lane, Delivery& delivery) const;
    void pass_on(Delivery delivery, const std::optional<Origin>& origin);
    void refuse(const xmpp::Stanza& stanza, const xmpp::StanzaError& error);
    void settle(const std::optional<Origin>& origin);
    base::WallTime now() const;
    Room::Parts parts_of(const xmpp::Jid& room);

    Parts parts_;
    RoomsSettings settings_;
    RoomService service_;
    SharedTexts texts_;
    Counter& messages_;
    Counter& refused_;
    Gauge& loaded_;
    RoomQueries queries_;
    ServiceCommands commands_;
    Expenses expenses_;
    base::TextMap<std::unique_ptr<Lane>> lanes_;
    // By maker; and some that have been configured since.
    std::unordered_map<std::string, std::vector<Unconfigured>> unconfigured_;
    std::size_t unconfigured_count_ = 0;
    base::MonotonicTime expired_at_{};
    std::uint64_t last_ticket_ = 0;
    reactor::LoopingCall sweeper_;
    reactor::LoopingCall expirer_;
    Shares waiting_{kWaiting};        // In all lanes.
    std::vector<xmpp::Jid> resting_;  // Rooms that go on in a moment.
    reactor::CallbackTimer rest_;
    std::size_t entry_presence_ = 0;  // Since then.
    base::MonotonicTime entries_since_{};
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

}  // namespace server::modules::muc
