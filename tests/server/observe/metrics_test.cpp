#include <gtest/gtest.h>

#include "server/observe/metrics.h"

namespace server {
namespace {

constexpr double kBounds[] = {0.1, 1, 2.5};

TEST(Metrics, counters_and_gauges_hold_their_values) {
    Metrics metrics;
    Counter& logins = metrics.counter("logins_total", "Logins.");
    logins.add();
    logins.add(4);
    EXPECT_EQ(logins.value(), 5U);
    Gauge& sessions = metrics.gauge("sessions", "Sessions.");
    sessions.add(3);
    sessions.subtract();
    EXPECT_EQ(sessions.value(), 2);
    sessions.set(-7);
    EXPECT_EQ(sessions.value(), -7);
}

TEST(Metrics, the_same_name_is_the_same_metric) {
    Metrics metrics;
    Counter& first = metrics.counter("a_total", "A.");
    EXPECT_EQ(&metrics.counter("a_total", "A."), &first);
    EXPECT_NE(&metrics.counter("a_total", "A.", {{"kind", "x"}}), &first);
    EXPECT_EQ(metrics.snapshot().size(), 2U);
}

TEST(Metrics, references_survive_later_registrations) {
    Metrics metrics;
    Counter& first = metrics.counter("first_total", "First.");
    for (int index = 0; index < 1000; ++index)
        metrics.counter("m" + std::to_string(index) + "_total", "More.");
    first.add();
    EXPECT_EQ(metrics.snapshot()[0].value, 1);
}

TEST(MetricsDeathTest, refuses_a_name_for_two_kinds_and_broken_names) {
    Metrics metrics;
    metrics.gauge("x_total", "X.");
    EXPECT_DEATH(metrics.counter("x_total", "X."), "kind");
    EXPECT_DEATH(metrics.counter("x", "X."), "_total");
    EXPECT_DEATH(metrics.gauge("X-y", "X."), "is_metric_name");
    EXPECT_DEATH(metrics.gauge("y", ""), "help");
}

TEST(Metrics, a_histogram_puts_a_bound_into_its_own_bucket) {
    Histogram histogram(kBounds);
    for (const double value : {0.05, 0.1, 0.2, 2.5, 3.0, 1e9})
        histogram.observe(value);
    EXPECT_EQ(histogram.counts(), (std::vector<std::uint64_t>{2, 1, 1, 2}));
    EXPECT_DOUBLE_EQ(histogram.sum(), 0.05 + 0.1 + 0.2 + 2.5 + 3.0 + 1e9);
}

TEST(Metrics, a_scope_prefixes_names) {
    Metrics metrics;
    const MetricsScope scope(metrics, "module_ping_");
    scope.counter("sent_total", "Pings.").add(2);
    scope.gauge("waiting", "Waiting.");
    scope.histogram("seconds", "Time.");
    const MetricsSnapshot snapshot = metrics.snapshot();
    EXPECT_EQ(snapshot[0].name, "module_ping_sent_total");
    EXPECT_EQ(snapshot[1].name, "module_ping_waiting");
    EXPECT_EQ(snapshot[2].name, "module_ping_seconds");
}

TEST(Metrics, merging_adds_shards_up) {
    Metrics one;
    Metrics two;
    one.counter("a_total", "A.").add(1);
    two.counter("a_total", "A.").add(2);
    two.counter("a_total", "A.", {{"kind", "x"}}).add(5);
    one.gauge("g", "G.").set(-1);
    two.gauge("g", "G.").set(4);
    one.histogram("h", "H.", kBounds).observe(0.1);
    two.histogram("h", "H.", kBounds).observe(9);
    MetricsSnapshot all = one.snapshot();
    merge(all, two.snapshot());
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].value, 3);
    EXPECT_EQ(all[1].value, 3);
    EXPECT_EQ(all[2].counts, (std::vector<std::uint64_t>{1, 0, 0, 1}));
    EXPECT_DOUBLE_EQ(all[2].sum, 9.1);
    EXPECT_EQ(all[3].value, 5);
}

TEST(OpenMetrics, writes_families_with_type_help_and_series) {
    Metrics metrics;
    metrics.counter("errors_total", "Errors by \"kind\".", {{"kind", "a\"b\\c\nd"}}).add(2);
    metrics.gauge("sessions", "Sessions now.").set(7);
    metrics.counter("errors_total", "Errors by \"kind\".", {{"kind", "z"}}).add(1);
    metrics.histogram("login_seconds", "Time of a login.", kBounds, {{"how", "scram"}}).observe(1);
    EXPECT_EQ(to_openmetrics(metrics.snapshot()),
              "# TYPE parley_errors counter\n"
              "# HELP parley_errors Errors by \\\"kind\\\".\n"
              "parley_errors_total{kind=\"a\\\"b\\\\c\\nd\"} 2\n"
              "parley_errors_total{kind=\"z\"} 1\n"
              "# TYPE parley_sessions gauge\n"
              "# HELP parley_sessions Sessions now.\n"
              "parley_sessions 7\n"
              "# TYPE parley_login_seconds histogram\n"
              "# HELP parley_login_seconds Time of a login.\n"
              "parley_login_seconds_bucket{how=\"scram\",le=\"0.1\"} 0\n"
              "parley_login_seconds_bucket{how=\"scram\",le=\"1.0\"} 1\n"
              "parley_login_seconds_bucket{how=\"scram\",le=\"2.5\"} 1\n"
              "parley_login_seconds_bucket{how=\"scram\",le=\"+Inf\"} 1\n"
              "parley_login_seconds_count{how=\"scram\"} 1\n"
              "parley_login_seconds_sum{how=\"scram\"} 1.0\n"
              "# EOF\n");
}

TEST(OpenMetrics, an_empty_registry_is_a_valid_text) {
    EXPECT_EQ(to_openmetrics({}), "# EOF\n");
}

}  // namespace
}  // namespace server
