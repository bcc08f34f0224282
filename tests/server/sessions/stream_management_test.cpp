// The bookkeeping of stream management (XEP-0198): counts both ways, questions, and what is saved.
#include "server/sessions/stream_management.h"

#include <gtest/gtest.h>
#include <limits>

namespace server::test {
namespace {

constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();

Unacknowledged stanza(std::string_view bytes, storage::MessageId id = 0, bool managed = true) {
    return {.bytes = base::SharedBytes(std::string(bytes)), .id = id, .managed = managed};
}

void send(StreamManagement& sm, Unacknowledged sent) {
    (void)sm.enter();
    sm.push(std::move(sent));
}

/// As if `taken` stanzas had been taken and stored, and as many sent and acknowledged.
StreamManagement at(std::uint32_t taken) {
    const std::string number = std::to_string(taken);
    const std::string field = std::to_string(number.size()) + ":" + number;
    auto made = StreamManagement::restore("11:parley-sm-1" + field + field + field + "1:0");
    EXPECT_TRUE(made);
    return std::move(made).value();
}

TEST(StreamManagement, settles_a_prefix_whatever_the_order_of_the_rest) {
    StreamManagement sm;
    for (int i = 0; i < 4; ++i)
        sm.open(sm.take());
    EXPECT_EQ(sm.settled(), 0U);
    sm.settle(2);
    EXPECT_EQ(sm.settled(), 0U);
    sm.settle(1);
    EXPECT_EQ(sm.settled(), 2U);
    sm.settle(9);
    sm.settle(4);
    EXPECT_EQ(sm.settled(), 2U);
    EXPECT_FALSE(sm.all_settled());
    sm.settle(3);
    EXPECT_EQ(sm.settled(), 4U);
    EXPECT_TRUE(sm.all_settled());
}

TEST(StreamManagement, acknowledges_what_is_settled_and_stored) {
    StreamManagement sm;
    sm.open(sm.take());
    (void)sm.take();
    EXPECT_EQ(sm.acknowledgeable(), 0U);
    sm.stored(2);
    EXPECT_EQ(sm.acknowledgeable(), 0U);
    sm.settle(1);
    EXPECT_EQ(sm.acknowledgeable(), 2U);
    (void)sm.take();
    EXPECT_EQ(sm.acknowledgeable(), 2U);
    sm.stored(1);
    EXPECT_EQ(sm.stored(), 2U);
}

TEST(StreamManagement, counts_on_over_2_to_the_32nd) {
    StreamManagement sm = at(kLast - 1);
    EXPECT_EQ(sm.take(), kLast);
    sm.open(kLast);
    EXPECT_EQ(sm.take(), 0U);
    EXPECT_EQ(sm.take(), 1U);
    EXPECT_EQ(sm.settled(), kLast - 1);
    sm.settle(kLast);
    EXPECT_EQ(sm.settled(), 1U);
    sm.stored(kLast);
    EXPECT_EQ(sm.acknowledgeable(), kLast);
    sm.stored(1);
    EXPECT_EQ(sm.acknowledgeable(), 1U);
    EXPECT_TRUE(StreamManagement::reaches(0, kLast));
    EXPECT_FALSE(StreamManagement::reaches(kLast, 0));
    for (int i = 0; i < 3; ++i)
        send(sm, stanza("x", 5));
    const auto done = sm.acknowledge(1);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->through, std::int64_t{kLast} + 2);
    EXPECT_EQ(sm.unacknowledged(), 0U);
}

TEST(StreamManagement, answers_a_question_when_what_it_is_about_is_settled) {
    StreamManagement sm;
    EXPECT_FALSE(sm.answer());
    sm.ask_us();
    EXPECT_EQ(sm.answer(), 0U);
    sm.answered(0);
    EXPECT_FALSE(sm.asked_us());
    sm.open(sm.take());
    sm.ask_us();
    EXPECT_FALSE(sm.answer());
    sm.settle(1);
    EXPECT_FALSE(sm.answer());
    sm.stored(1);
    EXPECT_EQ(sm.answer(), 1U);
}

TEST(StreamManagement, answers_while_questions_keep_coming) {
    StreamManagement sm;
    for (int i = 0; i < 10; ++i) {
        sm.open(sm.take());
        sm.ask_us();
    }
    sm.settle(1);
    sm.settle(2);
    sm.stored(2);
    // Two of ten questions, with one answer.
    EXPECT_EQ(sm.answer(), 2U);
    sm.answered(2);
    EXPECT_TRUE(sm.asked_us());
    EXPECT_FALSE(sm.answer());
    for (std::uint32_t i = 3; i <= 10; ++i)
        sm.settle(i);
    sm.stored(10);
    EXPECT_EQ(sm.answer(), 10U);
    sm.answered(10);
    EXPECT_FALSE(sm.asked_us());
}

TEST(StreamManagement, settles_requests_by_their_answers) {
    StreamManagement sm;
    (void)sm.take();
    sm.open_request("a");
    EXPECT_TRUE(sm.has_requests());
    EXPECT_FALSE(sm.settle_request("b"));
    EXPECT_EQ(sm.settled(), 0U);
    EXPECT_TRUE(sm.settle_request("a"));
    EXPECT_FALSE(sm.settle_request("a"));
    EXPECT_EQ(sm.settled(), 1U);
    sm.open(sm.take());
    (void)sm.take();
    sm.open_request("c");
    sm.settle_requests();
    EXPECT_FALSE(sm.has_requests());
    EXPECT_EQ(sm.settled(), 1U);
    sm.settle(2);
    EXPECT_EQ(sm.settled(), 3U);
}

TEST(StreamManagement, hands_back_what_is_not_on_disk) {
    StreamManagement sm;
    for (int i = 0; i < 5; ++i)
        (void)sm.take();
    sm.stored(3);
    sm.hand_back();
    EXPECT_EQ(sm.taken(), 3U);
    EXPECT_EQ(sm.take(), 4U);
}

TEST(StreamManagement, asks_once_and_never_twice_for_the_same) {
    StreamManagement sm;
    EXPECT_FALSE(sm.should_ask());
    send(sm, stanza("one"));
    EXPECT_TRUE(sm.should_ask());
    sm.asked();
    send(sm, stanza("two"));
    EXPECT_FALSE(sm.should_ask());
    ASSERT_TRUE(sm.acknowledge(1));
    EXPECT_TRUE(sm.should_ask());
    sm.asked();
    // An answer that brings nothing new is no reason to ask again; another stanza is.
    ASSERT_TRUE(sm.acknowledge(1));
    EXPECT_FALSE(sm.should_ask());
    send(sm, stanza("three"));
    EXPECT_TRUE(sm.should_ask());
    sm.asked();
    sm.ask_again();
    EXPECT_TRUE(sm.should_ask());
    ASSERT_TRUE(sm.acknowledge(3));
    EXPECT_FALSE(sm.should_ask());
}

TEST(StreamManagement, asks_together_for_what_has_patience) {
    StreamManagement sm;
    const auto talk = [&] {
        Unacknowledged word = stanza("word");
        word.patient = true;
        send(sm, std::move(word));
    };
    for (std::uint32_t i = 1; i < StreamManagement::kPatientMax; ++i)
        talk();
    EXPECT_FALSE(sm.should_ask());
    EXPECT_TRUE(sm.should_ask_later());
    talk();
    EXPECT_TRUE(sm.should_ask());
    sm.asked();
    EXPECT_FALSE(sm.should_ask_later());
    ASSERT_TRUE(sm.acknowledge(StreamManagement::kPatientMax));
    EXPECT_FALSE(sm.should_ask_later());
    talk();
    EXPECT_FALSE(sm.should_ask());
    sm.ask_now();
    EXPECT_TRUE(sm.should_ask());
    sm.asked();
    talk();
    send(sm, stanza("of another kind"));
    ASSERT_TRUE(sm.acknowledge(StreamManagement::kPatientMax + 1));
    EXPECT_TRUE(sm.should_ask());
}

TEST(StreamManagement, addresses_what_many_were_sent_over_a_restart_as_well) {
    const xmpp::Jid client = *xmpp::Jid::parse("o'hara@example.org/x");
    StreamManagement sm;
    Unacknowledged word = stanza("<message from='r@example.org/n'><body>hi</body></message>");
    word.lacks_to = true;
    send(sm, std::move(word));
    constexpr std::string_view kSent =
        "<message to='o&apos;hara@example.org/x' from='r@example.org/n'><body>hi</body></message>";
    EXPECT_EQ(text_of(sm[0], client), kSent);
    const auto restored = StreamManagement::restore(sm.save());
    ASSERT_TRUE(restored);
    EXPECT_EQ(text_of((*restored)[0], client), kSent);
    EXPECT_EQ(text_of(stanza("<presence/>"), client), "<presence/>");
}

TEST(StreamManagement, tells_what_the_database_may_forget) {
    StreamManagement sm;
    send(sm, stanza("presence"));
    send(sm, stanza("message", 10));
    send(sm, stanza("in the offline queue", 11, false));
    Unacknowledged shared = stanza("shared", 12);
    shared.shared = true;
    send(sm, std::move(shared));
    send(sm, stanza("presence"));
    EXPECT_EQ(sm.unacknowledged_bytes(), 8U + 7U + 20U + 6U + 8U);
    auto done = sm.acknowledge(1);
    ASSERT_TRUE(done);
    EXPECT_TRUE(done->empty());
    done = sm.acknowledge(5);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->through, 4);
    EXPECT_EQ(done->done, (std::vector<storage::MessageId>{11, 12}));
    EXPECT_EQ(sm.unacknowledged_bytes(), 0U);
    StreamManagement::Acknowledged sum{.through = 9, .done = {1}};
    sum.add(*std::move(done));
    EXPECT_EQ(sum.through, 9);
    EXPECT_EQ(sum.done.size(), 3U);
}

TEST(StreamManagement, refuses_a_count_that_is_too_high_and_changes_nothing) {
    StreamManagement sm;
    send(sm, stanza("one", 1));
    const auto done = sm.acknowledge(2);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), (xmpp::SmTooHigh{.handled = 2, .sent = 1}));
    EXPECT_EQ(sm.unacknowledged(), 1U);
    ASSERT_TRUE(sm.acknowledge(1));
    EXPECT_FALSE(sm.acknowledge(0));
}

TEST(StreamManagement, finds_the_number_of_a_stanza_of_which_only_the_deliveries_are_known) {
    EXPECT_EQ(StreamManagement::number_of(5, 3), 5);
    EXPECT_EQ(StreamManagement::number_of(2, 3), 2);
    EXPECT_EQ(StreamManagement::number_of(0, 3), 2);
    const std::int64_t first = (std::int64_t{1} << 32) + 3;
    EXPECT_EQ(StreamManagement::number_of(5, first), first + 2);
    EXPECT_EQ(StreamManagement::number_of(1, std::int64_t{kLast}), (std::int64_t{1} << 32) + 1);
}

TEST(StreamManagement, goes_on_after_a_restart_where_it_was) {
    StreamManagement sm = at(7);
    (void)sm.take();
    sm.open(sm.take());
    send(sm, stanza("<presence/>"));
    Unacknowledged shared = stanza("<message/>", 42);
    shared.shared = true;
    send(sm, std::move(shared));
    Unacknowledged request = stanza("<iq/>");
    request.request = true;
    send(sm, std::move(request));
    Unacknowledged returns = stanza("<message type='groupchat'/>");
    returns.returns = true;
    send(sm, std::move(returns));
    ASSERT_TRUE(sm.acknowledge(8));
    auto restored = StreamManagement::restore(sm.save());
    ASSERT_TRUE(restored);
    // What was not settled the client will send again.
    EXPECT_EQ(restored->taken(), 8U);
    EXPECT_EQ(restored->stored(), 8U);
    EXPECT_TRUE(restored->all_settled());
    EXPECT_TRUE(restored->enabled);
    ASSERT_EQ(restored->unacknowledged(), 3U);
    EXPECT_EQ((*restored)[0].bytes.view(), "<message/>");
    EXPECT_EQ((*restored)[0].id, 42);
    EXPECT_TRUE((*restored)[0].shared && (*restored)[0].managed);
    EXPECT_TRUE((*restored)[1].request);
    EXPECT_TRUE((*restored)[2].returns);
    EXPECT_EQ(restored->unacknowledged_bytes(), sm.unacknowledged_bytes());
    EXPECT_EQ(restored->enter(), 12);
    const auto done = restored->acknowledge(9);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->through, 9);
    EXPECT_FALSE(restored->acknowledge(12));
}

TEST(StreamManagement, restores_nothing_but_what_was_saved) {
    StreamManagement sm = at(3);
    send(sm, stanza("<message/>", 1));
    const std::string good = sm.save();
    ASSERT_TRUE(StreamManagement::restore(good));
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(StreamManagement::restore(good.substr(0, length))) << length;
    EXPECT_FALSE(StreamManagement::restore(good + "1:x"));
    const std::string begin = "11:parley-sm-1";
    for (const char* rest :
         {"2:-11:01:01:0", "10:42949672961:01:01:0", "1:02:-11:01:0", "1:01:02:-11:0",
          "1:01:01:02:-1", "1:01:01:01:1", "1:01:01:01:11:x1:11:x", "1:01:01:01:12:641:11:x",
          "1:01:01:01:12:-11:11:x", "1:019:92233720368547758071:01:0",
          "1:01:01:019:9223372036854775807"})
        EXPECT_FALSE(StreamManagement::restore(begin + rest)) << rest;
    EXPECT_TRUE(StreamManagement::restore(begin + "1:01:01:01:11:01:11:x"));
    EXPECT_FALSE(StreamManagement::restore("11:parley-sm-21:01:01:01:0"));
}

}  // namespace
}  // namespace server::test
