#include "tests/bots/report/compare.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/bots/report/compare_rows.h"
#include "tests/bots/report/example_result.h"
#include "tests/bots/report/result_json.h"
#include "tests/bots/report/well_formed.h"
#include "tests/support/temporary_folder.h"

namespace bots {
namespace {

using testing::HasSubstr;
using testing::Not;

// Runs of one server, each so many times as slow as the example.
Contender runs_of(std::string label, const std::vector<double>& slownesses) {
    Contender contender{std::move(label), {}};
    unsigned seed = 1;
    for (const double slowness : slownesses)
        contender.runs.push_back(example_result(slowness, seed++));
    return contender;
}

ComparisonRow row_of(const std::vector<Contender>& contenders, std::string_view group,
                     std::string_view name) {
    const auto rows = comparison_rows(contenders);
    const auto found = std::ranges::find_if(
        rows, [&](const ComparisonRow& row) { return row.group == group && row.name == name; });
    EXPECT_NE(found, rows.end()) << group << " " << name;
    return found != rows.end() ? *found : ComparisonRow();
}

TEST(Compare, gives_medians_and_their_spread) {
    const auto row = row_of({runs_of("a", {1.0, 3.0, 1.1}), runs_of("b", {2.0, 2.2})}, "Server",
                            "CPU a message");
    EXPECT_DOUBLE_EQ(row.cells[0].figure->median, 68e3 * 1.1);
    EXPECT_DOUBLE_EQ(row.cells[0].figure->low, 68e3);
    EXPECT_DOUBLE_EQ(row.cells[0].figure->high, 68e3 * 3);
    EXPECT_EQ(row.cells[0].figure->runs, 3U);
    EXPECT_DOUBLE_EQ(row.cells[1].figure->median, 68e3 * 2.1);
    EXPECT_EQ(spread_text(row.cells[1], row.unit), "136 µs to 150 µs");
}

TEST(Compare, calls_no_difference_what_is_within_the_spread) {
    const auto judged = [](std::vector<double> first, std::vector<double> other) {
        return row_of({runs_of("a", first), runs_of("b", other)}, "Server", "CPU a message")
            .cells[1]
            .judgement;
    };
    EXPECT_EQ(judged({1.0, 1.1, 1.05}, {1.12, 1.15, 1.13}), Judgement::even);
    EXPECT_EQ(judged({1.0, 1.01, 1.02}, {1.12, 1.13, 1.14}), Judgement::worse);
    EXPECT_EQ(judged({1.12, 1.13, 1.14}, {1.0, 1.01, 1.02}), Judgement::better);
    EXPECT_EQ(judged({1.0, 1.0}, {1.01, 1.01}), Judgement::even);  // Days differ by as much.
    EXPECT_EQ(judged({1.0}, {1.08}), Judgement::even);             // Single runs: a tolerance.
    EXPECT_EQ(judged({1.0}, {1.12}), Judgement::worse);
    EXPECT_EQ(judged({1.0, 1.4}, {1.5}), Judgement::even);
}

TEST(Compare, knows_which_way_is_better) {
    std::vector<Contender> contenders = {runs_of("a", {1}), runs_of("b", {1})};
    contenders[1].runs[0].messages_per_s *= 2;
    contenders[1].runs[0].bots_cpu_share *= 2;
    EXPECT_EQ(judgement_text(row_of(contenders, "Messages", "a second").cells[1]), "2.0× better");
    EXPECT_EQ(judgement_text(row_of(contenders, "Bots", "CPU, of one core").cells[1]), "2.0×");
    EXPECT_EQ(judgement_text(row_of(contenders, "Messages", "a second").cells[0]), "");
}

TEST(Compare, lets_the_worst_run_speak_for_faults) {
    std::vector<Contender> contenders = {runs_of("a", {1, 1, 1}), runs_of("b", {1, 1, 1})};
    contenders[1].runs[2].messages.lost = 3;
    const auto row = row_of(contenders, "Messages", "lost, doubled, disordered");
    EXPECT_EQ(row.cells[1].figure->median, 3);
    EXPECT_EQ(judgement_text(row.cells[1]), "worse");
    EXPECT_EQ(verdicts_of(contenders[0]), "passed, all 3");
    EXPECT_EQ(verdicts_of(contenders[1]), "passed 2 of 3");
}

TEST(Compare, leaves_out_what_was_not_measured) {
    std::vector<Contender> contenders = {runs_of("a", {1}), runs_of("b", {1})};
    contenders[1].runs[0].server_usage.reset();
    const auto row = row_of(contenders, "Server", "PSS");
    EXPECT_FALSE(row.cells[1].figure);
    EXPECT_EQ(row.cells[1].judgement, Judgement::none);
    contenders[0].runs[0].server_usage.reset();
    for (const ComparisonRow& left : comparison_rows(contenders))
        EXPECT_NE(left.group, "Server");
}

TEST(Compare, gives_no_percentile_that_too_few_records_bear) {
    std::vector<Contender> contenders = {runs_of("a", {1}), runs_of("b", {1})};
    for (Contender& contender : contenders) {
        contender.runs[0].latency.clear();
        contender.runs[0].latency.record(std::chrono::milliseconds(1), 500);
    }
    for (const ComparisonRow& row : comparison_rows(contenders))
        EXPECT_NE(row.name, "99.9 %");
    row_of(contenders, "Latency", "99 %");
}

TEST(Compare, writes_ratios_with_two_digits) {
    EXPECT_EQ(format_ratio(0.0123), "0.012×");
    EXPECT_EQ(format_ratio(0.531), "0.53×");
    EXPECT_EQ(format_ratio(0.999), "1.0×");
    EXPECT_EQ(format_ratio(1.94), "1.9×");
    EXPECT_EQ(format_ratio(23.4), "23×");
    EXPECT_EQ(format_ratio(1234), "1,234×");
}

TEST(Compare, tells_results_of_the_same_server_apart) {
    std::vector<RunResult> results = {example_result(), example_result(), example_result()};
    results[2].server_software = "Prosody 0.12";
    auto contenders = contenders_of(results);
    EXPECT_EQ(contenders[0].label, "Parley 0.1.0 (1)");
    EXPECT_EQ(contenders[1].label, "Parley 0.1.0 (2)");
    EXPECT_EQ(contenders[2].label, "Prosody 0.12");
    results[1].security = "none";
    contenders = contenders_of(results);
    EXPECT_EQ(contenders[0].label, "Parley 0.1.0 (starttls)");
    EXPECT_EQ(contenders[1].label, "Parley 0.1.0 (none)");
    results[1].server_software = results[0].server_software = "";
    results[1].server = "other:5222";
    contenders = contenders_of(results);
    EXPECT_EQ(contenders[0].label, "localhost:5222");
    EXPECT_EQ(contenders[1].label, "other:5222");
}

TEST(Compare, compares_what_only_the_workload_measures) {
    const std::vector<Contender> contenders = {runs_of("a", {1}), runs_of("b", {2})};
    const auto stored = row_of(contenders, "Of this workload alone", "stored a second");
    EXPECT_EQ(judgement_text(stored.cells[1]), "0.50× worse");
    const auto warm_up = row_of(contenders, "Of this workload alone", "warm up p99");
    EXPECT_EQ(judgement_text(warm_up.cells[1]), "2.0× worse");
    EXPECT_THAT(compare_text(contenders), HasSubstr("warm up p99"));
    EXPECT_THAT(compare_text(contenders), HasSubstr("48.5 ms"));
}

TEST(Compare, loads_several_runs_of_a_contender_and_its_label) {
    const ::test::TemporaryFolder folder;
    for (const char* name : {"a.json", "b.json", "odd=name,too.json"})
        ASSERT_TRUE(save_text(folder.file(name), result_to_json(example_result())));
    const std::string a = folder.file("a.json");
    const std::string b = folder.file("b.json");
    const auto loaded =
        load_contenders({"before=" + a + "," + b, b, folder.file("odd=name,too.json"), "=" + a});
    ASSERT_TRUE(loaded) << loaded.error().message();
    ASSERT_EQ(loaded->size(), 4U);
    EXPECT_EQ((*loaded)[0].label, "before");
    EXPECT_EQ((*loaded)[0].runs.size(), 2U);
    EXPECT_EQ((*loaded)[1].label, "Parley 0.1.0 (1)");
    EXPECT_EQ((*loaded)[2].runs.size(), 1U);
    EXPECT_EQ((*loaded)[3].label, "Parley 0.1.0 (3)");
    for (const std::string& wrong : {std::string("x=y"), a + ",", a + "," + a + "x"})
        EXPECT_FALSE(load_contenders({a, wrong})) << wrong;
}

TEST(Compare, prints_aligned_columns_and_what_differs) {
    std::vector<Contender> contenders = {runs_of("parleyd", {1, 1.02}),
                                         runs_of("Prosody", {3, 3.1})};
    for (RunResult& run : contenders[1].runs)
        run.settings["rate"] = "1000";
    const std::string text = compare_text(contenders);
    EXPECT_THAT(text, HasSubstr("3.0× worse"));
    EXPECT_THAT(text, HasSubstr("Differs\n  rate"));
    EXPECT_THAT(text, HasSubstr("Ratios are to parleyd."));
    EXPECT_THAT(text, Not(HasSubstr("spread of a single run")));
    contenders[0].runs.pop_back();
    contenders[1].runs[0].workload = "idle";
    EXPECT_THAT(compare_text(contenders), HasSubstr("spread of a single run"));
    EXPECT_THAT(compare_text(contenders), HasSubstr("different workloads: chat, idle"));
}

TEST(Compare, makes_a_page_that_is_well_formed_whatever_servers_say) {
    const std::string hostile = "<script>alert('1')</script>\x1b\xff]]>&\"";
    std::vector<Contender> contenders = {runs_of("a", {1, 1.1, 0.9}), runs_of(hostile, {2}),
                                         runs_of("c", {1.5})};
    for (RunResult& run : contenders[1].runs) {
        run.workload = run.server = run.server_software = run.failure = run.tls = hostile;
        run.settings = {{hostile, hostile}};
    }
    const std::string page = compare_html(contenders);
    EXPECT_EQ(complaint_about(page), "");
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("id=\"p99-title\""));
    const std::string text = compare_text(contenders);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_EQ(complaint_about(compare_html({{"a", {RunResult()}}, {"b", {RunResult()}}})), "");
}

TEST(Compare, has_room_for_more_contenders_than_colours) {
    std::vector<Contender> contenders;
    for (int i = 0; i < 9; ++i)
        contenders.push_back(runs_of("server " + std::to_string(i), {1}));
    EXPECT_EQ(complaint_about(compare_html(contenders)), "");
}

}  // namespace
}  // namespace bots
