#include "storage/tables/messages.h"

#include "storage/tables/users.h"
#include "tests/storage/tables/message_store.h"

#include <algorithm>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

class MessagesTest : public MessageStore {};
INSTANTIATE_TEST_SUITE_P(Engines, MessagesTest, every_engine(), name_of);

TEST_P(MessagesTest, stamps_messages_with_unique_growing_ids) {
    EXPECT_EQ(database.must([](Transaction& t) { return Messages(t).last_id(); }), 0);
    const MessageId first = chat(romeo, juliet, "one");
    EXPECT_EQ(first, kNow.microseconds);
    EXPECT_EQ(time_of(first), kNow);
    clock = kNow;
    EXPECT_EQ(chat(romeo, juliet, "two"), first + 1);
    clock = base::WallTime{kNow.microseconds - 3'600'000'000};
    EXPECT_EQ(chat(romeo, juliet, "the clock was set back"), first + 2);
    clock = base::WallTime{kNow.microseconds + 1'000'000};
    EXPECT_EQ(chat(romeo, juliet, "later"), first + 1'000'000);
    EXPECT_EQ(database.must([](Transaction& t) { return Messages(t).last_id(); }),
              first + 1'000'000);
}

TEST_P(MessagesTest, never_gives_an_id_twice) {
    const SmSessionKey key = session(juliet);
    const MessageId first = transient(juliet, "gone at once", {{.session = key, .sequence = 1}});
    acknowledge(key, 1);
    EXPECT_EQ(rows("messages"), 0);
    clock = kNow;
    EXPECT_GT(chat(romeo, juliet, "next"), first);
}

TEST_P(MessagesTest, does_not_keep_an_id_of_an_append_that_was_undone) {
    const auto failed = database.write([&](Transaction& t) -> Result<void> {
        const std::vector<MessageCopy> copies{{.owner = juliet, .peer = romeo}};
        TRY(Messages(t).append(kNow, "x", copies));
        return base::fail(Errc::busy);
    });
    EXPECT_EQ(failed.error().code(), Errc::busy);
    EXPECT_EQ(rows("messages"), 0);
    EXPECT_EQ(chat(romeo, juliet, "one"), kNow.microseconds);
    EXPECT_EQ(texts_of(page(juliet)), Texts{"one"});
}

TEST_P(MessagesTest, remembers_nothing_of_an_append_that_was_undone) {
    const SmSessionKey key = session(juliet);
    const auto failed = database.write([&](Transaction& t) -> Result<void> {
        const std::vector<MessageCopy> copies{{.owner = juliet, .peer = nurse}};
        TRY(Messages(t).append(kNow, "x", copies));
        TRY(SmSessions(t).set_taken(key, 7));
        return base::fail(Errc::busy);
    });
    EXPECT_FALSE(failed);
    incoming(juliet, romeo, "of another");
    incoming(juliet, nurse, "one");
    EXPECT_EQ(texts_of(page(juliet, {.with = nurse.bare()})), Texts{"one"});
    const auto streams = database.read([&](Transaction& t) { return SmSessions(t).page(0, 9); });
    ASSERT_EQ(streams->size(), 1);
    EXPECT_EQ(streams->front().taken, 0);
}

TEST_P(MessagesTest, begins_a_new_archive_for_a_name_that_was_removed) {
    incoming(juliet, romeo, "before");
    database.must([&](Transaction& t) -> Result<void> {
        TRY(kMessagesSchema.remove_account(t, juliet.bare_view()));
        TRY(t.execute("DELETE FROM message_peers WHERE account = $1", {juliet.bare_view()}));
        return {};
    });
    incoming(juliet, romeo, "after");
    EXPECT_EQ(texts_of(page(juliet, {.with = romeo.bare()})), Texts{"after"});
}

TEST_P(MessagesTest, stores_the_bytes_once_for_both_sides) {
    const MessageId id = chat(romeo, juliet, "hail");
    EXPECT_EQ(rows("messages"), 1);
    const ArchivePage sent = page(romeo);
    const ArchivePage got = page(juliet);
    EXPECT_EQ(ids_of(sent), Ids{id});
    EXPECT_EQ(ids_of(got), Ids{id});
    EXPECT_TRUE(sent.messages[0].outgoing);
    EXPECT_FALSE(got.messages[0].outgoing);
    EXPECT_EQ(got.messages[0].stanza, "hail");
}

TEST_P(MessagesTest, keeps_every_byte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    chat(romeo, juliet, bytes);
    chat(romeo, juliet, "");
    chat(romeo, juliet, std::string(300'000, 'x'));
    EXPECT_EQ(texts_of(page(juliet)), (Texts{bytes, "", std::string(300'000, 'x')}));
}

TEST_P(MessagesTest, keeps_a_message_to_oneself_once) {
    const MessageId id =
        append("note", {{.owner = juliet, .peer = juliet.bare(), .outgoing = true}});
    chat(juliet, romeo, "hail");
    EXPECT_EQ(ids_of(page(juliet, {.with = juliet.bare()})), Ids{id});
}

TEST_P(MessagesTest, refuses_copies_that_make_no_sense) {
    const auto error = [&](std::vector<MessageCopy> copies) {
        const auto result =
            database.write([&](Transaction& t) { return Messages(t).append(kNow, "x", copies); });
        return result ? Errc::internal : result.error().code();
    };
    const MessageCopy copy{.owner = juliet, .peer = romeo};
    EXPECT_EQ(error({copy, copy}), Errc::invalid_argument);
    EXPECT_EQ(error({{.owner = juliet, .peer = romeo, .archived = false}}), Errc::invalid_argument);
    EXPECT_EQ(rows("messages"), 0);
}

TEST_P(MessagesTest, takes_a_thousand_copies_or_deliveries_and_not_one_more) {
    limits = kNoQueueLimits;
    std::vector<MessageCopy> copies;
    for (std::size_t i = 0; i < kMessageCopiesMax; ++i)
        copies.push_back(
            {.owner = jid("user" + std::to_string(i) + "@capulet.example"), .peer = romeo});
    append("to all", copies);
    EXPECT_EQ(rows("archive_recent"), static_cast<std::int64_t>(kMessageCopiesMax));
    copies.push_back({.owner = juliet, .peer = romeo});
    const auto error = [&] {
        return database.write([&](Transaction& t) { return Messages(t).append(kNow, "x", copies); })
            .error()
            .code();
    };
    EXPECT_EQ(error(), Errc::resource_exhausted);

    const SmSessionKey key = session(juliet);
    std::vector<NewDelivery> deliveries;
    for (std::size_t i = 1; i <= kMessageDeliveriesMax; ++i)
        deliveries.push_back({.session = key, .sequence = static_cast<std::int64_t>(i)});
    incoming(juliet, romeo, "to every session", deliveries);
    deliveries.push_back({.session = key, .sequence = 10'000});
    copies = {{.owner = juliet, .peer = romeo, .deliveries = deliveries}};
    EXPECT_EQ(error(), Errc::resource_exhausted);
}

TEST_P(MessagesTest, moves_older_rows_on_without_changing_what_an_archive_says) {
    recent_rows_max = 10;
    Texts expected;
    for (int i = 0; i < 12; ++i) {
        chats(50, [&](int number) { return number % 3 == 0 ? nurse : juliet; }, romeo);
        EXPECT_EQ(find_contradiction(database), "");
        for (int number = 0; number < 50; ++number)
            expected.push_back(std::to_string(number));
    }
    EXPECT_LE(rows("archive_recent"), 12);
    EXPECT_EQ(texts_of(page(romeo, {.max = 1000})), expected);
    EXPECT_EQ(page(nurse, {.max = 1000}).messages.size(), 204U);
}

TEST_P(MessagesTest, moves_as_many_rows_as_it_adds_however_many_owners_they_have) {
    recent_rows_max = 50;
    std::vector<MessageCopy> copies;
    for (int i = 0; i < 100; ++i)
        copies.push_back(
            {.owner = jid("user" + std::to_string(i) + "@capulet.example"), .peer = romeo});
    for (int i = 0; i < 20; ++i)
        append(std::to_string(i), copies);
    EXPECT_LE(rows("archive_recent"), 150);
    EXPECT_EQ(page(copies[99].owner).messages.size(), 20U);
}

class RemovedAccounts : public MessageStore {
protected:
    void remove(const xmpp::Jid& account) {
        database.must([&](Transaction& t) { return Users(t).remove(account); });
    }
    void create(const xmpp::Jid& account) {
        database.must([&](Transaction& t) { return Users(t).create(account, {}, kNow); });
    }
    std::int64_t purge(std::uint32_t limit = Messages::kPurgeStepMax) {
        return database.must(
            [&](Transaction& t) { return Messages(t).purge_removed_accounts(limit); });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, RemovedAccounts, every_engine(), name_of);

TEST_P(RemovedAccounts, take_everything_with_them_but_what_others_have) {
    create(juliet);
    chat(romeo, juliet, "shared");
    incoming(juliet, romeo, "hers", {{}});
    transient(juliet, "waiting", {{}});
    const SmSessionKey key = session(juliet);
    incoming(juliet, nurse, "given", {{.session = key, .sequence = 1}});
    transient(juliet, "given, not archived", {{.session = key, .sequence = 2}});
    const MessageId retracted = incoming(juliet, romeo, "regretted");
    database.must([&](Transaction& t) { return Archive(t).replace(juliet, retracted, "tomb"); });
    remove(juliet);
    EXPECT_EQ(rows("messages"), 1);
    EXPECT_EQ(rows("deliveries"), 0);
    EXPECT_EQ(rows("archive_recent"), 1);
    EXPECT_EQ(rows("archive_tombstones"), 0);
    EXPECT_EQ(rows("message_owners"), 1);
    EXPECT_EQ(rows("message_peers"), 1);
    EXPECT_EQ(rows("sm_sessions") + rows("sm_session_counts"), 0);
    EXPECT_EQ(texts_of(page(romeo)), Texts{"shared"});
    EXPECT_EQ(page(juliet).messages.size(), 0U);
    EXPECT_EQ(purge(), 0);
}

TEST_P(RemovedAccounts, with_large_archives_go_in_steps_and_leave_nothing_to_their_successors) {
    recent_rows_max = 100;
    limits = kNoQueueLimits;
    create(juliet);
    database.must([&](Transaction& t) -> Result<void> {
        for (int i = 0; i < 1500; ++i) {
            const std::vector<MessageCopy> copies{
                {.owner = juliet, .peer = romeo, .deliveries = {{}}}};
            TRY(Messages(t, limits, recent_rows_max).append(kNow, "x", copies));
        }
        return {};
    });
    remove(juliet);
    EXPECT_GT(rows("messages"), 0);
    create(juliet);
    const MessageId id = chat(romeo, juliet, "for the new one");
    EXPECT_EQ(ids_of(page(juliet)), Ids{id});
    EXPECT_EQ(offline(juliet).size(), 0U);
    EXPECT_EQ(find_contradiction(database), "");
    std::int64_t steps = 0;
    while (purge(400) == 400) {
        EXPECT_EQ(find_contradiction(database), "");
        ASSERT_LT(++steps, 20);
    }
    EXPECT_GE(steps, 2);
    EXPECT_EQ(rows("messages"), 1);
    EXPECT_EQ(rows("message_owners"), 2);
    EXPECT_EQ(rows("archive_segments"), 0);
}

}  // namespace
}  // namespace storage::test
