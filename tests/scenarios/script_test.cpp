// The layout of scenario files, and mistakes in it.
#include "tests/scenarios/script.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

std::string problem_of(std::string_view text) {
    auto script = parse_script(text, "a.scn");
    return script ? "none" : std::string(script.error().detail());
}

TEST(Script, has_steps_with_words_and_what_follows_the_colon) {
    const auto script = parse_script(
        "# A comment.\n\nromeo connects\nromeo sends: <a x='1: 2'/>\n"
        "romeo receives:\n    <b>\n      c\n    </b>\n",
        "a.scn");
    ASSERT_TRUE(script);
    ASSERT_EQ(script->steps.size(), 3u);
    EXPECT_EQ(script->steps[0].text(), "romeo connects");
    EXPECT_EQ(script->steps[0].line, 3);
    EXPECT_EQ(script->steps[1].text(), "romeo sends");
    EXPECT_EQ(script->steps[1].argument, "<a x='1: 2'/>");
    EXPECT_EQ(script->steps[2].argument, "<b>\nc\n</b>");
}

TEST(Script, has_settings) {
    const auto script = parse_script(
        "config: a.b = 1\nconfig: c = 2\nshards: 2\nsimulated: why\nx opens\n", "a.scn");
    ASSERT_TRUE(script);
    EXPECT_EQ(script->config, "a.b = 1\nc = 2\n");
    EXPECT_EQ(script->shards, 2u);
    EXPECT_EQ(script->simulated, "why");
}

TEST(Script, names_the_line_of_a_mistake) {
    EXPECT_EQ(problem_of(""), "a.scn:0: the scenario has no steps");
    EXPECT_EQ(problem_of("x opens\n  indented\n"),
              "a.scn:2: indented lines belong under a line that ends with a colon");
    EXPECT_EQ(problem_of("x sends:\nx opens\n"), "a.scn:1: nothing follows the colon");
    EXPECT_EQ(problem_of("x sends:\n"), "a.scn:1: nothing follows the colon");
    EXPECT_EQ(problem_of("shards: 3\nx opens\n"), "a.scn:1: shards are 1, 2 or 4");
}

}  // namespace
}  // namespace server::test
