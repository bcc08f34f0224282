// What the tests of the message store share: short ways to append and to look, and a check of
// everything that must hold between its tables (storage/tables/messages_rows.h).
#pragma once

#include "storage/tables/archive.h"
#include "storage/tables/messages.h"
#include "storage/tables/messages_deliveries.h"
#include "storage/tables/sm_sessions.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace storage::test {

inline xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

using Ids = std::vector<MessageId>;
using Texts = std::vector<std::string>;

inline constexpr OfflineQueueLimits kNoQueueLimits{.messages_max = 1LL << 40,
                                                   .bytes_max = 1LL << 50};

Ids ids_of(const ArchivePage& page);
Ids ids_of(const std::vector<Delivery>& page);
Texts texts_of(const ArchivePage& page);
Texts texts_of(const std::vector<Delivery>& page);

/// Says what is wrong between the tables; empty: nothing.
std::string find_contradiction(TestDatabase& database);

/// A database whose contradictions fail the test at its end.
class MessageStore : public EveryEngine {
protected:
    void TearDown() override { EXPECT_EQ(find_contradiction(database), ""); }

    MessageId append(std::string_view stanza, std::vector<MessageCopy> copies);
    /// From `from` to `to`, archived by both, a microsecond after the one before.
    MessageId chat(const xmpp::Jid& from, const xmpp::Jid& to, std::string_view stanza);
    /// `count` of them in one write; the stanzas are their numbers.
    Ids chats(int count, const std::function<xmpp::Jid(int)>& from, const xmpp::Jid& to);
    /// Archived by `owner` alone, who got it from `peer`; with these deliveries.
    MessageId incoming(const xmpp::Jid& owner, const xmpp::Jid& peer, std::string_view stanza,
                       std::vector<NewDelivery> deliveries = {});
    /// As `incoming`, but not archived.
    MessageId transient(const xmpp::Jid& owner, std::string_view stanza,
                        std::vector<NewDelivery> deliveries);
    SmSessionKey session(const xmpp::Jid& owner);

    ArchivePage page(const xmpp::Jid& owner, const ArchiveQuery& query = {});
    base::Errc page_error(const xmpp::Jid& owner, const ArchiveQuery& query);
    std::vector<Delivery> unacknowledged(SmSessionKey session);
    std::vector<Delivery> offline(const xmpp::Jid& owner, MessageId after = 0,
                                  base::WallTime at = kNow);
    OfflineQueueTotals totals(const xmpp::Jid& owner);
    std::int64_t acknowledge(SmSessionKey session, std::int64_t through);
    /// Rows of a table.
    std::int64_t rows(std::string_view table);

    OfflineQueueLimits limits;
    std::int64_t recent_rows_max = kRecentRowsMax;
    base::WallTime clock = kNow;
    const xmpp::Jid romeo = jid("romeo@montague.example/orchard");
    const xmpp::Jid juliet = jid("juliet@capulet.example/balcony");
    const xmpp::Jid nurse = jid("nurse@capulet.example/chamber");

private:
    std::int64_t sessions_ = 0;
};

}  // namespace storage::test
