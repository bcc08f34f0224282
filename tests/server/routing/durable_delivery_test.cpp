// Messages that are stored before anybody sees them: what senders and recipients see when storage
// is slow, full or fails, and what is remembered of messages on their way.
#include "server/routing/durable_delivery.h"
#include "server/routing/sent_messages.h"
#include "storage/tables/messages_deliveries.h"
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

std::string chat(std::string_view to, std::string_view id, std::string_view body = "x") {
    return "<message type='chat' to='" + std::string(to) + "' id='" + std::string(id) + "'><body>" +
           std::string(body) + "</body></message>";
}

std::string condition_of(const xmpp::Element& error) {
    const xmpp::Element* child = error.child("error");
    return child == nullptr || child->first_child() == nullptr ? std::string()
                                                               : child->first_child()->name();
}

class DurableDeliveryTest : public testing::Test {
protected:
    std::int64_t waiting(std::string_view account) {
        auto reading = harness.on_shard(0, [&] {
            return harness.database().read(
                [jid = xmpp::Jid::parse(account).value()](storage::Transaction& transaction) {
                    return storage::Deliveries(transaction).offline_totals(jid);
                });
        });
        harness.advance(1s);
        return reading.take().value().messages;
    }

    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "orchard");
    ScriptedClient& juliet = harness.online("juliet", "balcony");
};

TEST_F(DurableDeliveryTest, shows_nothing_before_it_is_on_disk) {
    harness.faults.delay(5s);
    romeo.send(chat("juliet@example.org/balcony", "m1"));
    juliet.expect_nothing(4s);
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m1");
}

TEST_F(DurableDeliveryTest, lets_nothing_overtake_what_is_being_stored) {
    harness.faults.delay(2s);
    romeo.send(chat("juliet@example.org/balcony", "m1") +
               "<message type='chat' to='juliet@example.org/balcony' id='state'>"
               "<active xmlns='http://jabber.org/protocol/chatstates'/></message>" +
               chat("juliet@example.org/balcony", "m2"));
    juliet.expect_nothing(1s);
    for (const char* id : {"m1", "state", "m2"})
        EXPECT_EQ(juliet.expect_element().attribute("id"), id);
}

TEST_F(DurableDeliveryTest, tells_the_sender_when_it_cannot_be_stored_and_shows_it_to_nobody) {
    harness.faults.disk_full(true);
    romeo.send(chat("juliet@example.org/balcony", "m1"));
    const xmpp::Element refused = romeo.expect_element();
    EXPECT_EQ(refused.attribute("id"), "m1");
    EXPECT_EQ(condition_of(refused), "resource-constraint");
    juliet.expect_nothing();
    EXPECT_EQ(harness.metric("messages_refused_total"), 1);
    harness.faults.disk_full(false);
    romeo.send(chat("juliet@example.org/balcony", "m2"));
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m2");
    harness.faults.fail_next_commit();
    romeo.send(chat("juliet@example.org/balcony", "m3"));
    EXPECT_EQ(condition_of(romeo.expect_element()), "internal-server-error");
}

TEST_F(DurableDeliveryTest, fills_the_place_of_a_message_that_failed_so_that_counts_stay_right) {
    juliet.send("<enable xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(juliet.expect_element().name(), "enabled");
    harness.faults.fail_next_write();
    romeo.send(chat("juliet@example.org/balcony", "m1") + chat("juliet@example.org/balcony", "m2"));
    // A ping of the server's stands in it.
    EXPECT_NE(juliet.expect_element().child("ping", xmpp::ns::ping), nullptr);
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m2");
    EXPECT_EQ(juliet.expect_element().name(), "r");
    juliet.send("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    harness.advance(1s);
    juliet.send("</stream:stream>");
    harness.advance(1s);
    EXPECT_EQ(waiting("juliet@example.org"), 0);
}

TEST_F(DurableDeliveryTest, keeps_what_a_client_is_given_until_it_is_written) {
    juliet.send("<presence/>");
    EXPECT_EQ(juliet.expect_element().name(), "presence");
    romeo.send(chat("juliet@example.org", "m1"));
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m1");
    EXPECT_EQ(waiting("juliet@example.org"), 0);
    // With stream management until it is acknowledged, and for the offline queue when it is not.
    juliet.send("<enable xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(juliet.expect_element().name(), "enabled");
    romeo.send(chat("juliet@example.org", "m2"));
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m2");
    juliet.send("</stream:stream>");
    harness.advance(1s);
    EXPECT_EQ(waiting("juliet@example.org"), 1);
}

TEST_F(DurableDeliveryTest, tries_again_to_hand_over_what_storage_kept_back) {
    juliet.send("</stream:stream>");
    harness.advance(1s);
    romeo.send(chat("juliet@example.org", "m1"));
    harness.advance(1s);
    EXPECT_EQ(waiting("juliet@example.org"), 1);
    ScriptedClient& again = harness.online("juliet", "garden");
    again.send("<presence/>");
    EXPECT_EQ(again.expect_element().name(), "presence");
    harness.faults.fail_next_read();
    harness.on_shard(0, [&] {
        harness.router().offline().start_any(
            *harness.accounts().find(xmpp::Jid::parse("juliet@example.org").value()));
    });
    again.expect_nothing(900ms);
    EXPECT_EQ(again.expect_element().attribute("id"), "m1");
    EXPECT_EQ(waiting("juliet@example.org"), 0);
}

TEST_F(DurableDeliveryTest, moves_what_a_stream_leaves_behind_once_storage_can_again) {
    juliet.send("<enable xmlns='urn:xmpp:sm:3' resume='true' max='60'/>");
    EXPECT_EQ(juliet.expect_element().name(), "enabled");
    romeo.send(chat("juliet@example.org/balcony", "m1"));
    EXPECT_EQ(juliet.expect_element().attribute("id"), "m1");
    juliet.reset();
    harness.advance(30s);
    harness.faults.disk_full(true);
    harness.advance(60s);
    EXPECT_EQ(waiting("juliet@example.org"), 0);
    harness.faults.disk_full(false);
    harness.advance(15s);
    EXPECT_EQ(waiting("juliet@example.org"), 1);
}

TEST_F(DurableDeliveryTest, concerns_messages_of_worth) {
    const auto stanza = [](xmpp::MessageType type, std::string_view body) {
        xmpp::Stanza made = xmpp::Stanza::message(type);
        if (!body.empty()) made.edit().add_text_child("body", body);
        return made;
    };
    using xmpp::MessageType;
    EXPECT_TRUE(DurableDelivery::concerns(stanza(MessageType::chat, "x")));
    EXPECT_TRUE(DurableDelivery::concerns(stanza(MessageType::normal, "x")));
    EXPECT_FALSE(DurableDelivery::concerns(stanza(MessageType::chat, "")));
    EXPECT_FALSE(DurableDelivery::concerns(stanza(MessageType::headline, "x")));
    EXPECT_FALSE(DurableDelivery::concerns(stanza(MessageType::groupchat, "x")));
    EXPECT_FALSE(DurableDelivery::concerns(stanza(MessageType::error, "x")));
    EXPECT_FALSE(DurableDelivery::concerns(xmpp::Stanza::presence(xmpp::PresenceType::available)));
}

TEST_F(DurableDeliveryTest, remembers_a_message_until_its_fate_is_known) {
    harness.on_shard(0, [&] {
        const ArchiveIds ids("0123456789abcdef");
        SentMessages sent(harness.accounts(), harness.hooks(), ids);
        Account* account = harness.accounts().find(xmpp::Jid::parse("romeo@example.org").value());
        ASSERT_NE(account, nullptr);
        const Resource& resource = *account->find("orchard");
        const xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
        using Kind = OriginReport::Kind;
        const std::uint64_t one = sent.add(*account, resource, message, 0, false);
        const std::uint64_t two = sent.add(*account, resource, message, 0, false);
        EXPECT_NE(one, two);
        EXPECT_EQ(sent.state_of(one), Router::Submitted::pending);
        sent.report({.ticket = one, .kind = Kind::placed});
        EXPECT_EQ(sent.state_of(one), Router::Submitted::placed);
        EXPECT_EQ(sent.state_of(two), Router::Submitted::pending);
        sent.report({.ticket = one, .kind = Kind::stored, .id = 5});
        EXPECT_EQ(sent.state_of(one), Router::Submitted::settled);
        sent.report({.ticket = one, .kind = Kind::stored, .id = 5});
        sent.report({.ticket = two, .kind = Kind::settled});
        EXPECT_EQ(sent.state_of(two), Router::Submitted::settled);
        sent.report({.ticket = 99, .kind = Kind::settled});
    });
}

}  // namespace
}  // namespace server::test
