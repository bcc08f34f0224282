// What one client may have of what all share: places in lines, and memory behind them.
#include "reactor/base/units.h"
#include "server/config/core_keys.h"
#include "server/modules/muc/room_queries.h"
#include "server/modules/muc/rooms.h"
#include "server/routing/iq_service.h"
#include "tests/support/server_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace server::test {
namespace {

using namespace std::chrono_literals;
using base::operator""_MiB;
using modules::muc::RoomQueries;
using modules::muc::Rooms;

constexpr std::string_view kRoom = "coven@rooms.example.org";
/// Nearly the largest stanza there may be.
constexpr std::size_t kLarge = 250'000;
/// How many of them have place in so much memory. Of each there is the text as it came, and what it
/// was read into: room for up to twice as much.
constexpr std::size_t at_least(std::size_t bytes) {
    return bytes / (3 * kLarge + 10'000);
}
constexpr std::size_t at_most(std::size_t bytes) {
    return bytes / (2 * kLarge) + 1;
}

Config talkative() {
    return Config()
        .with(keys::kStanzasPerSecond, 100'000)
        .with(keys::kStanzasBurst, 100'000)
        .with(keys::kBytesPerSecond, 1'000'000'000)
        .with(keys::kPingAfter, base::Duration(24h));
}

std::string get(std::string_view id, std::string_view to, std::string_view payload) {
    return "<iq type='get' id='" + std::string(id) + "' to='" + std::string(to) + "'>" +
           std::string(payload) + "</iq>";
}
std::string ping(std::size_t bytes = 0) {
    return "<ping xmlns='urn:xmpp:ping'>" + std::string(bytes, 'x') + "</ping>";
}

bool is_refused(const xmpp::Element& answer) {
    const xmpp::Element* error = answer.child("error");
    return error != nullptr && error->attribute("type") == "wait" &&
           error->child("resource-constraint", xmpp::ns::stanza_errors) != nullptr;
}

/// Sends `count` requests, numbered from 0, and says which were refused.
std::vector<std::size_t> refused_of(ScriptedClient& client, std::size_t count, std::string_view to,
                                    std::string_view payload) {
    for (std::size_t i = 0; i < count; ++i)
        client.send(get(std::to_string(i), to, payload));
    std::vector<std::size_t> refused;
    for (std::size_t i = 0; i < count; ++i) {
        const xmpp::Element answer = client.expect_element();
        if (is_refused(answer)) refused.push_back(std::stoul(std::string(answer.attribute("id"))));
    }
    return refused;
}

/// Sends large ones, and looks whether so much memory was given to them and no more.
void expect_refusals_beyond(std::size_t bytes, ScriptedClient& client, std::string_view to,
                            std::string_view payload) {
    const std::size_t count = at_most(bytes) + 1;
    const std::vector<std::size_t> refused = refused_of(client, count, to, payload);
    ASSERT_FALSE(refused.empty());
    EXPECT_GE(count - refused.size(), at_least(bytes));
    EXPECT_LE(count - refused.size(), at_most(bytes));
    EXPECT_GE(refused.front(), at_least(bytes));
}

/// An open room of its owner "owner".
ScriptedClient& make_room(ServerHarness& harness) {
    ScriptedClient& owner = harness.online("owner@example.org/x");
    owner.send("<presence to='" + std::string(kRoom) +
               "/owner'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    owner.send("<iq type='set' id='c' to='" + std::string(kRoom) +
               "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' "
               "type='submit'><field var='muc#roomconfig_persistentroom'><value>1</value></field>"
               "</x></query></iq>");
    while (owner.expect_element().name() != "iq") {
    }
    harness.advance(1s);
    while (owner.has_event())
        (void)owner.next();
    return owner;
}

// --- queries of rooms' archives

TEST(Fairness, lets_so_many_queries_of_rooms_be_under_way_for_one_user) {
    ServerHarness harness({.config = talkative()});
    make_room(harness);
    ScriptedClient& eager = harness.online("eager@example.org/x");
    harness.faults().delay(1s);
    constexpr std::size_t kMost = RoomQueries::kUnderWay.each_count_max;
    EXPECT_EQ(refused_of(eager, kMost + 1, kRoom, "<metadata xmlns='urn:xmpp:mam:2'/>"),
              std::vector<std::size_t>{kMost});
}

TEST(Fairness, runs_few_queries_of_rooms_at_a_time_for_one_user) {
    ServerHarness harness({.config = talkative()});
    make_room(harness);
    ScriptedClient& eager = harness.online("eager@example.org/x");
    ScriptedClient& other = harness.online("other@example.org/x");
    harness.faults().delay(1s);
    constexpr std::size_t kCount = 3 * RoomQueries::kRunningMax;
    const std::string query = "<metadata xmlns='urn:xmpp:mam:2'/>";
    for (std::size_t i = 0; i < kCount; ++i)
        eager.send(get(std::to_string(i), kRoom, query));
    harness.advance(100ms);
    other.send(get("o", kRoom, query));
    EXPECT_EQ(other.expect_element().attribute("type"), "result");
    // What ran before, and has made room for as many.
    std::size_t answered = 0;
    while (eager.has_event()) {
        EXPECT_EQ(eager.expect_element().attribute("id"), std::to_string(answered));
        ++answered;
    }
    EXPECT_LE(answered, 2 * RoomQueries::kRunningMax);
    for (; answered < kCount; ++answered)
        EXPECT_EQ(eager.expect_element().attribute("id"), std::to_string(answered));
}

TEST(Fairness, lets_queries_of_rooms_of_one_user_hold_so_much) {
    ServerHarness harness({.config = talkative()});
    make_room(harness);
    ScriptedClient& eager = harness.online("eager@example.org/x");
    harness.faults().delay(1s);
    expect_refusals_beyond(
        RoomQueries::kUnderWay.each_bytes_max, eager, kRoom,
        "<metadata xmlns='urn:xmpp:mam:2'>" + std::string(kLarge, 'x') + "</metadata>");
}

// --- what waits

TEST(Fairness, lets_so_much_wait_for_one_room) {
    ServerHarness harness({.config = talkative()});
    ScriptedClient& owner = make_room(harness);
    ScriptedClient& eager = harness.online("eager@example.org/x");
    harness.faults().delay(8s);
    // A change holds the room, so that all else waits.
    owner.send("<iq type='set' id='c' to='" + std::string(kRoom) +
               "'><query xmlns='http://jabber.org/protocol/muc#admin'><item jid='a@example.org' "
               "affiliation='member'/></query></iq>");
    harness.advance(10ms);
    expect_refusals_beyond(Rooms::kWaiting.each_bytes_max, eager, kRoom, ping(kLarge));
}

TEST(Fairness, lets_so_much_wait_for_one_account) {
    ServerHarness harness({.config = talkative()});
    harness.add_user("idle@example.org");
    ScriptedClient& eager = harness.online("eager@example.org/x");
    harness.advance(1h);  // Nobody remembers the other account.
    harness.faults().delay(8s);
    expect_refusals_beyond(16_MiB, eager, "idle@example.org/gone", ping(kLarge));
}

TEST(Fairness, lets_so_many_requests_of_one_user_be_under_way) {
    ServerHarness harness({.config = talkative()});
    ScriptedClient& eager = harness.online("eager@example.org/x");
    ScriptedClient& other = harness.online("other@example.org/x");
    harness.faults().delay(8s);
    constexpr std::size_t kMost = IqService::kUnderWay.each_count_max;
    const std::string query = "<vCard xmlns='vcard-temp'/>";
    std::string burst;
    for (std::size_t i = 0; i <= kMost; ++i)
        burst += get(std::to_string(i), "eager@example.org", query);
    eager.send(burst);
    const xmpp::Element refused = eager.expect_element();
    EXPECT_TRUE(is_refused(refused));
    EXPECT_EQ(refused.attribute("id"), std::to_string(kMost));
    other.send(get("o", "other@example.org", query));
    EXPECT_FALSE(is_refused(other.expect_element()));
}

TEST(Fairness, lets_requests_of_one_user_hold_so_much) {
    ServerHarness harness({.config = talkative()});
    ScriptedClient& eager = harness.online("eager@example.org/x");
    harness.faults().delay(8s);
    expect_refusals_beyond(
        IqService::kUnderWay.each_bytes_max, eager, "eager@example.org",
        "<vCard xmlns='vcard-temp'><NOTE>" + std::string(kLarge, 'x') + "</NOTE></vCard>");
}

// --- what is being stored

// Nothing is refused: the client is read again when the disk has caught up.
TEST(Fairness, reads_no_more_of_a_client_than_so_much_that_is_being_stored) {
    for (const bool managed : {false, true}) {
        ServerHarness harness({.config = talkative().with(keys::kOutboundQueueMax, 64_MiB)});
        ScriptedClient& reader = harness.online("reader@example.org/x");
        ScriptedClient& writer = harness.online("writer@example.org/x");
        reader.send("<presence/>");
        EXPECT_EQ(reader.expect_element().name(), "presence");
        if (managed) {
            writer.send("<enable xmlns='urn:xmpp:sm:3'/>");
            EXPECT_EQ(writer.expect_element().name(), "enabled");
        }
        harness.faults().delay(5s);
        constexpr std::size_t kCount = 3 * at_most(4_MiB);
        for (std::size_t i = 0; i < kCount; ++i)
            writer.send("<message type='chat' id='" + std::to_string(i) +
                        "' to='reader@example.org/x'><body>" + std::string(kLarge, 'x') +
                        "</body></message>");
        harness.advance(4s);
        const std::int64_t read = harness.metric("c2s_stanzas_in_total", "message");
        EXPECT_GE(read, at_least(4_MiB));
        EXPECT_LE(read, at_most(4_MiB));
        for (std::size_t i = 0; i < kCount; ++i)
            EXPECT_EQ(reader.expect_element().attribute("id"), std::to_string(i));
    }
}

TEST(Fairness, ends_a_session_for_which_too_much_waits_behind_what_is_being_stored) {
    ServerHarness harness({.config = talkative()});
    ScriptedClient& reader = harness.online("reader@example.org/x");
    ScriptedClient& writer = harness.online("writer@example.org/x");
    reader.send("<presence/>");
    EXPECT_EQ(reader.expect_element().name(), "presence");
    harness.faults().delay(8s);
    writer.send("<message type='chat' to='reader@example.org/x'><body>first</body></message>");
    const auto send_behind = [&] {
        writer.send(get("behind", "reader@example.org/x", ping(kLarge)));
        harness.advance(100ms);
    };
    for (std::size_t i = 0; i < at_least(16_MiB); ++i)
        send_behind();
    EXPECT_FALSE(reader.has_event());
    for (std::size_t i = at_least(16_MiB); i <= at_most(16_MiB); ++i)
        send_behind();
    EXPECT_TRUE(reader.has_event());
    const xmpp::Element error = reader.expect_element();
    EXPECT_NE(error.child("resource-constraint", xmpp::ns::stream_errors), nullptr);
}

}  // namespace
}  // namespace server::test
