// What is saved of a session before a restart (XEP-0198 §5) stays true until its connection is
// closed: whatever is sent to it while that is being written is part of it, or is not sent at all.
#include "server/sessions/saved_session.h"
#include "server/sessions/stream_management.h"
#include "storage/tables/sm_sessions.h"
#include "tests/server/sessions/session_harness.h"

#include <gtest/gtest.h>
#include <string>

namespace server::test {
namespace {

using namespace std::chrono_literals;

class Suspend : public testing::Test {
protected:
    Suspend() {
        romeo.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        token = std::string(romeo.expect_element().attribute("id"));
        romeo.send("<presence/>");
        harness.advance(1s);
        while (romeo.has_event())
            (void)romeo.expect_element();
    }
    /// Storage takes two seconds from now on.
    void suspend() {
        harness.faults.delay(2s);
        harness.on_shard(
            0, [&] { harness.service().suspend().then([&] { done = true; }).detach("test"); });
    }
    void tell_romeo(std::string_view id) {
        const auto message = xmpp::Stanza::message(xmpp::MessageType::headline);
        harness.on_shard(0, [&] {
            xmpp::Stanza told = message;
            told.set_from(xmpp::Jid::parse("juliet@example.org/x").value());
            told.set_to(xmpp::Jid::parse("romeo@example.org/here").value());
            told.set_id(std::string(id));
            harness.router().route(std::move(told));
        });
    }
    std::optional<StreamManagement> saved() {
        harness.faults.delay(0s);
        auto reading = harness.on_shard(0, [&] {
            return harness.database().read([token = token](storage::Transaction& transaction) {
                return storage::SmSessions(transaction).find(token);
            });
        });
        harness.sim.run_until([&] { return reading.settled(); }, 10s);
        const auto stream = reading.take().value();
        if (!stream || !stream->state) return std::nullopt;
        const auto session = SavedSession::decode(*stream->state);
        return session ? StreamManagement::restore(session->management) : std::nullopt;
    }

    SessionHarness harness{Config().with(keys::kResumeTimeout, 60s)};
    ScriptedClient& romeo = harness.online("romeo", "here");
    std::string token;
    bool done = false;
};

TEST_F(Suspend, keeps_for_later_what_comes_while_a_session_is_being_saved) {
    suspend();
    harness.advance(1s);
    tell_romeo("early");
    harness.advance(1500ms);
    EXPECT_FALSE(done);
    // The second time that it is saved is the last.
    tell_romeo("late");
    harness.advance(2s);
    EXPECT_TRUE(done);
    EXPECT_EQ(romeo.expect_element().name(), "a");
    static_cast<void>(romeo.expect_end());
    const auto management = saved();
    ASSERT_TRUE(management);
    ASSERT_EQ(management->unacknowledged(), 2U);
    EXPECT_NE((*management)[1].bytes.view().find("early"), std::string_view::npos);
}

TEST_F(Suspend, sends_nothing_that_was_not_saved_when_storage_refuses_the_second_time) {
    suspend();
    harness.advance(1s);
    tell_romeo("early");
    harness.advance(1500ms);
    harness.faults.disk_full(true);
    harness.advance(2s);
    harness.faults.disk_full(false);
    EXPECT_TRUE(done);
    EXPECT_EQ(romeo.expect_element().name(), "a");
    static_cast<void>(romeo.expect_end());
    const auto management = saved();
    ASSERT_TRUE(management);
    EXPECT_EQ(management->unacknowledged(), 1U);
}

TEST_F(Suspend, saves_a_session_whose_time_is_over_meanwhile_for_a_new_time) {
    romeo.reset();
    harness.advance(1s);
    tell_romeo("one");
    harness.advance(58s);
    suspend();
    harness.advance(3s);
    EXPECT_TRUE(done);
    ASSERT_TRUE(saved());
    EXPECT_EQ(saved()->unacknowledged(), 2U);
}

}  // namespace
}  // namespace server::test
