#include "storage/tables/messages_deliveries.h"

#include "tests/storage/tables/message_store.h"

#include <chrono>

namespace storage::test {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using base::Result;

base::WallTime after_now(std::int64_t microseconds) {
    return {kNow.microseconds + microseconds};
}

class DeliveriesTest : public MessageStore {
protected:
    static NewDelivery shared(SmSessionKey session, std::int64_t sequence) {
        return {.session = session, .sequence = sequence, .shared = true};
    }
    std::int64_t move_to_offline(SmSessionKey session,
                                 std::optional<base::Duration> keep = std::nullopt,
                                 SharedDeliveries shared = SharedDeliveries::left) {
        return database.must([&](Transaction& t) {
            return Deliveries(t, limits).move_to_offline(session, keep, shared);
        });
    }
    std::int64_t remove_delivered(const xmpp::Jid& owner, const Ids& ids) {
        return database.must(
            [&](Transaction& t) { return Deliveries(t).remove_delivered(owner, ids); });
    }
    std::int64_t hand_over(SmSessionKey session, const std::vector<HandOver>& messages) {
        return database.must(
            [&](Transaction& t) { return Deliveries(t).hand_over(juliet, session, messages); });
    }
    std::int64_t expire(std::int64_t at, std::uint32_t limit = kDeliveryPageMax) {
        return database.must(
            [&](Transaction& t) { return Deliveries(t).expire_offline(after_now(at), limit); });
    }
    void remove_session(SmSessionKey key) {
        database.must([&](Transaction& t) { return SmSessions(t).remove(key); });
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, DeliveriesTest, every_engine(), name_of);

TEST_P(DeliveriesTest, are_kept_for_each_session_until_it_acknowledges_them) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const MessageId first =
        incoming(juliet, romeo, "one",
                 {{.session = phone, .sequence = 3}, {.session = laptop, .sequence = 1}});
    incoming(juliet, romeo, "two", {{.session = phone, .sequence = 9}});
    incoming(juliet, romeo, "three", {{.session = phone, .sequence = 10}});
    const auto given = unacknowledged(phone);
    EXPECT_EQ(texts_of(given), (Texts{"one", "two", "three"}));
    EXPECT_EQ(given[0].id, first);
    EXPECT_EQ(given[0].sequence, 3);
    EXPECT_FALSE(given[0].shared);
    EXPECT_TRUE(given[0].archived);
    EXPECT_EQ(acknowledge(phone, 2), 0);
    EXPECT_EQ(acknowledge(phone, 9), 2);
    EXPECT_EQ(texts_of(unacknowledged(phone)), Texts{"three"});
    EXPECT_EQ(texts_of(unacknowledged(laptop)), Texts{"one"});
    EXPECT_EQ(page(juliet).messages.size(), 3U);
}

TEST_P(DeliveriesTest, of_a_session_are_pages_by_sequence) {
    const SmSessionKey key = session(juliet);
    for (int i = 1; i <= 5; ++i)
        incoming(juliet, romeo, std::to_string(i), {{.session = key, .sequence = i * 10}});
    const auto page = [&](std::int64_t after, std::uint32_t limit) {
        return texts_of(database.must(
            [&](Transaction& t) { return Deliveries(t).unacknowledged(key, after, limit); }));
    };
    EXPECT_EQ(page(0, 2), (Texts{"1", "2"}));
    EXPECT_EQ(page(20, 2), (Texts{"3", "4"}));
    EXPECT_EQ(page(45, 2), Texts{"5"});
    EXPECT_EQ(page(50, 2), Texts{});
}

TEST_P(DeliveriesTest, never_make_a_page_of_too_many_bytes) {
    limits = kNoQueueLimits;
    const std::string big(static_cast<std::size_t>(kDeliveryPageBytesMax) / 3 + 1, 'x');
    for (int i = 0; i < 4; ++i)
        incoming(juliet, romeo, big, {{}});
    const std::string huge(static_cast<std::size_t>(kDeliveryPageBytesMax) + 1, 'x');
    const MessageId last = incoming(juliet, romeo, huge, {{}});
    const auto page = offline(juliet);
    EXPECT_EQ(page.size(), 2U);
    const auto rest = offline(juliet, page[1].id);
    EXPECT_EQ(rest.size(), 2U);
    EXPECT_EQ(ids_of(offline(juliet, rest[1].id)), Ids{last});
    EXPECT_EQ(offline(juliet, last).size(), 0U);
}

TEST_P(DeliveriesTest, refuse_a_sequence_that_is_taken) {
    const SmSessionKey key = session(juliet);
    incoming(juliet, romeo, "one", {{.session = key, .sequence = 1}});
    const auto again = database.write([&](Transaction& t) {
        const std::vector<MessageCopy> copies{
            {.owner = juliet, .peer = romeo, .deliveries = {{.session = key, .sequence = 1}}}};
        return Messages(t).append(kNow, "two", copies);
    });
    EXPECT_EQ(again.error().code(), Errc::already_exists);
    EXPECT_EQ(rows("messages"), 1);
}

TEST_P(DeliveriesTest, take_the_bytes_along_when_nobody_archives_the_message) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    transient(juliet, "headline",
              {{.session = phone, .sequence = 1}, {.session = laptop, .sequence = 1}});
    EXPECT_FALSE(unacknowledged(phone)[0].archived);
    EXPECT_EQ(page(juliet).messages.size(), 0U);
    acknowledge(phone, 1);
    EXPECT_EQ(rows("messages"), 1);
    acknowledge(laptop, 1);
    EXPECT_EQ(rows("messages"), 0);
}

TEST_P(DeliveriesTest, of_a_session_that_is_gone_go_to_the_offline_queue_once) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    remove_session(phone);
    remove_session(laptop);
    const MessageId id =
        incoming(juliet, romeo, "kept",
                 {{.session = phone, .sequence = 1}, {.session = laptop, .sequence = 1}});
    incoming(juliet, romeo, "a carbon", {{.session = phone, .sequence = 2, .kept = false}});
    EXPECT_EQ(ids_of(offline(juliet)), Ids{id});
    transient(juliet, "for nobody any more", {{.session = phone, .sequence = 3, .kept = false}});
    EXPECT_EQ(rows("messages"), 2);
}

TEST_P(DeliveriesTest, wait_for_one_client_only_until_a_crash_when_another_has_them) {
    const SmSessionKey phone = session(juliet);
    const auto beside = [&](std::int64_t sequence) {
        return incoming(juliet, romeo, "x",
                        {{.session = phone, .sequence = sequence, .shared = true},
                         {.session = kOfflineQueue, .shared = true}});
    };
    const auto remove_had = [&] {
        return database.must([&](Transaction& t) { return Deliveries(t).remove_had(juliet); });
    };
    const auto move = [&] {
        return database.must([&](Transaction& t) {
            return Deliveries(t).move_to_offline(phone, {}, SharedDeliveries::taken);
        });
    };
    const MessageId had = beside(1);
    const MessageId lost = beside(2);
    const MessageId alone = incoming(juliet, romeo, "y", {{}});
    EXPECT_EQ(acknowledge(phone, 1), 1);
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{had, lost, alone}));
    EXPECT_EQ(remove_had(), 1);
    EXPECT_EQ(totals(juliet).messages, 2);
    EXPECT_EQ(move(), 0);
    EXPECT_EQ(remove_had(), 0);
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{lost, alone}));
}

TEST_P(DeliveriesTest, that_wait_for_one_client_do_not_wait_for_one_that_left_them_to_another) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    incoming(juliet, romeo, "x",
             {{.session = phone, .sequence = 1, .shared = true},
              {.session = laptop, .sequence = 1, .shared = true},
              {.session = kOfflineQueue, .shared = true}});
    EXPECT_EQ(move_to_offline(phone), 0);
    EXPECT_EQ(acknowledge(laptop, 1), 1);
    EXPECT_EQ(database.must([&](Transaction& t) { return Deliveries(t).remove_had(juliet); }), 1);
    EXPECT_EQ(totals(juliet).messages, 0);
}

TEST_P(DeliveriesTest, that_waited_for_one_client_still_do_when_a_crash_ends_its_session) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const auto beside = [&](std::int64_t sequence) {
        return incoming(juliet, romeo, "x",
                        {{.session = laptop, .sequence = sequence, .shared = true},
                         {.session = kOfflineQueue, .shared = true}});
    };
    const MessageId had = beside(1);
    EXPECT_EQ(acknowledge(laptop, 1), 1);
    const MessageId lost = beside(2);
    EXPECT_EQ(hand_over(phone, {{had, 1}, {lost, 2}}), 2);
    for (const SmSessionKey key : {phone, laptop})
        move_to_offline(key, std::nullopt, SharedDeliveries::taken);
    EXPECT_EQ(database.must([&](Transaction& t) { return Deliveries(t).remove_had(juliet); }), 1);
    EXPECT_EQ(ids_of(offline(juliet)), Ids{lost});
}

TEST_P(DeliveriesTest, wait_in_the_offline_queue_in_the_order_of_ids) {
    const MessageId first = incoming(juliet, romeo, "one", {{}});
    const MessageId second = incoming(juliet, nurse, "two", {{}});
    const MessageId third = transient(juliet, "three", {{}});
    incoming(nurse, romeo, "other", {{}});
    const auto waiting = offline(juliet);
    EXPECT_EQ(ids_of(waiting), (Ids{first, second, third}));
    EXPECT_EQ(waiting[0].sequence, 0);
    EXPECT_TRUE(waiting[0].archived);
    EXPECT_FALSE(waiting[2].archived);
    EXPECT_EQ(ids_of(offline(juliet, first)), (Ids{second, third}));
    EXPECT_EQ(totals(juliet).messages, 3);
    EXPECT_EQ(totals(juliet).bytes, 11);
    EXPECT_EQ(totals(romeo).messages, 0);
}

TEST_P(DeliveriesTest, leave_the_offline_queue_by_id_or_through_one) {
    Ids ids;
    for (int i = 0; i < 5; ++i)
        ids.push_back(i == 3 ? transient(juliet, "t", {{}}) : incoming(juliet, romeo, "x", {{}}));
    EXPECT_EQ(remove_delivered(juliet, {ids[1], ids[3], ids[3], ids[4] + 1000}), 2);
    EXPECT_EQ(remove_delivered(romeo, ids), 0);
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{ids[0], ids[2], ids[4]}));
    EXPECT_EQ(rows("messages"), 4);
    EXPECT_EQ(database.must([&](Transaction& t) {
        return Deliveries(t).remove_delivered_through(juliet, ids[2]);
    }),
              2);
    EXPECT_EQ(ids_of(offline(juliet)), Ids{ids[4]});
    EXPECT_EQ(totals(juliet).bytes, 1);
    EXPECT_EQ(page(juliet).messages.size(), 4U);
}

TEST_P(DeliveriesTest, do_not_fit_an_offline_queue_that_is_full) {
    limits = {.messages_max = 2, .bytes_max = 10};
    const auto try_append = [&](std::string_view stanza, bool archived) {
        return database.must([&](Transaction& t) {
            const std::vector<MessageCopy> copies{
                {.owner = juliet, .peer = romeo, .archived = archived, .deliveries = {{}}}};
            return Messages(t, limits).append(kNow, stanza, copies);
        });
    };
    EXPECT_FALSE(try_append("12345", true).offline_queue_full);
    EXPECT_TRUE(try_append("123456", true).offline_queue_full);
    EXPECT_FALSE(try_append("12345", true).offline_queue_full);
    EXPECT_TRUE(try_append("", true).offline_queue_full);
    EXPECT_TRUE(try_append("", false).offline_queue_full);
    EXPECT_EQ(offline(juliet).size(), 2U);
    EXPECT_EQ(page(juliet).messages.size(), 4U);
    EXPECT_EQ(rows("messages"), 4);
    remove_delivered(juliet, {offline(juliet)[0].id});
    EXPECT_FALSE(try_append("12345", false).offline_queue_full);
}

TEST_P(DeliveriesTest, expire_in_the_offline_queue_in_steps) {
    incoming(juliet, romeo, "keeps", {{}});
    for (int i = 1; i <= 5; ++i)
        incoming(juliet, romeo, std::to_string(i), {{.expires_at = after_now(i)}});
    transient(nurse, "hers", {{.expires_at = after_now(4)}});
    EXPECT_EQ(texts_of(offline(juliet, 0, after_now(3))), (Texts{"keeps", "4", "5"}));
    EXPECT_EQ(expire(3, 2), 2);
    EXPECT_EQ(totals(juliet).messages, 4);
    EXPECT_EQ(expire(3, 2), 1);
    EXPECT_EQ(expire(3, 2), 0);
    EXPECT_EQ(expire(100), 3);
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"keeps"});
    EXPECT_EQ(totals(juliet).bytes, 5);
    EXPECT_EQ(totals(nurse).messages, 0);
    EXPECT_EQ(rows("messages"), 6);
}

TEST_P(DeliveriesTest, of_a_session_that_ends_take_their_places_in_the_offline_queue) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const MessageId first = incoming(juliet, romeo, "one", {{.session = phone, .sequence = 1}});
    const MessageId second =
        incoming(juliet, romeo, "two",
                 {{.session = phone, .sequence = 2}, {.session = laptop, .sequence = 1}, {}});
    const MessageId third = transient(juliet, "three", {{.session = phone, .sequence = 3}});
    incoming(juliet, romeo, "a carbon", {{.session = phone, .sequence = 4, .kept = false}});
    transient(juliet, "not kept", {{.session = phone, .sequence = 5, .kept = false}});
    EXPECT_EQ(move_to_offline(phone, 24h), 2);
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{first, second, third}));
    EXPECT_EQ(unacknowledged(phone).size(), 0U);
    EXPECT_EQ(unacknowledged(laptop).size(), 1U);
    EXPECT_EQ(totals(juliet).messages, 3);
    EXPECT_EQ(rows("messages"), 4);
    EXPECT_EQ(expire((24h).count() * 3'600'000'000 + 1000), 2);
    EXPECT_EQ(ids_of(offline(juliet)), Ids{second});
}

TEST_P(DeliveriesTest, that_are_shared_need_one_acknowledgement) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const SmSessionKey other = session(romeo);
    transient(juliet, "one", {shared(phone, 1), shared(laptop, 1)});
    transient(juliet, "two", {shared(phone, 2), shared(laptop, 2)});
    transient(romeo, "another", {{.session = other, .sequence = 1}});
    EXPECT_TRUE(unacknowledged(phone)[0].shared);
    EXPECT_EQ(acknowledge(phone, 1), 1);
    EXPECT_EQ(texts_of(unacknowledged(laptop)), Texts{"two"});
    EXPECT_EQ(texts_of(unacknowledged(other)), Texts{"another"});
    EXPECT_EQ(rows("messages"), 2);
    EXPECT_EQ(acknowledge(laptop, 2), 1);
    EXPECT_EQ(unacknowledged(phone).size(), 0U);
    EXPECT_EQ(rows("messages"), 1);
}

TEST_P(DeliveriesTest, that_are_shared_go_to_the_offline_queue_with_the_last_session) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    incoming(juliet, romeo, "one", {shared(phone, 1), shared(laptop, 1)});
    EXPECT_EQ(move_to_offline(phone), 0);
    EXPECT_EQ(unacknowledged(phone).size(), 0U);
    EXPECT_EQ(texts_of(unacknowledged(laptop)), Texts{"one"});
    EXPECT_EQ(move_to_offline(laptop), 1);
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"one"});
}

TEST_P(DeliveriesTest, that_are_shared_are_over_when_somebody_else_has_the_message) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const MessageId one = incoming(juliet, romeo, "one", {shared(phone, 1), shared(laptop, 1), {}});
    const MessageId two = incoming(juliet, romeo, "two", {shared(phone, 2), shared(laptop, 2)});
    const auto remove = [&](MessageId id, SharedDeliveries shared) {
        return database.must([&](Transaction& t) {
            return Deliveries(t).remove_delivered(juliet, Ids{id}, shared);
        });
    };
    EXPECT_EQ(remove(one, SharedDeliveries::left), 1);
    EXPECT_EQ(texts_of(unacknowledged(phone)), (Texts{"one", "two"}));
    EXPECT_EQ(remove(one, SharedDeliveries::taken), 0);
    EXPECT_EQ(texts_of(unacknowledged(phone)), Texts{"two"});
    EXPECT_EQ(texts_of(unacknowledged(laptop)), Texts{"two"});
    EXPECT_EQ(remove(two, SharedDeliveries::taken), 0);
    EXPECT_EQ(rows("deliveries"), 0);
}

TEST_P(DeliveriesTest, that_one_gets_out_of_the_queue_are_shared_with_those_that_have_them) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    const MessageId one = incoming(juliet, romeo, "one", {shared(phone, 1), {}});
    const MessageId two = incoming(juliet, romeo, "two", {shared(phone, 2), {}});
    database.must([&](Transaction& t) {
        return Deliveries(t).hand_over(juliet, laptop, std::vector<HandOver>{{one, 1}, {two, 2}});
    });
    EXPECT_TRUE(unacknowledged(laptop)[0].shared);
    EXPECT_EQ(acknowledge(laptop, 1), 1);
    EXPECT_EQ(texts_of(unacknowledged(phone)), Texts{"two"});
    EXPECT_EQ(move_to_offline(phone), 0);
    EXPECT_EQ(offline(juliet).size(), 0U);
    EXPECT_EQ(texts_of(unacknowledged(laptop)), Texts{"two"});
}

TEST_P(DeliveriesTest, that_are_shared_by_lost_sessions_go_to_the_offline_queue_with_the_first) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    incoming(juliet, romeo, "one", {shared(phone, 1), shared(laptop, 1)});
    incoming(juliet, romeo, "two", {{.session = laptop, .sequence = 2}});
    EXPECT_EQ(move_to_offline(phone, std::nullopt, SharedDeliveries::taken), 1);
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"one"});
    EXPECT_EQ(totals(juliet).messages, 1);
    EXPECT_EQ(remove_delivered(juliet, {offline(juliet)[0].id}), 1);
    EXPECT_EQ(move_to_offline(laptop, std::nullopt, SharedDeliveries::taken), 1);
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"two"});
}

TEST_P(DeliveriesTest, that_are_shared_leave_the_offline_queue_when_a_lost_session_has_them) {
    const SmSessionKey phone = session(juliet);
    const SmSessionKey laptop = session(juliet);
    transient(juliet, "one", {shared(phone, 1), shared(laptop, 1)});
    transient(juliet, "two", {shared(phone, 2), shared(laptop, 2)});
    EXPECT_EQ(move_to_offline(phone, std::nullopt, SharedDeliveries::taken), 2);
    EXPECT_EQ(acknowledge(laptop, 1), 1);
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"two"});
    EXPECT_EQ(totals(juliet).messages, 1);
    EXPECT_EQ(move_to_offline(laptop, std::nullopt, SharedDeliveries::taken), 0);
    EXPECT_EQ(rows("messages"), 1);
}

TEST_P(DeliveriesTest, of_a_session_that_ends_are_dropped_where_the_queue_is_full) {
    limits = {.messages_max = 2, .bytes_max = 1000};
    const SmSessionKey key = session(juliet);
    for (int i = 1; i <= 3; ++i)
        transient(juliet, std::to_string(i), {{.session = key, .sequence = i}});
    EXPECT_EQ(move_to_offline(key), 2);
    EXPECT_EQ(texts_of(offline(juliet)), (Texts{"1", "2"}));
    EXPECT_EQ(rows("messages"), 2);
}

TEST_P(DeliveriesTest, are_handed_over_from_the_offline_queue_to_a_session) {
    const MessageId first = incoming(juliet, romeo, "one", {{.expires_at = after_now(5)}});
    const MessageId second = transient(juliet, "two", {{}});
    const MessageId third = incoming(juliet, romeo, "three", {{}});
    const SmSessionKey key = session(juliet);
    EXPECT_EQ(hand_over(key, {{first, 1}, {second, 2}, {third + 1000, 3}}), 2);
    EXPECT_EQ(ids_of(unacknowledged(key)), (Ids{first, second}));
    EXPECT_EQ(ids_of(offline(juliet)), Ids{third});
    EXPECT_EQ(totals(juliet).messages, 1);
    EXPECT_EQ(expire(100), 0);
    acknowledge(key, 1);
    EXPECT_EQ(move_to_offline(key), 1);
    EXPECT_EQ(ids_of(offline(juliet)), (Ids{second, third}));
    const auto wrong = database.write([&](Transaction& t) {
        return Deliveries(t).hand_over(juliet, kOfflineQueue, std::vector<HandOver>{{third, 1}});
    });
    EXPECT_EQ(wrong.error().code(), Errc::invalid_argument);
}

TEST_P(DeliveriesTest, are_dropped_with_their_session) {
    const SmSessionKey key = session(juliet);
    transient(juliet, "one", {{.session = key, .sequence = 1}});
    incoming(juliet, romeo, "two", {{.session = key, .sequence = 2}});
    remove_session(key);
    EXPECT_EQ(rows("deliveries"), 0);
    EXPECT_EQ(rows("messages"), 1);
}

TEST_P(DeliveriesTest, of_a_retracted_message_are_its_tombstone) {
    const SmSessionKey key = session(juliet);
    const MessageId id =
        incoming(juliet, romeo, "regretted", {{.session = key, .sequence = 1}, {}});
    database.must([&](Transaction& t) { return Archive(t).replace(juliet, id, "tomb"); });
    EXPECT_EQ(rows("messages"), 0);
    EXPECT_EQ(texts_of(unacknowledged(key)), Texts{"tomb"});
    EXPECT_EQ(texts_of(offline(juliet)), Texts{"tomb"});
}

}  // namespace
}  // namespace storage::test
