// What patterns let pass and what they do not: a pattern that accepts everything tests nothing.
#include "tests/support/stanza_pattern.h"
#include "tests/support/scripted_client.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

std::string verdict(std::string_view pattern, std::string_view actual, Variables& variables) {
    return mismatch(parse_elements(pattern).at(0), parse_elements(actual).at(0), variables)
        .value_or("fits");
}

std::string verdict(std::string_view pattern, std::string_view actual) {
    Variables variables;
    return verdict(pattern, actual, variables);
}

TEST(StanzaPattern, lets_pass_what_it_does_not_name) {
    EXPECT_EQ(verdict("<iq type='result'/>", "<iq type='result' id='1'><query xmlns='x'/></iq>"),
              "fits");
    EXPECT_EQ(verdict("<a xmlns='x'><c/><b/></a>", "<a xmlns='x'><b/><d/>text<c/></a>"), "fits");
}

TEST(StanzaPattern, names_what_is_wrong_and_where) {
    EXPECT_EQ(verdict("<iq type='result'/>", "<iq type='error'/>"),
              "<iq>: type is 'error' instead of 'result'");
    EXPECT_EQ(verdict("<iq id='1'/>", "<iq/>"), "<iq>: id is missing");
    EXPECT_EQ(verdict("<iq><query xmlns='x'/></iq>", "<iq><query xmlns='y'/></iq>"),
              "<iq>: <query> is missing");
    EXPECT_EQ(verdict("<message><body>a</body></message>", "<message><body>b</body></message>"),
              "<message>: <body>: the text is 'b' instead of 'a'");
    EXPECT_EQ(verdict("<message/>", "<presence/>"),
              "<presence> in jabber:client instead of <message> in jabber:client");
}

TEST(StanzaPattern, needs_one_child_for_each_that_it_names) {
    EXPECT_EQ(verdict("<a xmlns='x'><b/><b/></a>", "<a xmlns='x'><b/></a>"), "<a>: <b> is missing");
    EXPECT_EQ(
        verdict("<a xmlns='x'><b i='2'/><b i='1'/></a>", "<a xmlns='x'><b i='1'/><b i='2'/></a>"),
        "fits");
}

TEST(StanzaPattern, refuses_what_must_be_absent) {
    EXPECT_EQ(verdict("<iq to='{absent}'/>", "<iq to='a'/>"), "<iq>: to should not be there");
    EXPECT_EQ(verdict("<iq to='{absent}'/>", "<iq/>"), "fits");
    EXPECT_EQ(verdict("<message><body expect:absent='yes'/></message>",
                      "<message><body>a</body></message>"),
              "<message>: <body> should not be there");
    EXPECT_EQ(
        verdict("<a xmlns='x'><b i='1' expect:absent='yes'/></a>", "<a xmlns='x'><b i='1'/></a>"),
        "<a>: <b> should not be there");
    EXPECT_EQ(
        verdict("<a xmlns='x'><b i='1' expect:absent='yes'/></a>", "<a xmlns='x'><b i='2'/></a>"),
        "fits");
    EXPECT_EQ(verdict("<iq expect:exact='yes' id='1'/>", "<iq id='1'><query xmlns='x'/></iq>"),
              "<iq>: <query> is one child too many");
}

TEST(StanzaPattern, captures_and_refers_back) {
    Variables variables;
    EXPECT_EQ(verdict("<iq from='romeo@example.org/{capture:resource}'/>",
                      "<iq from='romeo@example.org/orchard'/>", variables),
              "fits");
    EXPECT_EQ(variables["resource"], "orchard");
    EXPECT_EQ(verdict("<iq to='$resource'/>", "<iq to='orchard'/>", variables), "fits");
    EXPECT_EQ(verdict("<iq to='$resource'/>", "<iq to='tomb'/>", variables),
              "<iq>: to is 'tomb' instead of '$resource'");
    EXPECT_EQ(substitute("a$resource.b$$", variables), "aorchard.b$");
    EXPECT_THROW(substitute("$unknown", variables), ScriptFailure);
}

TEST(StanzaPattern, keeps_no_capture_of_what_did_not_match) {
    Variables variables;
    EXPECT_NE(verdict("<iq id='{capture:id}' type='get'/>", "<iq id='1' type='set'/>", variables),
              "fits");
    EXPECT_TRUE(variables.empty());
}

TEST(StanzaPattern, knows_its_wildcards) {
    EXPECT_EQ(verdict("<iq id='{any}'/>", "<iq id='x'/>"), "fits");
    EXPECT_NE(verdict("<iq id='{any}'/>", "<iq id=''/>"), "fits");
    EXPECT_EQ(verdict("<q xmlns='x' seconds='{number}'/>", "<q xmlns='x' seconds='12'/>"), "fits");
    EXPECT_NE(verdict("<q xmlns='x' seconds='{number}'/>", "<q xmlns='x' seconds='1a'/>"), "fits");
    EXPECT_EQ(
        verdict("<d xmlns='x' stamp='{datetime}'/>", "<d xmlns='x' stamp='2026-01-01T00:00:00Z'/>"),
        "fits");
    EXPECT_NE(verdict("<d xmlns='x' stamp='{datetime}'/>", "<d xmlns='x' stamp='today'/>"), "fits");
    EXPECT_THROW(verdict("<iq id='{anything}'/>", "<iq id='x'/>"), ScriptFailure);
}

}  // namespace
}  // namespace server::test
