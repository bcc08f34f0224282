// Entering a large room, page by page: what comes in the end must be what there is.
#include "tests/server/modules/muc/room_stage.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <set>

namespace server::modules::muc::test {
namespace {

using xmpp::Stanza;

constexpr std::string_view kNewcomer = "hecate@shakespeare.lit/broom";

std::string witch(std::size_t number) {
    return "witch" + std::to_string(number) + "@shakespeare.lit/x";
}

class LargeRoom : public testing::Test {
protected:
    void SetUp() override {
        stage.limits.entry_page_bytes = 16'384;
        // What clients say of themselves fills pages.
        const std::string words(900, 'x');
        for (std::size_t i = 0; i < kWitches; ++i) {
            stage.send(witch(i), "<presence xmlns='jabber:client' to='/w" + std::to_string(i) +
                                     "'><x xmlns='http://jabber.org/protocol/muc'/><status>" +
                                     words + "</status></presence>");
            stage.forget();
            for (const auto& jid : stage.room().take_new_entries())
                while (go_on(jid.text())) {
                }
        }
        stage.forget();
    }
    bool go_on(std::string_view jid) { return stage.continue_entry(jid); }
    void enter() {
        stage.send(kNewcomer,
                   "<presence xmlns='jabber:client' id='e' to='/hecate'><x "
                   "xmlns='http://jabber.org/protocol/muc'/></presence>");
        ASSERT_EQ(stage.room().take_new_entries().size(), 1U);
    }
    /// Nicks that are shown as present, in the end.
    std::set<std::string> shown() {
        for (const Stanza& stanza : stage.taken(kNewcomer)) {
            if (!stanza.is_presence()) continue;
            const std::string nick(stanza.from()->resource());
            if (stanza.presence_type() == xmpp::PresenceType::unavailable) {
                nicks.erase(nick);
            } else {
                nicks.insert(nick);
            }
        }
        return nicks;
    }
    std::set<std::string> there() {
        std::set<std::string> found;
        for (const Occupant& occupant : stage.room().occupants())
            found.insert(occupant.nick);
        return found;
    }

    static constexpr std::size_t kWitches = 100;
    RoomStage stage;
    std::set<std::string> nicks;
};

TEST_F(LargeRoom, shows_a_page_at_a_time_and_its_own_presence_last) {
    enter();
    EXPECT_TRUE(stage.taken(kNewcomer).empty());
    // The others know at once.
    EXPECT_EQ(stage.heard(witch(0)), "+hecate none/participant");
    std::size_t pages = 0;
    std::vector<Stanza> all;
    for (bool more = true; more; ++pages) {
        more = go_on(kNewcomer);
        std::size_t bytes = 0;
        for (Stanza& stanza : stage.taken(kNewcomer)) {
            bytes += stanza.to_xml().size();
            all.push_back(std::move(stanza));
        }
        EXPECT_LE(bytes, 2 * stage.limits.entry_page_bytes);
    }
    EXPECT_GT(pages, 3U);
    ASSERT_EQ(all.size(), kWitches + 2);
    EXPECT_EQ(all[kWitches].id(), "e");
    EXPECT_EQ(all[kWitches].from()->resource(), "hecate");
    EXPECT_TRUE(all[kWitches + 1].is_message());
    EXPECT_FALSE(go_on(kNewcomer));
}

// Its own presence says that everybody has been shown (§7.1), so it does not come before.
TEST_F(LargeRoom, tells_who_enters_of_its_own_role_at_the_end) {
    enter();
    EXPECT_TRUE(go_on(kNewcomer));
    stage.forget();
    stage.admin(kCrone, "<item nick='hecate' role='moderator'/>");
    EXPECT_EQ(stage.heard(witch(0)), "+hecate none/moderator");
    EXPECT_EQ(stage.heard(kNewcomer), "");
    while (go_on(kNewcomer)) {
    }
    std::vector<Stanza> own;
    for (Stanza& stanza : stage.taken(kNewcomer))
        if (stanza.is_presence() && stanza.from()->resource() == "hecate")
            own.push_back(std::move(stanza));
    ASSERT_EQ(own.size(), 1U);
    EXPECT_NE(own[0].to_xml().find("role='moderator'"), std::string::npos);
    // Who is sent away hears it at once.
    enter();
    stage.admin(kCrone, "<item nick='hecate' role='none'/>");
    EXPECT_TRUE(stage.heard(kNewcomer).starts_with("-hecate"));
}

TEST_F(LargeRoom, tells_what_changed_meanwhile) {
    enter();
    EXPECT_TRUE(go_on(kNewcomer));
    EXPECT_TRUE(shown().contains("w3"));
    // Of those who were shown: one goes, one changes, one gets another nick; then of the others.
    const auto leave = [&](std::size_t number) {
        stage.send(witch(number), "<presence xmlns='jabber:client' type='unavailable' to='/w" +
                                      std::to_string(number) + "'/>");
    };
    leave(3);
    stage.send(witch(4), "<presence xmlns='jabber:client' to='/w4'><show>away</show></presence>");
    stage.send(witch(5), "<presence xmlns='jabber:client' to='/other'/>");
    leave(90);
    stage.send("late@shakespeare.lit/x",
               "<presence xmlns='jabber:client' to='/late'><x "
               "xmlns='http://jabber.org/protocol/muc'/></presence>");
    stage.send(witch(6),
               "<message xmlns='jabber:client' type='groupchat'><body>Hail!</body></message>");
    while (go_on(kNewcomer)) {
    }
    const std::vector<Stanza> heard = stage.taken(kNewcomer);
    bool is_away = false;
    std::set<std::string> left;
    std::size_t hails = 0;
    for (const Stanza& stanza : heard) {
        if (stanza.is_message() && stanza.body_text() == "Hail!") ++hails;
        if (!stanza.is_presence()) continue;
        const std::string nick(stanza.from()->resource());
        if (stanza.presence_type() == xmpp::PresenceType::unavailable) left.insert(nick);
        if (nick == "w4") is_away = stanza.to_xml().find("away") != std::string::npos;
    }
    EXPECT_EQ(left, (std::set<std::string>{"w3", "w5"}));
    EXPECT_TRUE(is_away);
    EXPECT_EQ(hails, 1U);  // As history.
}

// Somebody who changes their nick again and again is no more to remember than one who does it once.
TEST_F(LargeRoom, tells_nothing_of_nicks_that_came_and_went) {
    enter();
    EXPECT_TRUE(go_on(kNewcomer));
    EXPECT_TRUE(shown().contains("w5"));
    for (int i = 0; i < 50; ++i)
        stage.send(witch(5), "<presence xmlns='jabber:client' to='/n" + std::to_string(i) + "'/>");
    stage.send(witch(6), "<presence xmlns='jabber:client' to='/gone'/>");
    stage.send(witch(6), "<presence xmlns='jabber:client' type='unavailable' to='/gone'/>");
    stage.send(witch(7), "<presence xmlns='jabber:client' to='/away'/>");
    stage.send(witch(7), "<presence xmlns='jabber:client' to='/w7'/>");
    while (go_on(kNewcomer)) {
    }
    std::set<std::string> left;
    std::set<std::string> came;
    for (const Stanza& stanza : stage.taken(kNewcomer)) {
        if (!stanza.is_presence()) continue;
        (stanza.presence_type() == xmpp::PresenceType::unavailable ? left : came)
            .insert(std::string(stanza.from()->resource()));
    }
    EXPECT_EQ(left, (std::set<std::string>{"w5", "w6"}));
    EXPECT_TRUE(came.contains("n49"));
    EXPECT_FALSE(came.contains("n48"));
    EXPECT_TRUE(came.contains("w7"));
    EXPECT_FALSE(came.contains("away"));
}

TEST_F(LargeRoom, agrees_in_the_end_whatever_happens_meanwhile) {
    enter();
    std::uint32_t chance = 12345;
    const auto draw = [&](std::uint32_t limit) {
        chance = chance * 1664525 + 1013904223;
        return chance / 65536 % limit;
    };
    for (bool more = true; more;) {
        for (int i = 0; i < 20; ++i) {
            const std::size_t number = draw(kWitches);
            const std::string nick = "w" + std::to_string(number);
            const bool is_there = there().contains(nick);
            stage.send(witch(number), is_there ? "<presence xmlns='jabber:client' "
                                                 "type='unavailable' to='/" +
                                                     nick + "'/>"
                                               : "<presence xmlns='jabber:client' to='/" + nick +
                                                     "'><x xmlns='http://jabber.org/protocol/muc'/>"
                                                     "</presence>");
        }
        (void)stage.room().take_new_entries();
        (void)shown();
        more = go_on(kNewcomer);
    }
    EXPECT_EQ(shown(), there());
}

TEST_F(LargeRoom, is_heard_from_the_last_page_on) {
    const auto hears_next_message = [this] {
        stage.forget();
        stage.send(witch(1), "<message xmlns='jabber:client' type='groupchat'><body>x</body>"
                             "</message>");
        EXPECT_EQ(stage.taken(witch(0)).size(), 1U);
        return stage.taken(kNewcomer).size() == 1;
    };
    EXPECT_FALSE(hears_next_message());
    enter();
    EXPECT_FALSE(hears_next_message());
    while (go_on(kNewcomer))
        EXPECT_FALSE(hears_next_message());
    EXPECT_TRUE(hears_next_message());
    enter();  // Again, by the same client.
    EXPECT_FALSE(hears_next_message());
}

TEST_F(LargeRoom, lets_go_who_leaves_before_the_last_page) {
    enter();
    EXPECT_TRUE(go_on(kNewcomer));
    stage.send(kNewcomer, "<presence xmlns='jabber:client' type='unavailable' to='/hecate'/>");
    EXPECT_FALSE(stage.room().is_entering(*xmpp::Jid::parse(kNewcomer)));
    EXPECT_FALSE(go_on(kNewcomer));
    EXPECT_EQ(stage.room().occupants().size(), kWitches);
}

}  // namespace
}  // namespace server::modules::muc::test
