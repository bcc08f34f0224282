#include "tests/bots/report/html_report.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bots/report/example_result.h"
#include "tests/bots/report/well_formed.h"

namespace bots {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(HtmlReport, is_one_well_formed_file_that_needs_nothing_else) {
    const std::string page = html_report(example_result());
    EXPECT_EQ(complaint_about(page), "");
    EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>\n"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
    EXPECT_THAT(page, HasSubstr("@media print"));
}

TEST(HtmlReport, says_first_whether_the_run_passed) {
    RunResult result = example_result();
    EXPECT_THAT(html_report(result),
                HasSubstr("<strong>Passed</strong><p>59,940 messages, none lost"));
    result.messages.lost = 12;
    EXPECT_THAT(html_report(result),
                HasSubstr("<strong>Failed</strong><p>Of 59,940 messages: 12 lost.</p>"));
    result.messages.lost = 0;
    result.interrupted = true;
    EXPECT_THAT(html_report(result), HasSubstr("<strong>Interrupted</strong>"));
    EXPECT_EQ(complaint_about(html_report(result)), "");
}

TEST(HtmlReport, shows_plots_tables_settings_and_versions) {
    const std::string page = html_report(example_result());
    for (const char* part :
         {"id=\"latency-title\"", "id=\"latency-time-title\"", "id=\"throughput-title\"",
          "id=\"online-title\"", "id=\"logins-title\"", "id=\"cpu-title\"", "id=\"memory-title\"",
          "id=\"login-latency-title\"", "99.9 %", "body_bytes", "SCRAM-SHA-256-PLUS",
          "TLSv1.3 TLS_AES_256_GCM_SHA384", "Parley 0.1.0", "service-unavailable", "warm up p99",
          "9,121/s"})
        EXPECT_THAT(page, HasSubstr(part));
}

TEST(HtmlReport, escapes_what_the_server_and_the_settings_say) {
    const std::string hostile = "<script>alert('1')</script>\x1b\xff]]>&\"";
    RunResult result = example_result();
    result.workload = result.server = result.server_software = result.security = hostile;
    result.tls = result.mechanism = result.started_at = result.bots_version = hostile;
    result.failure = hostile;
    result.settings = {{hostile, hostile}};
    result.errors = {{hostile, 1}};
    result.figures = {{hostile, 1}};
    result.server_usage->note = hostile;
    const std::string page = html_report(result);
    EXPECT_EQ(complaint_about(page), "");
    EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(HtmlReport, makes_do_with_an_empty_result) {
    EXPECT_EQ(complaint_about(html_report(RunResult())), "");
    RunResult result;
    result.samples.resize(1);
    result.login_latency.record(1ms);
    result.server_usage = ServerUsage();
    EXPECT_EQ(complaint_about(html_report(result)), "");
}

TEST(HtmlReport, survives_figures_beyond_all_measure) {
    RunResult result = example_result();
    for (Sample& sample : result.samples) {
        sample.messages_per_s = 1e300;
        sample.bots_cpu_share = std::numeric_limits<double>::infinity();
        sample.latency_p99 = std::chrono::seconds(1'000'000'000);
        sample.server_rss_bytes = std::numeric_limits<std::uint64_t>::max();
    }
    result.samples[3].at = std::chrono::seconds(1'000'000'000);  // The longest that a file gives.
    result.messages_per_s = std::nan("");
    result.bots_cpu_share = -1e300;
    result.server_usage->pss_per_session_bytes = -5000;
    const std::string page = html_report(result);
    EXPECT_EQ(complaint_about(page), "");
    EXPECT_LT(page.size(), 1'000'000U);
}

TEST(HtmlReport, stays_small_for_long_runs) {
    RunResult result = example_result();
    result.samples.resize(2000, result.samples.back());
    for (std::size_t index = 0; index < result.samples.size(); ++index)
        result.samples[index].at = std::chrono::seconds(10 * index);
    for (int i = 0; i < 500; ++i)
        result.errors["error " + std::to_string(i)] = 1;
    const std::string page = html_report(result);
    EXPECT_EQ(complaint_about(page), "");
    EXPECT_LT(page.size(), 1'500'000U);
    EXPECT_THAT(page, HasSubstr("other kinds"));
}

}  // namespace
}  // namespace bots
