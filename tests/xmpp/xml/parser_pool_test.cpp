// Parsers that lend each other their expat: nothing of one stream may show in another.
#include "xmpp/xml/parser_pool.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/xml/tree_builder.h"

namespace xmpp {
namespace {

using Events = std::vector<std::string>;

constexpr std::string_view kUsualTag =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
constexpr std::string_view kUnusualHeader =
    "<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'"
    " xmlns:db='jabber:server:dialback' to='example.com' version='1.0'>";

Events drained(StreamParser& parser, std::string_view bytes) {
    Events events;
    drain(parser, bytes, events);
    return events;
}

bool holds_builder(ParserPool& pool) {
    auto builder = pool.take_builder(kUsualTag);
    if (builder == nullptr) return false;
    pool.give_builder(std::move(builder));
    return true;
}

TEST(ParserPool, gets_back_what_a_stream_does_not_need_between_stanzas) {
    ParserPool pool;
    StreamParser parser({}, &pool);
    const std::size_t fresh = parser.memory_in_use();
    EXPECT_EQ(drained(parser, kHeader), (Events{"open example.com"}));
    EXPECT_LE(parser.memory_in_use(), fresh);
    EXPECT_TRUE(holds_builder(pool));
    EXPECT_EQ(drained(parser, "<message><body>a"), Events{});
    EXPECT_FALSE(holds_builder(pool));
    EXPECT_EQ(drained(parser, "b</body></message> \n"),
              (Events{"stanza <message><body>ab</body></message> raw[<body>ab</body>] 34"}));
    EXPECT_LE(parser.memory_in_use(), fresh);
    EXPECT_TRUE(holds_builder(pool));
}

TEST(ParserPool, serves_streams_whose_stanzas_come_in_pieces_at_the_same_time) {
    ParserPool pool;
    std::vector<StreamParser> parsers;
    for (int i = 0; i < 20; ++i) {
        parsers.emplace_back(ParserLimits{}, &pool);
        EXPECT_EQ(drained(parsers.back(), kHeader).size(), 1U);
    }
    const std::string text = "<iq type='get' id='%'><q xmlns='urn:%'>&lt;%</q></iq>";
    std::vector<Events> events(parsers.size());
    for (const char c : text)
        for (std::size_t i = 0; i < parsers.size(); ++i)
            drain(parsers[i], c == '%' ? std::to_string(i) : std::string(1, c), events[i]);
    for (std::size_t i = 0; i < parsers.size(); ++i) {
        const std::string n = std::to_string(i);
        ASSERT_EQ(events[i].size(), 1U);
        EXPECT_TRUE(events[i][0].starts_with("stanza <iq type='get' id='" + n +
                                             "'><q xmlns='urn:" + n + "'>&lt;" + n + "</q></iq>"))
            << events[i][0];
    }
}

TEST(ParserPool, carries_no_prefix_from_one_stream_to_another) {
    ParserPool pool;
    StreamParser first({}, &pool);
    StreamParser second({}, &pool);
    drained(first, kHeader);
    drained(second, kHeader);
    EXPECT_EQ(drained(first, "<message xmlns:p='urn:p'><p:x/></message>").size(), 1U);
    EXPECT_EQ(drained(second, "<message><p:x/></message>"), (Events{"error not-well-formed"}));
    EXPECT_EQ(drained(first, "<message><p:x/></message>"), (Events{"error not-well-formed"}));
}

TEST(ParserPool, gets_nothing_back_from_a_stream_that_broke_or_closed) {
    ParserPool pool;
    {
        StreamParser broken({}, &pool);
        drained(broken, std::string(kHeader) + "<message><body></message>");
    }
    EXPECT_FALSE(holds_builder(pool));
    {
        StreamParser closed({}, &pool);
        EXPECT_EQ(drained(closed, std::string(kHeader) + "</stream:stream>").back(), "close");
    }
    EXPECT_FALSE(holds_builder(pool));
    {
        StreamParser abandoned({}, &pool);
        drained(abandoned, std::string(kHeader) + "<message><body>");
    }
    EXPECT_FALSE(holds_builder(pool));
    {
        StreamParser restarted({}, &pool);
        restarted.feed(std::string(kHeader) + "<a/>");
        EXPECT_EQ(describe(restarted.next()), "open example.com");
        EXPECT_EQ(describe(restarted.next()), "stanza <a/> raw[] 4");
        restarted.reset();
        EXPECT_TRUE(holds_builder(pool)) << "the old stream's, which stood between two elements";
        EXPECT_EQ(drained(restarted, std::string(kHeader) + "<b/>").back(), "stanza <b/> raw[] 4");
    }
}

TEST(ParserPool, leaves_a_stream_with_an_unusual_header_its_own) {
    ParserPool pool;
    StreamParser usual({}, &pool);
    StreamParser unusual({}, &pool);
    drained(usual, kHeader);
    drained(unusual, kUnusualHeader);
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(drained(unusual, "<message><db:x/></message>"),
                  (Events{"stanza <message><x xmlns='jabber:server:dialback'/></message>"
                          " raw[] 26"}));
        EXPECT_TRUE(unusual.release());
    }
    EXPECT_EQ(drained(usual, "<message><db:x/></message>"), (Events{"error not-well-formed"}));
}

TEST(ParserPool, keeps_the_limits_of_each_stream) {
    ParserPool pool;
    ParserLimits tight;
    tight.namespaces_max = 1;
    StreamParser wide({}, &pool);
    StreamParser narrow({}, &pool);
    drained(wide, kHeader);
    drained(narrow, kHeader);
    narrow.set_limits(tight);
    constexpr std::string_view kTwo = "<a xmlns:p='urn:p' xmlns:q='urn:q'/>";
    EXPECT_EQ(drained(wide, kTwo).size(), 1U);
    EXPECT_EQ(drained(narrow, kTwo), (Events{"error policy-violation"}));
    EXPECT_EQ(drained(wide, kTwo), (Events{"stanza <a/> raw[] 36"}));
}

TEST(ParserPool, does_not_grow_with_names_streams_or_big_stanzas) {
    ParserPool pool;
    std::vector<StreamParser> parsers;
    for (int i = 0; i < 40; ++i) {
        parsers.emplace_back(ParserLimits{}, &pool);
        drained(parsers.back(), std::string(kHeader) + "<message>");
    }
    for (StreamParser& parser : parsers)
        drained(parser, std::string(200'000, ' ') + "</message>");
    for (int i = 0; i < 20'000; ++i) {
        const std::string n = std::to_string(i);
        drained(parsers.back(), "<e" + n + " a" + n + "='1' xmlns:p" + n + "='urn:u" + n + "'/>");
    }
    EXPECT_LT(pool.memory_in_use(), 200'000U);
}

TEST(ParserPool, is_left_and_joined_between_stanzas_with_bytes_pending) {
    ParserPool here;
    ParserPool there;
    StreamParser parser({}, &here);
    parser.feed(std::string(kHeader) + "<a/><b>");
    EXPECT_EQ(describe(parser.next()), "open example.com");
    EXPECT_EQ(describe(parser.next()), "stanza <a/> raw[] 4");
    parser.use_pool(nullptr);
    EXPECT_TRUE(holds_builder(here));
    parser.use_pool(&there);
    EXPECT_EQ(drained(parser, "</b>"), (Events{"stanza <b/> raw[] 7"}));
    EXPECT_TRUE(holds_builder(there));
}

}  // namespace
}  // namespace xmpp
