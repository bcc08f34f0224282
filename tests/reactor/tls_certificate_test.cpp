#include "reactor/tls_certificate.h"

#include "tls_pair.h"

namespace reactor {
namespace {

using base::Errc;
using test::identity_for;

constexpr base::WallTime kNow{1'735'689'600'000'000};

TEST(SelfSigned, carries_every_host_and_the_asked_lifetime) {
    const std::vector<std::string> hosts{"example.org", "*.example.org", "192.0.2.1", "::1"};
    const auto identity = generate_self_signed(hosts, kNow, 30);
    ASSERT_TRUE(identity) << identity.error().message();
    const auto info = check_identity(*identity);
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(info->dns_names, (std::vector<std::string>{"example.org", "*.example.org"}));
    EXPECT_EQ(info->ip_addresses, (std::vector<std::string>{"192.0.2.1", "::1"}));
    EXPECT_EQ(info->not_before.seconds(), kNow.seconds() - 3600);
    EXPECT_EQ(info->not_after.seconds(), kNow.seconds() + 30 * 86'400);
    EXPECT_EQ(info->subject, "CN = example.org");
    EXPECT_TRUE(info->self_signed);
    EXPECT_EQ(info->chain_length, 1U);
}

TEST(SelfSigned, differs_every_time) {
    EXPECT_NE(identity_for("example.org").private_key_pem,
              identity_for("example.org").private_key_pem);
}

TEST(SelfSigned, refuses_what_is_no_ascii_host) {
    for (const char* host : {"",
                             "b\xC3\xBC"
                             "cher.example",
                             "a,DNS:evil.example", "two words", "line\nfeed"}) {
        const std::vector<std::string> hosts{host};
        const auto identity = generate_self_signed(hosts, kNow, 30);
        ASSERT_FALSE(identity) << host;
        EXPECT_TRUE(identity.error().is(Errc::invalid_argument));
    }
    EXPECT_FALSE(generate_self_signed({}, kNow, 30));
}

TEST(SelfSigned, takes_a_host_longer_than_a_common_name) {
    const std::vector<std::string> hosts{std::string(60, 'a') + "." + std::string(60, 'b') +
                                         ".example"};
    const auto identity = generate_self_signed(hosts, kNow, 30);
    ASSERT_TRUE(identity) << identity.error().message();
    EXPECT_TRUE(check_identity(*identity)->covers(hosts[0]));
}

TEST(CertificateInfo, reads_names_of_every_kind) {
    const auto info = certificate_info(test::kClientPem);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->dns_names, std::vector<std::string>{"capulet.example"});
    EXPECT_EQ(info->xmpp_addresses, std::vector<std::string>{"juliet@capulet.example"});
    EXPECT_EQ(info->issuer, "CN = Test authority");
    EXPECT_FALSE(info->self_signed);
    const auto rsa = certificate_info(test::kRsaPem);
    EXPECT_EQ(rsa->ip_addresses, (std::vector<std::string>{"192.0.2.7", "2001:db8::7"}));
}

TEST(CertificateInfo, knows_which_hosts_it_covers) {
    CertificateInfo info;
    info.dns_names = {"example.org", "*.example.net"};
    EXPECT_TRUE(info.covers("Example.ORG"));
    EXPECT_TRUE(info.covers("chat.example.net"));
    EXPECT_FALSE(info.covers("a.chat.example.net"));
    EXPECT_FALSE(info.covers("example.net"));
    EXPECT_FALSE(info.covers(".example.net"));
    EXPECT_FALSE(info.covers("example.com"));
    EXPECT_FALSE(info.covers(""));
}

TEST(CertificateInfo, says_what_is_wrong_with_a_file) {
    const auto message = [](std::string_view pem) {
        const auto info = certificate_info(pem);
        return info ? std::string("fine") : info.error().message();
    };
    EXPECT_EQ(message(""), "invalid_argument: holds no certificate");
    EXPECT_EQ(message("rubbish"), "invalid_argument: holds no certificate");
    EXPECT_EQ(message(test::kClientKeyPem),
              "invalid_argument: holds a private key but no certificate");
    std::string cut(test::kClientPem);
    cut.resize(cut.size() / 2);
    EXPECT_TRUE(message(cut).starts_with("invalid_argument: the certificate is damaged"))
        << message(cut);
    std::string flipped(test::kClientPem);
    flipped[100] = '!';
    EXPECT_TRUE(message(flipped).starts_with("invalid_argument: the certificate is damaged"))
        << message(flipped);
    std::string many;
    for (int i = 0; i < 17; ++i)
        many += test::kAuthorityPem;
    EXPECT_NE(message(many).find("more than 16"), std::string::npos);
}

TEST(CheckIdentity, says_what_is_wrong_with_the_pair) {
    const auto message = [](std::string chain, std::string_view key) {
        const auto info = check_identity({std::move(chain), std::string(key)});
        return info ? std::string("fine") : info.error().message();
    };
    const std::string client(test::kClientPem);
    EXPECT_EQ(message(client, test::kClientKeyPem), "fine");
    EXPECT_EQ(message(client + std::string(test::kAuthorityPem), test::kClientKeyPem), "fine");
    EXPECT_NE(message(client, test::kRsaKeyPem).find("does not belong"), std::string::npos);
    EXPECT_NE(message(client, test::kEncryptedKeyPem).find("encrypted"), std::string::npos);
    EXPECT_NE(message(client, test::kClientPem).find("no private key"), std::string::npos);
    EXPECT_NE(
        message(std::string(test::kAuthorityPem) + client, test::kClientKeyPem).find("wrong order"),
        std::string::npos);
    EXPECT_NE(message(client, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                  .find("damaged"),
              std::string::npos);
}

}  // namespace
}  // namespace reactor
