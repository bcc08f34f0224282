#include "tests/bots/workload/definition.h"

#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;

std::string problem_in(std::string_view text) {
    const auto settings = parse_definition(text, "mine.toml");
    return settings ? "no problem" : std::string(settings.error().detail());
}

TEST(Definition, takes_what_it_says_and_defaults_for_the_rest) {
    const auto settings = parse_definition(
        "# mine\nworkload = \"chat\"\nusers = 7\nduration = \"1m30s\"\nloop = \"closed\"\n"
        "body_bytes = \"1KiB\"\n",
        "mine.toml");
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->spec().name, "chat");
    EXPECT_EQ(settings->get(keys::kUsers), 7);
    EXPECT_EQ(settings->get(keys::kDuration), 90s);
    EXPECT_EQ(settings->get(keys::kLoop), keys::Loop::closed);
    EXPECT_EQ(settings->get(keys::kBodyBytes), 1024U);
    EXPECT_EQ(settings->get(keys::kWarmup), 2s);
}

TEST(Definition, names_the_nearest_key_for_a_wrong_one) {
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = 7\nrat = 10\n"),
              "mine.toml:3: rat: the workload chat has no such key; did you mean rate?");
    EXPECT_EQ(problem_in("workload = \"chat\"\nxyzzy = 10\n"),
              "mine.toml:2: xyzzy: the workload chat has no such key; parley-bots workloads --show "
              "chat lists what there is");
}

TEST(Definition, names_the_range_for_a_value_outside_it) {
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = 1\n"),
              "mine.toml:2: users: 1 is below the allowed range; give a number from 2 to 1000000");
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = 1000001\n"),
              "mine.toml:2: users: 1000001 is above the allowed range; give a number from 2 to "
              "1000000");
    EXPECT_EQ(
        problem_in("workload = \"chat\"\nduration = \"0s\"\n"),
        "mine.toml:2: duration: 0s is below the allowed range; give a duration from \"1ms\" to "
        "\"1d\"");
}

TEST(Definition, says_what_it_wants_for_a_wrong_type) {
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = \"many\"\n"),
              "mine.toml:2: users: that is of the wrong type; give a number from 2 to 1000000");
    EXPECT_EQ(problem_in("workload = \"chat\"\nduration = 30\n"),
              "mine.toml:2: duration: 30 has no unit; write \"30s\" for seconds");
    EXPECT_EQ(problem_in("workload = \"chat\"\nloop = 1\n"),
              "mine.toml:2: loop: a number will not do; give one of \"open\", \"closed\"");
    EXPECT_EQ(problem_in("workload = \"chat\"\nloop = \"ajar\"\n"),
              "mine.toml:2: loop: \"ajar\" will not do; give one of \"open\", \"closed\"");
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = [1]\n"),
              "mine.toml:2: users: that is of the wrong type; give a number from 2 to 1000000");
    EXPECT_EQ(problem_in("workload = \"chat\"\n[users]\nmany = 1\n"),
              "mine.toml:2: users: that is of the wrong type; give a number from 2 to 1000000");
}

TEST(Definition, tells_the_first_of_several_problems_by_its_place_in_the_file) {
    EXPECT_EQ(problem_in("workload = \"chat\"\nwindw = 3\nrat = 10\n").substr(0, 18),
              "mine.toml:2: windw");
}

TEST(Definition, wants_to_know_which_workload_it_is) {
    EXPECT_EQ(
        problem_in("users = 3\n"),
        "mine.toml: it does not say which workload it is; write workload = \"chat\", or idle, "
        "login, resume, chat, presence, offline, churn, iq, mixed, muc");
    EXPECT_EQ(problem_in("workload = \"chatt\"\n"),
              "mine.toml:1: workload: there is no workload \"chatt\"; did you mean chat?");
    EXPECT_EQ(problem_in("workload = 3\n").substr(0, 41),
              "mine.toml:1: workload: give a name: idle,");
}

TEST(Definition, refuses_what_is_no_toml_with_its_line) {
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers 3\n").substr(0, 12), "mine.toml:2:");
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = \xFC\n").substr(0, 12), "mine.toml:2:");
    EXPECT_EQ(problem_in("workload = \"chat\"\nusers = 3\nusers = 4\n").substr(0, 12),
              "mine.toml:3:");
}

TEST(Definition, refuses_a_file_past_the_limit) {
    std::string text = "workload = \"chat\"\n";
    text.resize(kDefinitionBytesMax, ' ');
    EXPECT_EQ(problem_in(text), "no problem");
    EXPECT_NE(problem_in(text + " "), "no problem");
}

TEST(Definition, shows_every_workload_as_a_file_that_loads_as_its_defaults) {
    for (const WorkloadSpec& spec : workload_catalog()) {
        const Settings defaults(spec);
        const auto settings = parse_definition(show_definition(defaults), "shown.toml");
        ASSERT_TRUE(settings) << spec.name << ": " << settings.error().detail();
        EXPECT_EQ(settings->spec().name, spec.name);
        EXPECT_EQ(settings->texts(), defaults.texts());
    }
}

TEST(Definition, loads_built_in_ones_by_name_and_says_what_is_near_otherwise) {
    EXPECT_TRUE(load_definition("idle"));
    const auto typo = load_definition("idl");
    ASSERT_FALSE(typo);
    EXPECT_NE(typo.error().detail().find("did you mean idle?"), std::string_view::npos);
    const auto missing = load_definition("/nonexistent/mine.toml");
    ASSERT_FALSE(missing);
    EXPECT_TRUE(missing.error().is(base::Errc::io_error));
}

TEST(Settings, take_words_of_the_command_line) {
    Settings settings(*find_workload("chat"));
    EXPECT_TRUE(settings.set("users", "12"));
    EXPECT_TRUE(settings.set("duration", "5m"));
    EXPECT_EQ(settings.texts().at("users"), "12");
    EXPECT_EQ(settings.texts().at("duration"), "5m");
    EXPECT_FALSE(settings.set("users", "twelve"));
    EXPECT_FALSE(settings.set("users", "12s"));
    EXPECT_FALSE(settings.set("messages", "12"));
    EXPECT_EQ(settings.texts().at("users"), "12");
}

TEST(Catalog, every_workload_knows_its_users_and_its_duration) {
    for (const WorkloadSpec& spec : workload_catalog()) {
        const Settings settings(spec);
        EXPECT_TRUE(settings.has(keys::kUsers.name)) << spec.name;
        EXPECT_TRUE(settings.has(keys::kDuration.name)) << spec.name;
    }
}

}  // namespace
}  // namespace bots
