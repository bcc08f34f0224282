// Every limit of ParserLimits: the most that passes, and one more.
#include <gtest/gtest.h>

#include <string>

#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

std::string repeat(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += text;
    return all;
}

std::string nested(std::size_t depth) {
    return repeat("<a>", depth) + repeat("</a>", depth);
}

TEST(ParserLimits, bytes_of_a_stanza) {
    ParserLimits limits;
    limits.stanza_bytes_max = 1000;
    const auto message = [](std::size_t size) {
        return "<message><body>" + std::string(size - 32, 'x') + "</body></message>";
    };
    EXPECT_EQ(message(1000).size(), 1000U);
    EXPECT_EQ(error_after_header(message(1000), limits), "none");
    EXPECT_EQ(error_after_header("   " + message(1000) + "  " + message(1000), limits), "none");
    EXPECT_EQ(error_after_header(message(1001), limits), "policy-violation");
    // Without its end, too; in text, in a tag, in a value, in CDATA.
    EXPECT_EQ(error_after_header("<message>" + std::string(1000, 'x'), limits), "policy-violation");
    EXPECT_EQ(error_after_header("<" + std::string(1000, 'x'), limits), "policy-violation");
    EXPECT_EQ(error_after_header("<a b='" + std::string(1000, 'x'), limits), "policy-violation");
    EXPECT_EQ(
        error_after_header("<a>" + std::string(100, ' ') + "</" + std::string(1000, 'x'), limits),
        "policy-violation");
    EXPECT_EQ(error_after_header("<a><![CDATA[" + std::string(1000, 'x'), limits),
              "policy-violation");
}

TEST(ParserLimits, too_big_says_so) {
    ParserLimits limits;
    limits.stanza_bytes_max = 300;
    StreamParser parser(limits);
    parser.feed(kHeader);
    static_cast<void>(parser.next());
    parser.feed("<message>" + std::string(300, 'x'));
    const ParserEvent event = parser.next();
    ASSERT_TRUE(std::holds_alternative<ParserError>(event));
    const StreamError& error = std::get<ParserError>(event).error;
    ASSERT_NE(error.app_condition(), nullptr);
    EXPECT_TRUE(error.app_condition()->is("stanza-too-big", ns::app_errors));
}

TEST(ParserLimits, bytes_of_the_header) {
    ParserLimits limits;
    limits.stanza_bytes_max = kHeader.size();
    StreamParser parser(limits);
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    EXPECT_EQ(events.back(), "open example.com");
    EXPECT_EQ(read_all("<?xml version='1.0'?>" + std::string(kHeader), limits).back(),
              "error policy-violation");
    EXPECT_EQ(read_all("<?xml " + std::string(1000, ' '), limits).back(), "error policy-violation");
}

TEST(ParserLimits, white_space_between_stanzas_costs_nothing) {
    ParserLimits limits;
    limits.stanza_bytes_max = kHeader.size();
    StreamParser parser(limits);
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    for (int i = 0; i < 1000; ++i)
        drain(parser, std::string(1000, ' '), events);
    EXPECT_EQ(parser.pending_bytes(), 0U);
    EXPECT_LT(parser.memory_in_use(), 20'000U);
    drain(parser, "<a/>", events);
    EXPECT_EQ(events.back(), "stanza <a/> raw[] 4");
}

TEST(ParserLimits, depth) {
    ParserLimits limits;
    limits.depth_max = 7;
    EXPECT_EQ(error_after_header(nested(7), limits), "none");
    EXPECT_EQ(error_after_header(nested(8), limits), "policy-violation");
    EXPECT_EQ(error_after_header("<a><a><a><a><a><a><a><a/>", limits), "policy-violation");
    EXPECT_EQ(error_after_header(nested(128)), "none");
    EXPECT_EQ(error_after_header(nested(129)), "policy-violation");
    EXPECT_EQ(error_after_header(nested(20'000)), "policy-violation");
    EXPECT_EQ(error_after_header(repeat("<a>", 20'000)), "policy-violation");
}

TEST(ParserLimits, attributes_of_an_element) {
    ParserLimits limits;
    limits.attributes_max = 5;
    const auto element = [](std::size_t count) {
        std::string xml = "<a";
        for (std::size_t i = 0; i < count; ++i)
            xml += " k" + std::to_string(i) + "='v'";
        return xml + "/>";
    };
    EXPECT_EQ(error_after_header(element(5) + element(5), limits), "none");
    EXPECT_EQ(error_after_header(element(6), limits), "policy-violation");
    EXPECT_EQ(error_after_header(element(40'000)), "policy-violation");
}

TEST(ParserLimits, namespaces_of_a_stanza) {
    ParserLimits limits;
    limits.namespaces_max = 4;
    EXPECT_EQ(error_after_header(repeat("<a xmlns='urn:x'>", 4) + repeat("</a>", 4), limits),
              "none");
    EXPECT_EQ(error_after_header(repeat("<a xmlns='urn:x'>", 5) + repeat("</a>", 5), limits),
              "policy-violation");
    EXPECT_EQ(error_after_header(repeat("<a xmlns='urn:x'/>", 50), limits), "none")
        << "each stanza counts anew";
    EXPECT_EQ(
        read_all("<s xmlns:a='1' xmlns:b='2' xmlns:c='3' xmlns:d='4' xmlns:e='5'>", limits).back(),
        "error policy-violation");
}

TEST(ParserLimits, bytes_of_a_name) {
    ParserLimits limits;
    limits.name_bytes_max = 40;
    const std::string most(40, 'n');
    const std::string more(41, 'n');
    EXPECT_EQ(error_after_header("<" + most + " " + most + "='1' xmlns:" + most + "='" + most +
                                     "'><" + most + ":" + most + "/></" + most + ">",
                                 limits),
              "none");
    EXPECT_EQ(error_after_header("<" + more + "/>", limits), "policy-violation");
    EXPECT_EQ(error_after_header("<a " + more + "='1'/>", limits), "policy-violation");
    EXPECT_EQ(error_after_header("<a xmlns:" + more + "='x'/>", limits), "policy-violation");
    EXPECT_EQ(error_after_header("<a xmlns='" + more + "'/>", limits), "policy-violation");
}

TEST(ParserLimits, elements_of_a_stanza) {
    ParserLimits limits;
    limits.elements_max = 10;
    EXPECT_EQ(error_after_header("<m>" + repeat("<a/>", 9) + "</m>", limits), "none");
    EXPECT_EQ(error_after_header("<m>" + repeat("<a/>", 10) + "</m>", limits), "policy-violation");
    EXPECT_EQ(error_after_header(repeat("<a/>", 100), limits), "none");
}

TEST(ParserLimits, can_change_between_stanzas) {
    StreamParser parser(ParserLimits::before_authentication());
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    parser.set_limits(ParserLimits{});
    drain(parser, "<a>" + std::string(100'000, 'x') + "</a>", events);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_TRUE(events[1].starts_with("stanza "));
    parser.set_limits(ParserLimits::before_authentication());
    drain(parser, "<a>" + std::string(10'000, 'x') + "</a>", events);
    EXPECT_EQ(events.back(), "error policy-violation");
}

TEST(ParserLimits, before_authentication_is_10000_bytes) {
    EXPECT_EQ(ParserLimits::before_authentication().stanza_bytes_max, 10'000U);
    EXPECT_EQ(ParserLimits{}.stanza_bytes_max, 262'144U);
}

// Time must grow with the input, not with its square. A parser that looked at an unfinished token
// again with every byte would take minutes here.
TEST(ParserLimits, byte_by_byte_input_takes_linear_time) {
    for (const std::string& xml :
         {"<a b='" + std::string(200'000, 'x') + "'/>", "<a>" + std::string(200'000, 'x') + "</a>",
          "<a>" + repeat("&amp;", 40'000) + "</a>", "<a>" + std::string(200'000, ']') + "</a>",
          "<a><![CDATA[" + std::string(200'000, ']') + "]]></a>", "<a" + std::string(200'000, ' '),
          "<a>" + repeat("<b/>", 16'000) + "</a>", std::string(200'000, ' ')}) {
        StreamParser parser;
        std::vector<std::string> events;
        drain(parser, kHeader, events);
        for (const char c : xml)
            drain(parser, std::string_view(&c, 1), events);
        EXPECT_FALSE(events.back().starts_with("error")) << xml.substr(0, 20) << events.back();
    }
}

TEST(ParserLimits, many_references_in_one_feed_take_linear_time) {
    EXPECT_EQ(error_after_header("<a>" + repeat("&lt;", 60'000) + "</a>"), "none");
    EXPECT_EQ(error_after_header("<a b='" + repeat("&lt;", 60'000) + "'/>"), "none");
}

}  // namespace
}  // namespace xmpp
