// What a session is over a restart, as text, and the lists of texts that it is made of.
#include "server/sessions/saved_session.h"
#include "server/sessions/netstring.h"

#include <gtest/gtest.h>
#include <limits>

namespace server::test {
namespace {

TEST(Netstring, gives_back_what_was_put_in) {
    std::string out;
    append_netstring(out, "hello");
    append_netstring(out, "");
    append_netstring(out, "5:x,\n<a/>");
    append_netstring(out, -42);
    append_netstring(out, std::numeric_limits<std::int64_t>::min());
    append_netstring(out, std::string_view("\0\xff", 2));
    EXPECT_EQ(out.substr(0, 10), "5:hello0:9");
    NetstringReader reader(out);
    EXPECT_EQ(reader.text(), "hello");
    EXPECT_EQ(reader.text(), "");
    EXPECT_EQ(reader.text(), "5:x,\n<a/>");
    EXPECT_EQ(reader.number(), -42);
    EXPECT_EQ(reader.number(), std::numeric_limits<std::int64_t>::min());
    EXPECT_FALSE(reader.at_end());
    EXPECT_EQ(reader.text(), std::string_view("\0\xff", 2));
    EXPECT_TRUE(reader.at_end());
    EXPECT_FALSE(reader.failed());
}

TEST(Netstring, is_empty_from_the_first_mistake_on) {
    for (const char* text : {"", ":", "5", "x:x", "-1:x", "2:x", "99999999999999999999:x",
                             "9223372036854775807:x", " 1:x", "+1:x", "1 :x"}) {
        NetstringReader reader(text);
        EXPECT_EQ(reader.text(), "") << text;
        EXPECT_TRUE(reader.failed()) << text;
        EXPECT_EQ(reader.number(), 0) << text;
        EXPECT_TRUE(reader.at_end()) << text;
    }
    NetstringReader letters("1:x1:5");
    EXPECT_EQ(letters.number(), 0);
    EXPECT_TRUE(letters.failed());
}

SavedSession whole() {
    return {.management = "state",
            .mechanism = "SCRAM-SHA-256",
            .lang = "de",
            .presence = "<presence><priority>5</priority></presence>",
            .interested = true,
            .blocklist_requested = false,
            .carbons = true,
            .directed = {xmpp::Jid::parse("juliet@example.net/balcony").value(),
                         xmpp::Jid::parse("room@example.net").value()}};
}

TEST(SavedSession, comes_back_as_it_was) {
    const auto session = SavedSession::decode(whole().encode());
    ASSERT_TRUE(session);
    EXPECT_EQ(session->management, "state");
    EXPECT_EQ(session->mechanism, "SCRAM-SHA-256");
    EXPECT_EQ(session->lang, "de");
    EXPECT_EQ(session->presence, whole().presence);
    EXPECT_TRUE(session->interested);
    EXPECT_FALSE(session->blocklist_requested);
    EXPECT_TRUE(session->carbons);
    EXPECT_EQ(session->directed, whole().directed);
    const auto empty = SavedSession::decode(SavedSession().encode());
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->presence, "");
    EXPECT_TRUE(empty->directed.empty());
}

TEST(SavedSession, is_nothing_when_anything_is_missing_or_too_much) {
    const std::string good = whole().encode();
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(SavedSession::decode(good.substr(0, length))) << length;
    EXPECT_FALSE(SavedSession::decode(good + "0:"));
    std::string other = good;
    other[other.find("-1")] = '+';
    EXPECT_FALSE(SavedSession::decode(other));
    // More addresses than there are bytes for.
    const std::string start = "16:parley-session-10:0:0:0:1:01:01:0";
    EXPECT_TRUE(SavedSession::decode(start + "1:0"));
    EXPECT_FALSE(SavedSession::decode(start + "19:9223372036854775807"));
    EXPECT_FALSE(SavedSession::decode(start + "2:-1"));
}

}  // namespace
}  // namespace server::test
