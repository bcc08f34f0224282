#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/config.h"
#include "tests/server/config/test_registry.h"
#include "tests/support/temporary_folder.h"

namespace server::test {
namespace {

using ::testing::HasSubstr;

Config loaded(std::string_view text, std::string_view file = "parley.toml") {
    auto config = parse_config(text, file, test_registry());
    if (config) return *std::move(config);
    for (const ConfigProblem& problem : config.error())
        ADD_FAILURE() << problem.to_string();
    return Config();
}

std::vector<ConfigProblem> problems_of(std::string_view text) {
    const auto config = parse_config(text, "parley.toml", test_registry());
    if (config) {
        ADD_FAILURE() << "no problem was found in: " << text;
        return {};
    }
    return config.error();
}

/// The one problem of `text`, as an operator reads it.
std::string problem_of(std::string_view text) {
    const auto problems = problems_of(text);
    EXPECT_EQ(problems.size(), 1U) << text;
    return problems.empty() ? "" : problems[0].to_string();
}

TEST(Loader, takes_an_empty_file_for_the_defaults) {
    EXPECT_TRUE(diff(loaded(""), Config(), test_registry()).empty());
}

TEST(Loader, reads_every_type) {
    const Config config = loaded(R"(
level = -3
[box]
count = 100
open = false
label = "fragile: ü"
pairs = ["xy"]
tastes = []
delay = "1h"
room = "1MiB"
colour = "blue"
)");
    EXPECT_EQ(config.get(kLevel), -3);
    EXPECT_EQ(config.get(kCount), 100);
    EXPECT_FALSE(config.get(kOpen));
    EXPECT_EQ(config.get(kLabel), "fragile: ü");
    EXPECT_EQ(config.get(kPairs), (std::vector<std::string_view>{"xy"}));
    EXPECT_TRUE(config.get(kTastes).empty());
    EXPECT_EQ(config.get(kDelay), 1h);
    EXPECT_EQ(config.get(kRoom), 1024U * 1024U);
    EXPECT_EQ(config.get(kColour), Colour::blue);
}

TEST(Loader, reads_dotted_keys_and_plain_byte_counts) {
    EXPECT_EQ(loaded("box.room = 4096").get(kRoom), 4096U);
}

TEST(Loader, resolves_paths_from_the_folder_of_the_file) {
    EXPECT_EQ(loaded("box.place = \"../x\"", "/etc/parley/parley.toml").get(kPlace), "/etc/x");
    EXPECT_EQ(loaded("box.place = \"/abs\"", "/etc/parley/parley.toml").get(kPlace), "/abs");
    EXPECT_EQ(loaded("box.place = \"data\"", "parley.toml").get(kPlace), "data");
    EXPECT_EQ(loaded("box.place = \"\"", "/etc/parley/parley.toml").get(kPlace), "");
}

TEST(Loader, suggests_the_nearest_key) {
    EXPECT_EQ(problem_of("[box]\ncuont = 5"),
              "parley.toml:2:1: box.cuont: there is no such key; did you mean box.count?");
}

TEST(Loader, suggests_the_same_name_in_another_section) {
    EXPECT_THAT(problem_of("delay = \"5s\""), HasSubstr("did you mean box.delay?"));
}

TEST(Loader, points_to_the_reference_when_nothing_is_near) {
    EXPECT_THAT(problem_of("[box]\nqqqqqqqqqq = 5"), HasSubstr("parleyd --config-reference"));
    EXPECT_THAT(problem_of("\"\" = 5"), HasSubstr("there is no such key"));
    EXPECT_THAT(problem_of("\"box.count\" = 5"), HasSubstr("there is no such key"));
    EXPECT_THAT(problem_of("[box]\n\"a.b\" = 5"), HasSubstr("there is no such key"));
}

TEST(Loader, suggests_the_nearest_section) {
    EXPECT_EQ(problem_of("[boxx]\ncount = 5"),
              "parley.toml:1:2: boxx: there is no such section; did you mean box?");
    EXPECT_THAT(problem_of("[[hosts]]\nname = \"a.example\""), HasSubstr("did you mean"));
    EXPECT_THAT(problem_of("[hosts]\nname = \"a.example\""), HasSubstr("did you mean [[host]]?"));
}

TEST(Loader, says_when_a_section_is_written_as_a_key) {
    EXPECT_THAT(problem_of("box = 5"), HasSubstr("write [box]"));
}

TEST(Loader, names_the_range_of_a_number) {
    EXPECT_EQ(
        problem_of("[box]\ncount = 0"),
        "parley.toml:2:9: box.count: 0 is below the allowed range; give a number from 1 to 100");
    EXPECT_THAT(problem_of("[box]\ncount = 101"), HasSubstr("101 is above the allowed range"));
}

TEST(Loader, accepts_both_ends_of_a_range) {
    EXPECT_EQ(loaded("box.count = 1").get(kCount), 1);
    EXPECT_EQ(loaded("box.count = 100").get(kCount), 100);
}

TEST(Loader, names_the_range_of_a_duration) {
    EXPECT_EQ(problem_of("[box]\ndelay = \"2h\""),
              "parley.toml:2:9: box.delay: \"2h\" is above the allowed range; give a duration from "
              "\"1s\" to \"1h\"");
    EXPECT_THAT(problem_of("box.delay = \"soon\""), HasSubstr("not of the form"));
}

TEST(Loader, asks_for_the_unit_of_a_duration) {
    EXPECT_EQ(problem_of("[box]\ndelay = 30"),
              "parley.toml:2:9: box.delay: 30 has no unit; write \"30s\" for seconds");
}

TEST(Loader, names_the_range_of_a_size) {
    EXPECT_THAT(problem_of("box.room = 1023"), HasSubstr("a size from \"1KiB\" to \"1MiB\""));
    EXPECT_THAT(problem_of("box.room = \"2MiB\""), HasSubstr("above the allowed range"));
    EXPECT_THAT(problem_of("box.room = \"big\""), HasSubstr("not of the form"));
}

TEST(Loader, names_the_choices) {
    EXPECT_THAT(problem_of("box.colour = \"pink\""),
                HasSubstr("\"pink\" is not a choice; give one of \"red\", \"green\", \"blue\""));
}

TEST(Loader, tells_a_wrong_type_from_the_right_one) {
    EXPECT_THAT(problem_of("box.count = \"5\""),
                HasSubstr("a text stands here; give a number from 1 to 100, without quotes"));
    EXPECT_THAT(problem_of("box.count = 1.5"), HasSubstr("a number with a fraction stands here"));
    EXPECT_THAT(problem_of("box.open = \"yes\""), HasSubstr("give true or false, without quotes"));
    EXPECT_THAT(problem_of("box.open = 1"), HasSubstr("a number stands here; give true or false"));
    EXPECT_THAT(problem_of("box.label = 5"), HasSubstr("give a text in quotes"));
    EXPECT_THAT(problem_of("box.label = [\"a\"]"), HasSubstr("a list stands here"));
    EXPECT_THAT(problem_of("box.delay = true"), HasSubstr("true or false stands here"));
    EXPECT_THAT(problem_of("box.room = 1.5"), HasSubstr("a number with a fraction"));
    EXPECT_THAT(problem_of("box.colour = 1"), HasSubstr("one of"));
    EXPECT_THAT(problem_of("box.label = 2026-11-20"), HasSubstr("a date or time"));
    EXPECT_THAT(problem_of("box.pairs = 5"), HasSubstr("a number stands here"));
    EXPECT_THAT(problem_of("[box.count]\nx = 1"), HasSubstr("a table stands here"));
}

TEST(Loader, asks_for_brackets_around_a_list) {
    EXPECT_THAT(problem_of("box.pairs = \"ab\""), HasSubstr("put it in brackets: [\"ab\"]"));
}

TEST(Loader, checks_every_element_of_a_list) {
    EXPECT_EQ(
        problem_of("[box]\npairs = [\"ab\", \"abc\"]"),
        "parley.toml:2:16: box.pairs: \"abc\" is not what is needed; give a text of even length");
    EXPECT_THAT(problem_of("box.tastes = [\"sweett\"]"), HasSubstr("did you mean sweet?"));
    EXPECT_THAT(problem_of("box.tastes = [\"xxxxxxxxx\"]"), HasSubstr("give a list of any of"));
    EXPECT_THAT(problem_of("box.pairs = [1]"), HasSubstr("a number stands here"));
    EXPECT_THAT(problem_of("box.pairs = [\"ab\", \"ab\"]"), HasSubstr("listed twice"));
}

TEST(Loader, bounds_the_length_of_a_list) {
    const auto list = [](std::size_t count) {
        std::string text = "box.pairs = [";
        for (std::size_t index = 0; index < count; ++index) {
            text += "\"" + std::to_string(1000 + index) + "\",";
        }
        return text + "]";
    };
    EXPECT_EQ(loaded(list(256)).get(kPairs).size(), 256U);
    EXPECT_THAT(problem_of(list(257)), HasSubstr("give at most 256"));
}

TEST(Loader, refuses_control_characters_in_texts) {
    EXPECT_THAT(problem_of("box.label = \"a\\nb\""), HasSubstr("control character"));
    EXPECT_THAT(problem_of("box.place = \"a\\u0000b\""), HasSubstr("control character"));
    EXPECT_THAT(problem_of("box.pairs = [\"a\\t\"]"), HasSubstr("control character"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a\\u0000\""), HasSubstr("control character"));
}

TEST(Loader, shortens_long_values_in_problems) {
    const std::string text = "box.colour = \"" + std::string(10'000, 'x') + "\"";
    EXPECT_LT(problem_of(text).size(), 250U);
}

TEST(Loader, keeps_every_problem_on_one_line) {
    EXPECT_EQ(problem_of("\"a\\nb\" = 1").find('\n'), std::string::npos);
    EXPECT_EQ(problem_of("box.open = fa\nlse").find('\n'), std::string::npos);
    EXPECT_LT(problem_of("\"" + std::string(10'000, 'k') + "\" = 1").size(), 500U);
    EXPECT_EQ(problem_of("[box]\n\"\\u001b[2J\" = 1").find('\x1b'), std::string::npos);
}

TEST(Loader, reports_all_problems_in_the_order_of_the_file) {
    const auto problems = problems_of("[box]\nroom = 1\ncount = 0\ncolour = \"x\"\nnope = 1\n");
    ASSERT_EQ(problems.size(), 4U);
    EXPECT_EQ(problems[0].line, 2U);
    EXPECT_EQ(problems[1].line, 3U);
    EXPECT_EQ(problems[2].line, 4U);
    EXPECT_EQ(problems[3].line, 5U);
}

TEST(Loader, bounds_the_number_of_problems) {
    std::string text;
    for (int index = 0; index < 150; ++index)
        text += "key" + std::to_string(index) + " = 1\n";
    EXPECT_EQ(problems_of(text).size(), 100U);
}

TEST(Loader, places_syntax_errors) {
    const auto problems = problems_of("[box]\ncount = = 5\n");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].line, 2U);
    EXPECT_EQ(problems[0].file, "parley.toml");
    EXPECT_FALSE(problems[0].what.empty());
    problem_of("box.count = 1\nbox.count = 2\n");
    problem_of("[box]\nlabel = \"\xff\"\n");
    EXPECT_EQ(problem_of("[box]\nlabel = \"\x01\"").substr(0, 17), "parley.toml:2:10:");
    problem_of("[box");
    for (const char* header :
         {"[[[", "[", "[[", "[=", "[[ \n", " [ #x", "[[]]", "[]", "[\xc3\xbc]"})
        EXPECT_EQ(problems_of(header)[0].line, 1U) << header;
    problem_of(std::string("box\0 = 1", 8));
    problem_of(std::string(100'000, '['));
}

TEST(Loader, takes_characters_beyond_ascii_only_in_quotes_and_comments) {
    EXPECT_EQ(loaded("# größer\nbox.label = \"ü \\\" ü\" # é\n").get(kLabel), "ü \" ü");
    EXPECT_EQ(loaded("box.label = 'ü'\n").get(kLabel), "ü");
    EXPECT_THAT(problem_of("\xef\xbb\xa7# x"),
                HasSubstr(":1:1: there is a character beyond ASCII"));
    EXPECT_THAT(problem_of("[box]\ncöunt = 1"),
                HasSubstr(":2:2: there is a character beyond ASCII"));
}

TEST(Loader, refuses_quotes_in_the_middle_of_values) {
    for (const char* text :
         {"box.count = 5\"x\"", "box.label = -\"\xc3\xbc\"", "box.label = \"a\" \"b\"",
          "box.label = \"\"\"x\ny\"\"\"", "box.label = '''x'''"})
        EXPECT_THAT(problem_of(text), HasSubstr("a quote stands where none may be")) << text;
    EXPECT_EQ(loaded("\"box\" . 'label' = \"\" # \"\"\"").get(kLabel), "");
    EXPECT_EQ(loaded("box = {label = \"x\", \"count\" = 5}").get(kCount), 5);
    EXPECT_EQ(loaded("box.pairs = [\n  \"ab\",\n  'xy'\n]").get(kPairs).size(), 2U);
}

TEST(Loader, reads_hosts_and_prepares_their_names) {
    const Config config = loaded(R"(
[[host]]
name = "Example.ORG"
certificate = "org.crt"
private_key = "org.key"
[[host]]
name = "xn--bcher-kva.example"
)",
                                 "/etc/parley/parley.toml");
    ASSERT_EQ(config.hosts().size(), 2U);
    EXPECT_EQ(config.hosts()[0].name, "example.org");
    EXPECT_EQ(config.hosts()[0].certificate, "/etc/parley/org.crt");
    EXPECT_EQ(config.hosts()[0].private_key, "/etc/parley/org.key");
    EXPECT_EQ(config.hosts()[1].name, "bücher.example");
    EXPECT_EQ(config.hosts()[1].certificate, "");
}

TEST(Loader, refuses_broken_hosts) {
    EXPECT_THAT(problem_of("[[host]]\n"), HasSubstr("this host has no name"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"\""), HasSubstr("is not a domain name"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a@b.example\""), HasSubstr("is not a domain name"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"b.example/c\""), HasSubstr("is not a domain name"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a b\""), HasSubstr("is not a domain name"));
    EXPECT_THAT(problem_of("[host]\nname = \"a.example\""), HasSubstr("two brackets"));
    EXPECT_THAT(problem_of("host = []"), HasSubstr("two brackets"));
    EXPECT_THAT(problem_of("host = \"a.example\""), HasSubstr("two brackets"));
    EXPECT_THAT(problem_of("host = [{name = \"a.example\"}, 5]"), HasSubstr("two brackets"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a.example\"\n[[host]]\nname = \"A.example\""),
                HasSubstr("is there twice"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a.example\"\ncertificate = \"x\""),
                HasSubstr("only one of certificate and private_key"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a.example\"\ncertifciate = \"x\""),
                HasSubstr("did you mean certificate?"));
    EXPECT_THAT(problem_of("[[host]]\nname = \"a.example\"\n[host.certificate]\nx = 1"),
                HasSubstr("must be a text"));
}

TEST(Loader, bounds_the_number_of_hosts) {
    const auto hosts = [](int count) {
        std::string text;
        for (int index = 0; index < count; ++index)
            text += "[[host]]\nname = \"h" + std::to_string(index) + ".example\"\n";
        return text;
    };
    EXPECT_EQ(loaded(hosts(1000)).hosts().size(), 1000U);
    EXPECT_THAT(problem_of(hosts(1001)), HasSubstr("at most 1000"));
}

TEST(Loader, applies_rules_between_keys_and_places_them) {
    KeyRegistry registry = test_registry();
    registry.add_rule([](const Config& config) -> std::optional<RuleViolation> {
        if (config.get(kCount) != 13) return std::nullopt;
        return RuleViolation{"box.count", "13 is unlucky", "give another number"};
    });
    const auto config = parse_config("[box]\ncount = 13", "f", registry);
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 1U);
    EXPECT_EQ(config.error()[0].to_string(),
              "f:2:9: box.count: 13 is unlucky; give another number");
}

TEST(LoadConfig, says_why_a_file_cannot_be_read) {
    const auto config = load_config("/nonexistent/parley.toml", test_registry());
    ASSERT_FALSE(config);
    EXPECT_THAT(config.error()[0].to_string(),
                HasSubstr("/nonexistent/parley.toml: cannot be read: No such file"));
    EXPECT_FALSE(load_config("/", test_registry()));
}

TEST(LoadConfig, reads_a_file_and_refuses_one_that_is_too_large) {
    const ::test::TemporaryFolder folder;
    const std::string path = folder.file("parley.toml");
    std::ofstream(path) << "[box]\ncount = 5\n";
    const auto config = load_config(path, test_registry());
    ASSERT_TRUE(config);
    EXPECT_EQ(config->get(kCount), 5);
    std::ofstream(path) << std::string(1024 * 1024 + 1, '#');
    const auto large = load_config(path, test_registry());
    ASSERT_FALSE(large);
    EXPECT_THAT(large.error()[0].what, HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace server::test
