// The retraction module: what a scenario cannot see, how much work it does at a time. The protocol
// is in tests/scenarios.
#include "server/config/core_keys.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <string>

namespace server::test {
namespace {

using namespace std::chrono_literals;

/// Retractions of one sender that wait; see modules/retraction.cpp.
constexpr int kWaitingOfSenderMax = 50;

std::string chat(std::string_view id, std::string_view content) {
    return "<message type='chat' to='juliet@example.org/balcony' id='" + std::string(id) + "'>" +
           std::string(content) + "</message>";
}

std::string retraction(std::string_view id, std::string_view of) {
    return chat(id, "<retract xmlns='urn:xmpp:message-retract:1' id='" + std::string(of) + "'/>");
}

Config fast_clients() {
    return Config().with(keys::kStanzasPerSecond, 100'000).with(keys::kStanzasBurst, 100'000);
}

TEST(Retraction, works_off_so_many_of_one_sender_at_a_time) {
    ServerHarness harness({.config = fast_clients()});
    harness.online("juliet@example.org/balcony");
    ScriptedClient& tybalt = harness.online("tybalt@example.org/square");
    ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    tybalt.send(chat("t", "<body>mine</body>"));
    romeo.send(chat("r", "<body>mine</body>"));
    harness.advance(1s);

    // The first is looked for, which takes long, and the others wait.
    harness.faults().delay(2s);
    tybalt.send(retraction("first", "nothing"));
    for (int i = 0; i < kWaitingOfSenderMax + 1; ++i)
        tybalt.send(retraction("again" + std::to_string(i), "t"));
    harness.advance(3s);
    EXPECT_EQ(harness.metric("module_retraction_refused_total"), 1);
    // Nobody else has to do without a tombstone for that.
    romeo.send(retraction("r1", "r"));
    harness.advance(3s);
    EXPECT_EQ(harness.metric("module_retraction_refused_total"), 1);
    harness.faults().mend();
    harness.advance(10s);
    EXPECT_EQ(harness.metric("module_retraction_tombstones_total"), 4);
}

}  // namespace
}  // namespace server::test
