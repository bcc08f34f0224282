// Acknowledgements at speed, and what bounds a sender (XEP-0198 §4): many questions cost few
// answers and no writes of their own; a slow disk makes its clients slow.
#include "storage/tables/sm_sessions.h"
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kRequest = "<r xmlns='urn:xmpp:sm:3'/>";

std::string message(int number) {
    return "<message to='juliet@example.org' type='chat' id='m" + std::to_string(number) +
           "'><body>x</body></message>";
}

ScriptedClient& managed(SessionHarness& harness, std::string_view username) {
    ScriptedClient& client = harness.online(username, "here");
    client.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    EXPECT_EQ(client.expect_element().name(), "enabled");
    return client;
}

struct Answers {
    std::size_t count = 0;
    std::string last;
};

// All that come within a second; they must grow.
Answers answers(SessionHarness& harness, ScriptedClient& client) {
    harness.advance(1s);
    Answers found;
    std::uint64_t before = 0;
    while (client.has_event()) {
        const xmpp::Element element = client.expect_element();
        if (!element.is("a", xmpp::ns::stream_management)) continue;
        ++found.count;
        found.last = element.attribute("h");
        const std::uint64_t handled = std::stoull(found.last);
        EXPECT_GT(handled, before);
        before = handled;
    }
    return found;
}

TEST(Acknowledgements, answer_many_questions_at_once) {
    SessionHarness harness;
    ScriptedClient& romeo = managed(harness, "romeo");
    constexpr int kMessages = 200;
    const std::uint64_t writes = harness.database().statistics().writes;
    std::string burst;
    for (int i = 0; i < kMessages; ++i)
        burst.append(message(i)).append(kRequest);
    romeo.send(burst);
    const Answers found = answers(harness, romeo);
    EXPECT_EQ(found.last, "200");
    EXPECT_GE(found.count, 1U);
    EXPECT_LE(found.count, 20U);
    // A message is one write, its count with it; its question is none.
    EXPECT_EQ(harness.database().statistics().writes - writes, std::uint64_t{kMessages});
}

TEST(Acknowledgements, write_the_count_once_for_many_stanzas_that_are_not_stored) {
    SessionHarness harness;
    ScriptedClient& romeo = managed(harness, "romeo");
    const std::uint64_t writes = harness.database().statistics().writes;
    std::string burst;
    for (int i = 0; i < 100; ++i)
        burst.append("<presence to='juliet@example.org'/>").append(kRequest);
    romeo.send(burst);
    const Answers found = answers(harness, romeo);
    EXPECT_EQ(found.last, "100");
    EXPECT_LE(found.count, 3U);
    EXPECT_LE(harness.database().statistics().writes - writes, 3U);
    // What is known to be on disk is not written again.
    romeo.send(std::string(kRequest));
    EXPECT_EQ(romeo.expect_element().attribute("h"), "100");
    EXPECT_LE(harness.database().statistics().writes - writes, 3U);
}

TEST(Acknowledgements, are_asked_for_once_a_turn) {
    SessionHarness harness;
    ScriptedClient& romeo = managed(harness, "romeo");
    romeo.send("<presence/>");
    harness.advance(1s);
    romeo.send("<a xmlns='urn:xmpp:sm:3' h='1'/>");
    ScriptedClient& juliet = harness.online("juliet");
    std::string burst;
    for (int i = 0; i < 50; ++i)
        burst += "<message to='romeo@example.org/here'><body>x</body></message>";
    juliet.send(burst);
    harness.advance(1s);
    int questions = 0;
    int messages = 0;
    while (romeo.has_event()) {
        const xmpp::Element element = romeo.expect_element();
        questions += element.is("r", xmpp::ns::stream_management) ? 1 : 0;
        messages += element.name() == "message" ? 1 : 0;
    }
    EXPECT_EQ(messages, 50);
    EXPECT_EQ(questions, 2);  // One for the presence, one for all of these.
}

TEST(Acknowledgements, come_with_what_there_is_when_patience_is_over) {
    SessionHarness harness;
    ScriptedClient& romeo = managed(harness, "romeo");
    romeo.send(message(1) + std::string(kRequest));
    EXPECT_EQ(romeo.expect_element().attribute("h"), "1");
    harness.faults.disk_full(true);
    romeo.send("<presence to='juliet@example.org'/>" + std::string(kRequest));
    romeo.expect_nothing(4s);
    EXPECT_EQ(romeo.expect_element().attribute("h"), "1");
    harness.faults.disk_full(false);
    romeo.send(std::string(kRequest));
    EXPECT_EQ(romeo.expect_element().attribute("h"), "2");
}

class Sender : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(StreamManagement, Sender, testing::Bool());

TEST_P(Sender, is_not_read_while_too_many_of_its_messages_are_being_stored) {
    SessionHarness harness;
    ScriptedClient& romeo =
        GetParam() ? managed(harness, "romeo") : harness.online("romeo", "here");
    // The recipient's account is loaded.
    romeo.send(message(-1));
    harness.advance(1s);
    constexpr std::int64_t kMessages = 1'200;
    constexpr std::int64_t kAtOnce = 500;
    const std::int64_t before = harness.metric("router_stanzas_total");
    const auto read = [&] { return harness.metric("router_stanzas_total") - before; };
    harness.faults.delay(10s);
    std::string burst;
    for (int i = 0; i < kMessages; ++i)
        burst += message(i);
    romeo.send(burst);
    harness.advance(9s);
    EXPECT_EQ(read(), kAtOnce);
    harness.faults.delay(0s);
    harness.advance(120s);
    EXPECT_GE(read(), kMessages);
}

}  // namespace
}  // namespace server::test
