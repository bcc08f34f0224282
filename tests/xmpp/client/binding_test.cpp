// The client's side of negotiation after the login: binding, sessions, stream management.
#include <gtest/gtest.h>

#include "tests/xmpp/client/talk.h"
#include "xmpp/client/negotiation.h"

namespace xmpp {
namespace {

constexpr std::string_view kBound =
    "<iq type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>abc@example.org/xyz</jid></bind></iq>";

Talk logged_in(ClientNegotiationOptions options = options_of("example.org")) {
    Talk talk(std::move(options));
    talk.log_in_anonymously();
    return talk;
}

ClientNegotiationOptions resuming() {
    ClientNegotiationOptions options = options_of("example.org");
    options.resumption = {.jid = *Jid::parse("abc@example.org/xyz"), .id = "former", .handled = 17};
    return options;
}

TEST(ClientBinding, takes_the_resource_that_the_server_makes) {
    Talk talk = logged_in();
    EXPECT_EQ(talk.say(features(kBindFeature)),
              "send <iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
              "</iq>");
    EXPECT_EQ(talk.say(kBound), "ready abc@example.org/xyz");
    EXPECT_EQ(talk.result.mechanism, "ANONYMOUS");
    EXPECT_FALSE(talk.result.resumed);
    EXPECT_FALSE(talk.result.management);
    EXPECT_NE(talk.result.features.child("bind", ns::bind), nullptr);
}

TEST(ClientBinding, asks_for_a_resource) {
    Talk talk = logged_in(options_of("example.org/a'b"));
    EXPECT_EQ(talk.say(features(kBindFeature)),
              "send <iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
              "<resource>a'b</resource></bind></iq>");
    EXPECT_EQ(talk.say("<iq type='error' id='bind'><error type='cancel'><conflict "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"),
              "refused already_exists: the server refused the resource: conflict");
}

TEST(ClientBinding, needs_a_full_jid) {
    for (const char* jid : {"", "abc@example.org", "@@"}) {
        Talk talk = logged_in();
        talk.say(features(kBindFeature));
        EXPECT_EQ(talk.say("<iq type='result' id='bind'><bind "
                           "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>" +
                           std::string(jid) + "</jid></bind></iq>"),
                  "refused connection_aborted: the server bound no full JID")
            << jid;
    }
    Talk empty = logged_in();
    empty.say(features(kBindFeature));
    EXPECT_EQ(empty.say("<iq type='result' id='bind'/>"),
              "refused connection_aborted: the server bound no full JID");
}

TEST(ClientBinding, needs_the_feature) {
    Talk talk = logged_in();
    EXPECT_EQ(talk.say(features("")), "refused unsupported: the server offers no resource binding");
}

TEST(ClientBinding, starts_a_session_unless_it_is_optional) {
    const std::string feature = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>";
    Talk talk = logged_in();
    talk.say(features(std::string(kBindFeature) + feature));
    EXPECT_EQ(talk.say(kBound),
              "send <iq type='set' id='session'>"
              "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    EXPECT_EQ(talk.say("<message><body>early</body></message>"), "pass on");
    EXPECT_EQ(talk.say("<iq type='result' id='session'/>"), "ready abc@example.org/xyz");

    Talk refused = logged_in();
    refused.say(features(std::string(kBindFeature) + feature));
    refused.say(kBound);
    EXPECT_EQ(refused.say("<iq type='error' id='session'><error type='auth'><forbidden "
                          "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"),
              "refused permission_denied: the server refused the session: forbidden");

    Talk optional = logged_in();
    optional.say(features(std::string(kBindFeature) +
                          "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/>"
                          "</session>"));
    EXPECT_EQ(optional.say(kBound), "ready abc@example.org/xyz");
}

TEST(ClientBinding, enables_stream_management) {
    const std::string offer = features(std::string(kBindFeature) + std::string(kSmFeature));
    Talk talk = logged_in();
    talk.say(offer);
    EXPECT_EQ(talk.say(kBound), "send <enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    EXPECT_EQ(talk.say("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>"), "pass on");
    EXPECT_EQ(talk.say("<enabled xmlns='urn:xmpp:sm:3' id='new' resume='true' location='h:1'/>"),
              "ready abc@example.org/xyz");
    EXPECT_EQ(talk.result.management, (SmEnabled{"new", true, {}, "h:1"}));

    Talk failing = logged_in();
    failing.say(offer);
    failing.say(kBound);
    EXPECT_EQ(failing.say("<failed xmlns='urn:xmpp:sm:3'/>"), "ready abc@example.org/xyz");
    EXPECT_FALSE(failing.result.management);

    ClientNegotiationOptions options = options_of("example.org");
    options.stream_management = false;
    Talk unwanted = logged_in(options);
    unwanted.say(offer);
    EXPECT_EQ(unwanted.say(kBound), "ready abc@example.org/xyz");
}

TEST(ClientBinding, refuses_nonsense_about_stream_management) {
    const std::string offer = features(std::string(kBindFeature) + std::string(kSmFeature));
    for (const char* answer : {"<enabled xmlns='urn:xmpp:sm:3' resume='true'/>",
                               "<resumed xmlns='urn:xmpp:sm:3' previd='x' h='0'/>", "<r/>"}) {
        Talk talk = logged_in();
        talk.say(offer);
        talk.say(kBound);
        EXPECT_TRUE(talk.say(answer).starts_with("refused connection_aborted: ")) << talk.last;
    }
}

TEST(ClientBinding, resumes_a_former_session) {
    Talk talk = logged_in(resuming());
    EXPECT_EQ(talk.say(features(std::string(kBindFeature) + std::string(kSmFeature))),
              "send <resume xmlns='urn:xmpp:sm:3' previd='former' h='17'/>");
    EXPECT_EQ(talk.say("<resumed xmlns='urn:xmpp:sm:3' previd='former' h='5'/>"),
              "ready abc@example.org/xyz");
    EXPECT_TRUE(talk.result.resumed);
    EXPECT_EQ(talk.result.former_handled, 5u);
    EXPECT_FALSE(talk.result.management);
}

TEST(ClientBinding, binds_anew_when_the_former_session_is_gone) {
    Talk talk = logged_in(resuming());
    talk.say(features(std::string(kBindFeature) + std::string(kSmFeature)));
    EXPECT_TRUE(talk.say("<failed xmlns='urn:xmpp:sm:3' h='3'><item-not-found "
                         "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
                    .starts_with("send <iq type='set' id='bind'>"));
    EXPECT_EQ(talk.say(kBound), "send <enable xmlns='urn:xmpp:sm:3' resume='true'/>");
    EXPECT_EQ(talk.say("<enabled xmlns='urn:xmpp:sm:3'/>"), "ready abc@example.org/xyz");
    EXPECT_EQ(talk.result.former_handled, 3u);
    EXPECT_FALSE(talk.result.resumed);
    EXPECT_EQ(talk.result.management, SmEnabled{});
}

TEST(ClientBinding, binds_anew_where_nothing_can_be_resumed) {
    Talk talk = logged_in(resuming());
    EXPECT_TRUE(talk.say(features(kBindFeature)).starts_with("send <iq type='set' id='bind'>"));
}

// XEP-0305: nothing is waited for that is known from an earlier stream.
TEST(ClientBinding, resumes_ahead_of_what_a_known_server_offers) {
    ClientNegotiationOptions options = resuming();
    options.use_starttls = true;
    options.mechanism = "SCRAM-SHA-256";
    options.jid = *Jid::parse("abc@example.org");
    options.login_features = std::make_shared<const Element>(
        element_after_header(login_features({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"})).element);
    Talk talk(options);
    EXPECT_TRUE(talk.last.ends_with("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"))
        << talk.last;
    talk.open();
    EXPECT_EQ(talk.say(features(kStartTlsFeature)), "wait");
    talk.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    EXPECT_NE(talk.tls_started().find("<auth "), std::string::npos) << talk.last;
    talk.open();
    EXPECT_EQ(talk.say(login_features({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"})), "wait");
    EXPECT_TRUE(talk.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/>"
                         "</failure>")
                    .starts_with("refused permission_denied"));
}

TEST(ClientBinding, asks_to_resume_with_the_header_behind_the_login) {
    ClientNegotiationOptions options = resuming();
    options.login_features = std::make_shared<const Element>(
        element_after_header(login_features({"ANONYMOUS"})).element);
    Talk talk(options);
    talk.open();
    talk.say(login_features({"ANONYMOUS"}));
    talk.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    EXPECT_TRUE(talk.last.ends_with("<resume xmlns='urn:xmpp:sm:3' previd='former' h='17'/>"))
        << talk.last;
    talk.open();
    EXPECT_EQ(talk.say(features(std::string(kBindFeature) + std::string(kSmFeature))), "wait");
    EXPECT_EQ(talk.say("<resumed xmlns='urn:xmpp:sm:3' previd='former' h='5'/>"),
              "ready abc@example.org/xyz");

    Talk without = logged_in(options);
    EXPECT_TRUE(without.say(features(kBindFeature)).starts_with("refused connection_aborted"));
}

TEST(ClientBinding, takes_no_other_session_for_the_former_one) {
    Talk talk = logged_in(resuming());
    talk.say(features(std::string(kBindFeature) + std::string(kSmFeature)));
    EXPECT_EQ(talk.say("<resumed xmlns='urn:xmpp:sm:3' previd='other' h='5'/>"),
              "refused connection_aborted: the server resumed another stream than ours");
}

}  // namespace
}  // namespace xmpp
