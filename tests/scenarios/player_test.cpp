// The player must fail where a server does not do what is written: a run that accepts everything
// would prove nothing.
#include "tests/scenarios/player.h"
#include "tests/scenarios/verbs.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

std::string play(std::string_view text) {
    try {
        const Script script = parse_script(text, "a.scn").value();
        SimVenue venue(script);
        Player(script, venue).play();
    } catch (const ScriptFailure& failure) {
        return failure.what();
    }
    return "played";
}

constexpr std::string_view kPing =
    "romeo is romeo@example.org/orchard\nromeo connects\n"
    "romeo sends: <iq type='get' id='1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>\n";

TEST(Player, plays_what_is_right) {
    EXPECT_EQ(play(std::string(kPing) + "romeo receives: <iq type='result' id='1'/>\n"), "played");
}

TEST(Player, names_the_line_and_what_came_instead) {
    const std::string said =
        play(std::string(kPing) + "romeo receives: <iq type='error' id='1'/>\n");
    EXPECT_TRUE(
        said.starts_with("a.scn:4: romeo receives: <iq>: type is 'result' instead of "
                         "'error'\n  expected <iq"))
        << said;
}

TEST(Player, fails_when_more_comes_than_expected) {
    EXPECT_TRUE(play(kPing).starts_with("a.scn: at the end: romeo also received <iq"));
    EXPECT_TRUE(play(std::string(kPing) + "romeo receives nothing\n").starts_with("a.scn:4:"));
}

TEST(Player, fails_when_nothing_comes) {
    EXPECT_EQ(play("x opens a stream to example.org\nx receives: <a/>\n"),
              "a.scn:2: x receives: nothing came in time");
}

TEST(Player, fails_when_a_group_is_not_complete_or_other) {
    EXPECT_TRUE(play(std::string(kPing) + "romeo receives in any order: <iq id='2'/><iq id='3'/>\n")
                    .starts_with("a.scn:4: romeo receives in any order: got <iq"));
}

TEST(Player, fails_for_another_stream_error_or_none) {
    EXPECT_TRUE(play("x opens\nx sends raw: <a>\nx receives header: id='{any}'\n"
                     "x receives stream error host-unknown\n")
                    .starts_with("a.scn:4: x receives stream error host-unknown: expected"));
    EXPECT_NE(play(std::string(kPing) + "romeo receives stream error conflict\n"), "played");
}

TEST(Player, knows_no_other_steps) {
    EXPECT_EQ(play("romeo dances\n"),
              "a.scn:1: romeo dances: no such step; tests/scenarios/README.md lists them");
    EXPECT_EQ(play("romeo opens: now\n"),
              "a.scn:1: romeo opens: this step takes nothing behind a colon");
    EXPECT_EQ(play("romeo sends\n"),
              "a.scn:1: romeo sends: this step wants something behind a colon");
}

TEST(Player, says_what_a_real_server_cannot_do) {
    const auto needs = [](std::string_view text, bool restartable) {
        return needs_simulation(parse_script(text, "a.scn").value(), restartable)
            .value_or("nothing");
    };
    EXPECT_EQ(needs("x opens\n", false), "nothing");
    EXPECT_EQ(needs("config: a.b = 1\nx opens\n", true), "nothing");
    EXPECT_EQ(needs("config: a.b = 1\nx opens\n", false), "it has settings of its own");
    EXPECT_EQ(needs("the server restarts\n", true), "nothing");
    EXPECT_EQ(needs("time passes 5m\n", true), "\"time passes 5m\" cannot be done to this server");
}

TEST(Player, refuses_xml_that_is_broken_by_mistake) {
    EXPECT_TRUE(play("x opens\nx sends: <a\n").starts_with("a.scn:2: x sends: the XML"));
    EXPECT_TRUE(play("x opens\nx sends: <a b='$c'/>\n").starts_with("a.scn:2: x sends: nothing"));
}

}  // namespace
}  // namespace server::test
