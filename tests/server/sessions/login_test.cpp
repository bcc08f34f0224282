// SASL on client streams (RFC 6120 §6, XEP-0440, XEP-0178): every mechanism, every refusal, and the
// limits that slow down guessing.
#include "reactor/base/text.h"
#include "reactor/tls_certificate.h"
#include "server/sessions/before_login.h"
#include "tests/reactor/test_certificates.h"
#include "tests/server/sessions/session_harness.h"
#include "tests/support/temporary_folder.h"
#include "xmpp/core/namespaces.h"

#include <gtest/gtest.h>

#include <fstream>

namespace server::test {
namespace {

using namespace std::chrono_literals;

std::string condition_of(const xmpp::Element& failure) {
    EXPECT_TRUE(failure.is("failure", xmpp::ns::sasl)) << failure.name();
    return failure.first_child() == nullptr ? "none" : failure.first_child()->name();
}

std::string auth(std::string_view mechanism, std::string_view text) {
    return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + std::string(mechanism) +
           "'>" + std::string(text) + "</auth>";
}

std::string plain(std::string_view authzid, std::string_view user, std::string_view password) {
    std::string message(authzid);
    message += '\0';
    message += user;
    message += '\0';
    message += password;
    return auth("PLAIN", base::base64_encode(message));
}

// What <failure/> says to `sent` on a stream that may log in.
std::string refusal_of(std::string_view sent) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.send(sent);
    const std::string condition = condition_of(client.expect_element());
    EXPECT_EQ(harness.metric("c2s_login_failures_total", condition), 1) << sent;
    // The stream goes on and a right login works.
    EXPECT_EQ(client.log_in("romeo", std::string(kPassword)).name(), "success");
    return condition;
}

TEST(Login, works_with_every_mechanism) {
    SessionHarness harness;
    for (const std::string_view mechanism :
         {"SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512",
          "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}) {
        ScriptedClient& client = harness.connected();
        client.secure();
        EXPECT_EQ(client.log_in("romeo", std::string(kPassword), mechanism).name(), "success")
            << mechanism;
        EXPECT_EQ(harness.metric("c2s_logins_total", mechanism), 1);
    }
}

TEST(Login, works_with_every_channel_binding_that_clients_use) {
    SessionHarness harness;
    for (const std::string binding : {"tls-exporter", "tls-server-end-point", "tls-unique"}) {
        ScriptedClient& client = harness.connected();
        client.secure();
        EXPECT_EQ(
            client.log_in("romeo", std::string(kPassword), "SCRAM-SHA-1-PLUS", binding).name(),
            "success")
            << binding;
    }
    ScriptedClient& old = harness.connected();
    old.limit_to_tls_1_2();
    old.secure();
    EXPECT_EQ(old.tls()->info().version, "TLSv1.2");
    EXPECT_EQ(
        old.log_in("romeo", std::string(kPassword), "SCRAM-SHA-256-PLUS", "tls-unique").name(),
        "success");
}

TEST(Login, offers_what_is_configured_in_that_order) {
    SessionHarness harness(Config().with(keys::kSaslMechanisms, {"PLAIN", "SCRAM-SHA-256"}));
    ScriptedClient& client = harness.connected();
    const xmpp::Element features = client.secure();
    const xmpp::Element* mechanisms = features.child("mechanisms", xmpp::ns::sasl);
    ASSERT_EQ(mechanisms->child_count(), 2u);
    EXPECT_EQ(mechanisms->first_child()->text(), "PLAIN");
    client.send(auth("SCRAM-SHA-1", "="));
    EXPECT_EQ(condition_of(client.expect_element()), "invalid-mechanism");
}

TEST(Login, is_refused_with_the_named_condition) {
    EXPECT_EQ(refusal_of(plain("", "romeo", "wrong")), "not-authorized");
    EXPECT_EQ(refusal_of(plain("", "nobody", "correct horse")), "not-authorized");
    EXPECT_EQ(refusal_of(plain("juliet@example.org", "romeo", "correct horse")), "invalid-authzid");
    EXPECT_EQ(refusal_of(auth("PLAIN", "not base64!")), "incorrect-encoding");
    EXPECT_EQ(refusal_of(auth("PLAIN", "YWJj")), "malformed-request");
    EXPECT_EQ(refusal_of(auth("DIGEST-MD5", "")), "invalid-mechanism");
    EXPECT_EQ(refusal_of(auth("EXTERNAL", "=")), "invalid-mechanism");
    EXPECT_EQ(refusal_of(auth("ANONYMOUS", "")), "invalid-mechanism");
    EXPECT_EQ(refusal_of("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), "invalid-mechanism");
    EXPECT_EQ(refusal_of("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
              "malformed-request");
    EXPECT_EQ(refusal_of("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), "aborted");
}

TEST(Login, can_be_aborted_and_not_be_doubled) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    const std::string first = auth("SCRAM-SHA-256", base::base64_encode("n,,n=romeo,r=0123456789"));
    client.send(first);
    EXPECT_TRUE(client.expect_element().is("challenge", xmpp::ns::sasl));
    client.send("<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    EXPECT_EQ(condition_of(client.expect_element()), "aborted");
    client.send(first);
    EXPECT_TRUE(client.expect_element().is("challenge", xmpp::ns::sasl));
    client.send(first);
    EXPECT_EQ(condition_of(client.expect_element()), "malformed-request");
    EXPECT_EQ(client.log_in("romeo", std::string(kPassword)).name(), "success");
}

TEST(Login, refuses_a_changed_nonce) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.send(auth("SCRAM-SHA-256", base::base64_encode("n,,n=romeo,r=0123456789")));
    client.expect_element();
    client.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
                base::base64_encode("c=biws,r=0123456789other,p=" +
                                    base::base64_encode(std::string(32, 'x'))) +
                "</response>");
    EXPECT_EQ(condition_of(client.expect_element()), "not-authorized");
}

TEST(Login, refuses_broken_base64_in_a_response) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.send(auth("SCRAM-SHA-256", base::base64_encode("n,,n=romeo,r=0123456789")));
    client.expect_element();
    client.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>=</response>");
    EXPECT_EQ(condition_of(client.expect_element()), "incorrect-encoding");
}

TEST(Login, needs_tls) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.open();
    client.send(plain("", "romeo", kPassword));
    EXPECT_EQ(condition_of(client.expect_element()), "encryption-required");
}

TEST(Login, shows_unknown_users_a_challenge_that_stays_the_same) {
    SessionHarness harness;
    const auto salt_for = [&](std::string_view user) {
        ScriptedClient& client = harness.connected();
        client.secure();
        client.send(auth("SCRAM-SHA-256",
                         base::base64_encode("n,,n=" + std::string(user) + ",r=0123456789")));
        const std::string challenge =
            base::base64_decode(client.expect_element().text()).value_or("");
        return challenge.substr(challenge.find(",s="));
    };
    EXPECT_EQ(salt_for("nobody"), salt_for("nobody"));
    EXPECT_NE(salt_for("nobody"), salt_for("somebody"));
    ScriptedClient& client = harness.connected();
    client.secure();
    EXPECT_EQ(condition_of(client.log_in("nobody", "x")), "not-authorized");
}

TEST(Login, of_a_disabled_account_says_so_only_to_its_owner) {
    SessionHarness harness;
    harness.add_user("iago@example.org", false);
    ScriptedClient& client = harness.connected();
    client.secure();
    EXPECT_EQ(condition_of(client.log_in("iago", "wrong")), "not-authorized");
    EXPECT_EQ(condition_of(client.log_in("iago", std::string(kPassword))), "account-disabled");
}

TEST(Login, may_fail_only_so_often_on_one_stream) {
    SessionHarness harness(Config().with(keys::kAuthAttemptsMax, 3));
    ScriptedClient& client = harness.connected();
    client.secure();
    for (int i = 0; i < 3; ++i) {
        client.send(plain("", "romeo", "guess"));
        EXPECT_EQ(condition_of(client.expect_element()), "not-authorized");
    }
    EXPECT_EQ(client.expect_stream_error(), "policy-violation");
}

TEST(Login, may_be_tried_only_so_often_from_one_address) {
    SessionHarness harness(Config().with(keys::kLoginsPerAddressPerMinute, 4));
    const auto try_from = [&](const std::string& address) {
        ScriptedClient& client = harness.connected(address);
        client.secure();
        const xmpp::Element outcome = client.log_in("romeo", std::string(kPassword));
        return outcome.name() == "success" ? "success" : condition_of(outcome);
    };
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(try_from("10.9.9.9"), "success");
    EXPECT_EQ(try_from("10.9.9.9"), "temporary-auth-failure");
    EXPECT_EQ(try_from("10.9.9.8"), "success");
    harness.advance(16s);
    EXPECT_EQ(try_from("10.9.9.9"), "success");
    EXPECT_EQ(try_from("10.9.9.9"), "temporary-auth-failure");
}

TEST(Login, fails_for_a_while_when_the_database_does) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    harness.faults.fail_next_read();
    EXPECT_EQ(condition_of(client.log_in("romeo", std::string(kPassword))),
              "temporary-auth-failure");
    EXPECT_EQ(client.log_in("romeo", std::string(kPassword)).name(), "success");
}

TEST(Login, is_followed_by_a_new_stream_of_the_same_host_and_account) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.log_in("romeo", std::string(kPassword));
    const xmpp::Element features = client.open();
    EXPECT_NE(features.child("bind", xmpp::ns::bind), nullptr);
    EXPECT_NE(features.child("session", xmpp::ns::session), nullptr);
    EXPECT_NE(features.child("ver", xmpp::ns::roster_versions), nullptr);
    EXPECT_NE(features.child("sub", xmpp::ns::pre_approval), nullptr);
    EXPECT_EQ(features.child("mechanisms", xmpp::ns::sasl), nullptr);

    const auto header_error = [&](std::string_view attributes) {
        ScriptedClient& other = harness.connected();
        other.secure();
        other.log_in("romeo", std::string(kPassword));
        other.send(
            "<stream:stream xmlns='jabber:client' version='1.0' "
            "xmlns:stream='http://etherx.jabber.org/streams' " +
            std::string(attributes) + ">");
        other.expect_open();
        return other.expect_stream_error();
    };
    EXPECT_EQ(header_error("to='example.net'"), "host-unknown");
    EXPECT_EQ(header_error("to='example.org' from='juliet@example.org'"), "invalid-from");
}

TEST(Login, is_not_taken_twice) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure();
    client.log_in("romeo", std::string(kPassword));
    client.open();
    client.send(plain("", "juliet", kPassword));
    EXPECT_EQ(client.expect_stream_error(), "unsupported-stanza-type");
}

TEST(Login, of_hosts_is_kept_apart) {
    SessionHarness harness;
    ScriptedClient& client = harness.connected();
    client.secure("example.net");
    EXPECT_EQ(condition_of(client.log_in("romeo", std::string(kPassword))), "not-authorized");
}

TEST(Login, of_many_clients_at_once_works_on_several_shards) {
    SessionHarness harness({}, 4);
    for (int i = 0; i < 8; ++i)
        harness.add_user("user" + std::to_string(i) + "@example.org");
    for (int i = 0; i < 8; ++i)
        harness.online("user" + std::to_string(i), "home");
    EXPECT_EQ(harness.sessions(), 8u);
    harness.advance(1s);
    EXPECT_EQ(harness.connections(), 8u);
    EXPECT_GT(harness.metric("c2s_ended_total", "moved"), 0);
    for (reactor::ShardId id = 0; id < 4; ++id)
        harness.on_shard(id, [&] {
            harness.service(id).for_each([&](const SessionInfo& info) {
                EXPECT_EQ(shard_of(xmpp::Jid::parse(info.jid).value().bare_view(), 4), id);
                EXPECT_NE(info.tls.find("TLSv1.3"), std::string::npos);
                EXPECT_EQ(info.mechanism, "SCRAM-SHA-256");
                EXPECT_TRUE(info.peer_address.starts_with("10.0.1.1:")) << info.peer_address;
            });
        });
}

class External : public testing::Test {
protected:
    SessionHarness& with_external(SessionHarness& harness) {
        const std::string authority = folder.file("authority.pem");
        std::ofstream(authority) << reactor::test::kAuthorityPem;
        harness.tls_options.client_ca_file = authority;
        const Config config = Config().with(keys::kSaslMechanisms, {"EXTERNAL", "SCRAM-SHA-256"});
        harness.on_shard(0, [&] { harness.service().reload(config, harness.make_tls(config)); });
        return harness;
    }
    static ScriptedClient& with_certificate(SessionHarness& harness) {
        ScriptedClient& client = harness.connected();
        client.set_identity(
            {std::string(reactor::test::kClientPem), std::string(reactor::test::kClientKeyPem)});
        return client;
    }
    static bool offers_external(const xmpp::Element& features) {
        for (const xmpp::Element& mechanism :
             features.child("mechanisms", xmpp::ns::sasl)->children())
            if (mechanism.text() == "EXTERNAL") return true;
        return false;
    }

    ::test::TemporaryFolder folder;
};

TEST_F(External, logs_in_whom_the_certificate_names) {
    SessionHarness harness;
    with_external(harness);
    ScriptedClient& client = with_certificate(harness);
    ASSERT_TRUE(offers_external(client.secure("capulet.example")));
    EXPECT_EQ(condition_of(client.log_in("", "", "EXTERNAL")), "not-authorized");
    harness.add_user("juliet@capulet.example");
    EXPECT_EQ(client.log_in("", "", "EXTERNAL").name(), "success");
    client.open("capulet.example");
    EXPECT_EQ(client.bind("x").first_child()->child_text("jid"), "juliet@capulet.example/x");
}

TEST_F(External, is_offered_with_a_fitting_certificate_only) {
    SessionHarness harness;
    with_external(harness);
    EXPECT_FALSE(offers_external(harness.connected().secure()));
    EXPECT_FALSE(offers_external(with_certificate(harness).secure("example.net")));
    ScriptedClient& client = with_certificate(harness);
    client.secure("capulet.example");
    client.send(auth("EXTERNAL", base::base64_encode("romeo@capulet.example")));
    EXPECT_NE(client.expect_element().name(), "success");
}

// In-band registration on a stream that is not logged in.
class OpenDoor final : public BeforeLogin {
public:
    bool is_open(std::string_view host) const override { return host == "example.org"; }
    reactor::Deferred<IqReply> answer(IqRequest request, std::string_view peer) override {
        peers.emplace_back(peer);
        if (request.stanza().iq_type() == xmpp::IqType::set)
            return IqReply(xmpp::StanzaError::not_acceptable());
        return IqReply(xmpp::Element("query", xmpp::ns::registration));
    }
    std::vector<std::string> peers;
};

TEST(BeforeLogin, takes_registrations_over_tls_where_they_are_open) {
    OpenDoor door;
    SessionHarness harness({}, 1, &door);
    const std::string get = "<iq type='get' id='r1'><query xmlns='jabber:iq:register'/></iq>";
    ScriptedClient& clear = harness.connected();
    clear.open();
    clear.send(get);
    EXPECT_EQ(clear.expect_stream_error(), "not-authorized");
    ScriptedClient& client = harness.connected();
    EXPECT_NE(client.secure().child("register", xmpp::ns::registration_feature), nullptr);
    client.send(get);
    const xmpp::Element form = client.expect_element();
    EXPECT_EQ(form.attribute("type"), "result");
    EXPECT_EQ(form.attribute("id"), "r1");
    EXPECT_NE(form.child("query", xmpp::ns::registration), nullptr);
    client.send("<iq type='set' id='r2'><query xmlns='jabber:iq:register'/></iq>");
    EXPECT_EQ(client.expect_element().attribute("type"), "error");
    EXPECT_EQ(door.peers, (std::vector<std::string>{"10.0.1.1", "10.0.1.1"}));
    ScriptedClient& elsewhere = harness.connected();
    elsewhere.secure("example.net");
    elsewhere.send(get);
    EXPECT_EQ(elsewhere.expect_stream_error(), "not-authorized");
}

}  // namespace
}  // namespace server::test
