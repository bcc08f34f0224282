#include "storage/tables/messages_offline_move.h"

#include "storage/tables/catalog.h"
#include "storage/tables/offline.h"
#include "tests/storage/tables/message_store.h"

#include <algorithm>

namespace storage::test {
namespace {

class OfflineMove : public MessageStore {
protected:
    void store(const xmpp::Jid& account, std::string_view stanza, std::int64_t microseconds,
               std::optional<base::WallTime> expires_at = {}) {
        database.must([&](Transaction& t) {
            return Offline(t).append(account, stanza, {kNow.microseconds + microseconds},
                                     expires_at);
        });
    }
    /// Opens the database again with the move in the catalog.
    void move() {
        stores.assign(all_stores().begin(), all_stores().end());
        if (std::ranges::find(stores, kOfflineMoveSchema.name, &StoreSchema::name) == stores.end())
            stores.push_back(kOfflineMoveSchema);
        database.close();
        database.options.stores = stores;
        database.open();
    }
    std::vector<StoreSchema> stores;
};
INSTANTIATE_TEST_SUITE_P(Files, OfflineMove, testing::Values(Engine::file, Engine::inline_file),
                         name_of);

TEST_P(OfflineMove, keeps_messages_with_their_order_stamps_and_expiry) {
    const base::WallTime expiry{kNow.microseconds + 1'000'000};
    store(juliet, "one", 10);
    store(nurse, "hers", 10);
    store(juliet, "two", 10, expiry);
    store(juliet, "the clock was set back", -500);
    store(juliet, "later", 2000);
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
    EXPECT_EQ(rows("offline_stanzas") + rows("offline_totals"), 0);
    EXPECT_EQ(chat(romeo, juliet, "new"), kNow.microseconds + 2001);
}

TEST_P(OfflineMove, goes_behind_messages_that_are_there) {
    const MessageId last = incoming(juliet, romeo, "new", {{}});
    store(juliet, "old", -1000);
    store(juliet, "older", -2000);
    move();
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{last, last + 1, last + 2}));
    EXPECT_EQ(totals(juliet).bytes, 11);
    EXPECT_EQ(page(juliet).messages.size(), 1U);
}

TEST_P(OfflineMove, of_nothing_changes_nothing_and_runs_once) {
    const MessageId id = chat(romeo, juliet, "hail");
    move();
    EXPECT_EQ(ids_of(page(juliet)), Ids{id});
    EXPECT_EQ(database.must([](Transaction& t) { return Messages(t).last_id(); }), id);
    move();
    EXPECT_EQ(offline(juliet).size(), 0U);
}

}  // namespace
}  // namespace storage::test
