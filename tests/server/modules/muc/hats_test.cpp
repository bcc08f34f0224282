#include "server/modules/muc/hats.h"

#include <gtest/gtest.h>

namespace server::modules::muc {
namespace {

xmpp::Jid jid(std::size_t number) {
    return *xmpp::Jid::parse("w" + std::to_string(number) + "@shakespeare.lit/x");
}
std::string uri(std::size_t number) {
    return "urn:x:" + std::to_string(number);
}
Hats filled(std::size_t count) {
    Hats hats;
    for (std::size_t i = 0; i < count; ++i)
        EXPECT_TRUE(hats.put({.uri = uri(i), .title = "T"}));
    return hats;
}

TEST(Hats, are_worn_by_people_not_clients) {
    Hats hats = filled(2);
    EXPECT_TRUE(hats.wear(jid(1), uri(1)));
    EXPECT_TRUE(hats.wear(jid(1).bare(), uri(1))) << "once is enough";
    EXPECT_FALSE(hats.wear(jid(1), "urn:x:none"));
    EXPECT_TRUE(hats.wears(jid(1).bare(), uri(1)));
    EXPECT_EQ(hats.worn().at("w1@shakespeare.lit").size(), 1U);
    const auto element = hats.element_of(jid(1));
    ASSERT_TRUE(element);
    EXPECT_EQ(element->child_count(), 1U);
    EXPECT_EQ(hats.element_of(jid(2)), std::nullopt);
    EXPECT_TRUE(hats.take_off(jid(1), uri(1)));
    EXPECT_FALSE(hats.take_off(jid(1), uri(1)));
    EXPECT_TRUE(hats.worn().empty());
}

TEST(Hats, change_their_title_and_go_from_all_heads) {
    Hats hats = filled(2);
    const std::string before = hats.hash();
    ASSERT_TRUE(hats.wear(jid(1), uri(0)));
    ASSERT_TRUE(hats.wear(jid(1), uri(1)));
    ASSERT_TRUE(hats.put({.uri = uri(0), .title = "Other"}));
    EXPECT_EQ(hats.all().size(), 2U);
    EXPECT_EQ(hats.find(uri(0))->title, "Other");
    EXPECT_NE(hats.hash(), before);
    EXPECT_TRUE(hats.remove(uri(0)));
    EXPECT_FALSE(hats.remove(uri(0)));
    EXPECT_FALSE(hats.wears(jid(1), uri(0)));
    EXPECT_TRUE(hats.wears(jid(1), uri(1)));
    hats.take_all_off(jid(1));
    EXPECT_TRUE(hats.worn().empty());
    EXPECT_EQ(Hats().hash(), "");
}

TEST(Hats, are_so_many_and_no_more) {
    Hats hats = filled(Hats::kHatsMax);
    EXPECT_FALSE(hats.put({.uri = "urn:x:more", .title = "T"}));
    EXPECT_TRUE(hats.put({.uri = uri(3), .title = "known"}));
    for (std::size_t i = 0; i < Hats::kWornMax; ++i)
        EXPECT_TRUE(hats.wear(jid(0), uri(i)));
    EXPECT_FALSE(hats.wear(jid(0), uri(Hats::kWornMax)));
    for (std::size_t i = 1; i < Hats::kWearersMax; ++i)
        EXPECT_TRUE(hats.wear(jid(i), uri(0)));
    EXPECT_FALSE(hats.wear(jid(Hats::kWearersMax), uri(0)));
}

}  // namespace
}  // namespace server::modules::muc
