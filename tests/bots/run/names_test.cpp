#include "tests/bots/run/names.h"

#include "tests/bots/run/message_text.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

NamePattern pattern(std::string_view text) {
    return NamePattern::create(text, "example.org").value();
}

TEST(NamePattern, numbers_users_from_one) {
    const NamePattern names = pattern("bot{n}");
    EXPECT_EQ(names.local(0), "bot1");
    EXPECT_EQ(names.bare(41).text(), "bot42@example.org");
    EXPECT_EQ(names.full(0).text(), "bot1@example.org/bots");
    std::string text = "<";
    names.append_full(text, 9);
    EXPECT_EQ(text, "<bot10@example.org/bots");
}

TEST(NamePattern, finds_the_number_of_an_address) {
    const NamePattern names = pattern("a{n}-x");
    EXPECT_EQ(names.number_of(names.bare(7), 10), 7U);
    EXPECT_EQ(names.number_of(names.full(7), 10), 7U);
    const auto number_of = [&](std::string_view address) {
        return names.number_of(xmpp::Jid::parse(address).value(), 10);
    };
    EXPECT_FALSE(number_of("a11-x@example.org"));
    EXPECT_FALSE(number_of("a0-x@example.org"));
    EXPECT_FALSE(number_of("a01-x@example.org"));
    EXPECT_FALSE(number_of("a-x@example.org"));
    EXPECT_FALSE(number_of("a1@example.org"));
    EXPECT_FALSE(number_of("a1-x@example.net"));
    EXPECT_FALSE(number_of("example.org"));
}

TEST(NamePattern, spells_names_as_the_server_does) {
    const auto refused = NamePattern::create("bot{n}'s", "example.org");
    EXPECT_FALSE(refused);  // RFC 7622 §3.3.1 has no apostrophes.
    EXPECT_EQ(pattern("Bot{n}").local(0), "bot1");
}

TEST(NamePattern, wants_a_place_for_the_number_and_a_name_that_can_exist) {
    EXPECT_FALSE(NamePattern::create("bot", "example.org"));
    EXPECT_FALSE(NamePattern::create("bot{n}{n}", "example.org"));
    EXPECT_FALSE(NamePattern::create("b t{n}", "example.org"));
    EXPECT_FALSE(NamePattern::create("bot{n}", "exa mple"));
}

TEST(MessageText, has_the_size_that_was_asked_for) {
    for (const std::size_t bytes : {1U, 2U, 100U, 5000U}) {
        const std::string text = message_text(bytes);
        EXPECT_EQ(text.size(), bytes);
        EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
    }
}

}  // namespace
}  // namespace bots
