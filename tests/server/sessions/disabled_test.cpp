// An account that is disabled while a session of it has no connection (XEP-0198 §5): the session
// cannot be resumed, and loses nothing.
#include "storage/tables/messages_deliveries.h"
#include "storage/tables/users.h"
#include "tests/server/sessions/session_harness.h"

#include <gtest/gtest.h>
#include <string>

namespace server::test {
namespace {

using namespace std::chrono_literals;

class Disabled : public testing::Test {
protected:
    void enable(bool enabled) {
        auto writing = harness.on_shard(0, [&] {
            return harness.database().write([enabled](storage::Transaction& transaction) {
                return storage::Users(transaction)
                    .set_enabled(xmpp::Jid::parse("romeo@example.org").value(), enabled);
            });
        });
        harness.sim.run_until([&] { return writing.settled(); }, 10s);
        EXPECT_TRUE(writing.take());
    }
    /// What a login of romeo's is answered with.
    std::string log_in(ScriptedClient& client) {
        client.secure();
        const xmpp::Element answer = client.log_in("romeo", std::string(kPassword));
        const xmpp::Element* condition = answer.first_child();
        return answer.name() == "success" || condition == nullptr ? std::string(answer.name())
                                                                  : std::string(condition->name());
    }
    std::int64_t waiting() {
        auto reading = harness.on_shard(0, [&] {
            return harness.database().read([](storage::Transaction& transaction) {
                return storage::Deliveries(transaction)
                    .offline_totals(xmpp::Jid::parse("romeo@example.org").value());
            });
        });
        harness.sim.run_until([&] { return reading.settled(); }, 10s);
        return reading.take().value().messages;
    }

    SessionHarness harness{Config().with(keys::kResumeTimeout, 60s)};
};

TEST_F(Disabled, accounts_do_not_resume_sessions_and_keep_what_they_were_sent) {
    ScriptedClient& romeo = harness.online("romeo", "here");
    romeo.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    const std::string token(romeo.expect_element().attribute("id"));
    romeo.send("<presence/>");
    harness.advance(1s);
    romeo.reset();
    enable(false);
    ScriptedClient& juliet = harness.online("juliet", "there");
    juliet.send("<message to='romeo@example.org' type='chat' id='m'><body>x</body></message>");
    EXPECT_EQ(log_in(harness.connected()), "account-disabled");
    harness.advance(61s);
    EXPECT_EQ(harness.metric("c2s_sessions_detached"), 0);
    EXPECT_EQ(waiting(), 1);
    EXPECT_FALSE(juliet.has_event());

    enable(true);
    ScriptedClient& back = harness.connected();
    EXPECT_EQ(log_in(back), "success");
    back.open();
    back.send("<resume xmlns='urn:xmpp:sm:3' h='1' previd='" + token + "'/>");
    EXPECT_EQ(back.expect_element().name(), "failed");
    back.bind("here");
    back.send("<presence/>");
    EXPECT_EQ(back.expect_element().name(), "presence");
    harness.on_shard(0, [&] {
        harness.router().offline().start_any(
            *harness.accounts().find(xmpp::Jid::parse("romeo@example.org").value()));
    });
    EXPECT_EQ(back.expect_element().attribute("id"), "m");
    back.expect_nothing();
}

}  // namespace
}  // namespace server::test
