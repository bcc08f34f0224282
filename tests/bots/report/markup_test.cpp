#include "tests/bots/report/markup.h"

#include <string>

#include <gtest/gtest.h>

namespace bots {
namespace {

TEST(Markup, escapes_what_means_something_to_xml) {
    EXPECT_EQ(escape_markup("<a href=\"x\" b='y'>&amp;</a>"),
              "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    EXPECT_EQ(escape_markup("]]>"), "]]&gt;");
}

TEST(Markup, keeps_out_what_xml_cannot_hold) {
    EXPECT_EQ(escape_markup(std::string("a\0b", 3)), "a�b");
    EXPECT_EQ(escape_markup("\x01\x1f\x7f"), "���");
    EXPECT_EQ(escape_markup("\xff\xfe"), "��");
    EXPECT_EQ(escape_markup("\xed\xa0\x80"), "���");             // A surrogate.
    EXPECT_EQ(escape_markup("\xef\xbf\xbe\xef\xbf\xbf"), "��");  // U+FFFE, U+FFFF.
    EXPECT_EQ(escape_markup("\xe2\x80\xae"), "�");
    EXPECT_EQ(escape_markup("Grüße €"), "Grüße €");
}

TEST(Markup, cuts_what_is_too_long) {
    const std::string longest(2000, 'x');
    EXPECT_EQ(escape_markup(longest), longest);
    EXPECT_EQ(escape_markup(longest + "y"), longest + "…");
}

}  // namespace
}  // namespace bots
