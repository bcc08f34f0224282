#include "xmpp/payloads/forwarded.h"

#include "from_xml.h"
#include "xmpp/payloads/carbon.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using testing::from_xml;

Stanza stanza(std::string_view xml) {
    return *Stanza::from_element(from_xml(xml));
}

TEST(Forwarded, keeps_the_namespace_of_the_stanza) {
    const Element forwarded = forwarded_element(
        stanza("<message from='a@x/1' to='b@y' id='1' type='chat'><body>hi</body></message>"),
        base::WallTime{1'031'699'305'123'000});
    EXPECT_EQ(to_xml(forwarded),
              "<forwarded xmlns='urn:xmpp:forward:0'>"
              "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25.123Z'/>"
              "<message xmlns='jabber:client' from='a@x/1' to='b@y' id='1' type='chat'>"
              "<body>hi</body></message></forwarded>");
}

TEST(Forwarded, is_read_back_as_it_was_written) {
    const Stanza message = stanza("<message from='a@x/1' id='1'><body>hi</body></message>");
    const base::WallTime at{1'031'699'305'123'000};
    const auto read = parse_forwarded(forwarded_element(message, at));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->stanza.element(), message.element());
    ASSERT_TRUE(read->delay);
    EXPECT_EQ(read->delay->stamp, at);
    EXPECT_FALSE(parse_forwarded(forwarded_element(message))->delay);
}

TEST(Forwarded, refuses_what_is_none) {
    for (const std::string_view content : {
             "",
             "<message/>",  // Of the namespace around it.
             "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>",
             "<message xmlns='jabber:client' to='@'/>",
             "<delay xmlns='urn:xmpp:delay' stamp='today'/><message xmlns='jabber:client'/>",
             "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>"
             "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>"
             "<message xmlns='jabber:client'/>",
         }) {
        const Element element = from_xml("<forwarded xmlns='urn:xmpp:forward:0'>" +
                                         std::string(content) + "</forwarded>");
        EXPECT_FALSE(parse_forwarded(element)) << content;
    }
    EXPECT_FALSE(parse_forwarded(from_xml("<forwarded><message/></forwarded>")));
}

TEST(Carbon, is_as_in_the_examples_of_xep_0280) {
    const Stanza message = stanza(
        "<message from='juliet@capulet.example/balcony' to='romeo@montague.example/garden' "
        "type='chat'><body>What man art thou</body><thread>0e31</thread></message>");
    Stanza copy =
        carbon_copy(CarbonDirection::received, message, *Jid::parse("romeo@montague.example"));
    copy.set_to(*Jid::parse("romeo@montague.example/home"));
    EXPECT_EQ(copy.to_xml(),
              "<message type='chat' from='romeo@montague.example' "
              "to='romeo@montague.example/home'>"
              "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
              "<message xmlns='jabber:client' from='juliet@capulet.example/balcony' "
              "to='romeo@montague.example/garden' type='chat'>"
              "<body>What man art thou</body><thread>0e31</thread></message></forwarded>"
              "</received></message>");
    ASSERT_NE(copied_message(copy), nullptr);
    EXPECT_EQ(*copied_message(copy), message.element());
}

TEST(Carbon, outlives_the_message_that_it_copies) {
    std::optional<Stanza> message = stanza("<message from='a@x/1'><body>hi</body></message>");
    const Stanza copy = carbon_copy(CarbonDirection::sent, *message, *Jid::parse("a@x"));
    message->edit().clear_content();
    message.reset();
    ASSERT_NE(copied_message(copy), nullptr);
    EXPECT_EQ(copied_message(copy)->child_text("body"), "hi");
}

TEST(Carbon, copies_nothing_unless_all_of_it_is_there) {
    EXPECT_EQ(copied_message(stanza("<message><body/></message>")), nullptr);
    EXPECT_EQ(copied_message(stanza("<message><sent xmlns='urn:xmpp:carbons:2'/></message>")),
              nullptr);
    EXPECT_EQ(copied_message(stanza("<message><sent xmlns='urn:xmpp:carbons:2'><forwarded "
                                    "xmlns='urn:xmpp:forward:0'><presence xmlns='jabber:client'/>"
                                    "</forwarded></sent></message>")),
              nullptr);
    EXPECT_EQ(copied_message(stanza("<presence/>")), nullptr);
}

}  // namespace
}  // namespace xmpp
