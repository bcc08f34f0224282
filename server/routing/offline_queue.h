// OfflineQueue: messages that wait for any client of their account (XEP-0160), handed over in order
// when one can take them. Lives on the account's shard; the rows are in storage/tables/messages_*.
//
// Order: while an account's queue is being handed over, or a message is on its way into it, new
// messages go through the queue as well, so that they cannot overtake older ones. What a client
// without stream management is given stays in the queue until the operating system has its bytes: a
// crash repeats, never loses. A message from an address that was blocked since waits, until it is
// unblocked or expires.
#pragma once

#include "reactor/deferred.h"
#include "reactor/looping_call.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "storage/tables/messages_deliveries.h"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace server {

class OfflineQueue {
public:
    struct Parts {
        reactor::World& world;
        Accounts& accounts;
        storage::Database& database;
        const ArchiveIds& ids;
        Metrics& metrics;
    };

    OfflineQueue(Parts parts, const Config& config);

    void reload(const Config& config);
    storage::OfflineQueueLimits limits() const { return limits_; }
    /// When a message that is queued now is not worth delivering any more.
    base::WallTime expiry(base::WallTime now) const { return now + expiry_after_; }
    base::Duration keep_for() const { return expiry_after_; }
    /// False: an operator wants nothing kept for accounts that are offline.
    bool enabled() const { return limits_.messages_max > 0; }

    /// `resource` must get a new message through the queue, because older ones for it are in it.
    bool waits(Account& account, const Resource& resource);
    /// A message is on its way into the queue, to stay (`arrived` when that is over, stored or not)
    /// or for the time until a session has written it (`passed`): then nothing is handed over
    /// meanwhile.
    void expect(Account& account);
    void arrived(const xmpp::Jid& account, bool stored);
    void expect_passing(Account& account);
    void passed(const xmpp::Jid& account);
    /// `id`, in the queue, was given to a session without stream management: it leaves the queue
    /// when the session has written it, or goes to another one when it could not.
    void given(const xmpp::Jid& account, SessionId session, storage::MessageId id);
    /// `id`, in the queue, is there for `session` alone, which waits: others have been given it.
    /// When the session ends without it, it leaves the queue if one of them keeps it until it is
    /// acknowledged (`is_kept`), and is there for everybody if not.
    void only_for(const xmpp::Jid& account, SessionId session, storage::MessageId id, bool is_kept);
    /// `session` has this message, as a copy, from the archive, or from the queue itself: it is not
    /// given it once more when it is in the queue, or comes there from a session that ended. Of one
    /// session, the newest kSeenMax are known.
    void seen(const xmpp::Jid& account, SessionId session, storage::MessageId id);
    static constexpr std::size_t kSeenMax = 500;
    /// These left the queue otherwise than by being handed over.
    void taken_out(const xmpp::Jid& account, std::span<const storage::MessageId> ids);

    /// A resource became available, or may take messages now: hands over what there is.
    void start(Account& account, const Resource& resource);
    /// The same to whoever can take it, if anybody can.
    void start_any(Account& account);
    /// A session has its connection back (XEP-0198): the same, if something was left over for want
    /// of one.
    void go_on(Account& account, const Resource& resource);
    /// The account's sessions were restored after a restart, and the queue is not empty.
    void restored(Account& account) { states_.of(account).left_over = true; }
    /// The server stops: nothing more is handed over. What is on its way to a session is there
    /// when all writes that were issued before are done.
    void stop() { stopping_ = true; }

private:
    /// What became of messages for a session.
    enum class Handed : std::uint8_t {
        all,
        no_room,  ///< It cannot take more now.
        refused,  ///< By storage: nobody can.
    };
    struct Given {
        SessionId session = 0;
        std::vector<storage::MessageId> ids;  // Not yet looked after by the task.
    };
    struct Seen {
        std::vector<storage::MessageId> ids;  // A ring, once it is full.
        std::size_t oldest = 0;
    };
    struct Waiting {
        SessionId session = 0;
        bool is_kept = false;  // By another one.
    };
    struct State final : ModuleState {
        bool handing_over = false;
        bool begun = false;            // Not so while messages are passing.
        bool again = false;            // There may be more behind the hand-over's back.
        bool has_arrived = false;      // Of what was expected, while more is.
        bool left_over = false;        // Nobody could take more: what comes waits behind it.
        bool failed = false;           // Storage did, and is asked again later.
        base::Duration retry_delay{};  // The last one; zero: it did not fail.
        SessionId session = 0;         // To whom, while handing over.
        std::set<SessionId> no_room;   // They could not take more, one after the other.
        std::size_t writes_open = 0;   // Expected, not yet arrived.
        std::size_t passing = 0;       // Expected, not yet passed.
        std::vector<Given> given;      // A task each.
        std::map<SessionId, Seen> seen;
        std::multiset<storage::MessageId> in_flight;  // Once for each who was given it.
        std::map<storage::MessageId, Waiting> only_for;
        std::set<storage::MessageId> gone;            // Since the hand-over began to read its page.
        std::vector<reactor::Promise<void>> waiting;  // Until nothing is passing.

        /// Nothing that a new one would not know as well.
        bool is_new() const;
    };

    /// Of one account: clients have got them, and they leave the queue, sooner or later. Outlives
    /// the account's state, which goes with its last session. Bounded by the queue.
    struct Written {
        std::vector<storage::MessageId> waiting;
        std::vector<storage::MessageId> leaving;  // In the write that is under way.
    };

    State* state_of(const xmpp::Jid& account);
    void begin(const xmpp::Jid& account, SessionId session);
    reactor::Deferred<void> hand_over(xmpp::Jid account, SessionId session);
    reactor::Deferred<Handed> hand_over_part(xmpp::Jid account, SessionId session,
                                             std::span<const storage::Delivery> part);
    reactor::Deferred<Handed> hand_over_managed(xmpp::Jid account, SessionId session,
                                                std::span<const storage::Delivery> part);
    /// `how`: the last of it went.
    void finish(const xmpp::Jid& account, Handed how);
    reactor::Deferred<void> nothing_passing(xmpp::Jid account);
    void try_again_later(const xmpp::Jid& account);
    reactor::Deferred<void> try_again(xmpp::Jid account, base::Duration delay);
    bool has_seen(const xmpp::Jid& account, SessionId session, storage::MessageId id);
    static void land(State& state, std::span<const storage::MessageId> ids);
    reactor::Deferred<void> watch(xmpp::Jid account, SessionId session);
    bool is_written(const xmpp::Jid& account, storage::MessageId id) const;
    void note_written(const xmpp::Jid& account, std::span<const storage::MessageId> ids);
    reactor::Deferred<void> remove_written(xmpp::Jid account);
    reactor::Deferred<bool> remove(xmpp::Jid account, std::vector<storage::MessageId> ids);
    std::size_t part_of(std::span<const storage::Delivery> page) const;
    std::optional<xmpp::Stanza> to_stanza(const xmpp::Jid& account, const storage::Delivery& kept);
    void drop_waiting(const xmpp::Jid& account, SessionId session,
                      std::vector<storage::Delivery>& page);
    void drop_orphans(const xmpp::Jid& account, SessionId session,
                      std::vector<storage::Delivery>& page);
    reactor::Deferred<void> expire();

    Parts parts_;
    AccountState<State> states_;
    std::unordered_map<std::string, Written> written_;  // By account; present while one is open.
    reactor::LoopingCall expiry_;
    storage::OfflineQueueLimits limits_;
    base::Duration expiry_after_{};
    std::size_t part_bytes_ = 0;
    bool stopping_ = false;
    Counter& handed_over_;
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

}  // namespace server
