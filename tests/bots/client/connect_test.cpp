// Connecting to a server that says what the test says: redirects, time limits, odd servers.
#include "tests/bots/client/fake_server.h"
#include "tests/bots/client/places.h"
#include "tests/bots/client/salted_passwords.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using test::FakeServer;
using test::FakeWorld;

class BotsConnect : public testing::Test, protected FakeWorld {
protected:
    /// connect() against `server_side`; the failure's text, or "online".
    template <class Function>
    std::string outcome(Function server_side, ClientOptions with = options()) {
        Client& who = client(std::move(with));
        const auto connected = connect(who, server_side);
        return connected ? "online" : connected.error().message();
    }
    void redirect(std::string_view where) {
        server.accept();
        server.expect_header();
        server.send(
            "<?xml version='1.0'?><stream:stream id='s' from='example.org' version='1.0' "
            "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>" +
            std::string(where) + "</see-other-host></stream:error></stream:stream>");
    }
};

TEST_F(BotsConnect, follows_a_redirect) {
    FakeServer other(sim, sim.world(0), {"10.0.0.10", 9222});
    EXPECT_EQ(outcome([&] {
                  redirect("10.0.0.10:9222");
                  other.log_in_and_bind();
              }),
              "online");
}

TEST_F(BotsConnect, follows_a_redirect_to_another_port_or_none) {
    FakeServer other(sim, sim.world(0), {"10.0.0.9", 9222});
    EXPECT_EQ(outcome([&] {
                  redirect("10.0.0.9:9222");
                  other.log_in_and_bind();
              }),
              "online");
    FakeServer usual(sim, sim.world(0), {"10.0.0.11", 5222});
    EXPECT_EQ(outcome([&] {
                  redirect("10.0.0.11");
                  usual.log_in_and_bind();
              }),
              "online");
}

TEST_F(BotsConnect, does_not_follow_redirects_for_ever) {
    EXPECT_EQ(outcome([this] {
                  for (int i = 0; i < 4; ++i)
                      redirect("10.0.0.9:5222");
              }),
              "connection_aborted: the server closed the stream: see-other-host");
    EXPECT_EQ(outcome([this] { redirect("nonsense:port"); }),
              "connection_aborted: the server closed the stream: see-other-host");
    EXPECT_TRUE(outcome([this] { redirect("10.0.0.66:1"); }).starts_with("connection_refused: "));
}

TEST_F(BotsConnect, waits_for_a_server_no_longer_than_told) {
    ClientOptions with = options();
    with.login_timeout = 5s;
    EXPECT_EQ(outcome([this] { server.accept(); }, with),
              "timed_out: the login did not end in time; waited for the server's stream header");
    EXPECT_EQ(outcome(
                  [this] {
                      server.log_in(FakeServer::kBind);
                      server.expect();
                  },
                  with),
              "timed_out: the login did not end in time; waited for the answer to <bind/>");
    internet.black_hole("10.0.0.9");
    with.connect_timeout = 3s;
    const base::MonotonicTime before = sim.now();
    EXPECT_TRUE(outcome([] {}, with).starts_with("timed_out"));
    EXPECT_LT(sim.now() - before, 4s);
}

TEST_F(BotsConnect, reports_a_server_that_hangs_up) {
    EXPECT_EQ(outcome([this] {
                  server.accept();
                  server.end();
              }),
              "connection_lost: while waiting for the server's stream header: the server closed "
              "the connection");
    EXPECT_EQ(outcome([this] {
                  server.log_in(FakeServer::kBind);
                  server.send("</stream:stream>");
              }),
              "connection_done: the server closed the stream instead of sending the answer to "
              "<bind/>");
    EXPECT_EQ(outcome([this] {
                  server.accept();
                  server.send("HTTP/1.1 400 Bad Request\r\n\r\n");
              }),
              "connection_aborted: while waiting for the server's stream header: the server's XML "
              "is broken: not-well-formed (text before the stream header)");
}

TEST_F(BotsConnect, lets_nobody_flood_it_before_the_session) {
    EXPECT_EQ(outcome([this] {
                  server.log_in_and_bind(FakeServer::kSm);
                  server.expect();
                  std::string many;
                  for (int i = 0; i <= 1000; ++i)
                      many += "<message/>";
                  server.send(many);
              }),
              "connection_aborted: too many stanzas before the session");
}

TEST_F(BotsConnect, looks_where_the_server_wants_to_see_the_session_again) {
    FakeServer other(sim, sim.world(0), {"10.0.0.12", 7000});
    Client& me = client();
    ASSERT_TRUE(connect(me, [this] {
        server.log_in_and_bind(FakeServer::kSm);
        server.expect();
        server.send("<enabled xmlns='urn:xmpp:sm:3' id='x' resume='1' location='10.0.0.12:7000'/>");
    }));
    server.reset();
    sim.run_until([&] { return !me.online(); }, 1min);
    ASSERT_TRUE(connect(me, [&] {
        other.log_in(std::string(FakeServer::kBind) + std::string(FakeServer::kSm));
        EXPECT_TRUE(other.expect().starts_with("<resume "));
        other.send("<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>");
    }));
    EXPECT_EQ(recorder.events.back(), "resumed");
}

TEST(BotsPlaces, reads_places_as_servers_write_them) {
    EXPECT_EQ(parse_place("chat.example.org"), (Place{"chat.example.org", 0}));
    EXPECT_EQ(parse_place("chat.example.org:80"), (Place{"chat.example.org", 80}));
    EXPECT_EQ(parse_place("192.0.2.1:5222"), (Place{"192.0.2.1", 5222}));
    EXPECT_EQ(parse_place("[2001:db8::1]:5222"), (Place{"2001:db8::1", 5222}));
    EXPECT_EQ(parse_place("[2001:db8::1]"), (Place{"2001:db8::1", 0}));
    EXPECT_EQ(parse_place("2001:db8::1"), (Place{"2001:db8::1", 0}));
    for (const char* text : {"", ":5222", "a:", "a:0", "a:65536", "a:x", "[::1", "[::1]x", "[]:1"})
        EXPECT_FALSE(parse_place(text)) << text;
}

class BotsSaltedPasswords : public testing::Test {
protected:
    ~BotsSaltedPasswords() override {
        sim.on(sim.world(), [this] { passwords.reset(); });
        sim.run_ready();
    }
    reactor::Deferred<std::string> find(std::string_view password, std::string salt = "12345678",
                                        std::uint32_t iterations = 4096) {
        const xmpp::sasl::NeedSaltedPassword wanted{
            .hash = xmpp::sasl::ScramHash::sha1, .salt = std::move(salt), .iterations = iterations};
        return sim.on(sim.world(), [&] { return passwords->find(wanted, password); });
    }
    std::string wait(reactor::Deferred<std::string> finding) {
        EXPECT_TRUE(sim.run_until([&] { return finding.settled(); }, 1h));
        const auto found = finding.take();
        return found ? *found : found.error().message();
    }

    reactor::SimWorld sim{{}};
    std::unique_ptr<SaltedPasswords> passwords = std::make_unique<SaltedPasswords>(sim.world(), 3);
};

TEST_F(BotsSaltedPasswords, salts_once_for_all_who_ask) {
    auto first = find("pencil");
    auto second = find("pencil");
    EXPECT_FALSE(first.settled());
    const std::string salted = wait(std::move(first));
    EXPECT_EQ(salted.size(), 20u);
    EXPECT_EQ(wait(std::move(second)), salted);
    auto third = find("pencil");
    EXPECT_TRUE(third.settled()) << "kept";
    EXPECT_EQ(wait(std::move(third)), salted);
    EXPECT_EQ(passwords->computed(), 1u);
}

TEST_F(BotsSaltedPasswords, tells_passwords_salts_and_counts_apart) {
    const std::string salted = wait(find("pencil"));
    EXPECT_NE(wait(find("pen")), salted);
    EXPECT_NE(wait(find("pencil", "87654321")), salted);
    EXPECT_NE(wait(find("pencil", "12345678", 5000)), salted);
    EXPECT_EQ(passwords->computed(), 4u);
}

TEST_F(BotsSaltedPasswords, keeps_so_many_and_forgets_the_oldest) {
    for (const char* password : {"a", "b", "c"})
        wait(find(password));
    EXPECT_EQ(passwords->size(), 3u);
    wait(find("d"));
    EXPECT_EQ(passwords->size(), 3u);
    EXPECT_TRUE(find("b").settled());
    auto again = find("a");
    EXPECT_FALSE(again.settled());
    wait(std::move(again));
}

TEST_F(BotsSaltedPasswords, asks_the_pool_for_no_more_than_it_takes) {
    std::vector<reactor::Deferred<std::string>> all;
    for (int i = 0; i < 1000; ++i)
        all.push_back(find("password " + std::to_string(i)));
    for (auto& each : all)
        EXPECT_EQ(wait(std::move(each)).size(), 20u);
}

TEST_F(BotsSaltedPasswords, says_what_cannot_be_salted) {
    EXPECT_TRUE(wait(find("")).starts_with("invalid_argument"));
    EXPECT_TRUE(wait(find("pencil", "short")).starts_with("invalid_argument"));
    EXPECT_EQ(passwords->size(), 0u);
}

}  // namespace
}  // namespace bots
