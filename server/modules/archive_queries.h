// ArchiveQueries: answers queries of users' archives (XEP-0313 §4), each page sent in parts as fast
// as the client takes it. One query of a session runs at a time, the next ones wait.
//
// A message of the page that waits in the offline queue is handed over with it: a client that
// catches up from the archive before it becomes available is not sent the same again (§6.1.1).
#pragma once

#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/iq_routes.h"
#include "server/routing/offline_queue.h"
#include "storage/tables/archive.h"
#include "xmpp/payloads/mam.h"

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace server::modules {

class ArchiveQueries {
public:
    /// Queries of one account that wait for their turn; one more gets resource-constraint.
    static constexpr std::size_t kWaitingMax = 100;
    /// Bytes of messages in one page: so much is held while the client takes it.
    static constexpr std::size_t kPageBytesMax = base::operator""_MiB(2);
    /// How long a client may take for one part of a page. Then it gets what it has, as a page of
    /// its own.
    static constexpr base::Duration kPartTimeout = std::chrono::seconds(30);

    struct Parts {
        reactor::World& world;
        Accounts& accounts;
        storage::Database& database;
        OfflineQueue& offline;
        const ArchiveIds& ids;
        Metrics& metrics;
    };
    struct Settings {
        std::uint32_t page_default = 50;  ///< Messages, where the client does not say.
        std::uint32_t page_max = 1000;
        std::size_t part_bytes = 65'536;  ///< Sent before the client must have taken it.
    };

    explicit ArchiveQueries(Parts parts);

    void set(const Settings& settings) { settings_ = settings; }
    /// An iq set of <query/>, of the account's own client.
    reactor::Deferred<IqReply> answer(IqRequest request);

private:
    /// A session with a query under way; behind it those that wait.
    struct Line {
        SessionId session = 0;
        std::vector<reactor::Promise<void>> waiting;
    };
    struct State final : ModuleState {
        std::vector<Line> lines;
    };
    /// A page, found.
    struct Page {
        storage::ArchivePage found;
        bool queue_has_messages = false;  ///< The account's offline queue.
    };
    /// A page on its way.
    struct Sending {
        xmpp::Jid client;  // Full.
        SessionId session = 0;
        const xmpp::MamQuery& query;
        const Page& page;
        std::size_t sent = 0;
    };

    void end_turn(const xmpp::Jid& account, SessionId session);
    reactor::Deferred<IqReply> run(IqRequest request, SessionId session);
    reactor::Deferred<Page> find(xmpp::Jid account, storage::ArchiveQuery query);
    reactor::Deferred<void> send(Sending& sending);
    reactor::Deferred<bool> send_part(Sending& sending,
                                      std::span<const storage::ArchivedMessage* const> part);
    reactor::Deferred<bool> send_managed(Sending& sending,
                                         std::span<const storage::ArchivedMessage* const> part);
    std::vector<const storage::ArchivedMessage*> next_part(const Sending& sending) const;
    xmpp::Stanza result_of(const Sending& sending, const storage::ArchivedMessage& message) const;
    IqReply end_of(const Sending& sending, const storage::ArchiveQuery& query) const;

    Parts parts_;
    AccountState<State> states_;
    Settings settings_;
    Counter& queries_;
    Counter& messages_;
};

}  // namespace server::modules
