// What RFC 6120 forbids in a stream, each with the stream error that the RFC names.
#include <gtest/gtest.h>

#include <string>

#include "tests/xmpp/xml/read_stream.h"

namespace xmpp {
namespace {

using namespace std::string_literals;

// The error caused at the very beginning of a stream.
std::string error_at_start(std::string_view xml) {
    const auto events = read_all(xml);
    if (events.empty() || !events.back().starts_with("error ")) return "none";
    return events.back().substr(6);
}

TEST(ParserRefusals, restricted_xml_of_rfc_6120_section_11_1) {
    for (const std::string_view xml :
         {"<!-- comment -->", "<message><!-- comment --></message>", "<message><!-",
          "<?php echo ?>", "<message><?pi?></message>", "<?xml-stylesheet href='x'?>",
          "<!DOCTYPE a>", "<message><!DOCTYPE a></message>", "<!ENTITY a 'b'>", "<!ELEMENT a ANY>",
          "<!ATTLIST a b CDATA 'c'>", "<message>&foo;</message>", "<message a='&foo;'/>",
          "<message>&#x26;&nbsp;</message>", "&foo;"}) {
        EXPECT_EQ(error_after_header(xml), "restricted-xml") << xml;
    }
}

TEST(ParserRefusals, restricted_xml_before_the_header) {
    for (const std::string_view xml :
         {"<!DOCTYPE stream [<!ENTITY lol 'lol'>]>", "<?xml version='1.0'?><!DOCTYPE a SYSTEM 'b'>",
          "<?xml version='1.0'?><!-- hello -->", "<?pi?>", "<!-- hello -->"}) {
        EXPECT_EQ(error_at_start(xml), "restricted-xml") << xml;
    }
}

TEST(ParserRefusals, malformed_xml) {
    for (const std::string_view xml : {"<message></iq>",
                                       "<message><body></message>",
                                       "<message><</message>",
                                       "<>",
                                       "<1a/>",
                                       "<message a=b/>",
                                       "<message a='1' a='2'/>",
                                       "<message a/>",
                                       "<message a='<'/>",
                                       "<message>a & b</message>",
                                       "<message>&</message>",
                                       "<message>&#0;</message>",
                                       "<message>&#x1F;</message>",
                                       "<message>&#xFFFE;</message>",
                                       "<message>&#x110000;</message>",
                                       "<message>]]></message>",
                                       "<message>\x01</message>",
                                       "<message a='\x01'/>",
                                       "<message><![cdata[]]></message>",
                                       "<message><!x></message>",
                                       "</message>",
                                       "<message/ >",
                                       "<a:b:c xmlns:a='urn:a'/>",
                                       "<message>\xEF\xBF\xBF</message>",
                                       "<message",
                                       "< message/>"}) {
        const std::string expected = xml == "<message" ? "none" : "not-well-formed";
        EXPECT_EQ(error_after_header(xml), expected) << xml;
    }
    EXPECT_EQ(error_after_header("<message>\0</message>"s), "not-well-formed");
}

TEST(ParserRefusals, malformed_namespaces) {
    for (const std::string_view xml :
         {"<p:message/>", "<message p:a='1'/>", "<message xmlns:p=''/>", "<a xmlns:xml='urn:x'/>",
          "<a xmlns:xmlns='urn:x'/>", "<xmlns:a/>", "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
          "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
          "<a xmlns:p='urn:x' xmlns:q='urn:x' p:k='1' q:k='2'/>", "<stream:message></message>"}) {
        EXPECT_EQ(error_after_header(xml), "not-well-formed") << xml;
    }
}

TEST(ParserRefusals, errors_show_before_the_stanza_ends) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, std::string(kHeader) + "<message><body></message>", events);
    EXPECT_EQ(events.back(), "error not-well-formed");
    StreamParser other;
    drain(other, std::string(kHeader) + "<message><body>text \x02", events);
    EXPECT_EQ(events.back(), "error not-well-formed");
}

TEST(ParserRefusals, xml_declaration_anywhere_but_first) {
    EXPECT_EQ(error_after_header("<?xml version='1.0'?>"), "not-well-formed");
    EXPECT_EQ(error_after_header("<message><?xml version='1.0'?></message>"), "not-well-formed");
    EXPECT_EQ(error_at_start(" <?xml version='1.0'?>"), "not-well-formed");
    EXPECT_EQ(error_at_start("<?xml version='1.0'?><?xml version='1.0'?>"), "not-well-formed");
    EXPECT_EQ(error_at_start("<?xml encoding='UTF-8'?>" + std::string(kHeader)), "not-well-formed");
}

TEST(ParserRefusals, other_encodings) {
    EXPECT_EQ(error_at_start("<?xml version='1.0' encoding='ISO-8859-1'?>"),
              "unsupported-encoding");
    EXPECT_EQ(error_at_start("<?xml version='1.0' encoding='UTF-16'?>"), "unsupported-encoding");
    EXPECT_EQ(error_at_start("<?xml version='1.0' encoding='utf-8'?>" + std::string(kHeader)),
              "none");
    EXPECT_EQ(error_at_start("\xFE\xFF\0<"s), "unsupported-encoding");
    EXPECT_EQ(error_at_start("\xFF\xFE<\0"s), "unsupported-encoding");
    EXPECT_EQ(error_at_start("<\0s\0"s), "unsupported-encoding");
    EXPECT_EQ(error_at_start("\0<\0s"s), "unsupported-encoding");
    // U+FEFF is a character like any other (RFC 6120 §11.6).
    EXPECT_EQ(error_at_start("\xEF\xBB\xBF" + std::string(kHeader)), "not-well-formed");
    EXPECT_EQ(error_after_header("<message>\xEF\xBB\xBF</message>"), "none");
}

// RFC 6120 §4.9.3.22: the condition for "violating the rules of UTF-8" too.
TEST(ParserRefusals, malformed_utf8) {
    for (const std::string_view xml :
         {"<message>\xFF</message>", "<message>\xC3</message>", "<message>\xC0\xAF</message>",
          "<message>\xED\xA0\x80</message>", "<message>\xF4\x90\x80\x80</message>",
          "<message>\x80</message>", "<message a='\xFF'/>", "<message>\xE2\x82</message>",
          "<mess\xFF/>", "<message><![CDATA[\xFF]]></message>"}) {
        EXPECT_EQ(error_after_header(xml), "unsupported-encoding") << xml;
    }
}

TEST(ParserRefusals, text_between_stanzas) {
    for (const std::string_view xml : {"hello", "<a/>x", "&#32;", "&#x20;", "&amp;",
                                       "<![CDATA[ ]]>", "\xEF\xBB\xBF", "\x0B", "<a/>\n &#10;"}) {
        EXPECT_EQ(error_after_header(xml), "bad-format") << xml;
    }
    EXPECT_EQ(error_after_header("& <a/>"), "not-well-formed");
    EXPECT_EQ(error_after_header(" \t\r\n<a/> \n"), "none");
}

TEST(ParserRefusals, text_before_the_header) {
    EXPECT_EQ(error_at_start("GET / HTTP/1.1\r\n"), "not-well-formed");
    EXPECT_EQ(error_at_start("<?xml version='1.0'?>x"), "not-well-formed");
    EXPECT_EQ(error_at_start("\x16\x03\x01"), "not-well-formed");  // A TLS handshake.
    EXPECT_EQ(error_at_start("<![CDATA[]]>"), "not-well-formed");
    EXPECT_EQ(error_at_start("&amp;"), "not-well-formed");
    EXPECT_EQ(error_at_start("\n \n" + std::string(kHeader)), "none");
}

TEST(ParserRefusals, references_that_never_end) {
    EXPECT_EQ(error_after_header("<message>&" + std::string(100, 'a')), "restricted-xml");
    EXPECT_EQ(error_after_header("<message>&#" + std::string(100, '0')), "policy-violation");
    EXPECT_EQ(error_after_header("<message>&#x0000000000000020AC;</message>"), "none");
}

}  // namespace
}  // namespace xmpp
