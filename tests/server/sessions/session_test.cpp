// Bound clients (RFC 6120 §8): what they send is checked, stamped and routed in order; what they
// are sent arrives or goes elsewhere.
#include "server/sessions/client_session.h"
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

std::string error_of(const xmpp::Element& stanza) {
    const xmpp::Element* error = stanza.child("error");
    if (error == nullptr || error->first_child() == nullptr) return "none";
    return std::string(error->attribute("type")) + " " + error->first_child()->name();
}

TEST(Session, carries_messages_between_clients_with_from_stamped) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "orchard");
    ScriptedClient& juliet = harness.online("juliet", "balcony");
    romeo.send(
        "<message to='juliet@example.org/balcony' type='chat' id='m1'>"
        "<body>Hi &lt;there></body></message>");
    const xmpp::Element message = juliet.expect_element();
    EXPECT_EQ(message.attribute("from"), "romeo@example.org/orchard");
    EXPECT_EQ(message.attribute("to"), "juliet@example.org/balcony");
    EXPECT_EQ(message.child_text("body"), "Hi <there>");
    EXPECT_EQ(message.lang(), "");
    EXPECT_EQ(harness.metric("c2s_stanzas_in_total", "message"), 1);
    EXPECT_EQ(harness.metric("c2s_stanzas_out_total", "message"), 1);
}

TEST(Session, carries_messages_between_shards) {
    SessionHarness harness({}, 4);
    for (int i = 0; i < 6; ++i)
        harness.add_user("user" + std::to_string(i) + "@example.org");
    std::vector<ScriptedClient*> clients;
    for (int i = 0; i < 6; ++i)
        clients.push_back(&harness.online("user" + std::to_string(i), "x"));
    for (ScriptedClient* sender : clients)
        for (ScriptedClient* receiver : clients) {
            for (int number = 0; number < 5; ++number)
                sender->send("<message id='" + std::to_string(number) + "' to='" + receiver->jid() +
                             "'><body>x</body></message>");
            for (int number = 0; number < 5; ++number)
                EXPECT_EQ(receiver->expect_element().attribute("id"), std::to_string(number));
        }
}

TEST(Session, keeps_the_order_of_many_stanzas) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "x");
    std::string burst;
    for (int i = 0; i < 500; ++i)
        burst += "<message to='romeo@example.org/x' id='" + std::to_string(i) +
                 "'><body>self</body></message>\n";
    romeo.send(burst);
    for (int i = 0; i < 500; ++i)
        ASSERT_EQ(romeo.expect_element().attribute("id"), std::to_string(i));
}

TEST(Session, gives_stanzas_the_language_of_their_stream) {
    SessionHarness harness;
    ScriptedClient& juliet = harness.online("juliet", "balcony");
    ScriptedClient& romeo = harness.connected();
    romeo.secure();
    romeo.log_in("romeo", std::string(kPassword));
    romeo.send(
        "<stream:stream to='example.org' version='1.0' xmlns='jabber:client' xml:lang='it' "
        "xmlns:stream='http://etherx.jabber.org/streams'>");
    romeo.expect_open();
    romeo.expect_element();
    romeo.bind("orchard");
    romeo.send(
        "<message to='juliet@example.org/balcony'><body>ciao</body></message>"
        "<message to='juliet@example.org/balcony' xml:lang='de'><body>na</body></message>");
    EXPECT_EQ(juliet.expect_element().lang(), "it");
    EXPECT_EQ(juliet.expect_element().lang(), "de");
}

TEST(Session, takes_its_own_address_as_from_and_no_other) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "orchard");
    for (const std::string_view from :
         {"romeo@example.org", "romeo@example.org/orchard", "Romeo@EXAMPLE.org/orchard"}) {
        romeo.send("<message to='romeo@example.org/orchard' from='" + std::string(from) +
                   "'><body>x</body></message>");
        EXPECT_EQ(romeo.expect_element().attribute("from"), "romeo@example.org/orchard");
    }
    for (const std::string_view from :
         {"juliet@example.org", "romeo@example.org/other", "example.org", "@", ""}) {
        ScriptedClient& liar = harness.online("romeo", "liar");
        liar.send("<message to='juliet@example.org' from='" + std::string(from) +
                  "'><body>x</body></message>");
        EXPECT_EQ(liar.expect_stream_error(), "invalid-from") << from;
    }
}

TEST(Session, answers_broken_stanzas_and_goes_on) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "orchard");
    const auto error_for = [&](std::string_view stanza) {
        romeo.send(stanza);
        const xmpp::Element reply = romeo.expect_element();
        EXPECT_EQ(reply.attribute("type"), "error") << stanza;
        EXPECT_EQ(reply.attribute("to"), "romeo@example.org/orchard");
        return error_of(reply);
    };
    EXPECT_EQ(error_for("<message to='@x' id='1'><body>x</body></message>"),
              "modify jid-malformed");
    EXPECT_EQ(error_for("<iq type='get' id='1' to='a@'><x xmlns='y'/></iq>"),
              "modify jid-malformed");
    EXPECT_EQ(error_for("<iq type='get' to='example.org'><x xmlns='y'/></iq>"),
              "modify bad-request");
    EXPECT_EQ(error_for("<iq id='1' to='example.org'><x xmlns='y'/></iq>"), "modify bad-request");
    EXPECT_EQ(error_for("<iq type='frob' id='1'><x xmlns='y'/></iq>"), "modify bad-request");
    EXPECT_EQ(error_for("<iq type='get' id='1' to='example.org'/>"), "modify bad-request");
    EXPECT_EQ(error_for("<iq type='set' id='1'><a xmlns='y'/><b xmlns='y'/></iq>"),
              "modify bad-request");
    EXPECT_EQ(error_for("<presence type='frob' to='juliet@example.org'/>"), "modify bad-request");
    // What may not be answered is dropped.
    romeo.send("<iq type='result'/><iq type='error' to='@'/><message type='error' to='@x'/>");
    romeo.expect_nothing();
    EXPECT_EQ(error_for("<iq type='get' id='1' to='example.org'><x xmlns='urn:nobody'/></iq>"),
              "cancel service-unavailable");
}

TEST(Session, ends_for_what_no_stream_may_carry) {
    SessionHarness harness;
    const auto error_for = [&](std::string_view sent) {
        ScriptedClient& client = harness.online("romeo", "x");
        client.send(sent);
        return client.expect_stream_error();
    };
    EXPECT_EQ(error_for("<frob/>"), "unsupported-stanza-type");
    EXPECT_EQ(error_for("<message xmlns='jabber:server'/>"), "invalid-namespace");
    EXPECT_EQ(error_for("<message><body></message>"), "not-well-formed");
    EXPECT_EQ(error_for("<message>&lol;</message>"), "restricted-xml");
    EXPECT_EQ(error_for("<message><!-- x --></message>"), "restricted-xml");
    EXPECT_EQ(error_for("<message><?x y?></message>"), "restricted-xml");
    EXPECT_EQ(error_for("<message><x:y/></message>"), "not-well-formed");
    EXPECT_EQ(error_for("<message>" + std::string(300'000, 'x')), "policy-violation");
    std::string deep = "<message>";
    for (int i = 0; i < 20'000; ++i)
        deep += "<a>";
    EXPECT_EQ(error_for(deep), "policy-violation");
    std::string wide = "<message>";
    for (int i = 0; i < 20'000; ++i)
        wide += "<a/>";
    EXPECT_EQ(error_for(wide + "</message>"), "policy-violation");
    std::string attributes = "<message";
    for (int i = 0; i < 10'000; ++i)
        attributes += " a" + std::to_string(i) + "='x'";
    EXPECT_EQ(error_for(attributes + "/>"), "policy-violation");
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 0u);
}

TEST(Session, ignores_white_space_between_stanzas_and_nothing_else) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.send(" \r\n\t ");
    romeo.expect_nothing();
    romeo.send("tell me");
    const std::string condition = romeo.expect_stream_error();
    EXPECT_TRUE(condition == "bad-format" || condition == "not-well-formed" ||
                condition == "invalid-xml")
        << condition;
}

TEST(Session, refuses_tls_and_sasl_again) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    EXPECT_TRUE(romeo.expect_element().is("failure", xmpp::ns::tls));
    romeo.expect_close();
    ScriptedClient& other = harness.online("romeo", "y");
    other.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>=</auth>");
    EXPECT_EQ(other.expect_stream_error(), "unsupported-stanza-type");
}

TEST(Session, withdraws_its_presence_when_the_connection_is_lost) {
    SessionHarness harness;
    ScriptedClient& home = harness.online("romeo", "home");
    home.send("<presence/>");
    EXPECT_EQ(home.expect_element().attribute("from"), "romeo@example.org/home");
    ScriptedClient& work = harness.online("romeo", "work");
    work.send("<presence/>");
    EXPECT_EQ(home.expect_element().attribute("from"), "romeo@example.org/work");
    int gone = 0;
    const Subscription watching =
        harness.hooks().resource_gone.add(server::Stage::observe, [&](ResourceEvent& event) {
            ++gone;
            EXPECT_FALSE(event.resource.available());
            return Verdict::proceed();
        });
    work.reset();
    const xmpp::Element unavailable = home.expect_element();
    EXPECT_EQ(unavailable.attribute("type"), "unavailable");
    EXPECT_EQ(unavailable.attribute("from"), "romeo@example.org/work");
    EXPECT_EQ(gone, 1);
    EXPECT_EQ(harness.sessions(), 1u);
}

TEST(Session, tells_hooks_that_a_resource_is_bound) {
    SessionHarness harness;
    std::string bound;
    const Subscription watching =
        harness.hooks().resource_bound.add(server::Stage::observe, [&](ResourceEvent& event) {
            bound = event.resource.jid.text();
            return Verdict::proceed();
        });
    harness.online("romeo", "x");
    EXPECT_EQ(bound, "romeo@example.org/x");
}

TEST(Session, slows_down_a_client_that_sends_too_fast_and_loses_nothing) {
    SessionHarness harness(
        Config().with(keys::kStanzasPerSecond, 10).with(keys::kStanzasBurst, 20));
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.limit = 1min;
    const auto begin = harness.sim.now();
    for (int i = 0; i < 60; ++i)
        romeo.send("<message to='romeo@example.org/x' id='" + std::to_string(i) + "'/>");
    for (int i = 0; i < 60; ++i)
        ASSERT_EQ(romeo.expect_element().attribute("id"), std::to_string(i));
    EXPECT_GE(harness.sim.now() - begin, 3900ms);
    EXPECT_LE(harness.sim.now() - begin, 5s);
    EXPECT_GT(harness.metric("c2s_read_pauses_total"), 0);
}

TEST(Session, slows_down_a_client_that_sends_too_many_bytes) {
    SessionHarness harness(Config().with(keys::kBytesPerSecond, 2'000));
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.limit = 1min;
    const auto begin = harness.sim.now();
    const std::string body(2'000, 'x');
    for (int i = 0; i < 10; ++i)
        romeo.send("<message to='romeo@example.org/x'><body>" + body + "</body></message>");
    for (int i = 0; i < 10; ++i)
        romeo.expect_element();
    EXPECT_GE(harness.sim.now() - begin, 5s);
}

TEST(Session, closes_a_slow_reader_and_gives_its_messages_to_another) {
    SessionHarness harness(Config().with(keys::kOutboundQueueMax, 200'000));
    ScriptedClient& slow = harness.online("romeo", "slow");
    slow.send("<presence><priority>5</priority></presence>");
    slow.expect_element();
    ScriptedClient& quick = harness.online("romeo", "quick");
    quick.send("<presence><priority>1</priority></presence>");
    slow.expect_element();
    ScriptedClient& juliet = harness.online("juliet", "x");
    slow.stop_reading();
    const std::string body(5'000, 'x');
    constexpr int kCount = 55;
    for (int i = 0; i < kCount; ++i)
        juliet.send("<message type='chat' to='romeo@example.org/slow' id='" + std::to_string(i) +
                    "'><body>" + body + "</body></message>");
    harness.advance(1s);
    EXPECT_EQ(harness.metric("c2s_stream_errors_total", "policy-violation"), 1);
    // The slow one gets what it had begun to read, then why it is closed.
    slow.read_on();
    int next = 0;
    for (;;) {
        const xmpp::Element element = slow.expect_element();
        if (element.name() == "presence") continue;
        if (element.is("error", xmpp::ns::stream)) {
            EXPECT_NE(element.child("policy-violation", xmpp::ns::stream_errors), nullptr);
            break;
        }
        ASSERT_EQ(element.attribute("id"), std::to_string(next++));
    }
    EXPECT_LT(next, kCount);
    slow.expect_close();
    // The rest, in order, nothing twice and nothing lost.
    while (next < kCount) {
        const xmpp::Element element = quick.expect_element();
        if (element.name() != "message") continue;
        ASSERT_EQ(element.attribute("id"), std::to_string(next++));
    }
    quick.expect_nothing();
    EXPECT_EQ(harness.sessions(), 2u);
}

TEST(Session, gives_back_what_a_broken_connection_did_not_take) {
    SessionHarness harness;
    ScriptedClient& lost = harness.online("romeo", "lost");
    lost.send("<presence><priority>5</priority></presence>");
    lost.expect_element();
    ScriptedClient& other = harness.online("romeo", "other");
    other.send("<presence/>");
    other.expect_element();
    other.expect_element();
    ScriptedClient& juliet = harness.online("juliet", "x");
    lost.stop_reading();
    const std::string body(10'000, 'x');
    for (int i = 0; i < 30; ++i)
        juliet.send("<message type='chat' to='romeo@example.org/lost' id='" + std::to_string(i) +
                    "'><body>" + body + "</body></message>");
    harness.advance(1s);
    lost.reset();
    harness.advance(1s);
    int first = -1;
    int last = -1;
    while (last < 29) {
        const xmpp::Element element = other.expect_element();
        if (element.name() != "message") continue;
        last = std::stoi(std::string(element.attribute("id")));
        if (first < 0) first = last;
    }
    EXPECT_GT(first, 0);
    EXPECT_EQ(harness.metric("offline_handed_over_total"), 30 - first);
}

TEST(Session, tells_when_what_was_delivered_is_written) {
    SessionHarness harness;
    ScriptedClient& romeo = harness.online("romeo", "x");
    SessionSink* session = nullptr;
    harness.on_shard(0, [&] {
        harness.service().for_each(
            [&](const SessionInfo& info) { session = harness.service().find(info.id); });
    });
    ASSERT_NE(session, nullptr);
    romeo.stop_reading();
    auto flushed = harness.on_shard(0, [&] {
        xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
        message.edit().add_text_child("body", std::string(200'000, 'x'));
        session->deliver(std::move(message));
        return session->flushed();
    });
    harness.advance(1s);
    EXPECT_FALSE(flushed.settled());
    romeo.read_on();
    romeo.expect_element();
    EXPECT_TRUE(flushed.settled());
    EXPECT_TRUE(flushed.take().has_value());
    romeo.stop_reading();
    auto lost = harness.on_shard(0, [&] {
        xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
        message.edit().add_text_child("body", std::string(200'000, 'x'));
        session->deliver_stored(std::move(message));
        return session->flushed();
    });
    harness.advance(1s);
    EXPECT_FALSE(lost.settled());
    romeo.reset();
    harness.advance(1s);
    ASSERT_TRUE(lost.settled());
    EXPECT_FALSE(lost.take().has_value());
}

TEST(Keepalive, pings_a_silent_client_and_takes_any_byte_for_an_answer) {
    SessionHarness harness(Config()
                               .with(keys::kPingAfter, base::Duration(60s))
                               .with(keys::kPingTimeout, base::Duration(10s)));
    ScriptedClient& romeo = harness.online("romeo", "x");
    romeo.limit = 2min;
    for (int round = 0; round < 3; ++round) {
        const xmpp::Element ping = romeo.expect_element();
        EXPECT_EQ(ping.attribute("type"), "get");
        EXPECT_EQ(ping.attribute("from"), "example.org");
        EXPECT_NE(ping.child("ping", xmpp::ns::ping), nullptr);
        if (round == 0) {
            romeo.send(" ");
        } else {
            romeo.send("<iq type='result' to='example.org' id='" +
                       std::string(ping.attribute("id")) + "'/>");
        }
        romeo.expect_nothing(30s);
    }
    EXPECT_EQ(harness.metric("c2s_pings_total"), 3);
}

TEST(Keepalive, leaves_a_busy_client_alone) {
    SessionHarness harness(Config().with(keys::kPingAfter, base::Duration(60s)));
    ScriptedClient& romeo = harness.online("romeo", "x");
    for (int i = 0; i < 20; ++i) {
        romeo.send(" ");
        romeo.expect_nothing(30s);
    }
}

TEST(Keepalive, closes_a_dead_client_and_withdraws_its_presence) {
    SessionHarness harness(Config()
                               .with(keys::kPingAfter, base::Duration(60s))
                               .with(keys::kPingTimeout, base::Duration(10s)));
    ScriptedClient& juliet = harness.online("juliet", "here");
    juliet.send("<presence/>");
    juliet.expect_element();
    ScriptedClient& dead = harness.client("10.66.0.1");
    dead.connect({"10.0.0.1", SessionHarness::kPort});
    dead.become("juliet", kPassword, "dead");
    dead.send("<presence/>");
    EXPECT_EQ(juliet.expect_element().attribute("from"), "juliet@example.org/dead");
    harness.internet.black_hole("10.66.0.1");
    for (int i = 0; i < 4; ++i) {
        juliet.send(" ");
        harness.advance(20s);
    }
    const xmpp::Element gone = juliet.expect_element();
    EXPECT_EQ(gone.attribute("type"), "unavailable");
    EXPECT_EQ(gone.attribute("from"), "juliet@example.org/dead");
    EXPECT_EQ(harness.metric("c2s_stream_errors_total", "connection-timeout"), 1);
    harness.internet.heal("10.66.0.1");
}

TEST(Session, is_small_when_idle) {
    EXPECT_LE(sizeof(ClientSession), 800u);
}

}  // namespace
}  // namespace server::test
