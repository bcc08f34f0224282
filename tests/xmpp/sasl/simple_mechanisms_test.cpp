// PLAIN, EXTERNAL, ANONYMOUS, and which mechanisms a connection gets.
#include "exchange.h"

#include <gmock/gmock.h>

namespace xmpp::sasl {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using testing::expect;
using testing::refusal;
using testing::server;
using testing::server_context;

ServerContext with_identities(std::vector<std::string> identities) {
    ServerContext context = server_context();
    context.external_identities = std::move(identities);
    return context;
}

TEST(Plain, asks_for_a_password_check_and_obeys_the_verdict) {
    const auto plain = server("PLAIN");
    const auto check = expect<NeedPasswordCheck>(plain->start("\0User\0pencil"s));
    EXPECT_EQ(check.username, "user");
    EXPECT_EQ(check.password, "pencil");
    const auto success = expect<Success>(plain->provide_verdict(true));
    EXPECT_EQ(success.username, "user");
    EXPECT_EQ(success.final_data, std::nullopt);

    const auto wrong = server("PLAIN");
    expect<NeedPasswordCheck>(wrong->start("\0user\0pen"s));
    EXPECT_EQ(refusal(wrong->provide_verdict(false)), "not-authorized");
}

TEST(Plain, takes_its_message_as_a_response_too) {
    const auto plain = server("PLAIN");
    EXPECT_EQ(expect<Challenge>(plain->start(std::nullopt)).data, "");
    expect<NeedPasswordCheck>(plain->respond("\0user\0pencil"s));
}

TEST(Plain, allows_the_own_account_as_authorization_identity) {
    const auto plain = server("PLAIN");
    expect<NeedPasswordCheck>(plain->start("USER@example.com\0user\0pencil"s));
    EXPECT_EQ(expect<Success>(plain->provide_verdict(true)).authzid, "user@example.com");
    expect<NeedPasswordCheck>(server("PLAIN")->start("user\0user\0pencil"s));
}

TEST(Plain, refuses_somebody_elses_authorization_identity_before_any_password_check) {
    for (const std::string& authzid :
         {"other@example.com"s, "user@example.org"s, "user@example.com/x"s, "other"s, "@"s})
        EXPECT_EQ(refusal(server("PLAIN")->start(authzid + "\0user\0pencil"s)), "invalid-authzid")
            << authzid;
}

TEST(Plain, refuses_broken_structure) {
    for (const std::string& message :
         {""s, "\0"s, "\0\0"s, "user"s, "\0user"s, "user\0pencil"s, "\0\0pencil"s, "\0user\0"s,
          "\0user\0pen\0cil"s, "\0user\0pencil\0"s, "\0\xC3\x28\0pencil"s, "\0user\0\xFF"s})
        EXPECT_EQ(refusal(server("PLAIN")->start(message)), "malformed-request")
            << base::hex_encode(message);
}

TEST(Plain, keeps_its_limits) {
    const std::string user(1023, 'u');
    const std::string password(kPasswordBytesMax, 'p');
    expect<NeedPasswordCheck>(server("PLAIN")->start("\0"s + user + "\0"s + password));
    EXPECT_EQ(refusal(server("PLAIN")->start("\0"s + user + "u\0"s + password)),
              "malformed-request");
    EXPECT_EQ(refusal(server("PLAIN")->start("\0"s + user + "\0"s + password + "p")),
              "malformed-request");
    EXPECT_EQ(refusal(server("PLAIN")->start(std::string(kMessageBytesMax, 'a') + "\0user\0p"s)),
              "malformed-request");
}

TEST(Plain, refuses_impossible_names_like_a_wrong_password) {
    EXPECT_EQ(refusal(server("PLAIN")->start("\0us er\0pencil"s)), "not-authorized");
}

TEST(Plain, refuses_steps_out_of_order) {
    EXPECT_EQ(refusal(server("PLAIN")->provide_verdict(true)), "malformed-request");
    EXPECT_EQ(refusal(server("PLAIN")->respond("\0user\0pencil"s)), "malformed-request");
    const auto twice = server("PLAIN");
    expect<NeedPasswordCheck>(twice->start("\0user\0pencil"s));
    expect<Success>(twice->provide_verdict(true));
    EXPECT_EQ(refusal(twice->provide_verdict(true)), "malformed-request");
    EXPECT_EQ(refusal(twice->start("\0user\0pencil"s)), "malformed-request");
    const auto impatient = server("PLAIN");
    expect<NeedPasswordCheck>(impatient->start("\0user\0pencil"s));
    EXPECT_EQ(refusal(impatient->respond("\0user\0pencil"s)), "malformed-request");
}

TEST(Plain, needs_tls) {
    ServerContext context = server_context();
    context.is_tls = false;
    EXPECT_EQ(make_server_mechanism("PLAIN", context).error(), SaslCondition::encryption_required);
    context.plain_without_tls = true;
    EXPECT_TRUE(make_server_mechanism("PLAIN", context));
}

TEST(External, takes_the_only_identity_when_the_client_names_none) {
    const auto external = server("EXTERNAL", with_identities({"User@example.com"}));
    EXPECT_EQ(expect<Success>(external->start("")).username, "user");
}

TEST(External, asks_when_auth_brought_no_response) {
    const auto external = server("EXTERNAL", with_identities({"user@example.com"}));
    expect<Challenge>(external->start(std::nullopt));
    EXPECT_EQ(expect<Success>(external->respond("")).username, "user");
}

TEST(External, takes_the_named_identity_among_several) {
    const auto context = with_identities({"a@example.com", "b@example.com"});
    const auto success = expect<Success>(server("EXTERNAL", context)->start("b@example.com"));
    EXPECT_EQ(success.username, "b");
    EXPECT_EQ(success.authzid, "b@example.com");
    EXPECT_EQ(refusal(server("EXTERNAL", context)->start("")), "invalid-authzid");
}

TEST(External, counts_the_same_identity_once) {
    const auto context = with_identities({"a@example.com", "A@example.com"});
    EXPECT_EQ(expect<Success>(server("EXTERNAL", context)->start("")).username, "a");
}

TEST(External, refuses_identities_that_the_certificate_lacks) {
    const auto context = with_identities({"user@example.com"});
    for (const std::string& authzid : {"other@example.com"s, "user@example.org"s, "example.com"s,
                                       "user@example.com/x"s, "@"s, "user"s})
        EXPECT_EQ(refusal(server("EXTERNAL", context)->start(authzid)), "invalid-authzid")
            << authzid;
    EXPECT_EQ(refusal(server("EXTERNAL", context)->start("user@example.com\0"s)),
              "malformed-request");
}

TEST(External, knows_no_account_at_another_host) {
    const auto context =
        with_identities({"user@example.org", "example.com", "user@example.com/x", "@@"});
    EXPECT_EQ(refusal(server("EXTERNAL", context)->start("")), "not-authorized");
    EXPECT_EQ(refusal(server("EXTERNAL", context)->start("user@example.org")), "not-authorized");
}

TEST(Anonymous, accepts_with_and_without_a_trace) {
    ServerContext context = server_context();
    context.anonymous_allowed = true;
    EXPECT_EQ(expect<Success>(server("ANONYMOUS", context)->start("")).username, "");
    expect<Success>(server("ANONYMOUS", context)->start("sirhc"));
    const auto asked = server("ANONYMOUS", context);
    expect<Challenge>(asked->start(std::nullopt));
    expect<Success>(asked->respond(""));
}

TEST(Anonymous, refuses_a_trace_that_is_none) {
    ServerContext context = server_context();
    context.anonymous_allowed = true;
    EXPECT_EQ(refusal(server("ANONYMOUS", context)->start("\xFF")), "malformed-request");
    expect<Success>(server("ANONYMOUS", context)->start(std::string(1020, 't')));
    EXPECT_EQ(refusal(server("ANONYMOUS", context)->start(std::string(1021, 't'))),
              "malformed-request");
}

TEST(Mechanisms, that_do_not_exist_or_do_not_fit_are_invalid) {
    ServerContext context = server_context();
    for (const std::string_view name :
         {"", "plain", "PLAIN ", "SCRAM-SHA-384", "SCRAM-SHA-1-PLUS-PLUS", "SCRAM-", "CRAM-MD5",
          "DIGEST-MD5", "EXTERNAL", "ANONYMOUS"})
        EXPECT_EQ(make_server_mechanism(name, context).error(), SaslCondition::invalid_mechanism)
            << name;
    context.channel_bindings.clear();
    EXPECT_EQ(make_server_mechanism("SCRAM-SHA-1-PLUS", context).error(),
              SaslCondition::invalid_mechanism);
}

TEST(Mechanisms, are_offered_by_what_the_connection_has) {
    ServerContext context = server_context();
    EXPECT_THAT(mechanisms_to_offer(context),
                ElementsAre("SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
                            "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"));
    context.is_tls = false;
    EXPECT_THAT(mechanisms_to_offer(context),
                ElementsAre("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1"));
    context = with_identities({"user@example.com"});
    context.channel_bindings.clear();
    context.anonymous_allowed = true;
    EXPECT_THAT(mechanisms_to_offer(context),
                ElementsAre("EXTERNAL", "SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN",
                            "ANONYMOUS"));
}

TEST(SaslCondition, names_read_back) {
    EXPECT_EQ(name_of(SaslCondition::not_authorized), "not-authorized");
    EXPECT_EQ(parse_sasl_condition("temporary-auth-failure"),
              SaslCondition::temporary_auth_failure);
    EXPECT_EQ(parse_sasl_condition("bad"), std::nullopt);
}

}  // namespace
}  // namespace xmpp::sasl
