#include "tests/bots/report/summary.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bots/report/example_result.h"

namespace bots {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Summary, says_in_a_dozen_lines_what_was_measured) {
    EXPECT_EQ(text_summary(example_result()),
              R"(Passed: 59,940 messages, none lost, duplicated or reordered.
  workload  chat, 2,000 users, 30 s
  server    localhost:5222 (Parley 0.1.0), starttls, SCRAM-SHA-256-PLUS
  messages  59,940 sent, 59,940 received, 0 lost, 0 duplicated, 0 reordered, 0 refused
  rate      1,998 messages/s
  latency   p50 389 µs  p90 885 µs  p99 1.63 ms  p99.9 3.96 ms  max 7.77 ms  (59,940 messages)
  logins    2,000 (333/s)
            p50 14.2 ms  p90 27.9 ms  p99 48 ms  p99.9 68.7 ms  max 80 ms
  sessions  2,000 at the peak, of 2,000
  also      stored 9,121/s, warm up p99 48.5 ms
  errors    3 service-unavailable
  server    CPU 4.08 s, 68 µs a message, 1,450 µs a login; RSS 52.2 MB, PSS 46.5 MB, 15 KB a session
  bots      CPU 22 % of a core, 58.2 MB
)");
}

TEST(Summary, gives_the_reason_of_a_failure) {
    RunResult result = example_result();
    result.messages.lost = 12;
    result.messages.duplicated = 1;
    EXPECT_EQ(outcome_of(result), Outcome::failed);
    EXPECT_EQ(reason_of(result), "of 59,940 messages: 12 lost, 1 duplicated");
    result.failure = "the server went away";
    EXPECT_EQ(reason_of(result), "the server went away; of 59,940 messages: 12 lost, 1 duplicated");
    result.messages = {};
    EXPECT_EQ(reason_of(result), "the server went away");
    result.interrupted = true;
    EXPECT_EQ(outcome_of(result), Outcome::failed);
    EXPECT_EQ(reason_of(result), "the server went away (interrupted after 30 s)");
}

TEST(Summary, speaks_of_sessions_where_there_are_no_messages) {
    RunResult result;
    EXPECT_EQ(reason_of(result), "nothing was measured");
    result.sessions_peak = 10'000;
    EXPECT_EQ(reason_of(result), "10,000 sessions came online");
    result.logins_failed = 1;
    EXPECT_EQ(reason_of(result), "10,000 sessions came online, 1 login failed");
    EXPECT_EQ(outcome_of(result), Outcome::passed);
    result.interrupted = true;
    EXPECT_EQ(outcome_of(result), Outcome::interrupted);
}

TEST(Summary, cannot_be_used_to_drive_the_terminal) {
    RunResult result = example_result();
    const std::string hostile = "\x1b]0;title\x07\n\r\xc2\x9b";
    result.workload = result.server = result.server_software = result.security = hostile;
    result.mechanism = result.failure = hostile;
    result.errors = {{hostile, 1}};
    result.figures = {{hostile, 1}};
    result.server_usage->note = hostile;
    const std::string text = text_summary(result);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\x07")));
    EXPECT_THAT(text, Not(HasSubstr("\r")));
    EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
    EXPECT_THAT(text, Not(HasSubstr("\n\n")));
}

TEST(Summary, shows_the_most_frequent_errors_first_and_counts_the_rest) {
    RunResult result;
    result.errors = {{"a", 1}, {"b", 20}, {"c", 3}, {"d", 4}, {"e", 5}, {"f", 6}};
    EXPECT_THAT(text_summary(result), HasSubstr("20 b, 6 f, 5 e, 4 d, and 2 other kinds\n"));
}

TEST(Summary, reads_the_unit_of_a_figure_from_its_name) {
    EXPECT_EQ(figure_named("reconnect_per_s", 310).text, "310/s");
    EXPECT_EQ(figure_named("reconnect_p99_ms", 48).label, "reconnect p99");
    EXPECT_EQ(figure_named("reconnect_p99_ms", 48).text, "48 ms");
    EXPECT_EQ(figure_named("step_us", 1500).text, "1.5 ms");
    EXPECT_EQ(figure_named("whole_s", 90).text, "90 s");
    EXPECT_EQ(figure_named("archive_bytes", 2048).text, "2 KB");
    EXPECT_EQ(figure_named("hits_share", 0.5).text, "50 %");
    EXPECT_EQ(figure_named("rounds", 7).text, "7");
    EXPECT_EQ(figure_named("_ms", 7).text, "7");
}

TEST(Summary, warns_when_the_bots_were_the_bottleneck) {
    RunResult result = example_result();
    EXPECT_EQ(doubt_about(result), "");
    result.bots_cpu_share = 1.8;
    EXPECT_THAT(doubt_about(result), HasSubstr("180 % of their 2 cores"));
    EXPECT_THAT(text_summary(result), HasSubstr("may be their limit"));
    result.bots_shards = 0;
    EXPECT_EQ(doubt_about(result), "");
}

}  // namespace
}  // namespace bots
