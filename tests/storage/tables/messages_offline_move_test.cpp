// Databases of older versions: what waits in their offline store is in the offline queues
// afterwards.
#include "storage/tables/messages_offline_move.h"

#include "storage/tables/catalog.h"
#include "tests/storage/tables/message_store.h"

#include <filesystem>
#include <vector>

namespace storage::test {
namespace {

/// What the database was written by.
enum class Age {
    before_messages,  // There was no other message store.
    first_messages,   // There was, as it was first released.
};

/// A file as an older version has left it.
class OfflineMove : public MessageStore {
protected:
    void make_old(Age age) {
        stores_.clear();
        clock = kNow;
        for (const StoreSchema& store : all_stores()) {
            StoreSchema old = store;
            if (store.name == "messages" && age == Age::before_messages) continue;
            if (store.name == "messages" || store.name == "offline")
                old.migrations = store.migrations.first(1);
            stores_.push_back(old);
        }
        database.close();
        database.options.path = database.folder.file("old.db");
        database.options.stores = stores_;
        database.open();
    }
    void store(const xmpp::Jid& account, std::string_view stanza, std::int64_t microseconds,
               std::optional<base::WallTime> expires_at = {}) {
        database.must([&](Transaction& t) -> base::Result<void> {
            TRY(t.execute(
                "INSERT INTO offline_stanzas (account, stanza, stored_at, expires_at) "
                "VALUES ($1, $2, $3, $4)",
                {account.bare_view(), Blob{stanza}, kNow.microseconds + microseconds, expires_at}));
            TRY(
                t.execute("INSERT INTO offline_totals (account, stanzas, bytes) VALUES ($1, 1, $2) "
                          "ON CONFLICT (account) DO UPDATE SET stanzas = stanzas + 1, "
                          "bytes = bytes + excluded.bytes",
                          {account.bare_view(), static_cast<std::int64_t>(stanza.size())}));
            return {};
        });
    }
    /// Opens it with this version.
    void move() {
        database.close();
        database.options.stores = all_stores();
        database.open();
    }
    std::int64_t old_tables() {
        return database
            .must([](Transaction& t) {
                return t.first("SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'offline%'", {},
                               [](const Row& row) { return row.int64(0); });
            })
            .value_or(-1);
    }

private:
    std::vector<StoreSchema> stores_;
};
INSTANTIATE_TEST_SUITE_P(Files, OfflineMove, testing::Values(Engine::file, Engine::inline_file),
                         name_of);

TEST_P(OfflineMove, keeps_messages_with_their_order_stamps_and_expiry) {
    for (const Age age : {Age::before_messages, Age::first_messages}) {
        make_old(age);
        const base::WallTime expiry{kNow.microseconds + 1'000'000};
        store(juliet, "one", 10);
        store(nurse, "hers", 10);
        store(juliet, "two", 10, expiry);
        store(juliet, "the clock was set back", -500);
        store(juliet, "later", 2000);
        EXPECT_EQ(old_tables(), 4);
        move();
        const auto waiting = offline(juliet);
        EXPECT_EQ(texts_of(waiting), (Texts{"one", "two", "the clock was set back", "later"}));
        const MessageId first = kNow.microseconds + 10;
        EXPECT_EQ(ids_of(waiting), (Ids{first, first + 2, first + 3, kNow.microseconds + 2000}));
        EXPECT_FALSE(waiting[0].archived);
        EXPECT_EQ(totals(juliet).messages, 4);
        EXPECT_EQ(totals(juliet).bytes, 33);
        EXPECT_EQ(texts_of(offline(juliet, 0, expiry)),
                  (Texts{"one", "the clock was set back", "later"}));
        EXPECT_EQ(texts_of(offline(nurse)), Texts{"hers"});
        EXPECT_EQ(old_tables(), 0);
        EXPECT_EQ(chat(romeo, juliet, "new"), kNow.microseconds + 2001);
        EXPECT_EQ(find_contradiction(database), "");
        std::filesystem::remove(database.options.path);
    }
}

TEST_P(OfflineMove, goes_behind_messages_that_are_there) {
    make_old(Age::first_messages);
    const MessageId last = kNow.microseconds + 5;
    database.must(
        [&](Transaction& t) { return t.execute("UPDATE message_ids SET last_id = $1", {last}); });
    store(juliet, "old", -1000);
    store(juliet, "older", -2000);
    move();
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{last + 1, last + 2}));
    EXPECT_EQ(totals(juliet).bytes, 8);
    EXPECT_GT(incoming(juliet, romeo, "new", {{}}), last + 2);
    EXPECT_EQ(totals(juliet).messages, 3);
}

TEST_P(OfflineMove, of_nothing_changes_nothing_and_runs_once) {
    make_old(Age::first_messages);
    move();
    const MessageId id = chat(romeo, juliet, "hail");
    move();
    EXPECT_EQ(ids_of(page(juliet)), Ids{id});
    EXPECT_EQ(database.must([](Transaction& t) { return Messages(t).last_id(); }), id);
    EXPECT_EQ(offline(juliet).size(), 0U);
    EXPECT_EQ(old_tables(), 0);
}

}  // namespace
}  // namespace storage::test
