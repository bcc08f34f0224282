// HeldStanzas: what waits for an inactive client (XEP-0352).
#include "server/sessions/held_stanzas.h"
#include "xmpp/xml/read_stanza.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using Lines = std::vector<std::string>;

xmpp::Stanza presence(std::string_view from, std::string_view status) {
    return *xmpp::read_stanza("<presence from='" + std::string(from) + "'><status>" +
                              std::string(status) + "</status></presence>");
}

Lines take(HeldStanzas& held) {
    Lines lines;
    for (const HeldStanzas::Held& one : held.take())
        lines.push_back(one.from + " " +
                        xmpp::read_stanza(one.xml)->element().child_text("status"));
    return lines;
}

TEST(HeldStanzas, keeps_the_latest_presence_of_each_sender_where_it_came) {
    HeldStanzas held;
    EXPECT_FALSE(held.hold(presence("a@x/1", "1")));
    EXPECT_FALSE(held.hold(presence("a@x/2", "2")));
    EXPECT_FALSE(held.hold(presence("b@x", "3")));
    EXPECT_TRUE(held.hold(presence("a@x/1", "4")));
    EXPECT_EQ(take(held), (Lines{"a@x/2 2", "b@x 3", "a@x/1 4"}));
    EXPECT_TRUE(held.empty());
    EXPECT_EQ(take(held), Lines{});
}

TEST(HeldStanzas, keeps_every_notification) {
    HeldStanzas held;
    const xmpp::Stanza event = *xmpp::read_stanza(
        "<message type='headline' from='a@x'><event "
        "xmlns='http://jabber.org/protocol/pubsub#event'/></message>");
    EXPECT_FALSE(held.hold(event));
    EXPECT_FALSE(held.hold(presence("a@x", "1")));
    EXPECT_FALSE(held.hold(event));
    EXPECT_EQ(held.take().size(), 3U);
}

TEST(HeldStanzas, holds_so_many) {
    HeldStanzas held;
    held.hold(presence("a@x", "1"));
    held.hold(presence("b@x", "1"));
    held.hold(presence("b@x", "2"));
    EXPECT_FALSE(held.exceeds(2));
    held.hold(presence("c@x", "1"));
    EXPECT_TRUE(held.exceeds(2));
    EXPECT_FALSE(held.exceeds(3));
}

TEST(HeldStanzas, holds_so_many_bytes) {
    HeldStanzas held;
    const std::size_t frame = presence("a@x", "").to_xml().size();
    const std::string most(HeldStanzas::kBytesMax - frame, 'x');
    held.hold(presence("a@x", most));
    EXPECT_FALSE(held.exceeds(10));
    held.hold(presence("a@x", most));
    EXPECT_FALSE(held.exceeds(10));
    held.hold(presence("a@x", most + "x"));
    EXPECT_TRUE(held.exceeds(10));
    held.take();
    EXPECT_FALSE(held.exceeds(10));
}

}  // namespace
}  // namespace server::test
