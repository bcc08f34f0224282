// Rooms in a server: what a scenario cannot see, slow and failing storage and many shards above
// all. The protocol is in tests/scenarios, the room itself in tests/server/modules/muc.
#include "server/app/shard_server.h"
#include "server/config/core_keys.h"
#include "server/modules/muc/rooms.h"
#include "server/routing/router.h"
#include "server/sessions/stream_management.h"
#include "tests/support/server_harness.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace server::test {
namespace {

using namespace std::chrono_literals;
using modules::muc::Rooms;

constexpr std::string_view kRoom = "coven@rooms.example.org";

Config talkative() {
    return Config()
        .with(keys::kStanzasPerSecond, 100'000)
        .with(keys::kStanzasBurst, 100'000)
        .with(keys::kBytesPerSecond, 1'000'000'000);
}

std::string enter(std::string_view nick) {
    return "<presence to='" + std::string(kRoom) + "/" + std::string(nick) +
           "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>";
}
std::string say(std::string_view id) {
    return "<message type='groupchat' id='" + std::string(id) + "' to='" + std::string(kRoom) +
           "'><body>" + std::string(id) + "</body></message>";
}

/// Reads until the subject, which ends what a newcomer gets.
void read_entry(ScriptedClient& client) {
    for (;;) {
        const xmpp::Element element = client.expect_element();
        ASSERT_NE(element.attribute("type"), "error");
        if (element.name() == "message" && element.child("subject", xmpp::ns::client) != nullptr)
            return;
    }
}

void drain(ScriptedClient& client) {
    while (client.has_event())
        (void)client.next();
}

/// A persistent room of its owner "owner" and those named; everybody has read what came.
std::vector<ScriptedClient*> gather(ServerHarness& harness, const std::vector<std::string>& users) {
    std::vector<ScriptedClient*> clients;
    for (const std::string& user : users) {
        ScriptedClient& client = harness.online(user + "@example.org/x");
        client.send(enter(user));
        read_entry(client);
        if (clients.empty()) {
            client.send("<iq type='set' id='c' to='" + std::string(kRoom) +
                        "'><query xmlns='http://jabber.org/protocol/muc#owner'><x "
                        "xmlns='jabber:x:data' type='submit'><field "
                        "var='muc#roomconfig_persistentroom'><value>1</value></field></x></query>"
                        "</iq>");
            EXPECT_EQ(client.expect_element().attribute("type"), "result");
        }
        clients.push_back(&client);
    }
    harness.advance(1s);
    for (ScriptedClient* client : clients)
        drain(*client);
    return clients;
}

std::vector<std::string> hear(ScriptedClient& client, std::size_t count) {
    std::vector<std::string> ids;
    while (ids.size() < count) {
        const xmpp::Element element = client.expect_element();
        if (element.name() == "message") ids.emplace_back(element.attribute("id"));
    }
    return ids;
}

TEST(Muc, lets_everybody_hear_the_same_in_the_same_order) {
    ServerHarness harness({.config = talkative(), .shards = 3});
    const auto clients = gather(harness, {"one", "two", "three", "four"});
    constexpr std::size_t kEach = 50;
    for (std::size_t i = 0; i < kEach; ++i)
        for (std::size_t c = 0; c < clients.size(); ++c)
            clients[c]->send(say(std::to_string(c) + "-" + std::to_string(i)));
    const auto first = hear(*clients[0], kEach * clients.size());
    for (std::size_t c = 1; c < clients.size(); ++c)
        EXPECT_EQ(hear(*clients[c], kEach * clients.size()), first);
    // And each one's messages in the order in which they were sent.
    for (std::size_t c = 0; c < clients.size(); ++c) {
        std::size_t next = 0;
        for (const std::string& id : first) {
            if (!id.starts_with(std::to_string(c) + "-")) continue;
            EXPECT_EQ(id, std::to_string(c) + "-" + std::to_string(next++));
        }
    }
}

TEST(Muc, shows_nobody_what_is_not_on_disk) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one", "two"});
    harness.faults().delay(5s);
    clients[0]->send(say("m"));
    clients[1]->expect_nothing(4s);
    EXPECT_EQ(hear(*clients[1], 1), std::vector<std::string>{"m"});
    EXPECT_EQ(hear(*clients[0], 1), std::vector<std::string>{"m"});
}

TEST(Muc, tells_together_what_is_stored_shortly_after_one_another) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one", "two"});
    harness.faults().delay(2s);
    clients[0]->send(say("a"));
    harness.advance(10ms);
    clients[0]->send(say("b"));
    EXPECT_EQ(hear(*clients[1], 1), std::vector<std::string>{"a"});
    const base::MonotonicTime heard = harness.sim().now();
    EXPECT_EQ(hear(*clients[1], 1), std::vector<std::string>{"b"});
    EXPECT_EQ(harness.sim().now(), heard);
    // A moment later nothing is on its way: it goes out at once.
    harness.faults().mend();
    harness.advance(Rooms::kBreathMax);
    const base::MonotonicTime said = harness.sim().now();
    clients[0]->send(say("c"));
    EXPECT_EQ(hear(*clients[1], 1), std::vector<std::string>{"c"});
    EXPECT_LT(harness.sim().now() - said, Rooms::kBreathMin);
}

TEST(Muc, keeps_presence_behind_what_was_said_before) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one", "two"});
    harness.faults().delay(2s);
    clients[0]->send(say("last words"));
    clients[0]->send("<presence type='unavailable' to='" + std::string(kRoom) + "/one'/>");
    EXPECT_EQ(clients[1]->expect_element().attribute("id"), "last words");
    EXPECT_EQ(clients[1]->expect_element().attribute("type"), "unavailable");
}

TEST(Muc, gives_a_newcomer_what_is_being_stored_once) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one"});
    ScriptedClient& late = harness.online("late@example.org/x");
    harness.faults().delay(2s);
    clients[0]->send(say("m"));
    harness.advance(100ms);
    late.send("<presence to='" + std::string(kRoom) +
              "/late'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
    std::size_t heard = 0;
    for (;;) {
        const xmpp::Element element = late.expect_element();
        if (element.attribute("id") == "m") ++heard;
        if (element.name() == "message" && element.child("subject", xmpp::ns::client) != nullptr)
            break;
    }
    late.expect_nothing(5s);
    EXPECT_EQ(heard, 1U);
}

TEST(Muc, refuses_one_stanza_more_than_may_wait_for_a_room) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one"});
    ScriptedClient& stranger = harness.online("stranger@example.org/x");
    harness.faults().delay(8s);
    // A change holds the room, so that all else waits.
    clients[0]->send("<iq type='set' id='c' to='" + std::string(kRoom) +
                     "'><query xmlns='http://jabber.org/protocol/muc#admin'><item "
                     "jid='a@example.org' affiliation='member'/></query></iq>");
    harness.advance(10ms);
    std::string burst;
    for (std::size_t i = 0; i <= Rooms::kWaiting.each_count_max; ++i)
        burst += "<iq type='get' id='" + std::to_string(i) + "' to='" + std::string(kRoom) +
                 "'><ping xmlns='urn:xmpp:ping'/></iq>";
    stranger.send(burst);
    const xmpp::Element refused = stranger.expect_element();
    EXPECT_EQ(refused.attribute("id"), std::to_string(Rooms::kWaiting.each_count_max));
    EXPECT_NE(refused.child("error")->child("resource-constraint", xmpp::ns::stanza_errors),
              nullptr);
    for (std::size_t i = 0; i < Rooms::kWaiting.each_count_max; ++i)
        EXPECT_EQ(stranger.expect_element().attribute("type"), "result");
}

TEST(Muc, forgets_a_room_that_nobody_uses_and_finds_it_again) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one"});
    clients[0]->send("<presence type='unavailable' to='" + std::string(kRoom) + "/one'/>");
    EXPECT_EQ(clients[0]->expect_element().attribute("type"), "unavailable");
    EXPECT_EQ(harness.metric("module_rooms_loaded"), 1);
    harness.advance(Rooms::kIdleTimeout * 2 + 1s);
    EXPECT_EQ(harness.metric("module_rooms_loaded"), 0);
    ScriptedClient& again = harness.online("one@example.org/y");
    again.send(enter("one"));
    read_entry(again);
    EXPECT_EQ(harness.metric("module_rooms_loaded"), 1);
}

std::string enter_with_history(std::string_view nick) {
    return "<presence to='" + std::string(kRoom) + "/" + std::string(nick) +
           "'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
}

/// What `client`, who enters, is shown of what was said; until the subject.
std::string shown(ScriptedClient& client) {
    std::string all;
    for (;;) {
        const xmpp::Element element = client.expect_element();
        if (element.name() != "message") continue;
        if (element.child("subject", xmpp::ns::client) != nullptr) return all;
        EXPECT_NE(element.child("delay", xmpp::ns::delay), nullptr);
        all += element.attribute("id");
    }
}

TEST(Muc, keeps_the_history_of_a_quiet_room_in_the_archive_alone) {
    ServerHarness harness({.config = talkative().with(keys::kPingAfter, base::Duration(24h))});
    const auto clients = gather(harness, {"one", "two"});
    for (const char* id : {"a", "b", "c"})
        clients[0]->send(say(id));
    EXPECT_EQ(hear(*clients[1], 3).size(), 3U);
    harness.advance(Rooms::kIdleTimeout * 2 + 1s);
    clients[0]->send(say("d"));
    EXPECT_EQ(hear(*clients[1], 1).size(), 1U);
    ScriptedClient& hurried = harness.online("three@example.org/x");
    ScriptedClient& late = harness.online("four@example.org/x");
    // From the archive, which takes its time; who wants nothing of it does not wait.
    harness.faults().delay(2s);
    hurried.send(enter("three"));
    EXPECT_EQ(shown(hurried), "");
    const base::MonotonicTime before = harness.sim().now();
    late.send(enter_with_history("four"));
    EXPECT_EQ(shown(late), "abcd");
    EXPECT_GE(harness.sim().now() - before, 2s);
    // And it stays for the next one.
    const base::MonotonicTime then = harness.sim().now();
    late.send(enter_with_history("four"));
    EXPECT_EQ(shown(late), "abcd");
    EXPECT_LT(harness.sim().now() - then, 1s);
}

TEST(Muc, refuses_a_newcomer_whose_history_cannot_be_read) {
    ServerHarness harness({.config = talkative().with(keys::kPingAfter, base::Duration(24h))});
    const auto clients = gather(harness, {"one"});
    clients[0]->send(say("a"));
    EXPECT_EQ(hear(*clients[0], 1).size(), 1U);
    ScriptedClient& late = harness.online("two@example.org/x");
    harness.advance(Rooms::kIdleTimeout * 2 + 1s);
    harness.faults().fail_next_read();
    late.send(enter_with_history("two"));
    EXPECT_EQ(late.expect_element().attribute("type"), "error");
    late.send(enter_with_history("two"));
    EXPECT_EQ(shown(late), "a");
}

TEST(Muc, keeps_in_memory_what_no_archive_has) {
    ServerHarness harness({.config = talkative().with(keys::kPingAfter, base::Duration(24h))});
    const auto clients = gather(harness, {"one"});
    clients[0]->send(
        "<iq type='set' id='c' to='" + std::string(kRoom) +
        "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' "
        "type='submit'><field var='muc#roomconfig_enablelogging'><value>0</value></field></x>"
        "</query></iq>");
    harness.advance(1s);
    drain(*clients[0]);
    clients[0]->send(say("a"));
    EXPECT_EQ(hear(*clients[0], 1).size(), 1U);
    harness.advance(Rooms::kIdleTimeout * 2 + 1s);
    ScriptedClient& late = harness.online("two@example.org/x");
    late.send(enter_with_history("two"));
    EXPECT_EQ(shown(late), "a");
}

TEST(Muc, holds_no_room_for_addresses_that_have_none) {
    ServerHarness harness({.config = talkative()});
    ScriptedClient& stranger = harness.online("stranger@example.org/x");
    for (int i = 0; i < 100; ++i)
        stranger.send("<iq type='get' id='i' to='room" + std::to_string(i) +
                      "@rooms.example.org'><ping xmlns='urn:xmpp:ping'/></iq>");
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(stranger.expect_element().attribute("type"), "error");
    EXPECT_EQ(harness.metric("module_rooms_loaded"), 0);
}

// What the server has acknowledged is in the room's archive, whatever happens to the machine.
TEST(Muc, has_on_disk_what_it_acknowledged) {
    storage::SimDisk disk;
    ServerHarness harness({.config = talkative(), .shards = 2, .disk = &disk});
    const auto clients = gather(harness, {"one", "two"});
    ScriptedClient& sender = *clients[1];
    sender.send("<enable xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(sender.expect_element().name(), "enabled");
    constexpr int kSent = 30;
    for (int i = 1; i <= kSent; ++i)
        sender.send(say("m" + std::to_string(i)));
    sender.send("<r xmlns='urn:xmpp:sm:3'/>");
    int acknowledged = 0;
    while (acknowledged == 0) {
        const xmpp::Element element = sender.expect_element();
        if (element.name() == "a") acknowledged = std::stoi(std::string(element.attribute("h")));
    }
    harness.power_off();
    harness.start_again();
    ScriptedClient& reader = harness.online("two@example.org/y");
    reader.send("<iq type='set' id='q' to='" + std::string(kRoom) +
                "'><query xmlns='urn:xmpp:mam:2'/></iq>");
    int found = 0;
    while (reader.expect_element().name() == "message")
        ++found;
    EXPECT_GT(acknowledged, 0);
    EXPECT_GE(found, acknowledged);
    EXPECT_LE(found, kSent);
}

/// People without accounts, who do not listen, all at once.
void crowd_in(ServerHarness& harness, std::size_t count) {
    harness.on_server([&] {
        for (std::size_t i = 0; i < count; ++i) {
            const std::string name = "guest" + std::to_string(i);
            xmpp::Stanza presence = xmpp::Stanza::presence(xmpp::PresenceType::available);
            presence.set_from(*xmpp::Jid::parse(name + "@example.org/x"))
                .set_to(*xmpp::Jid::parse(std::string(kRoom) + "/" + name));
            presence.edit().add_child("x", xmpp::ns::muc);
            harness.group().first().router().route(std::move(presence));
        }
    });
}

TEST(Muc, lets_others_talk_while_a_crowd_comes_in) {
    constexpr std::size_t kCrowd = 700;
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one"});
    ScriptedClient& talker = harness.online("talker@example.org/x");
    talker.send(
        "<presence to='nook@rooms.example.org/me'><x xmlns='http://jabber.org/protocol/muc'/>"
        "</presence>");
    read_entry(talker);
    crowd_in(harness, kCrowd);
    talker.send("<iq type='get' id='info' to='" + std::string(kRoom) +
                "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
                "<message type='groupchat' id='m' to='nook@rooms.example.org'><body>Hello?</body>"
                "</message>");
    // The crowd stands before the question about the room, and not before another room.
    EXPECT_EQ(talker.expect_element().attribute("id"), "m");
    const xmpp::Element info = talker.expect_element();
    EXPECT_EQ(info.attribute("id"), "info");
    std::string text;
    xmpp::append_xml(text, info, xmpp::ns::client);
    // Nobody takes what they are sent, so that some have left again.
    constexpr std::string_view kLabel = "label='Number of occupants'><value>";
    const std::size_t at = text.find(kLabel);
    ASSERT_NE(at, std::string::npos);
    EXPECT_GT(std::stoul(text.substr(at + kLabel.size())), kCrowd / 2);
}

TEST(Muc, shows_a_large_room_to_who_reads_slowly_and_goes_on_meanwhile) {
    constexpr std::size_t kCrowd = 40;
    constexpr std::size_t kQueueMax = 131'072;
    ServerHarness harness({.config = talkative()
                                         .with(keys::kStanzaBytesMax, 20'000)
                                         .with(keys::kOutboundQueueMax, kQueueMax)});
    std::vector<std::string> names;
    for (std::size_t i = 0; i < kCrowd; ++i)
        names.push_back("guest" + std::to_string(i));
    const auto clients = gather(harness, names);
    for (std::size_t i = 0; i < kCrowd; ++i)
        clients[i]->send("<presence to='" + std::string(kRoom) + "/" + names[i] + "'><status>" +
                         std::string(12'000, 'x') + "</status></presence>");
    harness.advance(1s);
    for (ScriptedClient* client : clients)
        drain(*client);
    ScriptedClient& slow = harness.online("slow@example.org/x");
    slow.stop_reading();
    slow.send(enter("slow"));
    harness.advance(10s);
    // The room knows, and goes on; the newcomer is not shown more than the network takes.
    EXPECT_EQ(clients[0]->expect_element().attribute("from"), std::string(kRoom) + "/slow");
    clients[0]->send(say("m"));
    EXPECT_EQ(hear(*clients[0], 1), std::vector<std::string>{"m"});
    slow.read_on();
    std::size_t shown = 0;
    for (bool inside = false; !inside; ++shown) {
        const xmpp::Element element = slow.expect_element();
        ASSERT_EQ(element.name(), "presence");
        inside = element.attribute("from") == std::string(kRoom) + "/slow";
    }
    EXPECT_EQ(shown, kCrowd + 1);
}

TEST(Muc, asks_what_was_heard_after_a_while_or_after_many_words) {
    ServerHarness harness({.config = talkative()});
    const auto clients = gather(harness, {"one", "two"});
    ScriptedClient& listener = *clients[1];
    listener.send("<enable xmlns='urn:xmpp:sm:3'/>");
    EXPECT_EQ(listener.expect_element().name(), "enabled");
    clients[0]->send(say("m"));
    EXPECT_EQ(listener.expect_element().attribute("id"), "m");
    listener.expect_nothing(500ms);
    EXPECT_EQ(listener.expect_element().name(), "r");
    listener.send("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    for (std::uint32_t i = 0; i < StreamManagement::kPatientMax; ++i)
        clients[0]->send(say("n"));
    for (std::uint32_t i = 0; i < StreamManagement::kPatientMax; ++i)
        EXPECT_EQ(listener.expect_element().attribute("id"), "n");
    EXPECT_EQ(listener.expect_element().name(), "r");
}

}  // namespace
}  // namespace server::test
