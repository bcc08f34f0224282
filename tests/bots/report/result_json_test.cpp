#include "tests/bots/report/result_json.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "server/admin/admin_value.h"
#include "tests/bots/report/example_result.h"
#include "tests/support/temporary_folder.h"

namespace bots {
namespace {

using testing::HasSubstr;

void expect_equal(const RunResult& read, const RunResult& written) {
    // The text holds every member, so equal texts mean equal results.
    EXPECT_EQ(result_to_json(read), result_to_json(written));
    EXPECT_EQ(read.latency.buckets(), written.latency.buckets());
    EXPECT_EQ(read.latency.mean(), written.latency.mean());
    EXPECT_EQ(read.messages, written.messages);
    EXPECT_EQ(read.duration, written.duration);
    EXPECT_EQ(read.settings, written.settings);
    EXPECT_EQ(read.errors, written.errors);
    EXPECT_EQ(read.figures, written.figures);
    EXPECT_EQ(read.samples.size(), written.samples.size());
}

// The example with one piece of its text replaced.
std::string changed(std::string_view from, std::string_view to) {
    std::string json = result_to_json(example_result());
    const auto at = json.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return json.replace(at, from.size(), to);
}

std::string complaint(const std::string& json) {
    const auto result = result_from_json(json);
    return result ? "none" : result.error().message();
}

TEST(ResultJson, comes_back_as_it_was) {
    RunResult result = example_result();
    result.failure = "it \"broke\"\n\x01";
    result.interrupted = true;
    result.messages = {.sent = 1,
                       .received = 2,
                       .lost = 3,
                       .duplicated = 4,
                       .reordered = 5,
                       .refused = 6,
                       .stray = 7,
                       .foreign = 8};
    result.server_usage->note = "PSS is not ours";
    result.server_usage->pss_per_session_bytes = -12.5;
    const auto read = result_from_json(result_to_json(result));
    ASSERT_TRUE(read) << read.error().message();
    expect_equal(*read, result);
    EXPECT_EQ(read->failure, result.failure);
    EXPECT_EQ(read->server_usage->pids, result.server_usage->pids);
    EXPECT_EQ(read->samples[7].latency_p99, result.samples[7].latency_p99);
}

TEST(ResultJson, comes_back_when_empty) {
    const auto read = result_from_json(result_to_json(RunResult()));
    ASSERT_TRUE(read) << read.error().message();
    expect_equal(*read, RunResult());
    EXPECT_FALSE(read->server_usage);
}

TEST(ResultJson, has_the_members_that_others_read) {
    const auto value = server::parse_json(result_to_json(example_result()));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->text_of("format"), "parley-bots result");
    EXPECT_EQ(value->integer_of("version"), kResultVersion);
    EXPECT_TRUE(value->flag_of("passed"));
    EXPECT_EQ(value->integer_of("duration_s"), 30);
    EXPECT_EQ(value->find("messages")->integer_of("lost"), 0);
    EXPECT_EQ(value->find("rates")->integer_of("messages_per_s"), 1998);
    const double p99 = *value->find("latency_ms")->find("p99")->as_double();
    EXPECT_NEAR(p99, 1.63, 0.02);
    EXPECT_NE(value->find("latency_ms")->find("p99_9"), nullptr);
    EXPECT_EQ(value->find("server_usage")->integer_of("cpu_us_per_message"), 68);
    EXPECT_EQ(value->find("samples")->as_array()->size(), 36U);
}

TEST(ResultJson, ignores_members_that_it_does_not_know) {
    EXPECT_EQ(complaint(changed("\"version\": 1", "\"version\": 1,\n\"mood\": [{}]")), "none");
}

TEST(ResultJson, complains_clearly_about_damaged_files) {
    EXPECT_THAT(complaint(""), HasSubstr("not JSON"));
    EXPECT_THAT(complaint("{"), HasSubstr("not JSON"));
    EXPECT_THAT(complaint("{}"), HasSubstr("no result of parley-bots"));
    EXPECT_THAT(complaint("[1]"), HasSubstr("no result of parley-bots"));
    EXPECT_THAT(complaint("{\"format\":\"parley-bots result\"}"),
                HasSubstr("'version' is missing"));
    EXPECT_THAT(complaint(changed("\"version\": 1", "\"version\": 0")), HasSubstr("version"));
    EXPECT_THAT(complaint(changed("\"users\": 2000", "\"users\": \"many\"")),
                HasSubstr("'users' is not a count"));
    EXPECT_THAT(complaint(changed("\"logins\": 2000", "\"logins\": -1")),
                HasSubstr("'logins' is not a count"));
    EXPECT_THAT(complaint(changed("\"users\": 2000", "\"users\": -1")), HasSubstr("'users'"));
    EXPECT_THAT(complaint(changed("\"users\": 2000", "\"users\": 4294967296")),
                HasSubstr("'users'"));
    EXPECT_THAT(complaint(changed("\"users\": 2000", "\"users\": 1.5")), HasSubstr("'users'"));
    EXPECT_THAT(complaint(changed("\"lost\":0,", "")), HasSubstr("'messages.lost' is missing"));
    EXPECT_THAT(complaint(changed("\"duration_s\": 30", "\"duration_s\": -3")),
                HasSubstr("'duration_s' is not a duration"));
    EXPECT_THAT(complaint(changed("\"duration_s\": 30", "\"duration_s\": 1e300")),
                HasSubstr("'duration_s' is not a duration"));
    EXPECT_THAT(complaint(changed("\"online\":333", "\"online\":null")),
                HasSubstr("'samples[0].online' is not a count"));
    EXPECT_THAT(complaint(changed("\"samples\": [{", "\"samples\": [7,{")),
                HasSubstr("'samples[0].at_s' is missing"));
    EXPECT_THAT(complaint(changed("\"interrupted\": false", "\"interrupted\": 0")),
                HasSubstr("'interrupted' is not true or false"));
    EXPECT_THAT(complaint(changed("\"settings\": {", "\"settings\": {\"a\x1b\":1,")),
                testing::AnyOf(HasSubstr("not JSON"), HasSubstr("'settings.a�'")));
    EXPECT_THAT(complaint(changed("\"settings\": {", "\"settings\": {\"a\\u001b\":1,")),
                HasSubstr("'settings.a�' is not a text"));
    EXPECT_THAT(complaint(changed("\"pids\":[4711]", "\"pids\":[\"x\"]")), HasSubstr("pids"));
}

TEST(ResultJson, complains_about_histograms_that_are_none) {
    EXPECT_THAT(complaint(changed("\"buckets_ns\":[[", "\"buckets_ns\":[[5,1],[")),
                HasSubstr("'latency_ms.buckets_ns' is not a histogram"));
    EXPECT_THAT(complaint(changed("\"buckets_ns\":[[", "\"buckets_ns\":[[5],[")),
                HasSubstr("'latency_ms.buckets_ns' is not a list of pairs"));
    EXPECT_THAT(complaint(changed("\"buckets_ns\":[[", "\"buckets_ns\":[[1,-1],[")),
                HasSubstr("'latency_ms.buckets_ns' is not a list of pairs"));
}

TEST(ResultJson, says_that_a_file_is_too_new) {
    const auto result = result_from_json(changed("\"version\": 1", "\"version\": 2"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), base::Errc::too_new);
}

TEST(ResultJson, refuses_every_cut_of_a_file) {
    const std::string json = result_to_json(example_result());
    for (std::size_t length = 0; length + 2 < json.size(); length += 97)
        EXPECT_FALSE(result_from_json(std::string_view(json).substr(0, length))) << length;
}

TEST(ResultFile, saves_whole_and_loads) {
    const ::test::TemporaryFolder folder;
    const std::string path = folder.file("run.json");
    const RunResult result = example_result();
    ASSERT_TRUE(save_text(path, "old"));
    ASSERT_TRUE(save_text(path, result_to_json(result)));
    const auto read = load_result(path);
    ASSERT_TRUE(read) << read.error().message();
    expect_equal(*read, result);
    EXPECT_FALSE(std::filesystem::exists(path + ".partial"));
}

TEST(ResultFile, names_the_file_in_complaints) {
    const ::test::TemporaryFolder folder;
    const auto complains = [](const base::Failure& failure, const std::string& path) {
        EXPECT_THAT(failure.message(), HasSubstr(path));
        EXPECT_EQ(failure.message().find('\n'), std::string::npos);
    };
    complains(load_result(folder.file("none.json")).error(), folder.file("none.json"));
    complains(load_result(folder.path()).error(), folder.path());
    ASSERT_TRUE(save_text(folder.file("bad.json"), "{"));
    complains(load_result(folder.file("bad.json")).error(), folder.file("bad.json"));
    complains(save_text(folder.file("no/such/folder.json"), "x").error(), folder.file("no/such"));
}

TEST(ResultFile, is_read_up_to_the_largest_size) {
    const ::test::TemporaryFolder folder;
    const std::string path = folder.file("large.json");
    const std::string json = result_to_json(example_result());
    std::ofstream(path) << json << std::string(kResultBytesMax - json.size(), ' ');
    EXPECT_TRUE(load_result(path));
    std::ofstream(path, std::ios::app) << ' ';
    EXPECT_THAT(load_result(path).error().message(), HasSubstr("larger than any result"));
}

TEST(ResultFile, writes_to_a_device_without_replacing_it) {
    ASSERT_TRUE(save_text("/dev/null", "x"));
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

}  // namespace
}  // namespace bots
