#include "xmpp/stream/stream_header.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/xmpp/xml/read_stream.h"

namespace xmpp {
namespace {

StreamOpen opened(std::string_view header) {
    StreamParser parser;
    parser.feed(header);
    const ParserEvent event = parser.next();
    EXPECT_TRUE(std::holds_alternative<StreamOpen>(event)) << header << describe(event);
    return std::holds_alternative<StreamOpen>(event) ? std::get<StreamOpen>(event) : StreamOpen{};
}

std::string judged(std::string_view header) {
    const auto error = check_stream_open(opened(header));
    return error ? std::string(name_of(error->condition())) : "fine";
}

TEST(StreamHeader, is_built_and_read_back) {
    const std::string xml = stream_open_xml(
        {.from = "im.example.com", .to = "juliet@x.org", .id = "<'&>", .lang = "en"});
    EXPECT_EQ(xml,
              "<?xml version='1.0'?><stream:stream from='im.example.com' to='juliet@x.org'"
              " id='&lt;&apos;&amp;&gt;' version='1.0' xml:lang='en' xmlns='jabber:client'"
              " xmlns:stream='http://etherx.jabber.org/streams'>");
    const StreamOpen open = opened(xml);
    EXPECT_EQ(open.from, "im.example.com");
    EXPECT_EQ(open.to, "juliet@x.org");
    EXPECT_EQ(open.id, "<'&>");
    EXPECT_EQ(open.version, "1.0");
    EXPECT_EQ(open.lang, "en");
    EXPECT_EQ(open.name, "stream");
    EXPECT_EQ(open.prefix, "stream");
    EXPECT_EQ(open.ns, ns::stream);
    EXPECT_EQ(open.content_ns, ns::client);
    EXPECT_TRUE(open.has_from && open.has_to && open.has_version);
    EXPECT_FALSE(check_stream_open(open).has_value());
}

TEST(StreamHeader, leaves_out_what_is_empty) {
    EXPECT_EQ(stream_open_xml({.version = "", .content_ns = ""}),
              "<?xml version='1.0'?><stream:stream"
              " xmlns:stream='http://etherx.jabber.org/streams'>");
}

TEST(StreamHeader, tells_absent_attributes_from_empty_ones) {
    const StreamOpen open = opened(
        "<stream:stream to='' xmlns='jabber:client'"
        " xmlns:stream='http://etherx.jabber.org/streams'>");
    EXPECT_TRUE(open.has_to);
    EXPECT_FALSE(open.has_from);
    EXPECT_FALSE(open.has_version);
}

TEST(StreamHeader, is_judged_by_rfc_6120) {
    const std::string streams = "http://etherx.jabber.org/streams";
    const auto header = [&](std::string_view rest) {
        return std::string(rest) + "'" + streams + "'>";
    };
    EXPECT_EQ(judged(header("<stream:stream version='1.0' xmlns='jabber:client' xmlns:stream=")),
              "fine");
    // Without a prefix, each stanza then declaring its own namespace (§4.8.3).
    EXPECT_EQ(judged(header("<stream version='1.0' xmlns=")), "fine");
    EXPECT_EQ(judged(header("<foobar:stream version='1.0' xmlns='jabber:client' xmlns:foobar=")),
              "bad-namespace-prefix");
    EXPECT_EQ(judged("<stream:stream version='1.0' xmlns='jabber:client' xmlns:stream='urn:x'>"),
              "invalid-namespace");
    EXPECT_EQ(judged("<stream version='1.0'>"), "invalid-namespace");
    EXPECT_EQ(judged(header("<stream:stream version='1.0' xmlns='urn:x' xmlns:stream=")),
              "invalid-namespace");
    EXPECT_EQ(judged(header("<stream:stream version='1.0' xmlns='jabber:server' xmlns:stream=")),
              "invalid-namespace");
    EXPECT_EQ(judged(header("<stream:river version='1.0' xmlns='jabber:client' xmlns:stream=")),
              "bad-format");
    EXPECT_EQ(judged(header("<stream:stream xmlns='jabber:client' xmlns:stream=")),
              "unsupported-version");
    EXPECT_EQ(judged(header("<stream:stream version='0.9' xmlns='jabber:client' xmlns:stream=")),
              "unsupported-version");
    EXPECT_EQ(judged(header("<stream:stream version='x' xmlns='jabber:client' xmlns:stream=")),
              "unsupported-version");
    EXPECT_EQ(judged(header("<stream:stream version='2.0' xmlns='jabber:client' xmlns:stream=")),
              "fine");
}

TEST(StreamVersion, compares_major_and_minor_as_numbers) {
    EXPECT_LT(*StreamVersion::parse("1.9"), *StreamVersion::parse("1.10"));
    EXPECT_EQ(*StreamVersion::parse("01.00"), kStreamVersion);
    EXPECT_EQ(StreamVersion::parse("12.34")->text(), "12.34");
    for (const std::string_view bad :
         {"", "1", "1.", ".1", "1.0.0", "-1.0", "1.x", " 1.0", "1.0 ", "4294967296.0"}) {
        EXPECT_FALSE(StreamVersion::parse(bad).has_value()) << bad;
    }
}

TEST(StreamVersion, negotiates_the_lower_one) {
    EXPECT_EQ(negotiate_version(StreamVersion{2, 0}), kStreamVersion);
    EXPECT_EQ(negotiate_version(StreamVersion{1, 1}), kStreamVersion);
    EXPECT_EQ(negotiate_version(StreamVersion{0, 9}), (StreamVersion{0, 9}));
    EXPECT_EQ(negotiate_version(std::nullopt), kStreamVersion);
}

}  // namespace
}  // namespace xmpp
