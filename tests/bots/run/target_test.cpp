#include "tests/bots/run/target.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

TEST(Target, takes_the_port_of_the_security_when_none_is_given) {
    const auto plain = find_target("127.0.0.1", "", ClientSecurity::starttls);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->name, "127.0.0.1:5222");
    ASSERT_EQ(plain->addresses.size(), 1U);
    EXPECT_EQ(plain->addresses[0], (reactor::Endpoint{"127.0.0.1", 5222}));
    EXPECT_EQ(find_target("127.0.0.1", "", ClientSecurity::direct_tls)->name, "127.0.0.1:5223");
    EXPECT_EQ(find_target("[::1]:99", "", ClientSecurity::starttls)->name, "[::1]:99");
}

TEST(Target, knows_this_machine_and_calls_it_localhost) {
    const auto here = find_target("127.0.0.1:5299", "", ClientSecurity::starttls);
    ASSERT_TRUE(here);
    EXPECT_TRUE(here->on_this_machine);
    EXPECT_EQ(here->domain, "localhost");
    const auto elsewhere = find_target("192.0.2.1", "example.org", ClientSecurity::starttls);
    ASSERT_TRUE(elsewhere);
    EXPECT_FALSE(elsewhere->on_this_machine);
    EXPECT_EQ(elsewhere->domain, "example.org");
}

TEST(Target, wants_a_domain_for_a_foreign_address) {
    const auto unknown = find_target("192.0.2.1", "", ClientSecurity::starttls);
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().detail().find("--domain"), std::string_view::npos);
}

TEST(Target, refuses_what_is_no_server) {
    EXPECT_FALSE(find_target("", "", ClientSecurity::starttls));
    EXPECT_FALSE(find_target("localhost:99999", "", ClientSecurity::starttls));
    EXPECT_FALSE(find_target("[::1", "", ClientSecurity::starttls));
}

TEST(SourceAddresses, are_left_to_the_system_while_one_suffices) {
    const Target here = find_target("127.0.0.1", "", ClientSecurity::starttls).value();
    EXPECT_TRUE(source_addresses(here, 20'000, 20'000)->empty());
    const auto two = source_addresses(here, 20'001, 20'000);
    ASSERT_TRUE(two);
    EXPECT_EQ(*two, (std::vector<std::string>{"127.0.0.1", "127.0.0.2"}));
    EXPECT_EQ(source_addresses(here, 100'000, 20'000)->size(), 5U);
}

TEST(SourceAddresses, say_that_ports_do_not_suffice_elsewhere) {
    const Target there = find_target("192.0.2.1", "example.org", ClientSecurity::starttls).value();
    EXPECT_TRUE(source_addresses(there, 28'000, 20'000));
    const auto short_of = source_addresses(there, 28'001, 20'000);
    ASSERT_FALSE(short_of);
    EXPECT_TRUE(short_of.error().is(base::Errc::resource_exhausted));
}

}  // namespace
}  // namespace bots
