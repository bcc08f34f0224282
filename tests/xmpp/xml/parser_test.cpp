#include "xmpp/xml/parser.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

using Events = std::vector<std::string>;

TEST(StreamParser, reads_a_whole_stream) {
    const std::string xml = "<?xml version='1.0' encoding='UTF-8'?>\n" + std::string(kHeader) +
                            " <message><body>hi</body></message>\n\t<presence/></stream:stream>";
    EXPECT_EQ(read_all(xml),
              (Events{"open example.com",
                      "stanza <message><body>hi</body></message> raw[<body>hi</body>] 34",
                      "stanza <presence/> raw[] 11", "close"}));
}

TEST(StreamParser, reads_a_header_that_closes_itself) {
    EXPECT_EQ(read_all("<stream:stream to='a' xmlns:stream='http://etherx.jabber.org/streams'/>"),
              (Events{"open a", "close"}));
}

TEST(StreamParser, keeps_what_follows_the_closing_tag_unread) {
    StreamParser parser;
    parser.feed(std::string(kHeader) + "</stream:stream><message/>");
    static_cast<void>(parser.next());
    EXPECT_EQ(describe(parser.next()), "close");
    EXPECT_EQ(describe(parser.next()), "");
    EXPECT_EQ(parser.pending_bytes(), 10U);
}

TEST(StreamParser, decodes_references_cdata_and_line_ends) {
    const StanzaElement read = element_after_header(
        "<message a='x&#9;y&#xA;z&amp;'><body>a&lt;b&#x20AC;<![CDATA[<&]]]]>\r\nc\rd</body>"
        "</message>");
    EXPECT_EQ(read.element.attribute("a"), "x\ty\nz&");
    EXPECT_EQ(read.element.child_text("body", ns::client), "a<b\u20AC<&]]\nc\nd");
}

TEST(StreamParser, resolves_namespaces_and_prefixes) {
    const StanzaElement read = element_after_header(
        "<c:message xmlns:c='jabber:client' xmlns:p='urn:p' p:a='1' a='2'>"
        "<p:one><two xmlns='urn:two'><three xmlns=''/></two></p:one></c:message>");
    const Element& message = read.element;
    EXPECT_TRUE(message.is("message", ns::client));
    EXPECT_EQ(message.attribute("a", "urn:p"), "1");
    EXPECT_EQ(message.attribute("a"), "2");
    const Element* const one = message.child("one", "urn:p");
    ASSERT_NE(one, nullptr);
    const Element* const two = one->child("two", "urn:two");
    ASSERT_NE(two, nullptr);
    EXPECT_NE(two->child("three", ""), nullptr);
    EXPECT_TRUE(read.raw_inner.empty());
}

TEST(StreamParser, reads_an_element_without_prefix_in_the_stream_namespace) {
    const auto events = read_all(
        "<stream xmlns='http://etherx.jabber.org/streams' to='a'><message xmlns='jabber:client'>"
        "<body>hi</body></message></stream>");
    EXPECT_EQ(events,
              (Events{"open a", "stanza <message><body>hi</body></message> raw[<body>hi</body>] 56",
                      "close"}));
}

// --- raw content

std::string raw_of(std::string_view xml) {
    return std::string(element_after_header(xml).raw_inner.view());
}

TEST(StreamParser, captures_content_verbatim) {
    EXPECT_EQ(raw_of("<message  to='a' ><body xml:lang='de'>a &#x26; b</body>\r\n</message >"),
              "<body xml:lang='de'>a &#x26; b</body>\r\n");
    EXPECT_EQ(raw_of("<iq><q xmlns='urn:x' xmlns:y='urn:y'><y:z y:k='1'/></q></iq>"),
              "<q xmlns='urn:x' xmlns:y='urn:y'><y:z y:k='1'/></q>");
    EXPECT_EQ(raw_of("<presence>\n</presence>"), "\n");
}

TEST(StreamParser, captures_no_content_that_leans_on_outer_prefixes) {
    // Bound at the stream header, at the start tag, or out of scope again.
    EXPECT_EQ(raw_of("<message><stream:x/></message>"), "");
    EXPECT_EQ(raw_of("<message><x stream:k='1'/></message>"), "");
    EXPECT_EQ(raw_of("<message xmlns:y='urn:y'><y:x/></message>"), "");
    EXPECT_EQ(raw_of("<message xmlns:y='urn:y'><x y:k='1'/></message>"), "");
    EXPECT_EQ(raw_of("<message xmlns:y='urn:y'><a xmlns:y='urn:z'/><y:x/></message>"), "");
    EXPECT_EQ(raw_of("<c:message xmlns:c='jabber:client'><body/></c:message>"), "");
    EXPECT_EQ(raw_of("<message><body><![CDATA[x]]></body></message>"), "");
    EXPECT_EQ(raw_of("<other><x/></other>"), "");
    EXPECT_EQ(raw_of("<message xmlns='urn:x'><x/></message>"), "");
}

TEST(StreamParser, forgets_about_one_stanza_before_the_next) {
    const auto events = read_all(std::string(kHeader) +
                                 "<message><stream:x/></message>"
                                 "<message><a><![CDATA[x]]></a></message><message><b/></message>");
    ASSERT_EQ(events.size(), 4U);
    EXPECT_EQ(events[3], "stanza <message><b/></message> raw[<b/>] 23");
}

TEST(StreamParser, captured_content_means_the_same_under_another_start_tag) {
    const StanzaElement read = element_after_header(
        "<message to='x'><body>a</body><q xmlns='urn:q'><r/></q><p:s xmlns:p='urn:p' p:t='1'/>"
        "</message>");
    const StanzaElement again = element_after_header(
        "<message to='x'>" + std::string(read.raw_inner.view()) + "</message>");
    EXPECT_EQ(read.element, again.element);
}

// --- stopping, restarting, releasing

TEST(StreamParser, stops_after_every_top_level_element) {
    StreamParser parser;
    parser.feed(std::string(kHeader) + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><inj");
    static_cast<void>(parser.next());
    EXPECT_TRUE(std::holds_alternative<StanzaElement>(parser.next()));
    EXPECT_EQ(parser.pending_bytes(), 4U) << "injected in plain text";
    parser.discard_pending();
    EXPECT_EQ(parser.pending_bytes(), 0U);
}

TEST(StreamParser, counts_no_pending_bytes_after_a_clean_starttls) {
    StreamParser parser;
    parser.feed(kHeader);
    static_cast<void>(parser.next());
    parser.feed("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    EXPECT_TRUE(std::holds_alternative<StanzaElement>(parser.next()));
    EXPECT_EQ(parser.pending_bytes(), 0U);
}

TEST(StreamParser, expects_a_new_header_after_a_reset) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, std::string(kHeader) + "<a/>", events);
    parser.reset();
    drain(parser, "<?xml version='1.0'?>" + std::string(kHeader) + "<b/>", events);
    EXPECT_EQ(events, (Events{"open example.com", "stanza <a/> raw[] 4", "open example.com",
                              "stanza <b/> raw[] 4"}));
}

TEST(StreamParser, keeps_pending_bytes_and_skips_space_at_a_reset) {
    StreamParser parser;
    parser.feed(std::string(kHeader) + "<auth/>\n<?xml version='1.0'?>");
    static_cast<void>(parser.next());
    EXPECT_EQ(describe(parser.next()), "stanza <auth/> raw[] 7");
    parser.reset();
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    EXPECT_EQ(events, (Events{"open example.com"}));
}

TEST(StreamParser, works_again_after_an_error_and_a_reset) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, "<", events);
    drain(parser, "<", events);
    EXPECT_EQ(events, (Events{"error not-well-formed"}));
    parser.reset();
    drain(parser, kHeader, events);
    EXPECT_EQ(events.back(), "open example.com");
}

TEST(StreamParser, repeats_its_error) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, "<a></b>", events);
    drain(parser, kHeader, events);
    EXPECT_EQ(events.back(), "error not-well-formed");
    EXPECT_EQ(describe(parser.next()), "error not-well-formed");
    EXPECT_FALSE(parser.release());
}

TEST(StreamParser, comes_back_from_release_with_the_namespaces_of_the_header) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser,
          "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'"
          " xmlns:db=\"jabber:server:dialback'&#x3C;\" to='x'>",
          events);
    const std::size_t awake = parser.memory_in_use();
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(parser.release());
        EXPECT_LT(parser.memory_in_use(), awake);
        events.clear();
        drain(parser, " \n", events);
        EXPECT_LT(parser.memory_in_use(), awake) << "white space wakes nobody";
        drain(parser, "<message><db:x s:k='1'/></message>", events);
        EXPECT_EQ(events,
                  (Events{"stanza <message><x xmlns='jabber:server:dialback&apos;&lt;'"
                          " xmlns:ns0='http://etherx.jabber.org/streams' ns0:k='1'/></message>"
                          " raw[] 34"}));
    }
    EXPECT_TRUE(parser.release());
    events.clear();
    drain(parser, "</s:stream>", events);
    EXPECT_EQ(events, (Events{"close"}));
}

TEST(StreamParser, checks_the_closing_tag_after_release) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    EXPECT_TRUE(parser.release());
    drain(parser, "</stream>", events);
    EXPECT_EQ(events.back(), "error not-well-formed");
}

TEST(StreamParser, releases_nothing_in_the_middle) {
    StreamParser parser;
    EXPECT_FALSE(parser.release()) << "before the header";
    std::vector<std::string> events;
    drain(parser, std::string(kHeader) + "<message><body>", events);
    EXPECT_FALSE(parser.release());
    drain(parser, "x</body></message><", events);
    EXPECT_FALSE(parser.release());
    drain(parser, "a/>", events);
    EXPECT_EQ(events.back(), "stanza <a/> raw[] 4");
    EXPECT_TRUE(parser.release());
}

TEST(StreamParser, does_not_grow_with_the_number_of_names_it_has_seen) {
    StreamParser parser;
    std::vector<std::string> events;
    drain(parser, kHeader, events);
    for (int i = 0; i < 20'000; ++i) {
        const std::string n = std::to_string(i);
        events.clear();
        drain(parser, "<e" + n + " a" + n + "='1' xmlns:p" + n + "='urn:u" + n + "'/>", events);
        ASSERT_EQ(events.size(), 1U);
        ASSERT_TRUE(events[0].starts_with("stanza ")) << events[0];
    }
    EXPECT_LT(parser.memory_in_use(), 20'000U);
}

TEST(StreamParser, can_be_moved_in_the_middle_of_a_stanza) {
    StreamParser first;
    std::vector<std::string> events;
    drain(first, std::string(kHeader) + "<message><body>a", events);
    StreamParser second = std::move(first);
    drain(second, "b</body></message>", events);
    EXPECT_EQ(events.back(), "stanza <message><body>ab</body></message> raw[<body>ab</body>] 34");
}

}  // namespace
}  // namespace xmpp
