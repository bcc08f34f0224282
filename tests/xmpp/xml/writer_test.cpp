#include "xmpp/xml/writer.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

std::string escaped_text(std::string_view text) {
    std::string out;
    append_escaped_text(out, text);
    return out;
}
std::string escaped_attribute(std::string_view text) {
    std::string out;
    append_escaped_attribute(out, text);
    return out;
}

TEST(Writer, escapes_text) {
    EXPECT_EQ(escaped_text("a < b && c > d"), "a &lt; b &amp;&amp; c &gt; d");
    EXPECT_EQ(escaped_text("]]>"), "]]&gt;");
    EXPECT_EQ(escaped_text("'quotes\" stay"), "'quotes\" stay");
    EXPECT_EQ(escaped_text("tab\tline\nreturn\r"), "tab\tline\nreturn&#13;");
    EXPECT_EQ(escaped_text(""), "");
}

TEST(Writer, writes_white_space_in_attributes_as_references) {
    EXPECT_EQ(escaped_attribute("a\tb\nc\rd"), "a&#9;b&#10;c&#13;d");
    EXPECT_EQ(escaped_attribute("<'\"&>"), "&lt;&apos;&quot;&amp;&gt;");
}

TEST(Writer, replaces_what_xml_forbids) {
    const std::string replacement = "\uFFFD";
    EXPECT_EQ(escaped_text(std::string_view("a\0b\x01\x1F", 5)),
              "a" + replacement + "b" + replacement + replacement);
    EXPECT_EQ(escaped_text("\x7F"), "\x7F") << "discouraged but allowed";
    EXPECT_EQ(escaped_text("\xFF"), replacement);
    EXPECT_EQ(escaped_text("\xC0\xAF"), replacement + replacement);  // Overlong.
    EXPECT_EQ(escaped_text("\xE0\x80\x80"), replacement + replacement + replacement);
    EXPECT_EQ(escaped_text("\xED\xA0\x80"), replacement + replacement + replacement);  // Surrogate.
    EXPECT_EQ(escaped_text("\xEF\xBF\xBE"), replacement + replacement + replacement);  // U+FFFE.
    EXPECT_EQ(escaped_text("\xF4\x90\x80\x80").size(), 12U);  // Past U+10FFFF.
    EXPECT_EQ(escaped_text("\xC3"), replacement) << "cut off";
    EXPECT_EQ(escaped_text("\u00E9\u20AC\U0001F600\U0010FFFF\uFFFD"),
              "\u00E9\u20AC\U0001F600\U0010FFFF\uFFFD");
}

TEST(Writer, declares_a_namespace_only_where_it_changes) {
    Element message("message", ns::client);
    message.add_text_child("body", "hi");
    message.add(Element("x", "urn:x")).add_child("y");
    message.add(Element("plain", "")).add_child("z");
    const std::string inner =
        "<body>hi</body><x xmlns='urn:x'><y/></x><plain xmlns=''><z/></plain></message>";
    EXPECT_EQ(to_xml(message, ns::client), "<message>" + inner);
    EXPECT_EQ(to_xml(message), "<message xmlns='jabber:client'>" + inner);
    std::string content;
    append_inner_xml(content, message);
    EXPECT_EQ("<message>" + content + "</message>", to_xml(message, ns::client));
}

TEST(Writer, makes_prefixes_for_attributes_with_a_namespace) {
    Element element("a", "urn:x");
    element.set_attribute("plain", "1").set_attribute("b", "urn:y", "2").set_lang("de");
    element.set_attribute("b", "urn:z", "3");
    EXPECT_EQ(to_xml(element, "urn:x"),
              "<a plain='1' xmlns:ns0='urn:y' ns0:b='2' xml:lang='de' xmlns:ns1='urn:z'"
              " ns1:b='3'/>");
}

TEST(Writer, keeps_the_prefix_of_elements_in_the_xml_namespace) {
    const std::string xml =
        "<message><xml:a><body>x</body></xml:a><q xmlns='urn:q'><xml:b/></q>"
        "</message>";
    const StanzaElement read = element_after_header(xml);
    EXPECT_EQ(to_xml(read.element, ns::client), xml);
    EXPECT_EQ(element_after_header(to_xml(read.element, ns::client)).element, read.element);
}

TEST(Writer, replaces_one_attribute_in_the_start_tag) {
    Element element("a", "");
    element.set_attribute("to", "old").set_attribute("id", "1");
    std::string out;
    append_start_tag(out, element, "", "to", "n&w");
    EXPECT_EQ(out, "<a to='n&amp;w' id='1'");
}

TEST(Writer, appends_attributes_of_any_length_behind_what_is_there) {
    std::string out = "<a";
    std::string expected = out;
    for (std::size_t length = 0; length < 100; ++length) {
        const std::string value(length, 'v');
        append_attribute(out, "n", value);
        append_attribute(out, "to", value + "&");
        expected += " n='" + value + "' to='" + value + "&amp;'";
        ASSERT_EQ(out, expected) << length;
    }
}

TEST(Writer, is_read_back_as_the_same_tree) {
    Element message("message", ns::client);
    message.set_attribute("a", "tab\t line\n return\r quote'\" < & >").set_lang("x'y");
    message.set_attribute("b", "urn:y", " two  spaces ");
    Element& x = message.add(Element("x", "urn:x\n'&<"));
    x.add_text(" \r\n\t text ]]> & < \u00E9").add_child("y").set_attribute("k", "urn:x", "v");
    x.add_text("tail");
    EXPECT_EQ(element_after_header(to_xml(message, ns::client)).element, message);
}

}  // namespace
}  // namespace xmpp
