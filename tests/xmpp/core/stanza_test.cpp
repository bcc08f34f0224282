#include "xmpp/core/stanza.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/xmpp/xml/read_stream.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

// A stanza as the parser hands it over.
Stanza received(std::string_view xml) {
    StanzaElement element = element_after_header(xml);
    auto stanza = Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
    EXPECT_TRUE(stanza.has_value()) << xml;
    return stanza ? *std::move(stanza) : Stanza::message(MessageType::normal);
}

StanzaCondition refused(std::string_view xml) {
    StanzaElement element = element_after_header(xml);
    const auto stanza = Stanza::from_element(std::move(element.element));
    EXPECT_FALSE(stanza.has_value()) << xml;
    EXPECT_NE(element.element.name(), "") << "a refused element is left untouched";
    return stanza ? StanzaCondition::undefined_condition : stanza.error().condition();
}

TEST(Stanza, parses_addresses_and_attributes) {
    const Stanza stanza = received(
        "<message from='Romeo@Example.net/orchard' to='juliet@example.com' id='m1' type='chat'"
        " xml:lang='en'><body>Art thou not Romeo?</body></message>");
    EXPECT_TRUE(stanza.is_message());
    EXPECT_EQ(stanza.message_type(), MessageType::chat);
    EXPECT_EQ(stanza.from()->text(), "romeo@example.net/orchard");
    EXPECT_EQ(stanza.element().attribute("from"), "romeo@example.net/orchard")
        << "the prepared form travels on";
    EXPECT_EQ(stanza.to()->text(), "juliet@example.com");
    EXPECT_EQ(stanza.id(), "m1");
    EXPECT_EQ(stanza.lang(), "en");
    EXPECT_EQ(stanza.body_text(), "Art thou not Romeo?");
    EXPECT_TRUE(stanza.has_body());
    EXPECT_FALSE(stanza.is_error());
}

TEST(Stanza, refuses_malformed_addresses) {
    EXPECT_EQ(refused("<message to='@x.org'/>"), StanzaCondition::jid_malformed);
    EXPECT_EQ(refused("<iq to='' id='1' type='get'/>"), StanzaCondition::jid_malformed);
    EXPECT_EQ(refused("<presence from='a b@x.org'/>"), StanzaCondition::jid_malformed);
}

TEST(Stanza, knows_every_type) {
    EXPECT_EQ(received("<message/>").message_type(), MessageType::normal);
    EXPECT_EQ(received("<message type='groupchat'/>").message_type(), MessageType::groupchat);
    EXPECT_EQ(received("<message type='headline'/>").message_type(), MessageType::headline);
    EXPECT_EQ(received("<presence/>").presence_type(), PresenceType::available);
    EXPECT_EQ(received("<presence type='unavailable'/>").presence_type(),
              PresenceType::unavailable);
    EXPECT_EQ(received("<presence type='probe'/>").presence_type(), PresenceType::probe);
    EXPECT_EQ(received("<iq type='get'/>").iq_type(), IqType::get);
    EXPECT_TRUE(received("<iq type='set'/>").is_request());
    EXPECT_TRUE(received("<iq type='result'/>").is_response());
    for (const std::string_view error :
         {"<message type='error'/>", "<presence type='error'/>", "<iq type='error'/>"}) {
        EXPECT_TRUE(received(error).is_error());
    }
}

TEST(Stanza, reads_an_unknown_message_type_as_normal) {
    const Stanza stanza = received("<message type='telegram'/>");
    EXPECT_EQ(stanza.message_type(), MessageType::normal);
}

TEST(Stanza, refuses_unknown_presence_and_iq_types) {
    EXPECT_EQ(refused("<presence type='sleepy'/>"), StanzaCondition::bad_request);
    EXPECT_EQ(refused("<presence type=''/>"), StanzaCondition::bad_request);
    EXPECT_EQ(refused("<presence type='available'/>"), StanzaCondition::bad_request);
    EXPECT_EQ(refused("<iq id='1' type='ask'/>"), StanzaCondition::bad_request);
    EXPECT_EQ(refused("<iq id='1'/>"), StanzaCondition::bad_request);
}

TEST(Stanza, is_only_a_message_presence_or_iq_in_jabber_client) {
    EXPECT_EQ(refused("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
              StanzaCondition::bad_request);
    EXPECT_FALSE(Stanza::is_stanza(Element("message", ns::server)));
    EXPECT_TRUE(Stanza::is_stanza(Element("iq", ns::client)));
}

TEST(Stanza, checks_the_rules_of_an_iq) {
    EXPECT_FALSE(received("<iq id='1' type='get'><q xmlns='urn:x'/></iq>").check_iq());
    EXPECT_FALSE(received("<iq id='1' type='result'/>").check_iq());
    EXPECT_FALSE(received("<iq id='1' type='result'><q xmlns='urn:x'/></iq>").check_iq());
    EXPECT_FALSE(received("<iq id='1' type='error'><q/><error/></iq>").check_iq());
    const auto broken = [](std::string_view xml) {
        const auto error = received(xml).check_iq();
        return error && error->is(StanzaCondition::bad_request);
    };
    EXPECT_TRUE(broken("<iq type='get'><q xmlns='urn:x'/></iq>"));
    EXPECT_TRUE(broken("<iq id='1' type='get'/>"));
    EXPECT_TRUE(broken("<iq id='1' type='set'><a/><b/></iq>"));
    EXPECT_TRUE(broken("<iq id='1' type='result'><a/><b/></iq>"));
}

TEST(Stanza, writes_the_received_bytes_under_a_new_start_tag) {
    Stanza stanza = received(
        "<message to='a@x.org' type='chat'><body>caf\u00E9 &#x26; &quot;co&quot;</body>"
        "<x:y xmlns:x='urn:x' x:z='1'  /></message>");
    stanza.set_from(*Jid::parse("b@x.org/r"));
    EXPECT_EQ(
        stanza.to_xml(),
        "<message to='a@x.org' type='chat' from='b@x.org/r'>"
        "<body>caf\u00E9 &#x26; &quot;co&quot;</body><x:y xmlns:x='urn:x' x:z='1'  /></message>");
}

TEST(Stanza, writes_its_tree_once_it_was_edited) {
    Stanza stanza = received("<message><body>a &#x26; b</body></message>");
    ASSERT_FALSE(stanza.raw_inner().empty());
    stanza.edit().add(Element("stanza-id", ns::stanza_ids)).set_attribute("id", "7");
    EXPECT_TRUE(stanza.raw_inner().empty());
    EXPECT_EQ(
        stanza.to_xml(),
        "<message><body>a &amp; b</body><stanza-id xmlns='urn:xmpp:sid:0' id='7'/></message>");
}

TEST(Stanza, declares_its_namespace_where_the_stream_has_another) {
    const Stanza stanza = received("<message><body>hi</body></message>");
    std::string out;
    stanza.append_to(out, "");
    EXPECT_EQ(out, "<message xmlns='jabber:client'><body>hi</body></message>");
}

TEST(Stanza, shares_bytes_and_tree_between_copies_for_other_recipients) {
    const Stanza original = received("<message to='a@x.org'><body>hi</body></message>");
    Stanza copy = original;
    copy.set_to(*Jid::parse("b@x.org"));
    EXPECT_EQ(copy.raw_inner().view().data(), original.raw_inner().view().data());
    EXPECT_EQ(copy.payload(), original.payload());
    EXPECT_EQ(copy.to_xml(), "<message to='b@x.org'><body>hi</body></message>");
    EXPECT_EQ(original.to_xml(), "<message to='a@x.org'><body>hi</body></message>");
    copy.edit().child("body")->add_text("!");
    EXPECT_EQ(copy.body_text(), "hi!");
    EXPECT_EQ(original.body_text(), "hi");
}

TEST(Stanza, shares_content_that_was_built_here_on_request) {
    Stanza original = Stanza::presence(PresenceType::available);
    original.edit().add_text_child("show", "away");
    Stanza plain_copy = original;
    EXPECT_NE(plain_copy.payload(), original.payload());
    original.share_content();
    const Stanza copy = original;
    EXPECT_EQ(copy.payload(), original.payload());
    EXPECT_EQ(copy.to_xml(), "<presence><show>away</show></presence>");
    original.edit().clear_content();
    EXPECT_EQ(original.to_xml(), "<presence/>");
    EXPECT_EQ(copy.to_xml(), "<presence><show>away</show></presence>");
}

TEST(Stanza, can_be_written_for_another_recipient_without_a_copy) {
    const Stanza stanza = received("<message to='a@x.org' id='1'><body>hi</body></message>");
    std::string out;
    stanza.append_to(out, ns::client, *Jid::parse("c@x.org/r"));
    EXPECT_EQ(out, "<message to='c@x.org/r' id='1'><body>hi</body></message>");
    out.clear();
    received("<presence/>").append_to(out, ns::client, *Jid::parse("c@x.org"));
    EXPECT_EQ(out, "<presence to='c@x.org'/>");
}

TEST(Stanza, is_built_by_kind_and_type) {
    Stanza message = Stanza::message(MessageType::chat);
    message.set_to(*Jid::parse("a@x.org")).set_id("7").set_lang("de");
    EXPECT_EQ(message.to_xml(), "<message type='chat' to='a@x.org' id='7' xml:lang='de'/>");
    EXPECT_EQ(Stanza::presence(PresenceType::available).to_xml(), "<presence/>");
    EXPECT_EQ(Stanza::presence(PresenceType::subscribed).to_xml(), "<presence type='subscribed'/>");
    EXPECT_EQ(Stanza::iq(IqType::get, "1").to_xml(), "<iq id='1' type='get'/>");
    Stanza presence = Stanza::presence(PresenceType::unavailable);
    presence.set_type(PresenceType::available);
    EXPECT_EQ(presence.to_xml(), "<presence/>");
    message.clear_to();
    EXPECT_FALSE(message.to().has_value());
    EXPECT_FALSE(message.element().has_attribute("to"));
}

TEST(Stanza, answers_an_iq_with_a_result) {
    const Stanza iq = received(
        "<iq from='a@x.org/r' to='x.org' id='7' type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(iq.reply_result().to_xml(), "<iq to='a@x.org/r' from='x.org' id='7' type='result'/>");
    EXPECT_EQ(iq.reply_result(Element("pong", "urn:x")).to_xml(),
              "<iq to='a@x.org/r' from='x.org' id='7' type='result'><pong xmlns='urn:x'/></iq>");
}

TEST(Stanza, answers_with_an_error_with_or_without_the_payload) {
    const Stanza message =
        received("<message from='a@x.org/r' to='b@x.org' id='7'><body>hi</body></message>");
    EXPECT_EQ(
        message.reply_error(StanzaError::service_unavailable()).to_xml(),
        "<message to='a@x.org/r' from='b@x.org' id='7' type='error'><error type='cancel'>"
        "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
    const Stanza full = message.reply_error(StanzaError::service_unavailable(), true);
    EXPECT_EQ(full.body_text(), "hi");
    EXPECT_EQ(full.error(), StanzaError::service_unavailable());
    EXPECT_TRUE(message.may_answer_with_error());
    EXPECT_FALSE(full.may_answer_with_error());
    EXPECT_FALSE(received("<iq id='1' type='result'/>").may_answer_with_error());
}

TEST(Stanza, answers_an_element_that_is_no_valid_stanza) {
    const StanzaElement bad = element_after_header(
        "<iq from='a@x.org' to='@bad' id='7' type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
    const auto reply = Stanza::error_reply(bad.element, StanzaError::jid_malformed());
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(to_xml(*reply, ns::client),
              "<iq to='a@x.org' id='7' type='error'><error type='modify'>"
              "<jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    EXPECT_FALSE(Stanza::error_reply(element_after_header("<iq type='result' to='@'/>").element,
                                     StanzaError::jid_malformed()));
    EXPECT_FALSE(Stanza::error_reply(element_after_header("<message type='error' to='@'/>").element,
                                     StanzaError::jid_malformed()));
}

TEST(Stanza, reads_the_error_it_carries) {
    EXPECT_EQ(received("<iq id='1' type='error'/>").error()->condition(),
              StanzaCondition::undefined_condition);
    EXPECT_FALSE(received("<iq id='1' type='result'/>").error().has_value());
}

}  // namespace
}  // namespace xmpp
