#include "xmpp/core/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

TEST(StanzaError, has_the_wire_form_of_rfc_6120) {
    EXPECT_EQ(to_xml(StanzaError::item_not_found("no such node").to_element(), ns::client),
              "<error type='cancel'>"
              "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no such node</text>"
              "</error>");
    EXPECT_EQ(to_xml(StanzaError::gone("xmpp:romeo@afterlife.example.net").to_element()),
              "<error xmlns='jabber:client' type='cancel'>"
              "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:romeo@afterlife.example.net"
              "</gone></error>");
}

TEST(StanzaError, has_the_22_conditions_each_with_its_type) {
    std::set<std::string_view> names;
    for (std::size_t index = 0; index < kStanzaConditionCount; ++index) {
        const auto condition = static_cast<StanzaCondition>(index);
        names.insert(name_of(condition));
        EXPECT_EQ(parse_stanza_condition(name_of(condition)), condition);
        const StanzaError error(condition, "why");
        EXPECT_EQ(error.type(), default_type(condition));
        EXPECT_EQ(StanzaError::parse(error.to_element()), error);
    }
    EXPECT_EQ(names.size(), 22U);
    EXPECT_FALSE(parse_stanza_condition("no-such-condition").has_value());
}

TEST(StanzaError, factories_make_the_condition_they_are_named_after) {
    EXPECT_EQ(StanzaError::bad_request().type(), ErrorType::modify);
    EXPECT_EQ(StanzaError::forbidden().type(), ErrorType::auth);
    EXPECT_EQ(StanzaError::recipient_unavailable().type(), ErrorType::wait);
    EXPECT_EQ(StanzaError::service_unavailable().condition(), StanzaCondition::service_unavailable);
    EXPECT_EQ(StanzaError::unexpected_request().condition(), StanzaCondition::unexpected_request);
    EXPECT_EQ(StanzaError::undefined_condition().condition(), StanzaCondition::undefined_condition);
    EXPECT_EQ(StanzaError::remote_server_timeout().condition(),
              StanzaCondition::remote_server_timeout);
}

TEST(StanzaError, carries_an_application_condition_and_its_origin) {
    const StanzaError error = StanzaError::not_acceptable()
                                  .with_type(ErrorType::cancel)
                                  .with_app_condition("blocked", "urn:xmpp:blocking:errors")
                                  .with_by(*Jid::parse("example.net"));
    EXPECT_EQ(to_xml(error.to_element(), ns::client),
              "<error by='example.net' type='cancel'>"
              "<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
              "<blocked xmlns='urn:xmpp:blocking:errors'/></error>");
    EXPECT_EQ(StanzaError::parse(error.to_element()), error);
}

TEST(StanzaError, reads_what_it_does_not_know) {
    Element error("error", ns::client);
    error.set_attribute("type", "fancy").add(Element("brand-new", ns::stanza_errors));
    const auto parsed = StanzaError::parse(error);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->condition(), StanzaCondition::undefined_condition);
    EXPECT_EQ(parsed->type(), ErrorType::cancel);
    EXPECT_TRUE(StanzaError::parse(Element("error", ns::client)).has_value());
    EXPECT_FALSE(StanzaError::parse(Element("terror", ns::client)).has_value());
}

TEST(ErrorType, has_the_five_names_of_rfc_6120) {
    for (const std::string_view name : {"auth", "cancel", "continue", "modify", "wait"}) {
        const auto type = parse_error_type(name);
        ASSERT_TRUE(type.has_value()) << name;
        EXPECT_EQ(name_of(*type), name);
    }
    EXPECT_FALSE(parse_error_type("").has_value());
}

TEST(StreamError, has_the_wire_form_of_rfc_6120) {
    EXPECT_EQ(StreamError(StreamCondition::not_well_formed).to_xml(),
              "<stream:error><not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
              "</stream:error>");
    EXPECT_EQ(StreamError::see_other_host("[2001:db8::1]:9222", "moved <on>").to_xml(),
              "<stream:error>"
              "<see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:9222"
              "</see-other-host>"
              "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>moved &lt;on&gt;"
              "</text></stream:error>");
}

TEST(StreamError, has_the_25_conditions) {
    std::set<std::string_view> names;
    for (std::size_t index = 0; index < kStreamConditionCount; ++index) {
        const auto condition = static_cast<StreamCondition>(index);
        names.insert(name_of(condition));
        EXPECT_EQ(parse_stream_condition(name_of(condition)), condition);
        const StreamError error =
            StreamError(condition, "why").with_app_condition("reason", "urn:x");
        EXPECT_EQ(StreamError::parse(error.to_element()), error);
    }
    EXPECT_EQ(names.size(), 25U);
    EXPECT_FALSE(parse_stream_condition("xml-not-well-formed").has_value());
}

TEST(StreamError, reads_what_it_does_not_know) {
    Element error("error", ns::stream);
    error.add(Element("brand-new", ns::stream_errors));
    EXPECT_EQ(StreamError::parse(error)->condition(), StreamCondition::undefined_condition);
    EXPECT_FALSE(StreamError::parse(Element("error", ns::client)).has_value());
}

}  // namespace
}  // namespace xmpp
