// The client's side against hostile servers, and the choice of a mechanism.
#include "exchange.h"

namespace xmpp::sasl {
namespace {

using namespace std::string_literals;
using testing::client_context;
using testing::expect;
using testing::server_context;

constexpr std::string_view kScram256 = "SCRAM-SHA-256";

std::unique_ptr<ClientMechanism> started(std::string_view name = kScram256) {
    auto client = make_client_mechanism(name, client_context());
    expect<Response>(client->start());
    return client;
}
std::string nonce() {
    return base::base64_encode(std::string(kNonceBytes, 'C'));
}
std::string aborted(const ClientStep& step) {
    const Abort* abort = std::get_if<Abort>(&step);
    return abort ? abort->reason : "no abort";
}

TEST(ScramClient, refuses_a_changed_or_unextended_nonce) {
    EXPECT_NE(aborted(started()->challenge("r=" + nonce() + ",s=AAAAAAAAAAA=,i=4096")), "no abort");
    EXPECT_NE(aborted(started()->challenge("r=other,s=AAAAAAAAAAA=,i=4096")), "no abort");
}

TEST(ScramClient, refuses_iteration_counts_out_of_range) {
    const auto answer = [](const std::string& count) {
        return aborted(started()->challenge("r=" + nonce() + "x,s=AAAAAAAAAAA=,i=" + count));
    };
    EXPECT_EQ(answer("4096"), "no abort");
    EXPECT_NE(answer("4095"), "no abort");
    EXPECT_EQ(answer("10000000"), "no abort");
    EXPECT_NE(answer("10000001"), "no abort");
    for (const char* count : {"-4096", "+4096", "04096", "4096x", "0", "99999999999999999999"})
        EXPECT_NE(answer(count), "no abort") << count;
}

TEST(ScramClient, refuses_broken_challenges) {
    for (const std::string& message :
         {""s, "r="s, "r=" + nonce() + "x", "r=" + nonce() + "x,i=4096,s=AAAA",
          "m=x,r=" + nonce() + "x,s=AAAA,i=4096", "r=" + nonce() + "x,s=A,i=4096",
          "r=" + nonce() + "x,s=" + base::base64_encode(std::string(257, 's')) + ",i=4096"})
        EXPECT_NE(aborted(started()->challenge(message)), "no abort") << message;
}

TEST(ScramClient, reports_the_error_that_the_server_names) {
    EXPECT_EQ(aborted(started()->challenge("e=no-resources")), "no-resources");
}

struct Finished {
    std::unique_ptr<ClientMechanism> client;
    std::string verifier;
};
Finished finished() {
    Finished result{started(), {}};
    const auto machine = testing::server(kScram256);
    machine->start("n,,n=user,r=" + nonce());
    const auto first =
        expect<Challenge>(machine->provide_keys(testing::pencil_keys(ScramHash::sha256)));
    const auto asked = expect<NeedSaltedPassword>(result.client->challenge(first.data));
    auto salted = salt_password(asked.hash, "pencil", asked.salt, asked.iterations);
    const auto final = expect<Response>(result.client->provide_salted_password(*std::move(salted)));
    result.verifier = *expect<Success>(machine->respond(final.data)).final_data;
    return result;
}

TEST(ScramClient, believes_success_only_with_the_servers_signature) {
    expect<Authenticated>(finished().client->success(finished().verifier));
    EXPECT_NE(aborted(finished().client->success(std::nullopt)), "no abort");
    EXPECT_NE(aborted(finished().client->success("")), "no abort");
    EXPECT_NE(aborted(finished().client->success("v=" + base::base64_encode(std::string(32, 'v')))),
              "no abort");
    EXPECT_EQ(aborted(finished().client->success("e=other-error")), "other-error");
    EXPECT_NE(aborted(started()->success("v=AAAA")), "no abort");
}

TEST(ScramClient, takes_the_signature_in_a_challenge_too) {
    const Finished exchange = finished();
    EXPECT_EQ(expect<Response>(exchange.client->challenge(exchange.verifier)).data, "");
    expect<Authenticated>(exchange.client->success(std::nullopt));
}

TEST(ScramClient, refuses_steps_out_of_order) {
    const auto client = make_client_mechanism(kScram256, client_context());
    EXPECT_NE(aborted(client->challenge("r=x,s=AAAA,i=4096")), "no abort");
    EXPECT_NE(aborted(client->start()), "no abort");
    EXPECT_NE(aborted(started()->provide_salted_password(std::string(32, 's'))), "no abort");
    EXPECT_NE(aborted(started()->start()), "no abort");
}

TEST(ScramClient, escapes_names) {
    ClientContext context = client_context();
    context.username = "a,b=c";
    context.authzid = "a,b@example.com";
    const auto client = make_client_mechanism(kScram256, std::move(context));
    EXPECT_EQ(expect<Response>(client->start()).data,
              "n,a=a=2Cb@example.com,n=a=2Cb=3Dc,r=" + nonce());
}

TEST(ScramClient, says_y_when_it_could_have_bound) {
    ClientContext context = client_context();
    context.could_have_bound = true;
    const auto client = make_client_mechanism(kScram256, std::move(context));
    EXPECT_TRUE(expect<Response>(client->start()).data.starts_with("y,,"));
}

TEST(ScramClient, needs_the_data_of_its_binding) {
    ClientContext context = client_context();
    context.binding_type = "tls-telepathy";
    EXPECT_EQ(make_client_mechanism("SCRAM-SHA-256-PLUS", std::move(context)), nullptr);
}

TEST(PlainClient, sends_one_message) {
    const auto client = make_client_mechanism("PLAIN", client_context());
    EXPECT_EQ(expect<Response>(client->start()).data, "\0user\0pencil"s);
    expect<Authenticated>(client->success(std::nullopt));
}

TEST(PlainClient, refuses_to_send_nuls_and_to_answer_challenges) {
    ClientContext context = client_context();
    context.password = "pen\0cil"s;
    EXPECT_NE(aborted(make_client_mechanism("PLAIN", context)->start()), "no abort");
    EXPECT_NE(aborted(started("PLAIN")->challenge("")), "no abort");
    EXPECT_NE(aborted(make_client_mechanism("PLAIN", client_context())->success({})), "no abort");
}

TEST(OtherClients, send_the_authorization_identity_or_nothing) {
    ClientContext context = client_context();
    context.authzid = "user@example.com";
    EXPECT_EQ(expect<Response>(make_client_mechanism("EXTERNAL", context)->start()).data,
              "user@example.com");
    EXPECT_EQ(expect<Response>(make_client_mechanism("ANONYMOUS", context)->start()).data, "");
    EXPECT_EQ(make_client_mechanism("CRAM-MD5", context), nullptr);
}

TEST(ChooseMechanism, takes_the_strongest_that_both_have) {
    const std::vector<ChannelBinding> bindings = server_context().channel_bindings;
    const std::vector<std::string_view> all = {
        "PLAIN",         "ANONYMOUS",          "SCRAM-SHA-1",        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-512", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", "EXTERNAL",
        "X-OTHER"};
    ClientAbilities abilities{.channel_bindings = bindings};
    EXPECT_EQ(choose_mechanism(all, abilities)->name, "SCRAM-SHA-512-PLUS");
    EXPECT_EQ(choose_mechanism(all, abilities)->binding_type, kTlsUnique);
    abilities.channel_bindings = std::span(bindings).first(2);
    EXPECT_EQ(choose_mechanism(all, abilities)->binding_type, kTlsExporter) << "TLS 1.3";
    abilities.certificate = true;
    EXPECT_EQ(choose_mechanism(all, abilities)->name, "EXTERNAL");
    abilities = {.channel_bindings = {}};
    EXPECT_EQ(choose_mechanism(all, abilities)->name, "SCRAM-SHA-512");
    EXPECT_FALSE(choose_mechanism(all, abilities)->could_have_bound);
    abilities.password = false;
    EXPECT_FALSE(choose_mechanism(all, abilities));
    abilities.anonymous = true;
    EXPECT_EQ(choose_mechanism(all, abilities)->name, "ANONYMOUS");
}

TEST(ChooseMechanism, says_y_only_if_nothing_about_binding_was_offered) {
    const std::vector<ChannelBinding> bindings = server_context().channel_bindings;
    const std::vector<std::string_view> weak = {"SCRAM-SHA-1"};
    ClientAbilities abilities{.channel_bindings = bindings};
    EXPECT_TRUE(choose_mechanism(weak, abilities)->could_have_bound);
    const std::vector<std::string_view> types = {kTlsExporter};
    abilities.server_binding_types = types;
    EXPECT_FALSE(choose_mechanism(weak, abilities)->could_have_bound);
}

TEST(ChooseMechanism, respects_the_types_that_the_server_lists) {
    const std::vector<ChannelBinding> bindings = server_context().channel_bindings;
    const std::vector<std::string_view> offered = {"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"};
    const std::vector<std::string_view> end_point = {kTlsServerEndPoint};
    const std::vector<std::string_view> unknown = {"tls-telepathy"};
    ClientAbilities abilities{.channel_bindings = bindings, .server_binding_types = end_point};
    EXPECT_EQ(choose_mechanism(offered, abilities)->binding_type, kTlsServerEndPoint);
    const std::vector<std::string_view> both = {kTlsUnique, kTlsExporter};
    abilities.server_binding_types = both;
    EXPECT_EQ(choose_mechanism(offered, abilities)->binding_type, kTlsExporter);
    abilities.server_binding_types = unknown;
    EXPECT_EQ(choose_mechanism(offered, abilities)->name, "SCRAM-SHA-1");
    EXPECT_FALSE(choose_mechanism(offered, abilities)->could_have_bound);
}

TEST(ChooseMechanism, sends_no_plain_password_without_tls) {
    const std::vector<std::string_view> offered = {"PLAIN"};
    EXPECT_EQ(choose_mechanism(offered, {.channel_bindings = {}})->name, "PLAIN");
    EXPECT_FALSE(choose_mechanism(offered, {.is_tls = false, .channel_bindings = {}}));
}

}  // namespace
}  // namespace xmpp::sasl
