#include "server/modules/muc/history.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/stanza_id.h"

#include <gtest/gtest.h>

namespace server::modules::muc::test {
namespace {

using xmpp::Stanza;

const xmpp::Jid kCoven = *xmpp::Jid::parse("coven@chat.shakespeare.lit");
const xmpp::Jid kReader = *xmpp::Jid::parse("hag66@shakespeare.lit/pda");
constexpr base::WallTime kStart{1'000'000'000'000'000};

base::WallTime at(std::int64_t seconds) {
    return {kStart.microseconds + seconds * 1'000'000};
}

Stanza said(std::string_view text) {
    Stanza message = Stanza::message(xmpp::MessageType::groupchat);
    message.set_from(*kCoven.with_resource("firstwitch"));
    message.edit().add_text_child("body", text);
    message.append_child(xmpp::stanza_id_element("id-" + std::string(text), kCoven));
    return message;
}

/// Ten messages, "0" to "9", one a second.
History ten() {
    History history;
    for (int i = 0; i < 10; ++i)
        history.add(said(std::to_string(i)), at(i), 50);
    return history;
}

std::string texts(const std::vector<Stanza>& messages) {
    std::string all;
    for (const Stanza& message : messages)
        all += message.body_text();
    return all;
}

TEST(History, replays_everything_in_order_to_who_does_not_say) {
    EXPECT_EQ(texts(ten().replay(kCoven, kReader, {}, at(10))), "0123456789");
}

TEST(History, is_stamped_by_the_room_and_addressed) {
    const auto messages = ten().replay(kCoven, kReader, {}, at(10));
    const auto delay = xmpp::parse_delay(*messages.at(3).child("delay", xmpp::ns::delay));
    ASSERT_TRUE(delay);
    EXPECT_EQ(delay->from, kCoven.text());
    EXPECT_EQ(delay->stamp, at(3));
    EXPECT_EQ(messages.at(3).to(), kReader);
}

TEST(History, is_limited_by_stanzas_seconds_and_since) {
    const History history = ten();
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.stanzas = 3}, at(10))), "789");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.stanzas = 0}, at(10))), "");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.seconds = 2}, at(10))), "89");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.since = at(4)}, at(10))), "456789");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.since = base::WallTime{0}}, at(10))),
              "0123456789");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {.stanzas = 4, .seconds = 2}, at(10))), "89");
}

TEST(History, is_limited_by_characters_of_whole_stanzas) {
    const History history = ten();
    const std::size_t one =
        history.replay(kCoven, kReader, {.stanzas = 1}, at(10)).at(0).to_xml().size();
    const auto characters = [&](std::size_t number) {
        return texts(history.replay(kCoven, kReader,
                                    {.characters = static_cast<std::uint32_t>(number)}, at(10)));
    };
    EXPECT_EQ(characters(0), "");
    EXPECT_EQ(characters(one - 1), "");
    EXPECT_EQ(characters(one), "9");
    EXPECT_EQ(characters(2 * one - 1), "9");
    EXPECT_EQ(characters(2 * one), "89");
}

TEST(History, counts_characters_and_not_bytes) {
    History history;
    history.add(said("\xC3\xA9"), at(0), 50);
    const auto xml = history.replay(kCoven, kReader, {}, at(1)).at(0).to_xml();
    const auto less = static_cast<std::uint32_t>(xml.size() - 2);  // Twice, with its id.
    EXPECT_EQ(history.replay(kCoven, kReader, {.characters = less}, at(1)).size(), 1U);
    EXPECT_EQ(history.replay(kCoven, kReader, {.characters = less - 1}, at(1)).size(), 0U);
}

TEST(History, keeps_at_most_so_many) {
    History history = ten();
    history.trim(4);
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {}, at(10))), "6789");
    history.add(said("x"), at(11), 4);
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {}, at(12))), "789x");
    history.add(said("y"), at(11), 0);
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {}, at(12))), "789x");
}

TEST(History, keeps_at_most_so_many_bytes) {
    History history;
    const std::string big(History::kBytesMax / 6, 'x');  // It is in the id as well.
    for (int i = 0; i < 5; ++i)
        history.add(said(big), at(i), 50);
    EXPECT_EQ(history.size(), 2U);
    history.add(said(std::string(History::kBytesMax, 'x')), at(6), 50);
    EXPECT_EQ(history.size(), 2U);
}

TEST(History, forgets_a_message_by_its_id) {
    History history = ten();
    history.remove(kCoven, "id-5");
    history.remove(kCoven, "id-unknown");
    EXPECT_EQ(texts(history.replay(kCoven, kReader, {}, at(10))), "012346789");
}

}  // namespace
}  // namespace server::modules::muc::test
