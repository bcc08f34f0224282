// A room of ten thousand: it takes as many as it may hold, its staff beyond that (XEP-0045 §7.2.9),
// and who comes last causes no more than what they and the others must be told.
#include "tests/server/modules/muc/room_stage.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace server::modules::muc::test {
namespace {

using xmpp::Jid;
using xmpp::Stanza;

class Crowd : public testing::Test {
protected:
    static constexpr std::uint32_t kCrowd = 10'000;

    void SetUp() override {
        stage.limits.occupants_max = kCrowd;
        for (std::uint32_t i = 0; i < kCrowd - 1; ++i)
            stage.room().restore("w" + std::to_string(i), MucRole::participant, witch(i), "");
        ASSERT_EQ(stage.room().occupants().size(), kCrowd - 1);
    }
    static Jid witch(std::uint32_t number) {
        return *Jid::parse("witch" + std::to_string(number) + "@shakespeare.lit/x");
    }
    /// What the room sends to somebody who wants to enter, as it is: not a copy for each.
    Effects enter(std::string_view jid, std::string_view nick) {
        const auto stanza =
            xmpp::read_stanza("<presence xmlns='jabber:client' from='" + std::string(jid) +
                              "' to='" + std::string(kRoom) + "/" + std::string(nick) +
                              "'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        Effects effects;
        stage.room().on_presence(*stanza, stage.now, effects);
        return effects;
    }
    /// Whether it was let in, and not refused for another reason than too many being there.
    bool gets_in(std::string_view jid, std::string_view nick) {
        const Effects effects = enter(jid, nick);
        if (!stage.room().take_new_entries().empty()) return true;
        EXPECT_EQ(effects.size(), 1U);
        EXPECT_EQ(line_of(effects.at(0).stanza), "! service-unavailable wait");
        EXPECT_EQ(effects.at(0).to, std::vector<Jid>{*Jid::parse(jid)});
        return false;
    }

    RoomStage stage;
};

TEST_F(Crowd, lets_in_as_many_as_there_is_room_for_and_its_staff) {
    EXPECT_TRUE(gets_in("last@shakespeare.lit/x", "last"));
    EXPECT_FALSE(gets_in("late@shakespeare.lit/x", "late"));
    // A member is none of the staff; another client of somebody who is in is nobody more.
    stage.affiliate("late@shakespeare.lit", "member");
    EXPECT_FALSE(gets_in("late@shakespeare.lit/x", "late"));
    EXPECT_TRUE(gets_in("last@shakespeare.lit/phone", "last"));
    EXPECT_TRUE(gets_in(kCrone, "firstwitch"));
    for (std::uint32_t i = 1; i < Room::kStaffReserve; ++i) {
        const std::string name = "admin" + std::to_string(i);
        stage.affiliate(name + "@shakespeare.lit", "admin");
        EXPECT_TRUE(gets_in(name + "@shakespeare.lit/x", name));
    }
    stage.affiliate("onemore@shakespeare.lit", "admin");
    EXPECT_FALSE(gets_in("onemore@shakespeare.lit/x", "onemore"));
    EXPECT_EQ(stage.room().occupants().size(), kCrowd + Room::kStaffReserve);
    // One goes, one comes.
    Effects farewell;
    stage.room().on_presence(
        *xmpp::read_stanza("<presence xmlns='jabber:client' type='unavailable' from='" +
                           witch(7).text() + "' to='" + std::string(kRoom) + "/w7'/>"),
        stage.now, farewell);
    EXPECT_TRUE(gets_in("onemore@shakespeare.lit/x", "onemore"));
}

// One stanza for all others, and pages of one presence each for the newcomer.
TEST_F(Crowd, costs_a_newcomer_one_presence_of_everybody) {
    const Effects told = enter("last@shakespeare.lit/x", "last");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].to.size(), kCrowd - 1);
    ASSERT_EQ(stage.room().take_new_entries().size(), 1U);
    std::size_t shown = 0;
    std::size_t most = 0;
    for (bool more = true; more;) {
        Effects page;
        more = stage.room().continue_entry(*Jid::parse("last@shakespeare.lit/x"), stage.now, page);
        most = std::max(most, page.size());
        for (const Delivery& one : page)
            shown += one.to.size();
    }
    EXPECT_EQ(shown, kCrowd + 1);  // With their own presence; and the subject.
    EXPECT_LE(most, stage.limits.entry_page_bytes / 400 + 3);
}

}  // namespace
}  // namespace server::modules::muc::test
