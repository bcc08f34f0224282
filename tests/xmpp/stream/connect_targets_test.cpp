#include "xmpp/stream/connect_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace xmpp {
namespace {

using base::Errc;
using base::fail;
using base::SrvRecord;
using testing::ElementsAre;
using Records = std::vector<SrvRecord>;
using Targets = std::vector<ConnectTarget>;

constexpr auto kClient = ConnectService::client;
constexpr auto kServer = ConnectService::server;
const ConnectTarget kFallback{"example.org", 5222, false};

SrvRecord record(std::uint16_t priority, std::uint16_t weight, std::string target,
                 std::uint16_t port = 5222) {
    return {.priority = priority, .weight = weight, .port = port, .target = std::move(target)};
}
base::Result<Targets> order(SrvLookup starttls, SrvLookup direct, std::uint64_t seed = 1) {
    return order_targets(kClient, "example.org", std::move(starttls), std::move(direct), seed);
}
SrvLookup failed(Errc code) {
    return fail(code, "no luck");
}
const Records kNone;
const Records kDenied{record(0, 0, ".", 0)};

TEST(ConnectTargets, names_the_records_to_look_up) {
    EXPECT_EQ(srv_name(kClient, false, "example.org"), "_xmpp-client._tcp.example.org");
    EXPECT_EQ(srv_name(kClient, true, "example.org"), "_xmpps-client._tcp.example.org");
    EXPECT_EQ(srv_name(kServer, false, "example.org"), "_xmpp-server._tcp.example.org");
    EXPECT_EQ(srv_name(kServer, true, "example.org"), "_xmpps-server._tcp.example.org");
    EXPECT_EQ(alpn_of(kClient), "xmpp-client");
    EXPECT_EQ(alpn_of(kServer), "xmpp-server");
}

TEST(ConnectTargets, falls_back_to_the_domain_itself_without_records) {
    for (const SrvLookup& starttls : {SrvLookup(kNone), failed(Errc::timed_out)})
        for (const SrvLookup& direct : {SrvLookup(kNone), failed(Errc::io_error)}) {
            const auto targets = order(starttls, direct);
            ASSERT_TRUE(targets) << targets.error().message();
            EXPECT_THAT(*targets, ElementsAre(kFallback));
        }
    const auto server = order_targets(kServer, "example.org", kNone, kNone, 1);
    EXPECT_THAT(*server, ElementsAre(ConnectTarget{"example.org", 5269, false}));
}

TEST(ConnectTargets, takes_address_literals_as_they_are) {
    EXPECT_TRUE(is_address_literal("192.0.2.1"));
    EXPECT_TRUE(is_address_literal("[2001:db8::1]"));
    EXPECT_FALSE(is_address_literal("example.org"));
    EXPECT_FALSE(is_address_literal("192.0.2.1.example.org"));
    EXPECT_EQ(fallback_target(kClient, "[2001:db8::1]"),
              (ConnectTarget{"2001:db8::1", 5222, false}));
}

TEST(ConnectTargets, mixes_both_kinds_by_priority) {
    const auto targets = order(Records{record(20, 0, "b"), record(5, 0, "a")},
                               Records{record(10, 0, "t", 443), record(30, 0, "u", 443)});
    ASSERT_TRUE(targets);
    EXPECT_THAT(*targets,
                ElementsAre(ConnectTarget{"a", 5222, false}, ConnectTarget{"t", 443, true},
                            ConnectTarget{"b", 5222, false}, ConnectTarget{"u", 443, true}));
}

TEST(ConnectTargets, uses_one_kind_when_the_other_is_denied_absent_or_failed) {
    const Records records{record(1, 1, "a")};
    for (const SrvLookup& other :
         {SrvLookup(kDenied), SrvLookup(kNone), failed(Errc::timed_out), failed(Errc::corrupt)}) {
        EXPECT_THAT(*order(records, other), ElementsAre(ConnectTarget{"a", 5222, false}));
        EXPECT_THAT(*order(other, records), ElementsAre(ConnectTarget{"a", 5222, true}));
    }
}

TEST(ConnectTargets, never_falls_back_when_the_service_is_denied) {
    for (const auto& [starttls, direct] :
         {std::pair(kDenied, kNone), std::pair(kNone, kDenied), std::pair(kDenied, kDenied)}) {
        const auto targets = order(starttls, direct);
        ASSERT_FALSE(targets);
        EXPECT_EQ(targets.error().message(),
                  "unsupported: example.org does not offer this service");
    }
    EXPECT_EQ(order(failed(Errc::timed_out), kDenied).error().code(), Errc::timed_out);
    EXPECT_EQ(order(kDenied, failed(Errc::io_error)).error().code(), Errc::io_error);
}

TEST(ConnectTargets, never_falls_back_after_a_bogus_answer) {
    for (const SrvLookup& other :
         {SrvLookup(kNone), SrvLookup(kDenied), failed(Errc::timed_out), failed(Errc::corrupt)}) {
        EXPECT_EQ(order(failed(Errc::corrupt), other).error().code(), Errc::corrupt);
        EXPECT_EQ(order(other, failed(Errc::corrupt)).error().code(), Errc::corrupt);
    }
}

TEST(ConnectTargets, leaves_out_records_that_cannot_be_used) {
    const auto targets =
        order(Records{record(1, 0, "."), record(2, 0, "a"), record(3, 0, "b", 0)}, kNone);
    EXPECT_THAT(*targets, ElementsAre(ConnectTarget{"a", 5222, false}));
    EXPECT_EQ(order(Records{record(3, 0, "b", 0)}, kNone).error().code(), Errc::unsupported);
}

TEST(ConnectTargets, ignores_targets_beyond_its_cap) {
    Records many;
    for (std::size_t i = 0; i <= kConnectTargetsMax; ++i)
        many.push_back(record(static_cast<std::uint16_t>(i), 0, std::to_string(i)));
    const auto targets = order(many, kNone);
    ASSERT_EQ(targets->size(), kConnectTargetsMax);
    EXPECT_EQ(targets->back().host, std::to_string(kConnectTargetsMax - 1));
}

TEST(ConnectTargets, draws_the_same_order_from_the_same_seed) {
    const Records records{record(1, 10, "a"), record(1, 10, "b"), record(1, 10, "c"),
                          record(1, 0, "d")};
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto targets = order(records, kNone, seed);
        EXPECT_EQ(*targets, *order(records, kNone, seed));
        EXPECT_EQ(targets->size(), 4U);
    }
}

TEST(ConnectTargets, shares_load_by_weight) {
    const Records records{record(1, 60, "a"), record(1, 30, "b"), record(1, 10, "c"),
                          record(1, 0, "never_quite")};
    std::map<std::string, int> firsts;
    constexpr int kRuns = 100'000;
    for (std::uint64_t seed = 0; seed < kRuns; ++seed)
        ++firsts[order(records, kNone, seed)->front().host];
    // RFC 2782 draws from 0 to the sum, both included: 101 numbers, one of them for weight 0.
    EXPECT_NEAR(firsts["a"], kRuns * 60 / 101, 1000);
    EXPECT_NEAR(firsts["b"], kRuns * 30 / 101, 1000);
    EXPECT_NEAR(firsts["c"], kRuns * 10 / 101, 700);
    EXPECT_NEAR(firsts["never_quite"], kRuns / 101, 300);
}

TEST(ConnectTargets, shares_load_among_records_without_weight) {
    const Records records{record(1, 0, "a"), record(1, 0, "b")};
    int a_first = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed)
        a_first += order(records, kNone, seed)->front().host == "a";
    EXPECT_NEAR(a_first, 500, 100);
}

TEST(ConnectTargets, can_draw_the_largest_weights) {
    Records records;
    for (int i = 0; i < 12; ++i)
        records.push_back(record(65535, 65535, std::to_string(i), 65535));
    EXPECT_EQ(order(records, kNone)->size(), 12U);
}

}  // namespace
}  // namespace xmpp
