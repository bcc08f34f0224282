#include "xmpp/core/precis.h"

#include <gtest/gtest.h>

#include <string>

#include "xmpp/core/code_points.h"

namespace xmpp {
namespace {

std::string username(std::string_view text) {
    const auto prepared = prepare_username(text);
    return prepared ? *prepared : "refused";
}
std::string password(std::string_view text) {
    const auto prepared = prepare_password(text);
    return prepared ? *prepared : "refused";
}

// RFC 8265 §3.5, tables 1 and 2, with the case-mapped profile.
TEST(Precis, prepares_the_user_names_of_rfc_8265) {
    EXPECT_EQ(username("juliet@example.com"), "juliet@example.com");
    EXPECT_EQ(username("fussball"), "fussball");
    EXPECT_EQ(username("fu\u00DFball"), "fu\u00DFball");
    EXPECT_EQ(username("\u03C0"), "\u03C0");
    EXPECT_EQ(username("\u03A3"), "\u03C3");
    EXPECT_EQ(username("\u03C3"), "\u03C3");
    EXPECT_EQ(username("\u03C2"), "\u03C2");
    EXPECT_EQ(username("foo bar"), "refused");
    EXPECT_EQ(username(""), "refused");
    EXPECT_EQ(username("henry\u2163"), "refused");
    EXPECT_EQ(username("\u265A"), "refused");
}

// RFC 8265 §4.3, tables 3 and 4.
TEST(Precis, prepares_the_passwords_of_rfc_8265) {
    EXPECT_EQ(password("correct horse battery staple"), "correct horse battery staple");
    EXPECT_EQ(password("Correct Horse Battery Staple"), "Correct Horse Battery Staple");
    EXPECT_EQ(password("\u03C0\u00DF\u00E5"), "\u03C0\u00DF\u00E5");
    EXPECT_EQ(password("Jack of \u2666s"), "Jack of \u2666s");
    EXPECT_EQ(password("foo\u1680bar"), "foo bar");
    EXPECT_EQ(password(""), "refused");
    EXPECT_EQ(password("my cat is a \tby"), "refused");
}

TEST(Precis, never_quotes_a_password_in_an_error) {
    EXPECT_EQ(prepare_password("s3cret\t").error().message().find("s3cret"), std::string::npos);
}

TEST(Precis, is_idempotent) {
    for (const std::string_view text :
         {"\u0130", "\u01C5", "\uFF21", "\u212B", "\u03A3\u0391\u03A3", "\u1E9E"}) {
        const std::string once = username(text);
        if (once == "refused") continue;
        EXPECT_EQ(username(once), once) << text;
    }
}

TEST(Precis, derives_the_properties_of_rfc_8264) {
    EXPECT_EQ(precis_property('a'), PrecisProperty::valid);
    EXPECT_EQ(precis_property('~'), PrecisProperty::valid);
    EXPECT_EQ(precis_property(' '), PrecisProperty::free_valid);
    EXPECT_EQ(precis_property(0x07), PrecisProperty::disallowed);
    EXPECT_EQ(precis_property(0x00DF), PrecisProperty::valid);       // Exception.
    EXPECT_EQ(precis_property(0x0640), PrecisProperty::disallowed);  // Exception.
    EXPECT_EQ(precis_property(0x200D), PrecisProperty::context);     // Join control.
    EXPECT_EQ(precis_property(0x1100), PrecisProperty::disallowed);  // Old Hangul Jamo.
    EXPECT_EQ(precis_property(0x00AD), PrecisProperty::disallowed);  // Ignorable.
    EXPECT_EQ(precis_property(0xFDD0), PrecisProperty::disallowed);  // Noncharacter.
    EXPECT_EQ(precis_property(0xE000), PrecisProperty::disallowed);  // Private use.
    EXPECT_EQ(precis_property(0x0378), PrecisProperty::disallowed);  // Unassigned.
    EXPECT_EQ(precis_property(0x2163), PrecisProperty::free_valid);  // Has an equivalent.
    EXPECT_EQ(precis_property(0x01C5), PrecisProperty::free_valid);  // Title case, equivalent.
    EXPECT_EQ(precis_property(0x265A), PrecisProperty::free_valid);  // Symbol.
    EXPECT_EQ(precis_property(0x2014), PrecisProperty::free_valid);  // Punctuation.
    EXPECT_EQ(precis_property(0x2028), PrecisProperty::disallowed);  // Line separator.
}

TEST(Precis, applies_every_context_rule_of_rfc_5892) {
    // A.1 zero width non-joiner: after a virama, or between joining letters.
    EXPECT_TRUE(context_allows(U"\u0915\u094D\u200C\u0937", 2));
    EXPECT_TRUE(context_allows(U"\u0628\u200C\u0628", 1));
    EXPECT_TRUE(context_allows(U"\u0628\u064B\u200C\u064B\u0628", 2));  // Transparent between.
    EXPECT_FALSE(context_allows(U"a\u200Cb", 1));
    EXPECT_FALSE(context_allows(U"\u200C\u0628", 0));
    EXPECT_FALSE(context_allows(U"\u0628\u200C", 1));
    // A.2 zero width joiner: after a virama.
    EXPECT_TRUE(context_allows(U"\u0915\u094D\u200D", 2));
    EXPECT_FALSE(context_allows(U"\u200D", 0));
    // A.3 middle dot: between two l.
    EXPECT_TRUE(context_allows(U"l\u00B7l", 1));
    EXPECT_FALSE(context_allows(U"l\u00B7", 1));
    EXPECT_FALSE(context_allows(U"\u00B7l", 0));
    // A.4 Greek keraia: before a Greek letter.
    EXPECT_TRUE(context_allows(U"\u0375\u03B1", 0));
    EXPECT_FALSE(context_allows(U"\u0375a", 0));
    EXPECT_FALSE(context_allows(U"\u0375", 0));
    // A.5, A.6 Hebrew geresh and gershayim: after a Hebrew letter.
    EXPECT_TRUE(context_allows(U"\u05D0\u05F3", 1));
    EXPECT_TRUE(context_allows(U"\u05D0\u05F4", 1));
    EXPECT_FALSE(context_allows(U"a\u05F3", 1));
    EXPECT_FALSE(context_allows(U"\u05F4", 0));
    // A.7 katakana middle dot: with any Japanese letter.
    EXPECT_TRUE(context_allows(U"\u30FB\u30A2", 0));
    EXPECT_FALSE(context_allows(U"a\u30FBb", 1));
    // A.8, A.9 Arabic-Indic digits and extended ones do not mix.
    EXPECT_TRUE(context_allows(U"\u0660\u0661", 0));
    EXPECT_FALSE(context_allows(U"\u0660\u06F0", 0));
    EXPECT_TRUE(context_allows(U"\u06F0", 0));
    EXPECT_FALSE(context_allows(U"\u0660\u06F0", 1));
}

TEST(Precis, applies_the_bidi_rule_of_rfc_5893) {
    EXPECT_FALSE(has_right_to_left(U"abc1"));
    EXPECT_TRUE(has_right_to_left(U"\u0661"));
    EXPECT_TRUE(satisfies_bidi_rule(U"\u05D0\u05D1"));
    EXPECT_TRUE(satisfies_bidi_rule(U"\u05D01"));
    EXPECT_TRUE(satisfies_bidi_rule(U"\u0628\u064B"));    // A mark at the end.
    EXPECT_FALSE(satisfies_bidi_rule(U"1\u05D0"));        // Condition 1.
    EXPECT_FALSE(satisfies_bidi_rule(U"\u05D0a"));        // Condition 2.
    EXPECT_FALSE(satisfies_bidi_rule(U"\u05D0-"));        // Condition 3.
    EXPECT_FALSE(satisfies_bidi_rule(U"\u06281\u0661"));  // Condition 4.
    EXPECT_FALSE(satisfies_bidi_rule(U""));
}

}  // namespace
}  // namespace xmpp
