// SCRAM under attack: every message changed in every way that RFC 5802 names, and some that it does
// not. A refused exchange must also stay refused.
#include "exchange.h"

#include "xmpp/sasl/crypto.h"

namespace xmpp::sasl {
namespace {

using testing::client_context;
using testing::expect;
using testing::pencil_keys;
using testing::refusal;
using testing::refusal_text;
using testing::server;
using testing::server_context;

constexpr std::string_view kScram256 = "SCRAM-SHA-256";
constexpr std::string_view kScram256Plus = "SCRAM-SHA-256-PLUS";

Step first_answer(std::string_view name, std::string message,
                  ServerContext context = server_context()) {
    return server(name, std::move(context))->start(std::move(message));
}

/// A server that has sent its challenge, and the client-final that would be right.
struct Halfway {
    std::unique_ptr<ServerMechanism> machine;
    std::string final;
};
Halfway halfway(std::string_view name = kScram256, std::string_view binding_type = {}) {
    ClientContext context = client_context();
    context.binding_type = binding_type;
    Halfway result{server(name), {}};
    const auto client = make_client_mechanism(name, std::move(context));
    expect<NeedKeys>(result.machine->start(expect<Response>(client->start()).data));
    const auto first =
        expect<Challenge>(result.machine->provide_keys(pencil_keys(ScramHash::sha256)));
    const auto asked = expect<NeedSaltedPassword>(client->challenge(first.data));
    auto salted = salt_password(asked.hash, "pencil", asked.salt, asked.iterations);
    result.final = expect<Response>(client->provide_salted_password(*std::move(salted))).data;
    return result;
}
std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
}
std::string with_binding(const std::string& final, std::string_view gs2_and_data) {
    return "c=" + base::base64_encode(gs2_and_data) + final.substr(final.find(",r="));
}

TEST(ScramAttack, the_untouched_message_would_pass) {
    Halfway exchange = halfway();
    expect<Success>(exchange.machine->respond(exchange.final));
    Halfway bound = halfway(kScram256Plus, kTlsExporter);
    expect<Success>(bound.machine->respond(bound.final));
}

TEST(ScramAttack, a_changed_channel_binding_field_is_refused) {
    for (const std::string_view other : {"y,,", "n,", "n,,,", "n,,x", "p=tls-exporter,,"}) {
        Halfway exchange = halfway();
        const Step step = exchange.machine->respond(with_binding(exchange.final, other));
        EXPECT_EQ(refusal(step), "not-authorized") << other;
        EXPECT_EQ(refusal_text(step), "channel-bindings-dont-match");
    }
}

TEST(ScramAttack, binding_data_of_another_connection_is_refused) {
    std::string data = testing::exporter_bytes();
    data[31] ^= 1;
    for (const std::string& other : {"p=tls-exporter,," + data, std::string("p=tls-exporter,,"),
                                     "p=tls-exporter,," + testing::exporter_bytes() + "x",
                                     "p=tls-unique,," + testing::exporter_bytes()}) {
        Halfway exchange = halfway(kScram256Plus, kTlsExporter);
        const Step step = exchange.machine->respond(with_binding(exchange.final, other));
        EXPECT_EQ(refusal_text(step), "channel-bindings-dont-match");
    }
}

TEST(ScramAttack, a_man_in_the_middle_with_his_own_connection_is_refused) {
    ClientContext victim = client_context();
    victim.channel_bindings = {{std::string(kTlsExporter), std::string(32, 'm')}};
    victim.binding_type = kTlsExporter;
    const auto client = make_client_mechanism(kScram256Plus, std::move(victim));
    const auto machine = server(kScram256Plus);
    expect<NeedKeys>(machine->start(expect<Response>(client->start()).data));
    const auto first = expect<Challenge>(machine->provide_keys(pencil_keys(ScramHash::sha256)));
    const auto asked = expect<NeedSaltedPassword>(client->challenge(first.data));
    auto salted = salt_password(asked.hash, "pencil", asked.salt, asked.iterations);
    const auto final = expect<Response>(client->provide_salted_password(*std::move(salted)));
    EXPECT_EQ(refusal_text(machine->respond(final.data)), "channel-bindings-dont-match");
}

TEST(ScramAttack, a_changed_nonce_is_refused) {
    Halfway changed = halfway();
    EXPECT_EQ(refusal(changed.machine->respond(replaced(changed.final, "r=Q", "r=R"))),
              "not-authorized");
    Halfway longer = halfway();
    EXPECT_EQ(refusal(longer.machine->respond(replaced(longer.final, ",p=", "x,p="))),
              "not-authorized");
    Halfway client_part_only = halfway();
    const std::string nonce = base::base64_encode(std::string(kNonceBytes, 'C'));
    const std::string proof = client_part_only.final.substr(client_part_only.final.find(",p="));
    EXPECT_EQ(refusal(client_part_only.machine->respond("c=biws,r=" + nonce + proof)),
              "not-authorized");
}

// What somebody who knows the password could send: the proof is right for the changed message.
std::string signed_final(const std::string& server_first, const std::string& without_proof) {
    const std::string client_first_bare = "n=user,r=abc";
    const ScramKeys keys = pencil_keys(ScramHash::sha256);
    const auto salted = salt_password(keys.hash, "pencil", keys.salt, keys.iterations);
    const std::string signature = hmac(
        keys.hash, keys.stored_key, client_first_bare + "," + server_first + "," + without_proof);
    const std::string proof = exclusive_or(hmac(keys.hash, *salted, "Client Key"), signature);
    return without_proof + ",p=" + base::base64_encode(proof);
}

TEST(ScramAttack, a_right_proof_does_not_excuse_another_nonce_or_binding) {
    const auto answer = [](std::string_view binding, std::string_view added_to_nonce) {
        const auto machine = server(kScram256);
        expect<NeedKeys>(machine->start("n,,n=user,r=abc"));
        const auto first =
            expect<Challenge>(machine->provide_keys(pencil_keys(ScramHash::sha256))).data;
        const std::string nonce = first.substr(0, first.find(','));
        return machine->respond(signed_final(first, "c=" + base::base64_encode(binding) + "," +
                                                        nonce + std::string(added_to_nonce)));
    };
    expect<Success>(answer("n,,", ""));
    EXPECT_EQ(refusal(answer("n,,", "x")), "not-authorized");
    EXPECT_EQ(refusal(answer("y,,", "")), "not-authorized");
}

TEST(ScramAttack, a_replayed_final_message_is_refused_in_another_exchange) {
    const Halfway recorded = halfway();
    ServerContext context = server_context();
    context.nonce = std::string(kNonceBytes, 'O');
    const auto machine = server(kScram256, std::move(context));
    const auto client = make_client_mechanism(kScram256, client_context());
    expect<NeedKeys>(machine->start(expect<Response>(client->start()).data));
    expect<Challenge>(machine->provide_keys(pencil_keys(ScramHash::sha256)));
    EXPECT_EQ(refusal(machine->respond(recorded.final)), "not-authorized");
}

TEST(ScramAttack, a_second_final_message_is_refused_after_success) {
    Halfway exchange = halfway();
    expect<Success>(exchange.machine->respond(exchange.final));
    EXPECT_EQ(refusal(exchange.machine->respond(exchange.final)), "malformed-request");
}

TEST(ScramAttack, a_refused_exchange_stays_refused) {
    Halfway exchange = halfway();
    EXPECT_EQ(refusal(exchange.machine->respond("c=biws")), "malformed-request");
    EXPECT_EQ(refusal(exchange.machine->respond(exchange.final)), "malformed-request");
    EXPECT_EQ(refusal(exchange.machine->start("n,,n=user,r=abc")), "malformed-request");
    EXPECT_EQ(refusal(exchange.machine->provide_keys(pencil_keys(ScramHash::sha256))),
              "malformed-request");
}

TEST(ScramAttack, steps_out_of_order_are_refused) {
    EXPECT_EQ(refusal(server(kScram256)->respond("n,,n=user,r=abc")), "malformed-request");
    EXPECT_EQ(refusal(server(kScram256)->provide_keys(std::nullopt)), "malformed-request");
    EXPECT_EQ(refusal(server(kScram256)->provide_verdict(true)), "malformed-request");
    const auto twice = server(kScram256);
    expect<NeedKeys>(twice->start("n,,n=user,r=abc"));
    EXPECT_EQ(refusal(twice->respond("c=biws,r=abc,p=AAAA")), "malformed-request");
    const auto restarted = server(kScram256);
    expect<Challenge>(restarted->start(std::nullopt));
    EXPECT_EQ(refusal(restarted->start("n,,n=user,r=abc")), "malformed-request");
}

TEST(ScramAttack, the_y_flag_is_refused_where_plus_was_listed) {
    const Step step = first_answer(kScram256, "y,,n=user,r=abc");
    EXPECT_EQ(refusal(step), "not-authorized");
    EXPECT_EQ(refusal_text(step), "server-does-support-channel-binding");
}

TEST(ScramAttack, a_plus_mechanism_without_binding_is_refused) {
    EXPECT_EQ(refusal(first_answer(kScram256Plus, "n,,n=user,r=abc")), "not-authorized");
    EXPECT_EQ(refusal(first_answer(kScram256Plus, "y,,n=user,r=abc")), "not-authorized");
}

TEST(ScramAttack, binding_in_a_mechanism_without_plus_is_refused) {
    EXPECT_EQ(refusal(first_answer(kScram256, "p=tls-exporter,,n=user,r=abc")), "not-authorized");
}

TEST(ScramAttack, a_binding_type_that_the_connection_lacks_is_refused) {
    const Step unknown = first_answer(kScram256Plus, "p=tls-telepathy,,n=user,r=abc");
    EXPECT_EQ(refusal_text(unknown), "unsupported-channel-binding-type");
    ServerContext context = server_context();
    context.channel_bindings[2].data.clear();
    const Step without_data =
        first_answer(kScram256Plus, "p=tls-unique,,n=user,r=abc", std::move(context));
    EXPECT_EQ(refusal_text(without_data), "unsupported-channel-binding-type");
}

TEST(ScramAttack, somebody_elses_authorization_identity_is_refused) {
    for (const std::string_view authzid :
         {"other@example.com", "user@example.org", "user@example.com/resource", "example.com",
          "user", "@example.com", "user@"}) {
        const Step step = first_answer(kScram256, "n,a=" + std::string(authzid) + ",n=user,r=abc");
        EXPECT_EQ(refusal(step), "invalid-authzid") << authzid;
    }
}

TEST(ScramAttack, broken_first_messages_are_refused) {
    for (const std::string_view message : {
             "",
             ",",
             ",,",
             "n",
             "n,",
             "n,,",
             "n,,n=user",
             "n,,r=abc",
             "n,,r=abc,n=user",
             "n,,n=,r=abc",
             "n,,n=user,r=",
             "n,,n=user,r=abc,",
             "n,,n=user,,r=abc",
             "x,,n=user,r=abc",
             "nn,,n=user,r=abc",
             "n=tls,,n=user,r=abc",
             "N,,n=user,r=abc",
             "p,,n=user,r=abc",
             "p=,,n=user,r=abc",
             "p=tls exporter,,n=user,r=abc",
             "n,user@example.com,n=user,r=abc",
             "n,a=,n=user,r=abc",
             "n,b=user,n=user,r=abc",
             "n,,n=us=er,r=abc",
             "n,,n=user=,r=abc",
             "n,,n=user=2,r=abc",
             "n,,n=user=2c,r=abc",
             "n,,n=user=3d,r=abc",
             "n,a=us=er,n=user,r=abc",
             "n,,user,r=abc",
             "n,,N=user,r=abc",
             "n,,n=user,r=a c",
             "n,,n=user,r=a\tc",
             "n,,n=user,r=abc,1=x",
             "n,,n=user,r=abc,x",
             "n,,n=user,r=abc,x=",
             "n,,n=user,r=abc,r=def",
             "n,,n=user,n=other,r=abc",
             "n,,n=\xC3\x28,r=abc",
             "n,,n=user,r=\xC3\xA9",
         }) {
        EXPECT_EQ(refusal(first_answer(kScram256, std::string(message))), "malformed-request")
            << message;
    }
}

TEST(ScramAttack, a_nul_anywhere_is_refused) {
    EXPECT_EQ(refusal(first_answer(kScram256, std::string("n,,n=us\0er,r=abc", 16))),
              "malformed-request");
}

TEST(ScramAttack, the_reserved_extension_is_refused_everywhere) {
    for (const std::string_view message :
         {"n,,m=x,n=user,r=abc", "n,,n=user,r=abc,m=x", "n,,n=user,r=abc,x=1,m=x"}) {
        const Step step = first_answer(kScram256, std::string(message));
        EXPECT_EQ(refusal_text(step), "extensions-not-supported") << message;
    }
    Halfway exchange = halfway();
    const Step step = exchange.machine->respond(replaced(exchange.final, ",p=", ",m=x,p="));
    EXPECT_EQ(refusal_text(step), "extensions-not-supported");
}

TEST(ScramAttack, an_added_extension_breaks_the_proof) {
    Halfway exchange = halfway();
    const Step step = exchange.machine->respond(replaced(exchange.final, ",p=", ",x=1,p="));
    EXPECT_EQ(refusal_text(step), "invalid-proof");
}

TEST(ScramAttack, names_that_no_account_can_have_are_refused) {
    for (const std::string_view username : {"us er", "user@example.com", "a/b", "a\"b", "\u2028"}) {
        const Step step = first_answer(kScram256, "n,,n=" + std::string(username) + ",r=abc");
        EXPECT_EQ(refusal(step), "not-authorized") << username;
    }
}

TEST(ScramAttack, over_long_messages_are_refused_and_the_longest_is_not) {
    const std::string head = "n,,n=user,r=abc,x=";
    const std::string longest = head + std::string(kMessageBytesMax - head.size(), 'a');
    expect<NeedKeys>(first_answer(kScram256, longest));
    EXPECT_EQ(refusal(first_answer(kScram256, longest + "a")), "malformed-request");
}

TEST(ScramAttack, over_many_attributes_and_over_long_names_are_refused) {
    std::string extensions;
    for (int i = 0; i < 30; ++i)
        extensions += ",x=1";
    expect<NeedKeys>(first_answer(kScram256, "n,,n=user,r=abc" + extensions));
    EXPECT_EQ(refusal(first_answer(kScram256, "n,,n=user,r=abc" + extensions + ",x=1")),
              "malformed-request");
    expect<NeedKeys>(first_answer(kScram256, "n,,n=" + std::string(1023, 'u') + ",r=abc"));
    EXPECT_EQ(refusal(first_answer(kScram256, "n,,n=" + std::string(1024, 'u') + ",r=abc")),
              "not-authorized");
    expect<NeedKeys>(first_answer(kScram256, "n,,n=user,r=" + std::string(1024, 'r')));
    EXPECT_EQ(refusal(first_answer(kScram256, "n,,n=user,r=" + std::string(1025, 'r'))),
              "malformed-request");
}

TEST(ScramAttack, broken_final_messages_are_refused) {
    const Halfway sample = halfway();
    const std::string nonce = sample.final.substr(
        sample.final.find("r="), sample.final.find(",p=") - sample.final.find("r="));
    const std::string proof = sample.final.substr(sample.final.find("p="));
    for (const std::string& message :
         {std::string(), nonce + "," + proof, "c=biws," + proof, "c=biws," + nonce,
          nonce + ",c=biws," + proof, "c=biws," + nonce + ",p=", "c=biws," + nonce + ",p=###",
          "c=bi ws," + nonce + "," + proof, "c=biws=," + nonce + "," + proof,
          "c=," + nonce + "," + proof, "c=biws," + nonce + "," + proof + ",x=1",
          "c=biws," + nonce + "," + proof + "\n", "c=biws," + nonce + ",p=AAAA",
          "c=biws,c=biws," + nonce + "," + proof, "c=biws," + nonce + "," + proof + "," + proof}) {
        Halfway exchange = halfway();
        EXPECT_EQ(refusal(exchange.machine->respond(message)), "malformed-request") << message;
    }
}

TEST(ScramAttack, a_wrong_proof_is_refused) {
    Halfway exchange = halfway();
    const std::string head = exchange.final.substr(0, exchange.final.find(",p="));
    const Step step =
        exchange.machine->respond(head + ",p=" + base::base64_encode(std::string(32, '\0')));
    EXPECT_EQ(refusal(step), "not-authorized");
    EXPECT_EQ(refusal_text(step), "invalid-proof");
}

TEST(ScramAttack, made_up_keys_open_nothing_even_when_their_proof_is_right) {
    // Who knew the secret could compute StoredKey of an account that does not exist, not ClientKey;
    // and even a proof that fits is refused, because the account does not exist.
    ServerContext context = server_context();
    const auto machine = server(kScram256, context);
    expect<NeedKeys>(machine->start("n,,n=nobody,r=abc"));
    const auto first = expect<Challenge>(machine->provide_keys(std::nullopt)).data;
    const std::string nonce = first.substr(0, first.find(','));
    EXPECT_EQ(refusal(machine->respond("c=biws," + nonce +
                                       ",p=" + base::base64_encode(std::string(32, 'x')))),
              "not-authorized");
}

TEST(ScramAttack, damaged_stored_keys_are_a_temporary_failure) {
    for (const int damage : {0, 1, 2, 3}) {
        ScramKeys keys = pencil_keys(ScramHash::sha256);
        if (damage == 0) keys.stored_key.pop_back();
        if (damage == 1) keys.server_key.clear();
        if (damage == 2) keys.salt.clear();
        if (damage == 3) keys.hash = ScramHash::sha1;
        const auto machine = server(kScram256);
        expect<NeedKeys>(machine->start("n,,n=user,r=abc"));
        EXPECT_EQ(refusal(machine->provide_keys(keys)), "temporary-auth-failure");
    }
}

}  // namespace
}  // namespace xmpp::sasl
