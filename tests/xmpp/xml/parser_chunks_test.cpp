// However a stream is cut into pieces, the same events come out.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/xmpp/xml/read_stream.h"

namespace xmpp {
namespace {

const std::vector<std::string>& streams() {
    static const std::vector<std::string> all = [] {
        const std::string header(kHeader);
        return std::vector<std::string>{
            "<?xml version='1.0' encoding='UTF-8'?>\r\n" + header +
                "\n<message to='a@x.org' id=\"q'>\"><body>\u00E9\u20AC\U0001F600 &amp; &#x26; ]] ]"
                "\r\n</body><x xmlns='urn:x'><y:z xmlns:y='urn:y' y:k='&gt;'/></x></message> \r\n"
                "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq><presence/></stream:stream> ",
            header + "<m><![CDATA[ ]] > ]]]> <b> ]]></m><m>]</m><m>]]</m><m>\r</m><m>\r\n</m>",
            header + "<message><body></message>",
            header + "<message>]]></message>",
            header + "<message>\xE2\x82</message>",
            header + "<message>\xF0\x9F\x98</message>",
            header + "<messag\xE5><a/><b/>",
            header + "<m><a b='\xF0'></a></m>",
            header +
                "<m>\xF0"
                "ab</m>",
            header + "<m>&\xF0;abc</m>",
            header + "<m></m\xC3><b/>",
            "<?xml xmlns='>'><?xml?>" + header,
            header + "<m>\xCE\xDE\xA4</m>",
            header + "<m>\xF0]] \xF0\xF0\xF0\xF0</m>",
            header + "<message a&amp;>\xFF\xFF</message>",
            header + "<message>\u20AC\xFF</massage>",
            header + "<message>&unknown;</message>",
            header + "<message><!-- x --></message>",
            header + "<a/>&#32;",
            header + "<a/><?xml version='1.0'?>",
            header + "<a b='<'/>",
            header + "<a>&#0;</a>",
            "<?xml version='1.0' encoding='latin1'?>" + header,
            "<s:stream xmlns:s='http://etherx.jabber.org/streams' xmlns='jabber:client'/> x",
            "\xEF\xBB\xBF" + header,
            header + "</stream:stream",
        };
    }();
    return all;
}

std::vector<std::string> read_in_pieces(std::string_view xml, auto next_size, bool release) {
    StreamParser parser;
    std::vector<std::string> events;
    while (!xml.empty() && (events.empty() || !events.back().starts_with("error"))) {
        const std::size_t size = std::min<std::size_t>(next_size(), xml.size());
        drain(parser, xml.substr(0, size), events);
        xml.remove_prefix(size);
        if (release) parser.release();
    }
    return events;
}

TEST(ParserChunks, one_byte_at_a_time_gives_the_same_events) {
    for (const std::string& xml : streams()) {
        const auto whole = read_all(xml);
        const auto one = [] { return std::size_t{1}; };
        EXPECT_EQ(read_in_pieces(xml, one, false), whole) << xml;
        EXPECT_EQ(read_in_pieces(xml, one, true), whole) << xml;
    }
}

TEST(ParserChunks, every_cut_in_two_gives_the_same_events) {
    for (const std::string& xml : streams()) {
        const auto whole = read_all(xml);
        for (std::size_t cut = 1; cut < xml.size(); ++cut) {
            std::size_t piece = cut;
            const auto sizes = [&] { return std::exchange(piece, xml.size()); };
            EXPECT_EQ(read_in_pieces(xml, sizes, true), whole) << xml << " cut at " << cut;
        }
    }
}

TEST(ParserChunks, random_cuts_give_the_same_events) {
    std::minstd_rand random(20260101);
    for (int round = 0; round < 200; ++round) {
        for (const std::string& xml : streams()) {
            const auto sizes = [&] { return std::size_t{1} + random() % 17; };
            EXPECT_EQ(read_in_pieces(xml, sizes, round % 2 == 0), read_all(xml)) << xml;
        }
    }
}

TEST(ParserChunks, many_stanzas_in_one_feed_come_in_order) {
    std::string xml(kHeader);
    for (int i = 0; i < 5000; ++i)
        xml += "<message id='" + std::to_string(i) + "'><b/></message>";
    const auto events = read_all(xml);
    ASSERT_EQ(events.size(), 5001U);
    for (int i = 0; i < 5000; ++i) {
        const std::string expected = "stanza <message id='" + std::to_string(i) + "'>";
        ASSERT_TRUE(events[static_cast<std::size_t>(i) + 1].starts_with(expected));
    }
}

}  // namespace
}  // namespace xmpp
