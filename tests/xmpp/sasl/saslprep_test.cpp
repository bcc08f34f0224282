// The examples of RFC 4013 §3, and what differs on purpose: code points newer than Unicode 3.2
// pass.
#include <gtest/gtest.h>

#include "xmpp/sasl/scram_keys.h"

namespace xmpp::sasl {
namespace {

std::string prepared(std::string_view password) {
    return saslprep(password).value_or("refused");
}

TEST(Saslprep, maps_as_in_the_examples_of_rfc_4013) {
    EXPECT_EQ(prepared("I\u00ADX"), "IX");  // Soft hyphen mapped to nothing.
    EXPECT_EQ(prepared("user"), "user");
    EXPECT_EQ(prepared("USER"), "USER");  // Case is kept.
    EXPECT_EQ(prepared("\u00AA"), "a");   // NFKC.
    EXPECT_EQ(prepared("\u2168"), "IX");
    EXPECT_EQ(prepared("\a"), "refused");       // Prohibited character.
    EXPECT_EQ(prepared("\u06271"), "refused");  // Bidirectional check.
}

TEST(Saslprep, makes_other_spaces_into_the_ascii_one) {
    EXPECT_EQ(prepared("a\u00A0b\u3000c"), "a b c");
}

TEST(Saslprep, composes) {
    EXPECT_EQ(prepared("cafe\u0301"), "caf\u00E9");
}

TEST(Saslprep, lets_newer_code_points_pass) {
    EXPECT_EQ(prepared("\U0001F600 and \U0001F511"), "\U0001F600 and \U0001F511");
}

TEST(Saslprep, refuses_controls_in_ascii_passwords) {
    EXPECT_EQ(prepared(std::string("pen\0cil", 7)), "refused");
    EXPECT_EQ(prepared("pen\ncil"), "refused");
    EXPECT_EQ(prepared("pencil\x7F"), "refused");
}

TEST(Saslprep, refuses_what_is_not_utf_8) {
    EXPECT_EQ(prepared("\xC3\x28"), "refused");
    EXPECT_EQ(prepared("\xED\xA0\x80"), "refused");
    EXPECT_EQ(prepared("\xF0\x9F\x98"), "refused");
}

TEST(Saslprep, refuses_emptiness_before_and_after_mapping) {
    EXPECT_EQ(prepared(""), "refused");
    EXPECT_EQ(prepared("\u00AD"), "refused");
}

TEST(Saslprep, keeps_its_limit_before_and_after_preparation) {
    EXPECT_EQ(prepared(std::string(kPasswordBytesMax, 'a')), std::string(kPasswordBytesMax, 'a'));
    EXPECT_EQ(prepared(std::string(kPasswordBytesMax + 1, 'a')), "refused");
    std::string expanding;  // U+FDFA is 3 bytes and normalises to 33.
    while (expanding.size() + 3 <= kPasswordBytesMax)
        expanding += "\uFDFA";
    EXPECT_EQ(prepared(expanding), "refused");
}

}  // namespace
}  // namespace xmpp::sasl
