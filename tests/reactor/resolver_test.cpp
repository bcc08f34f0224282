// What every resolver answers, on the simulated one: the parts that differ in libunbound's are in
// resolver_unbound_test.cpp.
#include "reactor/resolver.h"

#include "reactor/resolver_query.h"
#include "reactor/sim/sim_resolver.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using base::SrvRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr const char* kSrvName = "_xmpp-client._tcp.example.org";

class ResolverTest : public testing::Test {
protected:
    explicit ResolverTest(ResolverLimits limits = {})
        : sim({.log = log.log()}), resolver(make_sim_resolver(sim.world(), dns, limits)) {}

    /// The result of `question(resolver)`, however long it takes.
    template <class Question>
    auto ask(Question question) {
        auto deferred = start(question);
        sim.run_until([&] { return deferred.settled(); }, 1h);
        return deferred.take();
    }
    template <class Question>
    auto start(Question question) {
        return sim.on(sim.world(), [&] { return question(*resolver); });
    }
    base::Result<Addresses> addresses(const std::string& host) {
        return ask([&](Resolver& r) { return r.resolve_addresses(host); });
    }
    base::Result<SrvAnswer> srv(const std::string& name) {
        return ask([&](Resolver& r) { return r.resolve_srv(name); });
    }
    base::Result<TxtAnswer> txt(const std::string& name) {
        return ask([&](Resolver& r) { return r.resolve_txt(name); });
    }

    test::LogCapture log;
    SimDns dns;
    SimWorld sim;
    std::unique_ptr<Resolver> resolver;
};

TEST_F(ResolverTest, gives_both_families_with_ipv6_first) {
    dns.add_address("example.org", "192.0.2.1");
    dns.add_address("example.org", "192.0.2.2");
    dns.add_address("example.org", "2001:db8::1");
    const auto answer = addresses("Example.ORG.");
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_THAT(answer->addresses, ElementsAre("2001:db8::1", "192.0.2.1", "192.0.2.2"));
    EXPECT_EQ(answer->ttl, 300s);
    EXPECT_THAT(answer->endpoints(5222),
                ElementsAre(Endpoint{"2001:db8::1", 5222}, Endpoint{"192.0.2.1", 5222},
                            Endpoint{"192.0.2.2", 5222}));
    EXPECT_EQ(dns.questions(), 2U);
}

TEST_F(ResolverTest, passes_numeric_hosts_through_without_a_question) {
    for (const auto& [host, address] : {std::pair{"192.0.2.1", "192.0.2.1"},
                                        {"2001:db8::1", "2001:db8::1"},
                                        {"[2001:db8::1]", "2001:db8::1"},
                                        {"fe80::1%eth0", "fe80::1%eth0"}}) {
        auto answer = start([&](Resolver& r) { return r.resolve_addresses(host); });
        EXPECT_THAT(test::value_of(answer).addresses, ElementsAre(address));
    }
    EXPECT_EQ(dns.questions(), 0U);
}

TEST_F(ResolverTest, knows_localhost) {
    const auto answer = addresses("localhost");
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->addresses, ElementsAre("::1", "127.0.0.1"));
}

TEST_F(ResolverTest, tells_a_host_that_does_not_exist_from_one_without_address) {
    dns.add_name("example.org");
    auto answer = addresses("example.org");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message(), "not_found: example.org has no address");
    answer = addresses("example.net");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message(), "not_found: example.net does not exist");
}

TEST_F(ResolverTest, refuses_what_is_no_host_name) {
    for (const std::string& host :
         {std::string(), std::string("."), std::string("a..b"),
          std::string("b\xC3\xBC"
                      "cher.example"),
          std::string("a\0b", 3), std::string("a b"), std::string(64, 'a') + ".example",
          std::string("a\\.b"), std::string("[::1"), std::string("[example]")}) {
        const auto answer = addresses(host);
        ASSERT_FALSE(answer) << host;
        EXPECT_EQ(answer.error().code(), Errc::invalid_argument) << host;
    }
    std::string longest;  // 4 labels of 63, 62, 62 and 63 bytes.
    for (const std::size_t length : {63U, 62U, 62U, 63U})
        longest += (longest.empty() ? "" : ".") + std::string(length, 'a');
    ASSERT_EQ(longest.size(), 253U);
    EXPECT_EQ(addresses(longest).error().code(), Errc::not_found);
    EXPECT_EQ(addresses("b" + longest).error().code(), Errc::invalid_argument);
    EXPECT_EQ(dns.questions(), 2U);
}

TEST_F(ResolverTest, gives_srv_records_as_they_are) {
    const SrvRecord first{.priority = 10, .weight = 65535, .port = 5222, .target = "a.example.org"};
    const SrvRecord second{.priority = 0, .weight = 0, .port = 443, .target = "b.example.org"};
    dns.add_srv(kSrvName, first);
    dns.add_srv(kSrvName, second);
    const auto answer = srv(kSrvName);
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_THAT(answer->records, ElementsAre(first, second));
    EXPECT_EQ(answer->absence, Absence::none);
    EXPECT_EQ(answer->ttl, 300s);
    EXPECT_FALSE(answer->denies_service());
}

TEST_F(ResolverTest, shows_that_a_service_is_decidedly_not_offered) {
    dns.add_srv(kSrvName, {.target = "."});
    auto answer = srv(kSrvName);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->denies_service());
    dns.add_srv(kSrvName, {.port = 5222, .target = "a.example.org"});
    answer = srv(kSrvName);
    EXPECT_FALSE(answer->denies_service()) << "only a lone record says so (RFC 2782)";
}

TEST_F(ResolverTest, gives_denials_as_values_with_their_reason) {
    auto answer = srv(kSrvName);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->records.empty());
    EXPECT_EQ(answer->absence, Absence::no_name);
    dns.add_name(kSrvName);
    dns.set_dnssec(kSrvName, Dnssec::secure);
    answer = srv(kSrvName);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->absence, Absence::no_data);
    EXPECT_EQ(answer->dnssec, Dnssec::secure) << "a denial can be proven";
}

TEST_F(ResolverTest, joins_the_strings_of_a_txt_record) {
    const std::string text(700, 'x');  // Three strings on the wire.
    dns.add_txt("example.org", text);
    dns.add_txt("example.org", "");
    const auto answer = txt("example.org");
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_THAT(answer->records, ElementsAre(text, ""));
}

TEST_F(ResolverTest, carries_the_dnssec_state) {
    dns.add_address("example.org", "192.0.2.1");
    EXPECT_EQ(addresses("example.org")->dnssec, Dnssec::insecure);
    dns.set_dnssec("example.org", Dnssec::secure);
    EXPECT_EQ(addresses("example.org")->dnssec, Dnssec::secure);
}

/// Answers at once what the test put there.
class ScriptedResolver final : public QueryingResolver {
public:
    explicit ScriptedResolver(World& world) : QueryingResolver(world, {}) {}
    DnsReply v4;
    DnsReply v6;

private:
    Deferred<DnsReply> query(const std::string&, DnsType type) override {
        return type == DnsType::aaaa ? v6 : v4;
    }
    std::size_t under_way() const noexcept override { return 0; }
};

TEST_F(ResolverTest, takes_the_weaker_dnssec_state_and_the_lesser_ttl_of_the_families) {
    ScriptedResolver scripted(sim.world());
    const DnsReply secure{
        .rdata = {rdata_of_address("2001:db8::1")}, .dnssec = Dnssec::secure, .ttl = 60s};
    const DnsReply insecure{.rdata = {rdata_of_address("192.0.2.1")}, .ttl = 300s};
    scripted.v6 = secure;
    scripted.v4 = insecure;
    Addresses answer = test::value_of(scripted.resolve_addresses("example.org"));
    EXPECT_EQ(answer.dnssec, Dnssec::insecure);
    EXPECT_EQ(answer.ttl, 60s);
    scripted.v6 = DnsReply{.absence = Absence::no_data};
    answer = test::value_of(scripted.resolve_addresses("example.org"));
    EXPECT_EQ(answer.ttl, 300s) << "a family without addresses has no say";
    scripted.v6 = DnsReply{.rdata = {"malformed"}};
    answer = test::value_of(scripted.resolve_addresses("example.org"));
    EXPECT_THAT(answer.addresses, ElementsAre("192.0.2.1"));
}

TEST_F(ResolverTest, fails_on_a_bogus_answer) {
    dns.add_srv(kSrvName, {.port = 5222, .target = "a.example.org"});
    dns.tamper(kSrvName);
    const auto answer = srv(kSrvName);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::corrupt);
    EXPECT_THAT(answer.error().message(), HasSubstr("_xmpp-client._tcp.example.org SRV: DNSSEC"));
    dns.heal(kSrvName);
    EXPECT_TRUE(srv(kSrvName));
}

TEST_F(ResolverTest, says_which_question_the_name_server_failed) {
    dns.add_address("example.org", "192.0.2.1");
    dns.break_down("example.org");
    const auto answer = addresses("example.org");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message(),
              "io_error: cannot resolve example.org AAAA: the name server failed (SERVFAIL)");
}

TEST_F(ResolverTest, gives_up_a_silent_name_server) {
    dns.silence(kSrvName);
    const auto start_time = sim.now();
    const auto answer = srv(kSrvName);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::timed_out);
    EXPECT_THAT(answer.error().message(), HasSubstr(kSrvName));
    EXPECT_EQ(sim.now() - start_time, ResolverLimits{}.query_timeout);
}

TEST_F(ResolverTest, waits_a_while_for_the_slower_family) {
    dns.add_address("example.org", "192.0.2.1");
    dns.add_address("example.org", "2001:db8::1");
    dns.set_latency("example.org", 10ms);
    dns.set_ipv6_latency("example.org", 900ms);
    auto answer = addresses("example.org");
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->addresses, ElementsAre("2001:db8::1", "192.0.2.1"));
    dns.set_ipv6_latency("example.org", 5s);
    const auto start_time = sim.now();
    answer = addresses("example.org");
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->addresses, ElementsAre("192.0.2.1"));
    EXPECT_EQ(sim.now() - start_time, 10ms + Resolver::kFamilyGrace);
}

TEST_F(ResolverTest, waits_for_the_other_family_when_one_has_no_address) {
    dns.add_address("example.org", "2001:db8::1");
    dns.set_latency("example.org", 10ms);
    dns.set_ipv6_latency("example.org", 5s);
    const auto answer = addresses("example.org");
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_THAT(answer->addresses, ElementsAre("2001:db8::1"));
}

TEST_F(ResolverTest, forgets_a_question_that_was_dropped_or_cancelled) {
    dns.silence("example.org");
    auto dropped =
        std::optional(start([](Resolver& r) { return r.resolve_addresses("example.org"); }));
    auto cancelled = start([](Resolver& r) { return r.resolve_srv("example.org"); });
    sim.run_ready();
    sim.on(sim.world(), [&] {
        dropped.reset();
        cancelled.cancel();
    });
    sim.run_ready();
    ASSERT_TRUE(cancelled.settled());
    EXPECT_EQ(cancelled.take().error().code(), Errc::cancelled);
    EXPECT_TRUE(sim.run_until_idle(0ns)) << "no timer is left";
}

TEST_F(ResolverTest, fails_open_questions_when_it_goes) {
    dns.silence("example.org");
    auto answer = start([](Resolver& r) { return r.resolve_addresses("example.org"); });
    sim.run_ready();
    sim.on(sim.world(), [&] { resolver.reset(); });
    sim.run_ready();
    ASSERT_TRUE(answer.settled());
    EXPECT_EQ(answer.take().error().code(), Errc::closed);
    EXPECT_EQ(log.events().size(), 0U);
}

TEST_F(ResolverTest, ignores_records_beyond_its_cap) {
    for (std::size_t i = 0; i <= Resolver::kRecordsMax; ++i) {
        dns.add_srv(kSrvName, {.port = static_cast<std::uint16_t>(i + 1), .target = "a.example"});
        dns.add_address("example.org", "192.0.2." + std::to_string(i));
    }
    EXPECT_EQ(srv(kSrvName)->records.size(), Resolver::kRecordsMax);
    EXPECT_EQ(addresses("example.org")->addresses.size(), Resolver::kRecordsMax);
}

class FewQueries : public ResolverTest {
protected:
    FewQueries() : ResolverTest({.queries_max = 4}) {}
};

TEST_F(FewQueries, refuses_one_question_too_many) {
    dns.silence("example.org");
    const auto hosts = [](Resolver& r) { return r.resolve_addresses("example.org"); };
    auto first = std::optional(start(hosts));
    auto second = start(hosts);
    auto third = start(hosts);
    sim.run_ready();
    ASSERT_TRUE(third.settled());
    const auto refused = third.take();
    EXPECT_EQ(refused.error().message(),
              "queue_full: cannot resolve example.org AAAA: 4 queries "
              "are under way");
    sim.on(sim.world(), [&] { first.reset(); });
    auto fourth = start(hosts);
    sim.run_ready();
    EXPECT_FALSE(fourth.settled()) << "the first one's places are free again";
}

TEST(Rdata, refuses_what_is_malformed_or_no_host_name) {
    using namespace std::string_literals;
    EXPECT_TRUE(srv_from_rdata("\0\1\0\2\0\3\1a\2bc\0"s));
    EXPECT_EQ(srv_from_rdata("\0\1\0\2\0\3\1a\2bc\0"s)->target, "a.bc");
    EXPECT_EQ(srv_from_rdata("\0\1\0\2\0\3\0"s)->target, ".");
    for (const std::string& rdata :
         {""s, "\0\1\0\2\0\3"s, "\0\1\0\2\0\3\1a"s, "\0\1\0\2\0\3\2a"s, "\0\1\0\2\0\3\1a\0\0"s,
          "\0\1\0\2\0\3\3a.b\0"s, "\0\1\0\2\0\3\1\0\0"s, "\0\1\0\2\0\3\1 \0"s,
          "\0\1\0\2\0\3\xC0\x0C"s})
        EXPECT_FALSE(srv_from_rdata(rdata)) << testing::PrintToString(rdata);
    EXPECT_FALSE(txt_from_rdata(""));
    EXPECT_FALSE(txt_from_rdata("\2a"));
    EXPECT_EQ(txt_from_rdata("\1a\2bc"), "abc");
    EXPECT_EQ(address_from_rdata("abc", DnsType::a), "");
    EXPECT_EQ(address_from_rdata("abcd", DnsType::aaaa), "");
    EXPECT_EQ(address_from_rdata("\x7F\0\0\1"s, DnsType::a), "127.0.0.1");
}

}  // namespace
}  // namespace reactor
