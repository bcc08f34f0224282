// Resource binding (RFC 6120 §7): who makes the resource, what is no resource, and conflicts.
#include "tests/server/sessions/session_harness.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

// A client that may bind.
ScriptedClient& logged_in(SessionHarness& harness, std::string_view user = "romeo") {
    ScriptedClient& client = harness.connected();
    client.secure();
    EXPECT_EQ(client.log_in(std::string(user), std::string(kPassword)).name(), "success");
    client.open();
    return client;
}

std::string jid_of(const xmpp::Element& result) {
    EXPECT_EQ(result.attribute("type"), "result");
    return result.first_child() == nullptr ? std::string()
                                           : result.first_child()->child_text("jid");
}

// "type condition" of an error.
std::string error_of(const xmpp::Element& iq) {
    const xmpp::Element* error = iq.child("error");
    if (error == nullptr || error->first_child() == nullptr) return "none";
    return std::string(error->attribute("type")) + " " + error->first_child()->name();
}

TEST(Bind, makes_a_resource_when_the_client_wants_none) {
    SessionHarness harness;
    const std::string one = jid_of(logged_in(harness).bind());
    const std::string other = jid_of(logged_in(harness).bind());
    EXPECT_TRUE(one.starts_with("romeo@example.org/")) << one;
    EXPECT_GE(one.size(), std::string("romeo@example.org/").size() + 10);
    EXPECT_NE(one, other);
    EXPECT_EQ(harness.sessions(), 2u);
}

TEST(Bind, takes_the_resource_of_the_client_prepared) {
    SessionHarness harness;
    EXPECT_EQ(jid_of(logged_in(harness).bind("Orchard &amp; more")),
              "romeo@example.org/Orchard & more");
    ScriptedClient& empty = logged_in(harness);
    empty.send(
        "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        "<resource/></bind></iq>");
    EXPECT_GT(jid_of(empty.expect_element()).size(), 20u);
}

TEST(Bind, refuses_what_is_no_resource_and_lets_the_client_try_again) {
    SessionHarness harness;
    ScriptedClient& client = logged_in(harness);
    EXPECT_EQ(error_of(client.bind(std::string(1024, 'x'))), "modify bad-request");
    EXPECT_EQ(error_of(client.bind("a&#7;b")), "none");  // No XML character: the stream is over.
    ScriptedClient& other = logged_in(harness);
    EXPECT_EQ(error_of(other.bind("\xEF\xB7\x90")), "modify bad-request");  // U+FDD0
    EXPECT_EQ(jid_of(other.bind("x")), "romeo@example.org/x");
}

TEST(Bind, gives_up_on_a_client_that_never_gets_it_right) {
    SessionHarness harness;
    ScriptedClient& client = logged_in(harness);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(error_of(client.bind(std::string(1024, 'x'))), "modify bad-request");
    EXPECT_EQ(client.expect_stream_error(), "policy-violation");
}

TEST(Bind, refuses_malformed_requests) {
    SessionHarness harness;
    ScriptedClient& client = logged_in(harness);
    const std::string bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    client.send("<iq type='get' id='b'>" + bind + "</iq>");
    EXPECT_EQ(error_of(client.expect_element()), "modify bad-request");
    client.send("<iq type='set'>" + bind + "</iq>");
    EXPECT_EQ(error_of(client.expect_element()), "modify bad-request");
    client.send("<iq type='frob' id='b'>" + bind + "</iq>");
    EXPECT_EQ(error_of(client.expect_element()), "modify bad-request");
    client.send("<iq type='set' id='b'>" + bind + bind + "</iq>");
    EXPECT_EQ(error_of(client.expect_element()), "modify bad-request");
    EXPECT_EQ(jid_of(client.bind("x")), "romeo@example.org/x");
}

TEST(Bind, comes_before_every_other_stanza) {
    SessionHarness harness;
    for (const std::string_view stanza :
         {"<message to='juliet@example.org'><body>hi</body></message>", "<presence/>",
          "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>",
          "<iq type='set' id='1' to='juliet@example.org'>"
          "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"}) {
        ScriptedClient& client = logged_in(harness);
        client.send(stanza);
        EXPECT_EQ(client.expect_stream_error(), "not-authorized") << stanza;
    }
}

TEST(Bind, happens_once) {
    SessionHarness harness;
    ScriptedClient& client = logged_in(harness);
    jid_of(client.bind("x"));
    EXPECT_EQ(error_of(client.bind("y")), "cancel not-allowed");
    client.send(
        "<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    const xmpp::Element session = client.expect_element();
    EXPECT_EQ(session.attribute("type"), "result");
    EXPECT_EQ(session.attribute("id"), "s");
}

TEST(BindConflict, replaces_the_old_client) {
    SessionHarness harness;
    ScriptedClient& old = harness.online("romeo", "x");
    ScriptedClient& young = logged_in(harness);
    EXPECT_EQ(jid_of(young.bind("x")), "romeo@example.org/x");
    EXPECT_EQ(old.expect_stream_error(), "conflict");
    harness.advance(1s);
    EXPECT_EQ(harness.sessions(), 1u);
    young.send("<message to='romeo@example.org/x' id='m'><body>me</body></message>");
    EXPECT_EQ(young.expect_element().attribute("id"), "m");
}

TEST(BindConflict, refuses_the_new_client) {
    SessionHarness harness(Config().with(keys::kResourceConflict, ResourceConflict::refuse_new));
    ScriptedClient& old = harness.online("romeo", "x");
    ScriptedClient& young = logged_in(harness);
    EXPECT_EQ(error_of(young.bind("x")), "cancel conflict");
    EXPECT_EQ(jid_of(young.bind("y")), "romeo@example.org/y");
    old.expect_nothing();
}

TEST(BindConflict, renames_the_new_client) {
    SessionHarness harness(Config().with(keys::kResourceConflict, ResourceConflict::rename));
    ScriptedClient& old = harness.online("romeo", "x");
    const std::string jid = jid_of(logged_in(harness).bind("x"));
    EXPECT_TRUE(jid.starts_with("romeo@example.org/x")) << jid;
    EXPECT_NE(jid, "romeo@example.org/x");
    old.expect_nothing();
}

TEST(Bind, keeps_to_the_number_of_resources) {
    SessionHarness harness(Config().with(keys::kResourcesPerAccountMax, 2));
    harness.online("romeo", "a");
    ScriptedClient& second = harness.online("romeo", "b");
    ScriptedClient& third = logged_in(harness);
    EXPECT_EQ(error_of(third.bind("c")), "wait resource-constraint");
    second.send("</stream:stream>");
    second.expect_close();
    harness.advance(1s);
    EXPECT_EQ(jid_of(third.bind("c")), "romeo@example.org/c");
    // Taking over one's own place is no additional one.
    EXPECT_EQ(jid_of(logged_in(harness).bind("c")), "romeo@example.org/c");
}

}  // namespace
}  // namespace server::test
