// The client's session against a server that says what the test says: requests, losses, ends.
#include "tests/bots/client/fake_server.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using test::FakeWorld;
using Events = std::vector<std::string>;

const xmpp::Jid kPeer = *xmpp::Jid::parse("juliet@example.org/balcony");

class BotsSession : public testing::Test, protected FakeWorld {
protected:
    Client& online() {
        Client& who = client();
        EXPECT_TRUE(connect(who, [this] { server.log_in_and_bind(); }));
        return who;
    }
    reactor::Deferred<xmpp::Stanza> ask(Client& who, base::Duration timeout = 60s) {
        xmpp::Stanza iq = xmpp::Stanza::iq(xmpp::IqType::get, {});
        iq.set_to(kPeer);
        iq.edit().add_child("query", "urn:question");
        return on_client([&] { return who.request(std::move(iq), timeout); });
    }
    /// The id of the request that comes.
    std::string expect_request() {
        const std::string request = server.expect();
        const std::size_t start = request.find(" id='") + 5;
        return request.substr(start, request.find('\'', start) - start);
    }
    void answer(const std::string& id, std::string_view from, std::string_view content = {},
                std::string_view type = "result") {
        server.send("<iq type='" + std::string(type) + "' id='" + id + "' from='" +
                    std::string(from) + "'>" + std::string(content) + "</iq>");
    }
};

TEST_F(BotsSession, gets_the_answer_of_whom_it_asked) {
    Client& me = online();
    auto asked = ask(me);
    const std::string id = expect_request();
    answer(id, "mallory@example.org/balcony", "<forged xmlns='urn:answer'/>");
    answer("other", kPeer.text(), "<other xmlns='urn:answer'/>");
    sim.advance(1s);
    EXPECT_FALSE(asked.settled());
    answer(id, kPeer.text(), "<true xmlns='urn:answer'/>");
    const auto answered = wait(std::move(asked));
    ASSERT_TRUE(answered);
    EXPECT_NE(answered->child("true", "urn:answer"), nullptr);
}

TEST_F(BotsSession, yields_error_answers_as_failures) {
    Client& me = online();
    auto asked = ask(me);
    answer(expect_request(), kPeer.text(),
           "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
           "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no such thing</text></error>",
           "error");
    const auto answered = wait(std::move(asked));
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().message(), "not_found: item-not-found (no such thing)");
    EXPECT_EQ(stanza_condition(answered.error()), xmpp::StanzaCondition::item_not_found);
}

TEST_F(BotsSession, waits_for_an_answer_no_longer_than_told) {
    Client& me = online();
    auto asked = ask(me, 5s);
    const std::string id = expect_request();
    const auto answered = wait(std::move(asked));
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().code(), Errc::timed_out);
    EXPECT_EQ(stanza_condition(answered.error()), std::nullopt);
    answer(id, kPeer.text());
    sim.advance(1s);
    EXPECT_TRUE(me.online()) << "what comes too late is dropped";
}

TEST_F(BotsSession, fails_requests_when_the_session_ends) {
    Client& me = online();
    auto asked = ask(me);
    server.expect();
    server.reset();
    EXPECT_EQ(wait(std::move(asked)).error().code(), Errc::connection_lost);
    EXPECT_EQ(wait(ask(me)).error().code(), Errc::connection_lost) << "offline";
    EXPECT_FALSE(on_client([&] { return me.send_xml("<presence/>"); }));
}

TEST_F(BotsSession, fails_requests_when_the_client_goes) {
    Client& me = online();
    auto asked = ask(me);
    on_client([this] { clients.clear(); });
    EXPECT_EQ(wait(std::move(asked)).error().code(), Errc::cancelled);
}

TEST_F(BotsSession, forgets_a_request_that_nobody_waits_for) {
    Client& me = online();
    auto asked = ask(me);
    const std::string id = expect_request();
    on_client([&] { asked = base::Errc::cancelled; });
    answer(id, kPeer.text());
    sim.advance(2min);
    EXPECT_TRUE(me.online());
}

TEST_F(BotsSession, answers_pings_and_refuses_what_it_does_not_know) {
    online();
    server.send("<iq type='get' id='1' from='example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(server.expect(), "<iq to='example.org' id='1' type='result'/>");
    server.send("<iq type='get' id='2' from='a@b/c'><query xmlns='urn:strange'/></iq>");
    EXPECT_TRUE(server.expect().contains("<service-unavailable "));
    server.send("<iq type='get' id='3' from='a@b/c'/>");
    EXPECT_TRUE(server.expect().contains("<bad-request ")) << "without a payload";
    server.send("<iq type='maybe' id='4' from='a@b/c'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_TRUE(server.expect().contains("<bad-request "));
}

TEST_F(BotsSession, takes_roster_pushes_of_its_own_account_only) {
    online();
    const auto push = [this](const std::string& from) {
        server.send("<iq type='set' id='p'" + from +
                    "><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>");
        return server.expect();
    };
    EXPECT_EQ(push(""), "<iq id='p' type='result'/>");
    EXPECT_TRUE(push(" from='me@example.org'").contains("type='result'"));
    EXPECT_TRUE(push(" from='mallory@example.org'").contains("<service-unavailable "));
}

TEST_F(BotsSession, reads_the_roster) {
    Client& me = online();
    auto fetching = on_client([&] { return me.fetch_roster(); });
    const std::string id = expect_request();
    server.send("<iq type='result' id='" + id +
                "'><query xmlns='jabber:iq:roster' ver='1'><item jid='a@b' name='A'/>"
                "<item jid='c@d'/></query></iq>");
    const auto items = wait(std::move(fetching));
    ASSERT_TRUE(items);
    ASSERT_EQ(items->size(), 2u);
    EXPECT_EQ(items->front().attribute("name"), "A");
}

TEST_F(BotsSession, ends_with_the_servers_stream_error) {
    online();
    server.send(
        "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "</stream:error></stream:stream>");
    server.expect_close();
    sim.advance(1s);
    EXPECT_EQ(recorder.events,
              (Events{"online",
                      "offline connection_done: the server closed the stream: system-shutdown"}));
}

TEST_F(BotsSession, ends_with_what_is_no_xml) {
    online();
    server.send("<message><body></message>");
    EXPECT_TRUE(server.expect().contains("<not-well-formed "));
    sim.advance(1s);
    EXPECT_TRUE(recorder.events.back().starts_with(
        "offline connection_aborted: the server's XML is broken: not-well-formed"))
        << recorder.events.back();
}

TEST_F(BotsSession, disconnects_in_order) {
    Client& me = online();
    auto leaving = on_client([&] { return me.disconnect(); });
    server.expect_close();
    EXPECT_FALSE(me.online());
    EXPECT_FALSE(on_client([&] { return me.send_xml("<presence/>"); }));
    server.send("<message from='a@b'><body>late</body></message></stream:stream>");
    EXPECT_TRUE(wait(std::move(leaving)));
    EXPECT_EQ(recorder.events,
              (Events{"online", "message late", "offline connection_done: disconnected"}));
}

TEST_F(BotsSession, disconnects_from_a_server_that_says_nothing) {
    Client& me = online();
    auto leaving = on_client([&] { return me.disconnect(3s); });
    const base::MonotonicTime before = sim.now();
    EXPECT_TRUE(wait(std::move(leaving)));
    EXPECT_GE(sim.now() - before, 3s);
    EXPECT_TRUE(wait(on_client([&] { return me.disconnect(); }))) << "again, offline";
}

TEST_F(BotsSession, is_cut_without_a_word) {
    Client& me = online();
    on_client([&] { me.cut(); });
    server.expect_end();
    EXPECT_EQ(recorder.events, (Events{"online", "offline connection_aborted: cut"}));
    EXPECT_TRUE(connect(me, [this] { server.log_in_and_bind(); }));
}

TEST_F(BotsSession, may_be_destroyed_from_every_call) {
    online();
    recorder.when_message = [this](Client&, const std::string&) { clients.clear(); };
    server.send(
        "<message from='a@b'><body>1</body></message>"
        "<message from='a@b'><body>2</body></message>");
    server.expect_end();
    EXPECT_EQ(recorder.events, (Events{"online", "message 1"}));

    recorder.when_online = [this](Client&) { clients.clear(); };
    Client& second = client();
    const auto connected = connect(second, [this] { server.log_in_and_bind(); });
    EXPECT_TRUE(connected) << "it was online";
    server.expect_end();
}

TEST_F(BotsSession, stops_reading_when_told) {
    Client& me = online();
    on_client([&] { me.pause_reading(true); });
    server.send("<message from='a@b'><body>1</body></message>");
    sim.advance(10s);
    EXPECT_EQ(recorder.events, Events{"online"});
    on_client([&] { me.pause_reading(false); });
    sim.advance(1s);
    EXPECT_EQ(recorder.events, (Events{"online", "message 1"}));
}

TEST_F(BotsSession, stops_in_the_middle_of_what_it_read) {
    recorder.when_message = [](Client& who, const std::string& body) {
        if (body == "1") who.pause_reading(true);
    };
    Client& me = online();
    server.send(
        "<message from='a@b'><body>1</body></message>"
        "<message from='a@b'><body>2</body></message>");
    sim.advance(10s);
    EXPECT_EQ(recorder.events, (Events{"online", "message 1"}));
    on_client([&] { me.pause_reading(false); });
    sim.advance(1s);
    EXPECT_EQ(recorder.events, (Events{"online", "message 1", "message 2"}));
}

TEST_F(BotsSession, shows_what_waits_for_the_network) {
    Client& me = online();
    EXPECT_EQ(me.unsent_bytes(), 0u);
    on_client([&] {
        for (int i = 0; i < 10; ++i)
            me.send_xml("<message><body>" + std::string(100'000, 'x') + "</body></message>");
    });
    EXPECT_GT(me.unsent_bytes(), 900'000u);
    EXPECT_TRUE(server.expect().starts_with("<message>"));
    sim.advance(1s);
    EXPECT_EQ(me.unsent_bytes(), 0u);
}

TEST_F(BotsSession, comes_back_after_losses_until_it_disconnects) {
    Client& me = client();
    auto staying = on_client([&] { return me.stay_online({.attempts_max = 2}); });
    for (int i = 0; i < 3; ++i) {
        server.log_in_and_bind();
        ASSERT_TRUE(sim.run_until([&] { return me.online(); }, 1min));
        server.reset();
        ASSERT_TRUE(sim.run_until([&] { return !me.online(); }, 1min));
    }
    server.log_in_and_bind();
    ASSERT_TRUE(sim.run_until([&] { return me.online(); }, 1min));
    auto leaving = on_client([&] { return me.disconnect(); });
    server.expect_close();
    server.send("</stream:stream>");
    EXPECT_TRUE(wait(std::move(leaving)));
    EXPECT_TRUE(wait(std::move(staying)));
    sim.advance(10min);
    EXPECT_FALSE(server.has_connection());
}

TEST_F(BotsSession, gives_up_after_so_many_attempts_in_a_row) {
    Client& me = client();
    auto staying = on_client([&] { return me.stay_online({.attempts_max = 3}); });
    for (int i = 0; i < 3; ++i) {
        server.accept();
        server.end();
    }
    const auto gave_up = wait(std::move(staying));
    ASSERT_FALSE(gave_up);
    EXPECT_EQ(gave_up.error().message(),
              "connection_lost: while waiting for the server's stream "
              "header: the server closed the connection");
}

TEST_F(BotsSession, does_not_fight_for_its_resource) {
    Client& me = client();
    auto staying = on_client([&] { return me.stay_online(); });
    server.log_in_and_bind();
    ASSERT_TRUE(sim.run_until([&] { return me.online(); }, 1min));
    server.send(
        "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        "</stream:error></stream:stream>");
    EXPECT_EQ(wait(std::move(staying)).error().code(), Errc::already_exists);
}

TEST_F(BotsSession, stops_staying_online_while_it_waits) {
    Client& me = client();
    auto staying = on_client([&] { return me.stay_online({.initial = 1h}); });
    server.accept();
    server.end();
    sim.advance(1min);
    EXPECT_TRUE(wait(on_client([&] { return me.disconnect(); })));
    EXPECT_TRUE(wait(std::move(staying)));
}

TEST_F(BotsSession, is_one_thing_at_a_time) {
    Client& me = client();
    auto first = on_client([&] { return me.connect(); });
    EXPECT_EQ(wait(on_client([&] { return me.connect(); })).error().code(), Errc::busy);
    EXPECT_EQ(wait(on_client([&] { return me.stay_online(); })).error().code(), Errc::busy);
    server.log_in_and_bind();
    EXPECT_TRUE(wait(std::move(first)));
    EXPECT_EQ(wait(on_client([&] { return me.connect(); })).error().code(), Errc::busy);
}

}  // namespace
}  // namespace bots
