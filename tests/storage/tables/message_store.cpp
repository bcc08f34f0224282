#include "tests/storage/tables/message_store.h"

namespace storage::test {
namespace {

struct Rule {
    std::string_view what;
    std::string_view sql;  ///< Counts what breaks it.
};

constexpr Rule kRules[] = {
    {"a message with a wrong number of references",
     "SELECT COUNT(*) FROM messages AS m LEFT JOIN (SELECT id, COUNT(*) AS count FROM "
     "(SELECT id FROM all_rows WHERE (flags & 4) = 0 UNION ALL "
     "SELECT id FROM deliveries WHERE counted = 1) GROUP BY id) AS r ON r.id = m.id "
     "WHERE m.refs <> COALESCE(r.count, 0)"},
    {"a message that nobody refers to", "SELECT COUNT(*) FROM messages WHERE refs <= 0"},
    {"an archive row without its message",
     "SELECT COUNT(*) FROM all_rows WHERE (flags & 4) = 0 "
     "AND id NOT IN (SELECT id FROM messages)"},
    {"a retracted row without its tombstone",
     "SELECT COUNT(*) FROM all_rows AS r WHERE (flags & 4) <> 0 AND NOT EXISTS "
     "(SELECT 1 FROM archive_tombstones AS t WHERE t.owner = r.owner AND t.id = r.id)"},
    {"a tombstone without its row",
     "SELECT COUNT(*) FROM archive_tombstones AS t WHERE NOT EXISTS (SELECT 1 FROM all_rows AS r "
     "WHERE r.owner = t.owner AND r.id = t.id AND (r.flags & 4) <> 0)"},
    {"a delivery that leans on nothing",
     "SELECT COUNT(*) FROM deliveries AS d WHERE counted = 0 AND NOT EXISTS "
     "(SELECT 1 FROM all_rows AS r WHERE r.owner = d.owner AND r.id = d.id)"},
    {"a delivery that counts without need",
     "SELECT COUNT(*) FROM deliveries AS d WHERE counted = 1 AND EXISTS "
     "(SELECT 1 FROM all_rows AS r WHERE r.owner = d.owner AND r.id = d.id)"},
    {"a delivery for a session that is gone",
     "SELECT COUNT(*) FROM deliveries WHERE session > 0 "
     "AND session NOT IN (SELECT session FROM sm_sessions)"},
    {"an offline queue out of place",
     "SELECT COUNT(*) FROM deliveries WHERE session < 0 AND (session <> -owner OR sequence <> id)"},
    {"a wrong number of recent rows",
     "SELECT recent_rows <> (SELECT COUNT(*) FROM archive_recent) FROM message_ids"},
    {"a wrong number of older rows",
     "SELECT COUNT(*) FROM message_owners AS o WHERE archived <> "
     "(SELECT COUNT(*) FROM archive_messages AS a WHERE a.owner = o.owner)"},
    {"wrong totals of an offline queue",
     "SELECT COUNT(*) FROM message_owners AS o WHERE jid IS NOT NULL AND (offline_messages <> "
     "(SELECT COUNT(*) FROM deliveries AS d WHERE d.session = -o.owner) OR offline_bytes <> "
     "(SELECT COALESCE(SUM(bytes), 0) FROM deliveries AS d WHERE d.session = -o.owner))"},
    {"a row of no owner",
     "SELECT (SELECT COUNT(*) FROM all_rows WHERE owner NOT IN (SELECT owner FROM message_owners))"
     " + (SELECT COUNT(*) FROM deliveries WHERE owner NOT IN (SELECT owner FROM message_owners))"},
    {"a recent row before an older one",
     "SELECT COUNT(*) FROM archive_recent AS r WHERE EXISTS (SELECT 1 FROM archive_messages AS a "
     "WHERE a.owner = r.owner AND a.id >= r.id)"},
    {"a row outside the segments of its peer",
     "SELECT COUNT(*) FROM archive_messages AS a WHERE COALESCE((SELECT COUNT(*) "
     "FROM archive_messages AS b WHERE b.owner = a.owner AND b.id < a.id AND b.id >= "
     "(SELECT MAX(segment) FROM archive_segments AS s WHERE s.owner = a.owner AND s.peer = a.peer "
     "AND s.segment <= a.id)), 1000) >= 128 OR NOT EXISTS (SELECT 1 FROM archive_segments AS s "
     "WHERE s.owner = a.owner AND s.peer = a.peer AND s.segment <= a.id)"},
    {"a segment of no peer",
     "SELECT COUNT(*) FROM archive_segments AS s JOIN message_owners AS o ON o.owner = s.owner "
     "WHERE o.jid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM all_rows AS r "
     "WHERE r.owner = s.owner AND r.peer = s.peer)"},
    {"a peer of an owner under another name",
     "SELECT COUNT(*) FROM message_peers AS p WHERE NOT EXISTS (SELECT 1 FROM message_owners AS o "
     "WHERE o.owner = p.owner AND o.jid = p.account)"},
    {"an id that was not given", "SELECT COUNT(*) FROM messages, message_ids WHERE id > last_id"},
};

template <class Message>
Ids ids(const std::vector<Message>& messages) {
    Ids ids;
    for (const Message& message : messages)
        ids.push_back(message.id);
    return ids;
}

template <class Message>
Texts texts(const std::vector<Message>& messages) {
    Texts texts;
    for (const Message& message : messages)
        texts.push_back(message.stanza);
    return texts;
}

}  // namespace

Ids ids_of(const ArchivePage& page) {
    return ids(page.messages);
}

Ids ids_of(const std::vector<Delivery>& page) {
    return ids(page);
}

Texts texts_of(const ArchivePage& page) {
    return texts(page.messages);
}

Texts texts_of(const std::vector<Delivery>& page) {
    return texts(page);
}

std::string find_contradiction(TestDatabase& database) {
    std::string found;
    const auto looked = database.read([&](Transaction& t) -> base::Result<void> {
        for (const Rule& rule : kRules) {
            const std::string sql =
                "WITH all_rows AS (SELECT * FROM archive_recent UNION ALL "
                "SELECT * FROM archive_messages) " +
                std::string(rule.sql);
            const auto broken = TRY(t.first(sql, {}, [](const Row& row) { return row.int64(0); }));
            if (broken.value_or(0) != 0) found += std::string(rule.what) + "; ";
        }
        return {};
    });
    return looked ? found : looked.error().message();
}

MessageId MessageStore::append(std::string_view stanza, std::vector<MessageCopy> copies) {
    const auto appended = database.must([&](Transaction& t) {
        return Messages(t, limits, recent_rows_max).append(clock, stanza, copies);
    });
    EXPECT_FALSE(appended.offline_queue_full);
    clock.microseconds = std::max(clock.microseconds, appended.id) + 1;
    return appended.id;
}

MessageId MessageStore::chat(const xmpp::Jid& from, const xmpp::Jid& to, std::string_view stanza) {
    return append(stanza,
                  {{.owner = from, .peer = to, .outgoing = true}, {.owner = to, .peer = from}});
}

Ids MessageStore::chats(int count, const std::function<xmpp::Jid(int)>& from, const xmpp::Jid& to) {
    Ids ids;
    database.must([&](Transaction& t) -> base::Result<void> {
        for (int i = 0; i < count; ++i) {
            const std::vector<MessageCopy> copies{{.owner = from(i), .peer = to, .outgoing = true},
                                                  {.owner = to, .peer = from(i)}};
            const auto appended =
                TRY(Messages(t, limits, recent_rows_max).append(clock, std::to_string(i), copies));
            ids.push_back(appended.id);
        }
        return {};
    });
    clock.microseconds = std::max(clock.microseconds, ids.back()) + 1;
    return ids;
}

MessageId MessageStore::incoming(const xmpp::Jid& owner, const xmpp::Jid& peer,
                                 std::string_view stanza, std::vector<NewDelivery> deliveries) {
    return append(stanza, {{.owner = owner, .peer = peer, .deliveries = std::move(deliveries)}});
}

MessageId MessageStore::transient(const xmpp::Jid& owner, std::string_view stanza,
                                  std::vector<NewDelivery> deliveries) {
    return append(
        stanza,
        {{.owner = owner, .peer = romeo, .archived = false, .deliveries = std::move(deliveries)}});
}

SmSessionKey MessageStore::session(const xmpp::Jid& owner) {
    return database.must([&](Transaction& t) {
        return SmSessions(t).create({.token = "token-" + std::to_string(++sessions_),
                                     .owner = owner,
                                     .created_at = kNow,
                                     .max_seconds = 600});
    });
}

ArchivePage MessageStore::page(const xmpp::Jid& owner, const ArchiveQuery& query) {
    auto page = database.read([&](Transaction& t) { return Archive(t).page(owner, query); });
    if (!page) ADD_FAILURE() << page.error().message();
    return std::move(page).value_or(ArchivePage{});
}

base::Errc MessageStore::page_error(const xmpp::Jid& owner, const ArchiveQuery& query) {
    const auto page = database.read([&](Transaction& t) { return Archive(t).page(owner, query); });
    if (page) ADD_FAILURE() << "a page of " << page->messages.size();
    return page ? base::Errc::internal : page.error().code();
}

std::vector<Delivery> MessageStore::unacknowledged(SmSessionKey session) {
    auto page = database.read(
        [&](Transaction& t) { return Deliveries(t).unacknowledged(session, 0, kDeliveryPageMax); });
    if (!page) ADD_FAILURE() << page.error().message();
    return std::move(page).value_or(std::vector<Delivery>{});
}

std::vector<Delivery> MessageStore::offline(const xmpp::Jid& owner, MessageId after,
                                            base::WallTime at) {
    auto page = database.read([&](Transaction& t) {
        return Deliveries(t).offline_page(owner, after, kDeliveryPageMax, at);
    });
    if (!page) ADD_FAILURE() << page.error().message();
    return std::move(page).value_or(std::vector<Delivery>{});
}

OfflineQueueTotals MessageStore::totals(const xmpp::Jid& owner) {
    return database.must([&](Transaction& t) { return Deliveries(t).offline_totals(owner); });
}

std::int64_t MessageStore::acknowledge(SmSessionKey session, std::int64_t through) {
    return database.must(
        [&](Transaction& t) { return Deliveries(t).acknowledge(session, through); });
}

std::int64_t MessageStore::rows(std::string_view table) {
    return database
        .must([&](Transaction& t) {
            return t.first("SELECT COUNT(*) FROM " + std::string(table), {},
                           [](const Row& row) { return row.int64(0); });
        })
        .value_or(-1);
}

}  // namespace storage::test
