// SCRAM as it should go: the examples of RFC 5802 §5 and RFC 7677 §3, and the same for SHA-512 and
// for channel binding with values computed with Python's hashlib and hmac:
//   sig = hmac.digest(stored, auth_message, h); proof = xor(hmac.digest(sp, b'Client Key', h), sig)
//   verifier = hmac.digest(server_key, auth_message, h)
#include "exchange.h"

namespace xmpp::sasl {
namespace {

using testing::client_context;
using testing::expect;
using testing::pencil_keys;
using testing::refusal;
using testing::server;
using testing::server_context;
using testing::unbase64;

struct Example {
    ScramHash hash;
    bool plus;
    std::string salt;
    std::string client_nonce;
    std::string server_nonce;
    std::string binding;  ///< Base64 of GS2 header and binding data.
    std::string proof;
    std::string verifier;
};

const Example kExamples[] = {
    {ScramHash::sha1, false, "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
     "biws", "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ="},
    {ScramHash::sha256, false, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO",
     "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "biws", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
     "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
    {ScramHash::sha512, false, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO",
     "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "biws",
     "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
     "ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw=="},
    {ScramHash::sha256, true, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO",
     "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
     "cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
     "QC6CS20quADQRb3mT99YUH+n3VJxUvzuK0K0E1Vrs2M=",
     "2GiAgapEppLVlUXbxUDksL3VgYHzuqiK5tR4mhJGgvs="},
};

std::string client_first(const Example& example) {
    return (example.plus ? std::string("p=tls-exporter,,") : std::string("n,,")) +
           "n=user,r=" + example.client_nonce;
}
std::string server_first(const Example& example) {
    return "r=" + example.client_nonce + example.server_nonce + ",s=" + example.salt + ",i=4096";
}
std::string client_final(const Example& example) {
    return "c=" + example.binding + ",r=" + example.client_nonce + example.server_nonce +
           ",p=" + example.proof;
}

TEST(ScramServer, plays_the_published_examples) {
    for (const Example& example : kExamples) {
        SCOPED_TRACE(name_of(example.hash));
        const auto scram =
            make_scram_server({example.hash, example.plus}, server_context(), example.server_nonce);
        const auto asked = expect<NeedKeys>(scram->start(client_first(example)));
        EXPECT_EQ(asked.username, "user");
        EXPECT_EQ(asked.hash, example.hash);
        const auto keys = derive_keys(example.hash, "pencil", unbase64(example.salt), 4096);
        EXPECT_EQ(expect<Challenge>(scram->provide_keys(*keys)).data, server_first(example));
        const auto success = expect<Success>(scram->respond(client_final(example)));
        EXPECT_EQ(success.username, "user");
        EXPECT_EQ(success.authzid, "");
        EXPECT_EQ(success.final_data, "v=" + example.verifier);
    }
}

TEST(ScramClient, plays_the_published_examples) {
    for (const Example& example : kExamples) {
        SCOPED_TRACE(name_of(example.hash));
        ClientContext context = client_context();
        if (example.plus) context.binding_type = kTlsExporter;
        const auto scram = make_scram_client({example.hash, example.plus}, std::move(context),
                                             example.client_nonce);
        EXPECT_EQ(expect<Response>(scram->start()).data, client_first(example));
        const auto asked = expect<NeedSaltedPassword>(scram->challenge(server_first(example)));
        EXPECT_EQ(asked.iterations, 4096U);
        const auto salted = salt_password(asked.hash, "pencil", asked.salt, asked.iterations);
        EXPECT_EQ(expect<Response>(scram->provide_salted_password(*salted)).data,
                  client_final(example));
        expect<Authenticated>(scram->success("v=" + example.verifier));
    }
}

/// A whole login of our client at our server.
Step log_in(std::string_view name, ServerContext for_server, ClientContext for_client,
            std::optional<ScramKeys> keys) {
    const auto machine = server(name, std::move(for_server));
    const auto client = make_client_mechanism(name, std::move(for_client));
    if (!client) return Failure{};
    Step step = machine->start(expect<Response>(client->start()).data);
    if (!std::holds_alternative<NeedKeys>(step)) return step;
    const auto first = expect<Challenge>(machine->provide_keys(std::move(keys)));
    const auto asked = expect<NeedSaltedPassword>(client->challenge(first.data));
    auto salted = salt_password(asked.hash, "pencil", asked.salt, asked.iterations);
    step = machine->respond(
        expect<Response>(client->provide_salted_password(*std::move(salted))).data);
    if (const auto* success = std::get_if<Success>(&step))
        expect<Authenticated>(client->success(success->final_data));
    return step;
}

TEST(Scram, logs_in_with_every_hash_and_every_binding) {
    for (const ScramHash hash : kScramHashes) {
        const std::string name = "SCRAM-" + std::string(name_of(hash));
        EXPECT_EQ(
            expect<Success>(log_in(name, server_context(), client_context(), pencil_keys(hash)))
                .username,
            "user");
        for (const auto type : {kTlsExporter, kTlsServerEndPoint, kTlsUnique}) {
            ClientContext context = client_context();
            context.binding_type = type;
            expect<Success>(
                log_in(name + "-PLUS", server_context(), std::move(context), pencil_keys(hash)));
        }
    }
}

TEST(Scram, prepares_the_user_name) {
    ClientContext context = client_context();
    context.username = "USER";
    EXPECT_EQ(expect<Success>(log_in("SCRAM-SHA-256", server_context(), std::move(context),
                                     pencil_keys(ScramHash::sha256)))
                  .username,
              "user");
}

TEST(Scram, accepts_the_own_bare_jid_as_authorization_identity) {
    ClientContext context = client_context();
    context.authzid = "User@EXAMPLE.com";
    const auto success = expect<Success>(log_in(
        "SCRAM-SHA-256", server_context(), std::move(context), pencil_keys(ScramHash::sha256)));
    EXPECT_EQ(success.authzid, "user@example.com");
}

TEST(Scram, asks_for_the_first_message_when_auth_brought_none) {
    const auto scram = server("SCRAM-SHA-1");
    EXPECT_EQ(expect<Challenge>(scram->start(std::nullopt)).data, "");
    expect<NeedKeys>(scram->respond("n,,n=user,r=abc"));
}

TEST(Scram, ignores_extensions_that_it_does_not_know) {
    const auto scram = server("SCRAM-SHA-256");
    expect<NeedKeys>(scram->start("n,,n=user,r=abc,x=1,Y=two=2"));
}

TEST(Scram, accepts_y_where_no_plus_was_listed) {
    ServerContext context = server_context();
    context.plus_advertised = false;
    expect<NeedKeys>(server("SCRAM-SHA-256", std::move(context))->start("y,,n=user,r=abc"));
}

TEST(Scram, accepts_n_where_plus_was_listed) {
    expect<NeedKeys>(server("SCRAM-SHA-256")->start("n,,n=user,r=abc"));
}

TEST(Scram, decodes_escapes_in_names) {
    const Step step = server("SCRAM-SHA-256")->start("n,,n=a=2Cb=3Dc,r=abc");
    EXPECT_EQ(expect<NeedKeys>(step).username, "a,b=c");
}

TEST(Scram, gives_an_unknown_user_the_answers_of_a_known_one) {
    ServerContext context = server_context();
    context.iterations = 4096;
    const auto known = server("SCRAM-SHA-256", context);
    const auto unknown = server("SCRAM-SHA-256", context);
    expect<NeedKeys>(known->start("n,,n=user,r=abc"));
    expect<NeedKeys>(unknown->start("n,,n=nobody,r=abc"));
    const std::string salt(kSaltBytesDefault, 's');
    const auto keys = derive_keys(ScramHash::sha256, "pencil", salt, 4096);
    const auto real = expect<Challenge>(known->provide_keys(*keys));
    const auto fake = expect<Challenge>(unknown->provide_keys(std::nullopt));
    EXPECT_EQ(real.data.size(), fake.data.size());
    EXPECT_EQ(real.data.substr(real.data.rfind(",i=")), fake.data.substr(fake.data.rfind(",i=")));

    const std::string nonce = real.data.substr(2, real.data.find(',') - 2);
    const std::string final =
        "c=biws,r=" + nonce + ",p=" + base::base64_encode(std::string(32, 'x'));
    const Step wrong_password = known->respond(final);
    const Step wrong_user = unknown->respond(final);
    EXPECT_EQ(refusal(wrong_password), "not-authorized");
    EXPECT_EQ(refusal(wrong_user), refusal(wrong_password));
    EXPECT_EQ(std::get<Failure>(wrong_user).text, std::get<Failure>(wrong_password).text);
}

TEST(Scram, shows_an_unknown_user_the_same_salt_every_time) {
    std::string salts[2];
    for (std::string& salt : salts) {
        const auto scram = server("SCRAM-SHA-256");
        expect<NeedKeys>(scram->start("n,,n=nobody,r=abc"));
        const auto first = expect<Challenge>(scram->provide_keys(std::nullopt)).data;
        salt = first.substr(first.find(",s="));
    }
    EXPECT_EQ(salts[0], salts[1]);
}

}  // namespace
}  // namespace xmpp::sasl
