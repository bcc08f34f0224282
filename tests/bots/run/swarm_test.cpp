// Whole runs of every workload against the server, in virtual time: nothing may be lost, and the
// figures must be those of what happened.
#include "tests/bots/run/swarm_harness.h"

#include "server/modules/archive_keys.h"
#include "tests/bots/workload/common_keys.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;
using test::SwarmHarness;

/// What every run that went well has in common.
void expect_passed(const RunResult& result) {
    EXPECT_EQ(result.failure, "");
    EXPECT_TRUE(result.passed());
    EXPECT_FALSE(result.interrupted);
    EXPECT_EQ(result.messages.lost, 0U);
    EXPECT_EQ(result.messages.duplicated, 0U);
    EXPECT_EQ(result.messages.reordered, 0U);
    EXPECT_EQ(result.messages.refused, 0U);
    EXPECT_EQ(result.messages.stray, 0U);
    EXPECT_EQ(result.messages.sent, result.messages.received);
    EXPECT_EQ(result.logins_failed, 0U);
    EXPECT_TRUE(result.errors.empty()) << result.errors.begin()->first;
}

RunResult run(std::string_view workload, SwarmHarness::Values values,
              server::test::HarnessOptions options = {}) {
    SwarmHarness swarm(workload, values, std::move(options));
    swarm.make_accounts();
    return swarm.run();
}

TEST(Swarm, holds_idle_sessions) {
    const RunResult result = run("idle", {{"users", "21"}, {"duration", "3s"}});
    expect_passed(result);
    EXPECT_EQ(result.workload, "idle");
    EXPECT_EQ(result.users, 21U);
    EXPECT_EQ(result.logins, 21U);
    EXPECT_EQ(result.sessions_peak, 21U);
    EXPECT_EQ(result.login_latency.count(), 21U);
    EXPECT_EQ(result.duration, 3s);
    EXPECT_GT(result.logins_per_s, 0);
    EXPECT_EQ(result.settings.at("duration"), "3s");
}

TEST(Swarm, chats_at_a_fixed_rate) {
    const RunResult result =
        run("chat", {{"users", "20"}, {"rate", "100"}, {"duration", "5s"}, {"warmup", "1s"}});
    expect_passed(result);
    EXPECT_EQ(result.messages.sent, 600U);
    EXPECT_EQ(result.latency.count(), 500U);
    EXPECT_NEAR(result.messages_per_s, 100, 2);
    EXPECT_LT(result.latency.max(), 50ms);
    EXPECT_GE(result.samples.size(), 5U);
}

TEST(Swarm, chats_on_several_shards_of_the_server_and_to_sessions) {
    const RunResult result =
        run("chat", {{"users", "12"}, {"rate", "200"}, {"duration", "2s"}, {"address", "full"}},
            {.shards = 3});
    expect_passed(result);
    EXPECT_EQ(result.messages.sent, 800U);
}

TEST(Swarm, chats_with_a_window) {
    const RunResult result = run("chat", {{"users", "10"},
                                          {"loop", "closed"},
                                          {"window", "3"},
                                          {"duration", "2s"},
                                          {"warmup", "0s"}});
    expect_passed(result);
    // 15 under way, each answered after some milliseconds of simulated network.
    EXPECT_GT(result.messages.sent, 15U * 50);
    EXPECT_GT(result.messages_per_s, 700);
}

TEST(Swarm, storms_the_login_twice) {
    const RunResult result = run("login", {{"users", "15"}, {"logins_at_once", "4"}});
    expect_passed(result);
    EXPECT_EQ(result.logins, 30U);
    EXPECT_GT(result.figures.at("storm_per_s"), 0);
    EXPECT_GT(result.figures.at("reconnect_per_s"), 0);
    EXPECT_GT(result.figures.at("reconnect_p99_ms"), 0);
    EXPECT_EQ(result.logins_per_s, result.figures.at("reconnect_per_s"));
}

TEST(Swarm, resumes_when_all_connections_break) {
    const RunResult result = run("resume", {{"users", "15"}, {"logins_at_once", "4"}});
    expect_passed(result);
    EXPECT_EQ(result.logins, 30U);
    EXPECT_GT(result.figures.at("resume_per_s"), 0);
    EXPECT_GT(result.figures.at("resume_p99_ms"), 0);
    EXPECT_GT(result.figures.at("return_per_s"), 0);
}

TEST(Swarm, says_so_when_sessions_are_not_resumed) {
    // Two bots on one shard, none on the other.
    SwarmHarness swarm("resume", {{"users", "2"}});
    swarm.make_accounts();
    swarm.plan->stream_management = false;
    EXPECT_EQ(swarm.run().failure, "2 of 2 sessions were not resumed");
}

TEST(Swarm, tells_contacts_of_every_change_of_status) {
    const RunResult result = run(
        "presence",
        {{"users", "11"}, {"contacts", "4"}, {"rate", "10"}, {"duration", "3s"}, {"warmup", "0s"}});
    expect_passed(result);
    EXPECT_EQ(result.messages.sent, 30U * 4);
    EXPECT_EQ(result.latency.count(), 30U * 4);
}

TEST(Swarm, finds_its_subscriptions_again) {
    SwarmHarness swarm("presence",
                       {{"users", "6"}, {"contacts", "2"}, {"rate", "5"}, {"duration", "1s"}});
    swarm.make_accounts();
    expect_passed(swarm.run());
    const RunResult again = swarm.run();
    expect_passed(again);
    // Roster, presence before and after, and the statuses, but no subscriptions.
    EXPECT_LT(again.stanzas_sent, 6U * 2 + 30);
}

TEST(Swarm, stores_for_the_absent_and_collects) {
    const RunResult result = run("offline", {{"users", "10"}, {"messages", "20"}});
    expect_passed(result);
    EXPECT_EQ(result.messages.received, 100U);
    EXPECT_EQ(result.logins, 10U);
    EXPECT_EQ(result.latency.count(), 100U);
    EXPECT_GT(result.figures.at("stored_per_s"), 0);
    EXPECT_GT(result.figures.at("collected_per_s"), 0);
}

TEST(Swarm, collects_from_the_archive_in_one_page) {
    const RunResult result =
        run("offline", {{"users", "4"}, {"messages", "500"}, {"collect", "archive"}});
    expect_passed(result);
    EXPECT_EQ(result.messages.received, 1000U);
    EXPECT_GT(result.figures.at("catch_up_p99_ms"), 0);
}

TEST(Swarm, chats_while_others_come_and_go) {
    const RunResult result = run("churn", {{"users", "20"},
                                           {"rate", "50"},
                                           {"stay", "500ms"},
                                           {"away", "200ms"},
                                           {"duration", "5s"}});
    expect_passed(result);
    EXPECT_GT(result.logins, 60U);
    EXPECT_EQ(result.messages.sent, 350U);
}

TEST(Swarm, asks_questions_at_a_fixed_rate_and_with_a_window) {
    const RunResult open =
        run("iq", {{"users", "9"}, {"rate", "60"}, {"duration", "2s"}, {"warmup", "0s"}});
    expect_passed(open);
    EXPECT_EQ(open.messages.received, 120U);
    const RunResult closed =
        run("iq", {{"users", "4"}, {"loop", "closed"}, {"question", "ping"}, {"duration", "1s"}});
    expect_passed(closed);
    EXPECT_GT(closed.messages.received, 100U);
}

TEST(Swarm, lives_through_a_day) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const RunResult result = run("mixed",
                                     {{"users", "14"},
                                      {"duration", "20s"},
                                      {"messages", "40"},
                                      {"losses", "5"},
                                      {"offline", "3"}},
                                     {.seed = seed});
        expect_passed(result);
        EXPECT_GT(result.messages.sent, 14U * 20);
        EXPECT_GT(result.logins, 30U);
    }
}

TEST(Swarm, talks_in_rooms_at_a_fixed_rate) {
    const RunResult result = run("muc",
                                 {{"users", "21"},
                                  {"rooms", "3"},
                                  {"rate", "30"},
                                  {"reentries", "4"},
                                  {"duration", "3s"},
                                  {"warmup", "0s"}},
                                 {.shards = 2});
    expect_passed(result);
    // Eleven pairs in three rooms: eight, eight and five there, the last one alone with its own.
    EXPECT_EQ(result.messages.sent, result.latency.count());
    EXPECT_GT(result.messages.sent, 90U * 5);
    EXPECT_LE(result.messages.sent, 90U * 8);
    EXPECT_GT(result.figures.at("join_p99_ms"), 0);
    EXPECT_GT(result.figures.at("reentry_p50_ms"), 0);
}

TEST(Swarm, talks_in_rooms_with_a_window) {
    const RunResult result =
        run("muc", {{"users", "8"}, {"loop", "closed"}, {"window", "2"}, {"duration", "2s"}});
    expect_passed(result);
    EXPECT_EQ(result.messages.sent % 8, 0U);
    EXPECT_GT(result.messages_per_s, 8U * 20);
}

TEST(Swarm, says_so_when_there_are_no_rooms) {
    constexpr server::StringKey kSubdomain{"rooms.subdomain", "rooms", ""};
    SwarmHarness swarm("muc", {{"users", "4"}}, {.config = server::Config().with(kSubdomain, "")});
    swarm.make_accounts();
    EXPECT_NE(swarm.run().failure.find("no service with rooms"), std::string::npos);
}

TEST(Swarm, keeps_the_pace_of_the_ramp) {
    const RunResult result = run("idle", {{"users", "20"}, {"ramp", "5"}, {"duration", "1s"}});
    expect_passed(result);
    EXPECT_NEAR(result.logins_per_s, 5, 0.5);
}

TEST(Swarm, reports_what_was_measured_when_it_is_interrupted) {
    SwarmHarness swarm("chat", {{"users", "10"}, {"rate", "100"}, {"duration", "1h"}});
    swarm.make_accounts();
    swarm.during_run(30s, [&] { swarm.on_bots([&] { swarm.conductor->interrupt(); }); });
    const RunResult result = swarm.run();
    EXPECT_TRUE(result.interrupted);
    EXPECT_TRUE(result.passed());
    EXPECT_EQ(result.messages.sent, result.messages.received);
    EXPECT_GT(result.duration, 20s);
    EXPECT_LT(result.duration, 30s);
    EXPECT_NEAR(result.messages_per_s, 100, 2);
}

TEST(Swarm, stops_a_closed_loop_when_it_is_interrupted) {
    SwarmHarness swarm("chat", {{"users", "4"}, {"loop", "closed"}, {"duration", "1h"}});
    swarm.make_accounts();
    swarm.during_run(5s, [&] { swarm.on_bots([&] { swarm.conductor->interrupt(); }); });
    const RunResult result = swarm.run();
    EXPECT_TRUE(result.interrupted);
    EXPECT_TRUE(result.passed());
    EXPECT_EQ(result.messages.sent, result.messages.received);
}

TEST(Swarm, ends_the_ramp_when_it_is_interrupted) {
    SwarmHarness swarm("chat", {{"users", "10"}, {"ramp", "1"}});
    swarm.make_accounts();
    swarm.during_run(4s, [&] { swarm.on_bots([&] { swarm.conductor->interrupt(); }); });
    const RunResult result = swarm.run();
    EXPECT_TRUE(result.interrupted);
    EXPECT_EQ(result.failure, "");
    EXPECT_GE(result.logins, 3U);
    EXPECT_LE(result.logins, 6U);
    EXPECT_EQ(result.messages.sent, 0U);
}

TEST(Swarm, says_so_when_nobody_gets_in) {
    SwarmHarness swarm("chat", {{"users", "50"}});
    const RunResult result = swarm.run();  // Without accounts.
    EXPECT_FALSE(result.passed());
    EXPECT_NE(result.failure.find("not-authorized"), std::string::npos) << result.failure;
    EXPECT_LT(result.logins_failed, 100U);
    EXPECT_EQ(result.logins, 0U);
}

TEST(Swarm, says_so_when_some_do_not_get_in) {
    SwarmHarness swarm("chat", {{"users", "10"}, {"rate", "50"}, {"duration", "1s"}});
    swarm.make_accounts();
    swarm.server.remove_user("bot4@example.org");
    const RunResult result = swarm.run();
    EXPECT_EQ(result.failure, "1 of 10 users could not log in");
    EXPECT_GT(result.messages.received, 0U);
    EXPECT_GT(result.messages.refused, 0U);
    EXPECT_EQ(result.messages.lost, 0U);
}

TEST(Swarm, says_so_when_sessions_are_lost) {
    SwarmHarness swarm("idle", {{"users", "10"}, {"duration", "10s"}});
    swarm.make_accounts();
    swarm.during_run(8s, [&] { swarm.server.internet().cut("10.0.2.1"); });
    const RunResult result = swarm.run();
    EXPECT_EQ(result.failure, "10 sessions were lost");
    EXPECT_EQ(result.sessions_peak, 10U);
}

// Nothing but the queue keeps them, and it is full after a thousand.
TEST(Swarm, counts_errors_by_their_condition) {
    SwarmHarness swarm("offline", {{"users", "2"}, {"messages", "1200"}},
                       {.config = server::Config().with(server::keys::kArchiveEnabled, false)});
    swarm.make_accounts();
    const RunResult result = swarm.run();
    EXPECT_GT(result.messages.refused, 0U);
    EXPECT_EQ(result.messages.refused + result.messages.received, 1200U);
    EXPECT_EQ(result.messages.lost, 0U);
    EXPECT_EQ(result.errors.size(), 1U);
    EXPECT_EQ(result.errors.begin()->second, result.messages.refused);
}

}  // namespace
}  // namespace bots
