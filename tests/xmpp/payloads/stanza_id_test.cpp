#include "xmpp/payloads/stanza_id.h"

#include "from_xml.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

using testing::from_xml;

const Jid kJuliet = *Jid::parse("juliet@example.net");

Stanza message(std::string_view content, std::string_view raw = {}) {
    const std::string xml = "<message>" + std::string(content) + "</message>";
    return *Stanza::from_element(from_xml(xml), base::SharedBytes(std::string(raw)));
}

TEST(StanzaId, is_read_back_as_it_was_written) {
    const auto id = parse_stanza_id(stanza_id_element("5f3d", kJuliet));
    ASSERT_TRUE(id);
    EXPECT_EQ(*id, (StanzaId{"5f3d", kJuliet}));
}

TEST(StanzaId, prepares_the_address) {
    const auto id = parse_stanza_id(
        from_xml("<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='Room@MUC.example.com'/>"));
    ASSERT_TRUE(id);
    EXPECT_EQ(id->by.text(), "room@muc.example.com");
}

TEST(StanzaId, refuses_what_the_rules_forbid) {
    for (const std::string_view xml : {
             "<stanza-id xmlns='urn:xmpp:sid:0' by='a@x'/>",
             "<stanza-id xmlns='urn:xmpp:sid:0' id='' by='a@x'/>",
             "<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>",
             "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='@x'/>",
             "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='a@x'>text</stanza-id>",
             "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='a@x'><child/></stanza-id>",
             "<stanza-id xmlns='urn:example' id='1' by='a@x'/>",
             "<origin-id xmlns='urn:xmpp:sid:0' id='1' by='a@x'/>",
         })
        EXPECT_FALSE(parse_stanza_id(from_xml(xml))) << xml;
}

TEST(StanzaId, is_found_by_who_gave_it) {
    const Stanza stanza = message(
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='room@x'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='2' by='JULIET@example.net'/>"
        "<origin-id xmlns='urn:xmpp:sid:0' id='3'/>");
    EXPECT_EQ(find_stanza_id(stanza, kJuliet), "2");
    EXPECT_EQ(find_stanza_id(stanza, *Jid::parse("romeo@example.net")), std::nullopt);
    EXPECT_EQ(find_origin_id(stanza), "3");
    EXPECT_EQ(find_origin_id(message("")), std::nullopt);
}

TEST(StanzaId, is_removed_when_it_claims_to_be_ours_in_whatever_spelling) {
    Stanza stanza = message(
        "<body>b</body><stanza-id xmlns='urn:xmpp:sid:0' id='1' by='juliet@example.net'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='2' by='Juliet@EXAMPLE.net'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='2' by='\uFF4Auliet@example.net.'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.net'><x/></stanza-id>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='3' by='room@x'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='4' by='juliet@example.net/balcony'/>"
        "<stanza-id xmlns='urn:xmpp:sid:0' id='5'/>"
        "<origin-id xmlns='urn:xmpp:sid:0' id='6'/>",
        "as received");
    EXPECT_EQ(remove_stanza_ids(stanza, kJuliet), 4U);
    EXPECT_EQ(stanza.to_xml(),
              "<message><body>b</body><stanza-id xmlns='urn:xmpp:sid:0' id='3' by='room@x'/>"
              "<stanza-id xmlns='urn:xmpp:sid:0' id='4' by='juliet@example.net/balcony'/>"
              "<stanza-id xmlns='urn:xmpp:sid:0' id='5'/>"
              "<origin-id xmlns='urn:xmpp:sid:0' id='6'/></message>");
}

TEST(StanzaId, leaves_the_bytes_of_a_stanza_alone_that_claims_nothing) {
    Stanza stanza =
        message("<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='room@x'/>", "as received");
    EXPECT_EQ(remove_stanza_ids(stanza, kJuliet), 0U);
    EXPECT_EQ(stanza.raw_inner().view(), "as received");
}

}  // namespace
}  // namespace xmpp
