// The client's side of negotiation until the login: headers, STARTTLS, SASL, XEP-0078, errors.
#include "xmpp/client/negotiation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/xmpp/client/talk.h"

namespace xmpp {
namespace {

constexpr std::string_view kSaslNs = "urn:ietf:params:xml:ns:xmpp-sasl";

ClientNegotiationOptions over_tls(std::string_view jid = "user@example.org/home") {
    ClientNegotiationOptions options = options_of(jid);
    options.is_tls = true;
    options.use_starttls = true;
    return options;
}

std::string base64_of(std::string_view xml) {
    const std::size_t start = xml.find('>') + 1;
    return std::string(xml.substr(start, xml.find('<', start) - start));
}

TEST(ClientNegotiation, names_the_account_through_tls_only) {
    Talk plain(options_of("user@example.org/home"));
    EXPECT_EQ(plain.last,
              "send <?xml version='1.0'?><stream:stream to='example.org' version='1.0' "
              "xml:lang='en' xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams'>");
    Talk secure(over_tls());
    EXPECT_TRUE(secure.last.contains("from='user@example.org' to='example.org'")) << secure.last;
    Talk anonymous(over_tls("example.org"));
    EXPECT_FALSE(anonymous.last.contains("from=")) << anonymous.last;
}

TEST(ClientNegotiation, upgrades_to_tls_first) {
    ClientNegotiationOptions options = options_of("user@example.org");
    options.use_starttls = true;
    Talk talk(options);
    EXPECT_EQ(talk.open(), "wait");
    EXPECT_EQ(talk.say(login_features({"PLAIN"}, std::string(kStartTlsFeature))),
              "send <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    EXPECT_EQ(talk.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), "start tls");
    EXPECT_TRUE(talk.tls_started().starts_with("send <?xml version='1.0'?><stream:stream from="));
    EXPECT_EQ(talk.open(), "wait");
    EXPECT_EQ(talk.say(login_features({"PLAIN"})),
              "send <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
              "AHVzZXIAcGVuY2ls</auth>");
}

TEST(ClientNegotiation, insists_on_tls) {
    ClientNegotiationOptions options = options_of("user@example.org");
    options.use_starttls = true;
    Talk without(options);
    without.open();
    EXPECT_EQ(without.say(login_features({"SCRAM-SHA-1"})),
              "refused unsupported: the server offers no STARTTLS");
    EXPECT_EQ(without.farewell, "</stream:stream>");
    Talk failing(options);
    failing.open();
    failing.say(features(kStartTlsFeature));
    EXPECT_EQ(failing.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
              "refused tls_failed: the server could not start TLS");
    Talk old(options);
    EXPECT_EQ(old.open(""), "refused unsupported: the server does not speak XMPP 1.0, so no TLS");
}

TEST(ClientNegotiation, says_that_the_server_requires_tls) {
    Talk talk(options_of("user@example.org"));
    talk.open();
    EXPECT_EQ(talk.say(features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>"
                                "<required/></starttls>")),
              "refused unsupported: the server requires TLS");
}

TEST(ClientNegotiation, logs_in_without_tls_where_that_is_wanted) {
    Talk talk(options_of("user@example.org"));
    talk.open();
    EXPECT_TRUE(talk.say(login_features({"PLAIN", "SCRAM-SHA-1"}, std::string(kStartTlsFeature)))
                    .contains("mechanism='SCRAM-SHA-1'"));
}

TEST(ClientNegotiation, sends_no_password_through_a_plain_stream) {
    Talk talk(options_of("user@example.org"));
    talk.open();
    EXPECT_EQ(talk.say(login_features({"PLAIN"})),
              "refused unsupported: no SASL mechanism in common without TLS: the server offers "
              "PLAIN");
    ClientNegotiationOptions options = options_of("user@example.org");
    options.mechanism = "PLAIN";
    Talk forced(options);
    forced.open();
    EXPECT_EQ(forced.say(login_features({"PLAIN", "SCRAM-SHA-1"})),
              "refused unsupported: PLAIN cannot be used without TLS: the server offers PLAIN, "
              "SCRAM-SHA-1");
}

// A whole exchange against the server's own machines.
std::string scram_login(const std::string& mechanism, ClientNegotiationOptions options,
                        std::vector<std::string> offered, std::string_view password = "pencil",
                        const std::string& other_features = {}) {
    const std::vector<sasl::ChannelBinding> bindings = {
        {std::string(sasl::kTlsExporter), std::string(32, 'e')},
        {std::string(sasl::kTlsServerEndPoint), std::string(32, 'p')}};
    Talk talk(std::move(options));
    talk.negotiation().set_channel_bindings(bindings);
    talk.open();
    const std::string auth = talk.say(login_features(offered, other_features));
    if (!auth.contains("mechanism='" + mechanism + "'")) return auth;
    sasl::ServerContext context;
    context.host = "example.org";
    context.is_tls = true;
    context.plus_advertised = std::ranges::any_of(
        offered, [](const std::string& name) { return name.ends_with("-PLUS"); });
    context.channel_bindings = bindings;
    context.nonce = std::string(sasl::kNonceBytes, 'S');
    context.fake_salt_secret = std::string(32, 's');
    auto server = sasl::make_server_mechanism(mechanism, context).value();
    sasl::Step step = server->start(base::base64_decode(base64_of(auth)));
    const auto hash = std::get<sasl::NeedKeys>(step).hash;
    step =
        server->provide_keys(sasl::derive_keys(hash, password, "a salt of a user", 4096).value());
    const auto challenge = base::base64_encode(std::get<sasl::Challenge>(step).data);
    EXPECT_EQ(talk.say("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + challenge +
                       "</challenge>"),
              "salt");
    step = server->respond(base::base64_decode(base64_of(talk.salt())).value());
    if (auto* failure = std::get_if<sasl::Failure>(&step))
        return talk.say("<failure xmlns='" + std::string(kSaslNs) + "'><" +
                        std::string(name_of(failure->condition)) + "/></failure>");
    const auto final_data = base::base64_encode(*std::get<sasl::Success>(step).final_data);
    return talk.say("<success xmlns='" + std::string(kSaslNs) + "'>" + final_data + "</success>");
}

TEST(ClientNegotiation, logs_in_by_every_scram) {
    for (const char* name : {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS",
                             "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"})
        EXPECT_TRUE(scram_login(name, over_tls(), {"PLAIN", name}).starts_with("restart <?xml"))
            << name;
}

TEST(ClientNegotiation, takes_the_strongest_or_the_one_that_is_asked_for) {
    const std::vector<std::string> all = {"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS",
                                          "SCRAM-SHA-256"};
    EXPECT_TRUE(scram_login("SCRAM-SHA-256-PLUS", over_tls(), all).starts_with("restart"));
    ClientNegotiationOptions options = over_tls();
    options.mechanism = "SCRAM-SHA-1";
    EXPECT_TRUE(scram_login("SCRAM-SHA-1", options, all).starts_with("restart"))
        << "without claiming that the server has no -PLUS";
    options.mechanism = "SCRAM-SHA-512";
    EXPECT_EQ(scram_login("SCRAM-SHA-512", options, all),
              "refused unsupported: SCRAM-SHA-512 cannot be used: the server offers PLAIN, "
              "SCRAM-SHA-1, SCRAM-SHA-256-PLUS, SCRAM-SHA-256");
}

// XEP-0440: what the server cannot bind to is not tried.
TEST(ClientNegotiation, heeds_the_channel_bindings_that_the_server_lists) {
    const std::vector<std::string> offered = {"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"};
    const auto listing = [](const std::string& type) {
        return "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'><channel-binding type='" + type +
               "'/></sasl-channel-binding>";
    };
    EXPECT_TRUE(scram_login("SCRAM-SHA-1-PLUS", over_tls(), offered, "pencil",
                            listing("tls-server-end-point"))
                    .starts_with("restart"));
    EXPECT_TRUE(scram_login("SCRAM-SHA-1", over_tls(), offered, "pencil", listing("tls-telepathy"))
                    .starts_with("restart"));
}

TEST(ClientNegotiation, reports_a_wrong_password) {
    EXPECT_EQ(scram_login("SCRAM-SHA-256", over_tls(), {"SCRAM-SHA-256"}, "other"),
              "refused permission_denied: the server refused the login: not-authorized");
}

TEST(ClientNegotiation, aborts_what_is_no_exchange) {
    Talk talk(over_tls());
    talk.open();
    talk.say(login_features({"SCRAM-SHA-256"}));
    EXPECT_EQ(talk.say("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>?</challenge>"),
              "refused permission_denied: the server's challenge is not base64");
    EXPECT_EQ(talk.farewell, "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></stream:stream>");
    Talk early(over_tls());
    early.open();
    early.say(login_features({"SCRAM-SHA-256"}));
    EXPECT_TRUE(early.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
                    .starts_with("refused permission_denied: SCRAM-SHA-256: "));
    EXPECT_EQ(early.farewell, "</stream:stream>") << "too late for <abort/>";
}

TEST(ClientNegotiation, shows_a_certificate) {
    ClientNegotiationOptions options = over_tls();
    options.certificate = true;
    Talk talk(options);
    talk.open();
    EXPECT_EQ(talk.say(login_features({"EXTERNAL", "SCRAM-SHA-1"})),
              "send <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
}

TEST(ClientNegotiation, needs_some_way_to_log_in) {
    Talk talk(over_tls());
    talk.open();
    EXPECT_EQ(talk.say(features("")), "refused unsupported: the server offers no way to log in");
}

constexpr std::string_view kFields =
    "<iq type='result' id='fields'><query xmlns='jabber:iq:auth'><username/><password/><digest/>"
    "<resource/></query></iq>";

// XEP-0078 §3, its example for the digest.
TEST(ClientNegotiation, logs_in_to_an_old_server_with_a_digest) {
    ClientNegotiationOptions options = options_of("bill@shakespeare.lit/globe");
    options.password = "Calli0pe";
    Talk talk(options);
    EXPECT_EQ(talk.open("", "3EE948B0"),
              "send <iq type='get' id='fields' to='shakespeare.lit'>"
              "<query xmlns='jabber:iq:auth'><username>bill</username></query></iq>");
    EXPECT_EQ(talk.say(kFields),
              "send <iq type='set' id='login' to='shakespeare.lit'>"
              "<query xmlns='jabber:iq:auth'><username>bill</username>"
              "<digest>48fc78be9ec8f86d8ce1c39c320c97c21d62334d</digest>"
              "<resource>globe</resource></query></iq>");
    EXPECT_EQ(talk.say("<iq type='result' id='login'/>"), "ready bill@shakespeare.lit/globe");
    EXPECT_EQ(talk.result.mechanism, "XEP-0078 digest");
}

TEST(ClientNegotiation, logs_in_by_xep_0078_where_it_is_all_that_is_offered) {
    constexpr std::string_view kAuth = "<auth xmlns='http://jabber.org/features/iq-auth'/>";
    Talk talk(over_tls("bill@example.org"));
    talk.open();
    EXPECT_TRUE(talk.say(features(kAuth)).contains("jabber:iq:auth"));
    EXPECT_TRUE(talk.say("<iq type='result' id='fields'><query xmlns='jabber:iq:auth'><username/>"
                         "<password/><resource/></query></iq>")
                    .contains("<password>pencil</password><resource>made-up</resource>"));
    EXPECT_EQ(talk.say("<iq type='error' id='login'><error type='auth'><not-authorized "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"),
              "refused permission_denied: the server refused the login: not-authorized");
    Talk both(over_tls("bill@example.org"));
    both.open();
    EXPECT_TRUE(both.say(login_features({"PLAIN"}, std::string(kAuth))).contains("PLAIN"))
        << "SASL comes first";
}

TEST(ClientNegotiation, sends_no_password_by_xep_0078_through_a_plain_stream) {
    Talk talk(options_of("bill@example.org/globe"));
    talk.open("");
    EXPECT_EQ(talk.say("<iq type='result' id='fields'><query xmlns='jabber:iq:auth'><username/>"
                       "<password/><resource/></query></iq>"),
              "refused unsupported: the server wants the password in plain text");
    Talk unknown(options_of("bill@example.org/globe"));
    unknown.open("");
    EXPECT_EQ(unknown.say("<iq type='error' id='fields'><error type='cancel'><service-unavailable "
                          "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"),
              "refused unsupported: the server refused a login by XEP-0078: service-unavailable");
    Talk anonymous(options_of("example.org"));
    EXPECT_EQ(anonymous.open(""),
              "refused unsupported: the server logs in with name and password only");
}

TEST(ClientNegotiation, reports_stream_errors) {
    Talk talk(over_tls());
    talk.open();
    EXPECT_EQ(talk.say("<stream:error><host-unknown "
                       "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"),
              "refused not_found: the server closed the stream: host-unknown");
    EXPECT_EQ(talk.farewell, "</stream:stream>");
    Talk moved(over_tls());
    moved.open();
    EXPECT_EQ(moved.say("<stream:error><see-other-host "
                        "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>[2001:db8::1]:9222"
                        "</see-other-host></stream:error>"),
              "refused connection_aborted: the server closed the stream: see-other-host");
    EXPECT_EQ(moved.other_host, "[2001:db8::1]:9222");
}

TEST(ClientNegotiation, refuses_headers_that_are_none) {
    StreamOpen header;
    header.name = "stream";
    header.ns = "http://etherx.jabber.org/streams";
    header.content_ns = "jabber:server";
    header.version = "1.0";
    header.has_version = true;
    Talk talk(over_tls());
    EXPECT_EQ(talk.open(header),
              "refused connection_aborted: the server's stream header: unknown content namespace");
    EXPECT_TRUE(talk.farewell.contains("<invalid-namespace"));
    Talk twice(over_tls());
    twice.open();
    EXPECT_EQ(twice.open(), "refused connection_aborted: a second stream header");
}

TEST(ClientNegotiation, refuses_what_comes_out_of_order) {
    Talk talk(over_tls());
    talk.open();
    EXPECT_EQ(talk.say("<message><body>hi</body></message>"),
              "refused connection_aborted: unexpected <message/> instead of the stream features");
    Talk again(over_tls());
    again.open();
    again.say(login_features({"PLAIN"}));
    EXPECT_EQ(again.say(login_features({"PLAIN"})),
              "refused connection_aborted: unexpected <features/> instead of the server's SASL "
              "message");
}

}  // namespace
}  // namespace xmpp
