// Streams before login: headers, STARTTLS, and every way to get them wrong (RFC 6120 §4, §5).
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kStreams = "xmlns:stream='http://etherx.jabber.org/streams'";

std::string header_with(std::string_view attributes) {
    return "<stream:stream " + std::string(kStreams) + " " + std::string(attributes) + ">";
}

// What comes back for a header that is wrong: our header, the error, the end.
std::string error_for(std::string_view sent) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.send(sent);
    client.expect_open();
    const std::string condition = client.expect_stream_error();
    EXPECT_EQ(harness.metric("c2s_stream_errors_total", condition), 1);
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 0u);
    return condition;
}

TEST(ClientStream, answers_a_header_with_its_own_and_demands_tls) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.send(header_with("to='Example.ORG' version='1.0' xmlns='jabber:client' xml:lang='de'"));
    const xmpp::StreamOpen open = client.expect_open();
    EXPECT_EQ(open.from, "example.org");
    EXPECT_EQ(open.version, "1.0");
    EXPECT_EQ(open.lang, "en");
    EXPECT_FALSE(open.has_to);
    EXPECT_GE(open.id.size(), 16u);
    const xmpp::Element features = client.expect_element();
    EXPECT_EQ(features.child_count(), 1u);
    const xmpp::Element* starttls = features.child("starttls", xmpp::ns::tls);
    ASSERT_NE(starttls, nullptr);
    EXPECT_NE(starttls->child("required"), nullptr);
}

TEST(ClientStream, answers_from_with_to) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.send(
        header_with("to='example.org' from='Romeo@Example.org/x' version='1.0' "
                    "xmlns='jabber:client'"));
    EXPECT_EQ(client.expect_open().to, "romeo@example.org");
}

TEST(ClientStream, gives_every_stream_another_id) {
    SessionHarness harness;
    ScriptedClient& one = harness.connected();
    ScriptedClient& other = harness.connected();
    one.send(header_with("to='example.org' version='1.0' xmlns='jabber:client'"));
    other.send(header_with("to='example.org' version='1.0' xmlns='jabber:client'"));
    EXPECT_NE(one.expect_open().id, other.expect_open().id);
}

TEST(ClientStream, refuses_wrong_headers_with_the_named_error) {
    EXPECT_EQ(error_for(header_with("to='nowhere.example' version='1.0' xmlns='jabber:client'")),
              "host-unknown");
    EXPECT_EQ(error_for(header_with("version='1.0' xmlns='jabber:client'")), "improper-addressing");
    EXPECT_EQ(error_for(header_with("to='a@example.org' version='1.0' xmlns='jabber:client'")),
              "improper-addressing");
    EXPECT_EQ(error_for(header_with("to='example.org' xmlns='jabber:client'")),
              "unsupported-version");
    EXPECT_EQ(error_for(header_with("to='example.org' version='0.9' xmlns='jabber:client'")),
              "unsupported-version");
    EXPECT_EQ(error_for(header_with("to='example.org' version='1.0' xmlns='jabber:server'")),
              "invalid-namespace");
    EXPECT_EQ(error_for("<stream:stream to='example.org' version='1.0' xmlns='jabber:client' "
                        "xmlns:stream='http://wrong.example/'>"),
              "invalid-namespace");
    EXPECT_EQ(error_for("<s:stream to='example.org' version='1.0' xmlns='jabber:client' "
                        "xmlns:s='http://etherx.jabber.org/streams'>"),
              "bad-namespace-prefix");
    EXPECT_EQ(error_for(header_with("to='example.org' from='@' version='1.0' "
                                    "xmlns='jabber:client'")),
              "improper-addressing");
}

TEST(ClientStream, takes_a_later_version_and_answers_with_its_own) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.send(header_with("to='example.org' version='11.4' xmlns='jabber:client'"));
    EXPECT_EQ(client.expect_open().version, "1.0");
}

TEST(ClientStream, refuses_what_is_no_xml_or_restricted_xml) {
    EXPECT_EQ(error_for("GET / HTTP/1.1\r\n\r\n"), "not-well-formed");
    EXPECT_EQ(error_for("<!DOCTYPE lolz [<!ENTITY lol 'lol'>]><stream:stream>"), "restricted-xml");
    EXPECT_EQ(error_for("<?xml version='1.0'?><?php x?><stream:stream>"), "restricted-xml");
    EXPECT_EQ(error_for("<!-- hello --><stream:stream>"), "restricted-xml");
    EXPECT_EQ(error_for("<?xml version='1.0' encoding='ISO-8859-1'?><stream:stream>"),
              "unsupported-encoding");
}

TEST(ClientStream, refuses_an_endless_header) {
    EXPECT_EQ(error_for("<stream:stream a='" + std::string(20'000, 'x')), "policy-violation");
}

std::string error_after_features(std::string_view sent) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.send(sent);
    return client.expect_stream_error();
}

TEST(ClientStream, refuses_stanzas_before_login) {
    for (const std::string_view stanza :
         {"<message to='juliet@example.org'><body>hi</body></message>", "<presence/>",
          "<iq type='get' id='1' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>",
          "<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"}) {
        EXPECT_EQ(error_after_features(stanza), "not-authorized") << stanza;
        SessionHarness harness;
        ScriptedClient& client = harness.connected();
        client.secure();
        client.send(stanza);
        EXPECT_EQ(client.expect_stream_error(), "not-authorized") << stanza;
    }
}

TEST(ClientStream, refuses_elements_that_it_does_not_know) {
    EXPECT_EQ(error_after_features("<frob xmlns='urn:x'/>"), "unsupported-stanza-type");
    EXPECT_EQ(error_after_features("<message xmlns='jabber:server'/>"), "invalid-namespace");
    EXPECT_EQ(error_after_features("<a><b></a></b>"), "not-well-formed");
    EXPECT_EQ(error_after_features("<message>" + std::string(11'000, 'x')), "policy-violation");
    EXPECT_EQ(error_after_features("<!-- x -->"), "restricted-xml");
    EXPECT_EQ(error_after_features("<message>\xff</message>"), "unsupported-encoding");
}

TEST(ClientStream, ends_when_the_client_ends_it) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.send("</stream:stream>");
    client.expect_close();
    EXPECT_TRUE(client.expect_end().orderly);
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 0u);
    EXPECT_EQ(harness.metric("c2s_ended_total", "by_client"), 1);
}

TEST(ClientStream, closes_a_half_closed_stream) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.shutdown_write();
    client.expect_close();
    EXPECT_TRUE(client.expect_end().orderly);
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 0u);
}

TEST(ClientStream, survives_a_reset) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.reset();
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 0u);
    EXPECT_EQ(harness.metric("c2s_ended_total", "connection_lost"), 1);
}

TEST(StartTls, leads_to_a_new_stream_with_mechanisms) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    const xmpp::Element features = client.secure();
    EXPECT_EQ(features.child("starttls", xmpp::ns::tls), nullptr);
    const xmpp::Element* mechanisms = features.child("mechanisms", xmpp::ns::sasl);
    ASSERT_NE(mechanisms, nullptr);
    std::vector<std::string> names;
    for (const xmpp::Element& mechanism : mechanisms->children())
        names.push_back(mechanism.text());
    EXPECT_EQ(names, (std::vector<std::string>{"SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS",
                                               "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-256",
                                               "SCRAM-SHA-1", "PLAIN"}));
    const xmpp::Element* bindings =
        features.child("sasl-channel-binding", xmpp::ns::channel_binding);
    ASSERT_NE(bindings, nullptr);
    std::vector<std::string> types;
    for (const xmpp::Element& binding : bindings->children())
        types.emplace_back(binding.attribute("type"));
    EXPECT_EQ(types, (std::vector<std::string>{"tls-exporter", "tls-server-end-point"}));
}

TEST(StartTls, takes_nothing_that_was_sent_in_the_clear_behind_it) {
    EXPECT_EQ(error_after_features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
                                   "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
              "policy-violation");
}

TEST(StartTls, is_refused_a_second_time) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    EXPECT_TRUE(client.expect_element().is("failure", xmpp::ns::tls));
    client.expect_close();
    client.expect_end();
}

TEST(StartTls, that_fails_ends_the_connection) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    client.expect_element();
    client.send("this is no handshake at all, whatever it is");
    client.next();
    harness.advance(6s);
    EXPECT_EQ(harness.connections(), 0u);
    EXPECT_EQ(harness.metric("c2s_ended_total", "tls_failed"), 1);
}

TEST(DirectTls, offers_login_at_once) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected_by_tls();
    EXPECT_NE(client.open().child("mechanisms", xmpp::ns::sasl), nullptr);
    EXPECT_EQ(client.tls()->info().alpn, "xmpp-client");
}

TEST(DirectTls, refuses_other_protocols_and_accepts_none) {
    SessionHarness harness;
    ScriptedClient& other = harness.connected_by_tls({"h2"});
    other.expect_end();
    harness.advance(6s);
    EXPECT_EQ(harness.connections(), 0u);
    ScriptedClient& silent = harness.connected_by_tls({});
    EXPECT_NE(silent.open().child("mechanisms", xmpp::ns::sasl), nullptr);
}

TEST(Patience, ends_with_silent_and_slow_clients) {
    SessionHarness harness;
    for (int i = 0; i < 50; ++i)
        harness.connected();
    ScriptedClient& slow = harness.connected();
    ScriptedClient& good = harness.online("romeo");
    EXPECT_EQ(harness.connections(), 52u);
    slow.trickle(header_with("to='example.org' version='1.0' xmlns='jabber:client'"), 1s);
    EXPECT_TRUE(slow.ended());
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 1u);
    EXPECT_EQ(harness.metric("c2s_stream_errors_total", "connection-timeout"), 51);
    good.expect_nothing();
}

TEST(Patience, ends_with_a_client_that_does_not_shake_hands) {
    SessionHarness harness;
    ScriptedClient& client = harness.client();
    client.connect({"10.0.0.1", SessionHarness::kTlsPort});
    harness.advance(31s);
    EXPECT_EQ(harness.connections(), 0u);
}

TEST(Patience, ends_with_a_client_that_does_not_log_in_or_bind) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.limit = 2min;
    client.secure();
    EXPECT_EQ(client.expect_stream_error(), "connection-timeout");
    ScriptedClient& lazy = harness.connected();
    lazy.limit = 2min;
    lazy.secure();
    lazy.log_in("romeo", std::string(kPassword));
    lazy.open();
    EXPECT_EQ(lazy.expect_stream_error(), "connection-timeout");
}

}  // namespace
}  // namespace server::test
