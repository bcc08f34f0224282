// XEP-0198 in the client: counts, requests, resumption, and what a lost session leaves behind.
#include "tests/bots/client/fake_server.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;
using test::FakeWorld;
using Events = std::vector<std::string>;

constexpr std::string_view kAsk = "<r xmlns='urn:xmpp:sm:3'/>";

std::string message(const std::string& body) {
    return "<message type='chat' to='a@example.org'><body>" + body + "</body></message>";
}

class BotsResumption : public testing::Test, protected FakeWorld {
protected:
    /// A client with stream management, the session having the id "one".
    Client& online() {
        Client& who = client();
        EXPECT_TRUE(connect(who, [this] { server.log_in_with_sm("one"); }));
        EXPECT_TRUE(who.stream_management());
        return who;
    }
    void say(Client& who, const std::string& body) {
        on_client([&] { who.send_message(*xmpp::Jid::parse("a@example.org"), body); });
    }
    /// The connection breaks and the client connects again; `answer()` plays the server from the
    /// request to resume on.
    template <class Answer>
    base::Result<void> reconnect(Client& who, std::string_view h, Answer answer) {
        server.reset();
        sim.run_until([&] { return !who.online(); }, 1min);
        return connect(who, [&] {
            server.log_in(std::string(server.kBind) + std::string(server.kSm));
            EXPECT_EQ(server.expect(),
                      "<resume xmlns='urn:xmpp:sm:3' previd='one' h='" + std::string(h) + "'/>");
            answer();
        });
    }
    /// The former session is gone; a new one, "two".
    void refuse_to_resume(const std::string& attributes) {
        server.send("<failed xmlns='urn:xmpp:sm:3'" + attributes +
                    "><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
        EXPECT_TRUE(server.expect().contains("xmpp-bind"));
        server.send(
            "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            "<jid>me@example.org/2</jid></bind></iq>");
        EXPECT_TRUE(server.expect().starts_with("<enable "));
        server.send("<enabled xmlns='urn:xmpp:sm:3' resume='true' id='two'/>");
    }
};

TEST_F(BotsResumption, tells_how_many_stanzas_it_handled) {
    Client& me = online();
    server.send(kAsk);
    EXPECT_EQ(server.expect(), "<a xmlns='urn:xmpp:sm:3' h='0'/>");
    server.send(message("1") + "<presence/>" + "<iq type='result' id='nobody asked'/>");
    server.send("<enabled xmlns='urn:xmpp:sm:3'/>");
    server.send(kAsk);
    EXPECT_EQ(server.expect(), "<a xmlns='urn:xmpp:sm:3' h='3'/>");
    EXPECT_TRUE(me.online());
}

TEST_F(BotsResumption, does_not_count_what_comes_before_it_is_enabled) {
    Client& me = client();
    ASSERT_TRUE(connect(me, [this] {
        server.log_in_and_bind(server.kSm);
        server.expect();
        server.send(message("early"));
        server.send("<enabled xmlns='urn:xmpp:sm:3' resume='true' id='one'/>");
    }));
    server.send(kAsk);
    EXPECT_EQ(server.expect(), "<a xmlns='urn:xmpp:sm:3' h='0'/>");
    EXPECT_EQ(recorder.events, (Events{"online", "message early"}));
}

TEST_F(BotsResumption, asks_after_every_tenth_stanza_and_when_it_is_quiet) {
    Client& me = online();
    for (int i = 1; i <= 12; ++i)
        say(me, std::to_string(i));
    for (int i = 1; i <= 10; ++i)
        EXPECT_EQ(server.expect(), message(std::to_string(i)));
    EXPECT_EQ(server.expect(), kAsk);
    EXPECT_EQ(server.expect(), message("11"));
    EXPECT_EQ(server.expect(), message("12"));
    server.send("<a xmlns='urn:xmpp:sm:3' h='10'/>");
    sim.advance(1s);
    EXPECT_EQ(recorder.acknowledged, 10u);
    EXPECT_EQ(server.expect(), kAsk) << "seconds later";
    server.send("<a xmlns='urn:xmpp:sm:3' h='12'/>");
    sim.advance(1s);
    EXPECT_EQ(recorder.acknowledged, 12u);
    server.expect_nothing(1min);
}

TEST_F(BotsResumption, closes_when_more_is_acknowledged_than_was_sent) {
    Client& me = online();
    say(me, "1");
    EXPECT_EQ(server.expect(), message("1"));
    server.send("<a xmlns='urn:xmpp:sm:3' h='2'/>");
    EXPECT_TRUE(
        server.expect().contains("<handled-count-too-high xmlns='urn:xmpp:sm:3' h='2' "
                                 "send-count='1'/>"));
    server.expect_close();
    sim.advance(1s);
    EXPECT_EQ(recorder.events,
              (Events{"online",
                      "offline connection_aborted: You acknowledged 2 stanzas, but I only sent "
                      "you 1 so far."}));
    EXPECT_FALSE(me.online());
}

TEST_F(BotsResumption, goes_on_where_it_was) {
    Client& me = online();
    server.send(message("in"));
    for (const char* body : {"1", "2", "3"})
        say(me, body);
    for (int i = 0; i < 3; ++i)
        server.expect();
    const auto resumed = reconnect(
        me, "1", [this] { server.send("<resumed xmlns='urn:xmpp:sm:3' previd='one' h='1'/>"); });
    ASSERT_TRUE(resumed) << resumed.error().message();
    EXPECT_EQ(recorder.events.back(), "resumed");
    EXPECT_EQ(me.jid().text(), "me@example.org/1");
    EXPECT_EQ(recorder.acknowledged, 1u);
    EXPECT_EQ(server.expect(), message("2"));
    EXPECT_EQ(server.expect(), message("3"));
    EXPECT_EQ(server.expect(), kAsk);
    server.send("<a xmlns='urn:xmpp:sm:3' h='3'/>" + message("again"));
    server.send(kAsk);
    EXPECT_EQ(server.expect(), "<a xmlns='urn:xmpp:sm:3' h='2'/>");
    EXPECT_EQ(recorder.acknowledged, 3u);
}

TEST_F(BotsResumption, keeps_what_is_sent_meanwhile) {
    Client& me = online();
    server.reset();
    sim.run_until([&] { return !me.online(); }, 1min);
    EXPECT_TRUE(on_client([&] { return me.send_xml("<presence/>"); }));
    auto answer = on_client(
        [&] { return me.request(xmpp::Stanza::iq(xmpp::IqType::get, {}).set_to(me.jid())); });
    const auto resumed = connect(me, [this] {
        server.log_in(std::string(server.kBind) + std::string(server.kSm));
        server.expect();
        server.send("<resumed xmlns='urn:xmpp:sm:3' previd='one' h='0'/>");
    });
    ASSERT_TRUE(resumed) << resumed.error().message();
    EXPECT_EQ(server.expect(), "<presence/>");
    const std::string request = server.expect();
    const std::size_t id = request.find("id='") + 4;
    server.send("<iq type='result' from='me@example.org/1' id='" +
                request.substr(id, request.find('\'', id) - id) + "'/>");
    EXPECT_TRUE(wait(std::move(answer)));
}

TEST_F(BotsResumption, says_messages_once_more_when_the_session_is_gone) {
    Client& me = online();
    say(me, "1");
    say(me, "2");
    on_client([&] {
        me.send_presence("away");
        me.send_xml("<message to='b@example.org'/>");
    });
    auto lost = on_client([&] { return me.fetch_roster(); });
    for (int i = 0; i < 5; ++i)
        server.expect();
    server.expect();  // The request for an acknowledgement.
    ASSERT_TRUE(reconnect(me, "0", [this] { refuse_to_resume(" h='1'"); }));
    EXPECT_EQ(recorder.events.back(), "online");
    EXPECT_EQ(recorder.acknowledged, 1u);
    EXPECT_EQ(me.jid().text(), "me@example.org/2");
    const std::string second = server.expect();
    EXPECT_TRUE(
        second.starts_with("<message type='chat' to='a@example.org'><body>2</body>"
                           "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"))
        << second;
    EXPECT_EQ(server.expect(),
              "<message to='b@example.org'><delay xmlns='urn:xmpp:delay' "
              "stamp='2026-01-01T00:00:00Z'/></message>");
    EXPECT_EQ(server.expect(), kAsk);
    const auto roster = wait(std::move(lost));
    ASSERT_FALSE(roster);
    EXPECT_EQ(roster.error().message(), "connection_lost: the session was lost");
}

TEST_F(BotsResumption, gives_up_what_was_said_twice) {
    Client& me = online();
    say(me, "1");
    ASSERT_TRUE(reconnect(me, "0", [this] { refuse_to_resume(""); }));
    EXPECT_TRUE(server.expect().contains("<body>1</body>"));
    server.reset();
    sim.run_until([&] { return !me.online(); }, 1min);
    ASSERT_TRUE(connect(me, [this] {
        server.log_in(std::string(server.kBind) + std::string(server.kSm));
        EXPECT_EQ(server.expect(), "<resume xmlns='urn:xmpp:sm:3' previd='two' h='0'/>");
        refuse_to_resume("");
    }));
    server.expect_nothing(1min);
}

TEST_F(BotsResumption, says_it_as_often_as_the_server_says_that_it_did_not_take_it) {
    Client& me = online();
    say(me, "1");
    ASSERT_TRUE(reconnect(me, "0", [this] { refuse_to_resume(" h='0'"); }));
    EXPECT_TRUE(server.expect().contains("<body>1</body>"));
    server.reset();
    sim.run_until([&] { return !me.online(); }, 1min);
    ASSERT_TRUE(connect(me, [this] {
        server.log_in(std::string(server.kBind) + std::string(server.kSm));
        EXPECT_EQ(server.expect(), "<resume xmlns='urn:xmpp:sm:3' previd='two' h='0'/>");
        refuse_to_resume(" h='0'");
    }));
    EXPECT_TRUE(server.expect().contains("<body>1</body>"));
}

TEST_F(BotsResumption, does_not_believe_a_resumption_that_handled_too_much) {
    Client& me = online();
    const auto resumed = reconnect(me, "0", [this] {
        server.send("<resumed xmlns='urn:xmpp:sm:3' previd='one' h='1'/>");
        EXPECT_TRUE(server.expect().contains("handled-count-too-high"));
    });
    ASSERT_FALSE(resumed);
    EXPECT_EQ(resumed.error().code(), base::Errc::connection_aborted);
    ASSERT_TRUE(connect(me, [this] { server.log_in_with_sm("two"); })) << "a session of its own";
}

TEST_F(BotsResumption, forgets_a_session_that_ended_in_order) {
    Client& me = online();
    server.send("</stream:stream>");
    server.expect_close();
    sim.advance(1s);
    EXPECT_EQ(recorder.events.back(), "offline connection_done: the server closed the stream");
    EXPECT_FALSE(on_client([&] { return me.send_xml("<presence/>"); }));
    EXPECT_TRUE(connect(me, [this] { server.log_in_with_sm("two"); }));
}

TEST_F(BotsResumption, acknowledges_once_more_before_it_disconnects) {
    Client& me = online();
    server.send(message("1"));
    sim.advance(1s);
    auto leaving = on_client([&] { return me.disconnect(); });
    EXPECT_EQ(server.expect(), "<a xmlns='urn:xmpp:sm:3' h='1'/>");
    server.expect_close();
    server.send("</stream:stream>");
    EXPECT_TRUE(wait(std::move(leaving)));
    EXPECT_TRUE(connect(me, [this] { server.log_in_with_sm("two"); })) << "nothing to resume";
}

TEST_F(BotsResumption, leaves_it_off_when_told) {
    ClientOptions with = options();
    with.stream_management = false;
    Client& me = client(with);
    ASSERT_TRUE(connect(me, [this] { server.log_in_and_bind(server.kSm); }));
    EXPECT_FALSE(me.stream_management());
    EXPECT_TRUE(me.has_feature("sm", "urn:xmpp:sm:3"));
    EXPECT_FALSE(me.has_feature("sm", "urn:xmpp:sm:2"));
}

TEST_F(BotsResumption, refuses_to_send_past_what_it_may_keep) {
    Client& me = online();
    on_client([&] {
        for (int i = 0; i < 100'000; ++i)
            ASSERT_TRUE(me.send_xml("<presence/>"));
        EXPECT_FALSE(me.send_xml("<presence/>"));
    });
}

}  // namespace
}  // namespace bots
