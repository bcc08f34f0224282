#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config/config.h"
#include "server/config/core_keys.h"
#include "server/config/registry.h"

namespace server {
namespace {

using ::testing::HasSubstr;

KeyRegistry core_registry() {
    KeyRegistry registry;
    register_core_keys(registry);
    return registry;
}

std::string problem_of(std::string_view text) {
    const auto config = parse_config(text, "parley.toml", core_registry());
    if (config) return "no problem";
    EXPECT_EQ(config.error().size(), 1U) << text;
    return config.error()[0].to_string();
}

TEST(CoreKeys, the_defaults_break_no_rule) {
    EXPECT_TRUE(parse_config("", "parley.toml", core_registry()));
}

TEST(CoreKeys, every_key_is_registered_with_a_described_section) {
    const KeyRegistry registry = core_registry();
    EXPECT_EQ(registry.keys().size(), 53U);
    for (const std::string_view section : registry.sections())
        EXPECT_NE(registry.section_help(section), "") << section;
    for (const KeySpec& key : registry.keys()) {
        EXPECT_TRUE(key.help.ends_with('.') || key.help.ends_with(')')) << key.name;
    }
}

TEST(CoreKeys, follow_the_limits_of_the_design) {
    const Config config;
    EXPECT_EQ(config.get(keys::kStanzaBytesUnauthenticatedMax), 10'000U);
    EXPECT_EQ(config.get(keys::kStanzaBytesMax), 262'144U);
    EXPECT_FALSE(config.get(keys::kRegistrationEnabled));
    EXPECT_FALSE(config.get(keys::kSaslAnonymous));
    EXPECT_EQ(config.get(keys::kTlsVersionMin), TlsVersion::tls_1_2);
}

TEST(CoreKeys, refuse_a_server_that_nobody_can_reach) {
    EXPECT_THAT(problem_of("[listen]\naddresses = []"), HasSubstr("no address is left"));
    EXPECT_THAT(problem_of("[listen]\nc2s_port = 0\nc2s_tls_port = 0"), HasSubstr("are off"));
    EXPECT_THAT(problem_of("[listen]\nc2s_tls_port = 5222"), HasSubstr("the same port"));
    EXPECT_EQ(problem_of("[listen]\nc2s_port = 0"), "no problem");
    EXPECT_THAT(problem_of("[listen]\nc2s_port = 65536"), HasSubstr("from 0 to 65535"));
}

TEST(CoreKeys, refuse_addresses_that_are_names) {
    EXPECT_EQ(problem_of("[listen]\naddresses = [\"::1\", \"192.0.2.1\"]"), "no problem");
    for (const char* address : {"localhost", "", "1.2.3", "::g", "1.2.3.4:5222", "[::1]"})
        EXPECT_THAT(problem_of(std::string("[listen]\naddresses = [\"") + address + "\"]"),
                    HasSubstr("a numeric IPv4 or IPv6 address"))
            << address;
}

TEST(CoreKeys, refuse_half_a_certificate) {
    EXPECT_THAT(problem_of("[tls]\ncertificate = \"a\""), HasSubstr("set tls.private_key"));
    EXPECT_THAT(problem_of("[tls]\nprivate_key = \"a\""), HasSubstr("set tls.certificate"));
    EXPECT_EQ(problem_of("[tls]\ncertificate = \"a\"\nprivate_key = \"b\""), "no problem");
}

TEST(CoreKeys, refuse_limits_that_contradict_each_other) {
    EXPECT_THAT(problem_of("[c2s]\nstanza_bytes_unauthenticated_max = 20000\n"
                           "stanza_bytes_max = 10000"),
                HasSubstr("larger than c2s.stanza_bytes_max"));
    EXPECT_THAT(problem_of("[c2s]\noutbound_queue_max = \"64KiB\""),
                HasSubstr("cannot hold the largest stanza"));
    EXPECT_THAT(problem_of("[stream_management]\nunacknowledged_bytes_max = \"64KiB\""),
                HasSubstr("cannot hold the largest stanza"));
    const std::string stanzas = "[c2s]\nstanza_bytes_max = 10000\noutbound_queue_max = ";
    EXPECT_EQ(problem_of(stanzas + "16384"), "no problem");
    const std::string large = "[c2s]\nstanza_bytes_max = 100000\noutbound_queue_max = ";
    EXPECT_EQ(problem_of(large + "106000"), "no problem");
    EXPECT_THAT(problem_of(large + "105999"), HasSubstr("cannot hold the largest stanza"));
}

TEST(CoreKeys, refuse_a_server_without_a_way_to_log_in) {
    EXPECT_THAT(problem_of("[sasl]\nmechanisms = []"), HasSubstr("no mechanism is left"));
    EXPECT_EQ(problem_of("[sasl]\nmechanisms = []\nanonymous = true"), "no problem");
    EXPECT_THAT(problem_of("[sasl]\nmechanisms = [\"SCRAM-SHA256\"]"),
                HasSubstr("did you mean SCRAM-SHA-256?"));
}

TEST(CoreKeys, contacts_are_uris) {
    EXPECT_EQ(problem_of("[contact]\nabuse = [\"mailto:a@b.example\", \"xmpp:a@b.example\"]"),
              "no problem");
    for (const char* uri : {"a@b.example", "mailto:", ":x", "1a:b", "mailto:a b", "x:<y>"})
        EXPECT_THAT(problem_of(std::string("[contact]\nadmin = [\"") + uri + "\"]"),
                    HasSubstr("a URI such as"))
            << uri;
}

}  // namespace
}  // namespace server
