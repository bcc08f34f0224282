#include "tests/storage/tables/message_store.h"

namespace storage::test {
namespace {

class RetentionTest : public MessageStore {
protected:
    void SetUp() override { recent_rows_max = 20; }

    std::vector<ArchiveExcess> excess(const ArchiveRetention& retention) {
        std::vector<ArchiveExcess> all;
        std::int64_t from = 0;
        do {
            const auto step =
                database.read([&](Transaction& t) { return Archive(t).excess(retention, from); });
            if (!step) {
                ADD_FAILURE() << step.error().message();
                return all;
            }
            all.insert(all.end(), step->excess.begin(), step->excess.end());
            from = step->next;
        } while (from != 0);
        return all;
    }
    std::int64_t remove_step(const ArchiveExcess& excess, std::uint32_t limit = kArchiveStepMax) {
        return database.must([&](Transaction& t) {
            return Archive(t).remove_through(excess.archive, excess.through, limit);
        });
    }
    /// Until there is no excess.
    std::int64_t apply(const ArchiveRetention& retention, std::uint32_t limit = kArchiveStepMax) {
        std::int64_t removed = 0;
        for (auto found = excess(retention); !found.empty(); found = excess(retention))
            for (const ArchiveExcess& each : found) {
                const std::int64_t step = remove_step(each, limit);
                if (step == 0) ADD_FAILURE() << "an excess of nothing";
                if (step == 0) return removed;
                removed += step;
            }
        return removed;
    }
    Ids chats(int count) {
        return MessageStore::chats(
            count, [&](int i) { return i % 5 == 0 ? nurse : romeo; }, juliet);
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, RetentionTest, every_engine(), name_of);

TEST_P(RetentionTest, removes_what_is_too_old_from_every_archive) {
    const Ids ids = chats(50);
    const ArchiveRetention retention{.not_before = time_of(ids[30])};
    EXPECT_EQ(excess(retention).size(), 3U);
    EXPECT_EQ(apply(retention), 60);
    EXPECT_EQ(ids_of(page(juliet, {.max = 100})), Ids(ids.begin() + 30, ids.end()));
    EXPECT_EQ(page(nurse).messages.size(), 4U);
    EXPECT_EQ(rows("messages"), 20);
    EXPECT_EQ(excess(retention).size(), 0U);
    EXPECT_EQ(excess({}).size(), 0U);
}

TEST_P(RetentionTest, keeps_the_newest_of_each_archive) {
    const Ids ids = chats(50);
    EXPECT_EQ(excess({.messages_max = 50}).size(), 0U);
    EXPECT_EQ(excess({.messages_max = 49}).size(), 1U);
    EXPECT_EQ(apply({.messages_max = 30}), 20 + 10);
    EXPECT_EQ(ids_of(page(juliet, {.max = 100})), Ids(ids.begin() + 20, ids.end()));
    EXPECT_EQ(page(romeo).messages.size(), 30U);
    EXPECT_EQ(page(nurse).messages.size(), 10U);
    EXPECT_EQ(apply({.not_before = time_of(ids[45]), .messages_max = 10}), 25 + 26 + 9);
    EXPECT_EQ(ids_of(page(juliet)), Ids(ids.begin() + 45, ids.end()));
}

TEST_P(RetentionTest, removes_in_steps) {
    chats(30);
    const auto found = excess({.messages_max = 5});
    ASSERT_EQ(found.size(), 3U);
    for (const ArchiveExcess& each : found) {
        if (page(juliet, {.max = 100}).messages.size() != 30) break;
        EXPECT_EQ(remove_step(each, 1), 1);
    }
    EXPECT_EQ(find_contradiction(database), "");
    apply({.messages_max = 5}, 7);
    EXPECT_EQ(page(juliet, {.max = 100}).messages.size(), 5U);
    apply({.messages_max = 0}, 7);
    EXPECT_EQ(rows("messages"), 0);
    EXPECT_EQ(rows("archive_segments"), 0);
    EXPECT_EQ(rows("message_peers"), 0);
    chats(3);
    EXPECT_EQ(page(juliet).messages.size(), 3U);
}

TEST_P(RetentionTest, looks_at_many_archives_a_step_each) {
    const auto user = [](int i) { return jid("user" + std::to_string(i) + "@capulet.example"); };
    MessageStore::chats(600, user, juliet);
    EXPECT_EQ(excess({.messages_max = 0}).size(), 601U);
    EXPECT_EQ(excess({.messages_max = 1}).size(), 1U);
}

TEST_P(RetentionTest, leaves_messages_to_those_who_still_wait_for_them) {
    const SmSessionKey key = session(juliet);
    const MessageId waiting = incoming(juliet, romeo, "waiting", {{}});
    const MessageId given =
        append("given",
               {{.owner = romeo, .peer = juliet, .outgoing = true},
                {.owner = juliet, .peer = romeo, .deliveries = {{.session = key, .sequence = 1}}}});
    const MessageId retracted = incoming(juliet, romeo, "regretted", {{}});
    incoming(juliet, romeo, "seen");
    database.must([&](Transaction& t) { return Archive(t).replace(juliet, retracted, "tomb"); });
    EXPECT_EQ(apply({.messages_max = 0}), 5);
    EXPECT_EQ(find_contradiction(database), "");
    EXPECT_EQ(page(juliet).messages.size(), 0U);
    EXPECT_EQ(ids_of(offline(juliet)), Ids{waiting});
    EXPECT_FALSE(offline(juliet)[0].archived);
    EXPECT_EQ(totals(juliet).messages, 1);
    EXPECT_EQ(ids_of(unacknowledged(key)), Ids{given});
    EXPECT_EQ(texts_of(unacknowledged(key)), Texts{"given"});
    EXPECT_EQ(rows("messages"), 2);
    acknowledge(key, 1);
    database.must(
        [&](Transaction& t) { return Deliveries(t).remove_delivered(juliet, Ids{waiting}); });
    EXPECT_EQ(rows("messages"), 0);
}

TEST_P(RetentionTest, forgets_a_peer_with_the_last_message) {
    incoming(juliet, nurse, "old");
    const Ids ids = chats(400);
    for (int i = 0; i < 40; ++i)
        incoming(juliet, romeo, "new");
    apply({.not_before = time_of(ids.back() + 1)});
    EXPECT_EQ(find_contradiction(database), "");
    EXPECT_EQ(page(juliet, {.with = romeo.bare(), .max = 100}).messages.size(), 40U);
    EXPECT_EQ(page(juliet, {.with = nurse.bare()}).messages.size(), 0U);
    EXPECT_EQ(rows("message_peers"), 1);
}

}  // namespace
}  // namespace storage::test
