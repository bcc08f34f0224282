// The small parts of sessions: pace, limits per address, what is unwritten, idle parsers.
#include "reactor/net/pace.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"
#include "server/sessions/address_limits.h"
#include "server/sessions/idle_parsers.h"
#include "server/sessions/unwritten.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;

TEST(Pace, lets_a_burst_pass_and_then_keeps_the_rate) {
    reactor::Pace pace;
    const reactor::PaceLimit limit{.per_second = 10, .burst = 5};
    base::MonotonicTime now{1'000'000'000'000};
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(pace.take(limit, 1, now), 0s);
    EXPECT_EQ(pace.take(limit, 1, now), 100ms);
    EXPECT_EQ(pace.take(limit, 2, now), 300ms);
    now = now + 300ms;
    EXPECT_EQ(pace.take(limit, 1, now), 100ms);
    now = now + 1h;
    EXPECT_TRUE(pace.rested(now));
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(pace.try_take(limit, 1, now));
    EXPECT_FALSE(pace.try_take(limit, 1, now));
    EXPECT_TRUE(pace.try_take(limit, 1, now + 100ms));
}

TEST(AddressKey, takes_an_ipv6_network_for_one_and_mapped_addresses_for_ipv4) {
    EXPECT_EQ(AddressKey::of("2001:db8::1"), AddressKey::of("2001:db8::ffff:1"));
    EXPECT_NE(AddressKey::of("2001:db8::1"), AddressKey::of("2001:db8:0:1::1"));
    EXPECT_EQ(AddressKey::of("::ffff:192.0.2.1"), AddressKey::of("192.0.2.1"));
    EXPECT_NE(AddressKey::of("192.0.2.1"), AddressKey::of("192.0.2.2"));
    EXPECT_NE(AddressKey::of("0.0.0.1"), AddressKey::of("::1"));
    EXPECT_EQ(AddressKey::of("fe80::1%eth0"), AddressKey::of("fe80::2"));
    EXPECT_EQ(AddressKey::of("unix:/run/x"), std::nullopt);
}

TEST(AddressLimits, forget_addresses_that_are_gone) {
    AddressLimits limits(
        {.connections_max = 100, .connections_per_address_max = 2, .logins_per_minute = 2});
    const auto address = AddressKey::of("192.0.2.1");
    base::MonotonicTime now{1'000'000'000'000};
    EXPECT_EQ(limits.connected(address), AddressLimits::Verdict::admitted);
    EXPECT_EQ(limits.connected(address), AddressLimits::Verdict::admitted);
    EXPECT_EQ(limits.connected(address), AddressLimits::Verdict::too_many_of_address);
    EXPECT_TRUE(limits.may_log_in(address, now));
    EXPECT_TRUE(limits.may_log_in(address, now));
    EXPECT_FALSE(limits.may_log_in(address, now));
    limits.disconnected(address, now);
    limits.disconnected(address, now);
    EXPECT_EQ(limits.connections(), 0u);
    EXPECT_EQ(limits.addresses(), 1u);
    // A new connection does not wash the attempts away.
    EXPECT_EQ(limits.connected(address), AddressLimits::Verdict::admitted);
    EXPECT_FALSE(limits.may_log_in(address, now));
    limits.disconnected(address, now);
    limits.sweep(now + 61s);
    EXPECT_EQ(limits.addresses(), 0u);
    EXPECT_TRUE(limits.may_log_in(std::nullopt, now));
}

xmpp::Stanza message(std::string_view id) {
    xmpp::Stanza stanza = xmpp::Stanza::message(xmpp::MessageType::chat);
    stanza.set_id(id);
    return stanza;
}

TEST(Unwritten, knows_what_is_written_and_gives_back_the_rest) {
    Unwritten unwritten;
    unwritten.add(100, message("a"));
    unwritten.add(150);
    unwritten.add(300, message("b"));
    unwritten.add(400, message("c"));
    auto early = unwritten.wait(150);
    auto late = unwritten.wait(400);
    EXPECT_EQ(unwritten.boundary(0), 100u);
    EXPECT_EQ(unwritten.boundary(100), 100u);
    EXPECT_EQ(unwritten.boundary(101), 150u);
    EXPECT_EQ(unwritten.boundary(400), 400u);
    unwritten.written(200);
    reactor::test::value_of(early);
    EXPECT_TRUE(reactor::test::pending(late));
    EXPECT_EQ(unwritten.boundary(200), 300u);
    const std::vector<xmpp::Stanza> rest = unwritten.cut_behind(300);
    ASSERT_EQ(rest.size(), 1u);
    EXPECT_EQ(rest[0].id(), "c");
    EXPECT_TRUE(reactor::test::failure_of(late).is(base::Errc::broken_promise));
    const std::vector<xmpp::Stanza> last = unwritten.cut_behind(200);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0].id(), "b");
}

TEST(Unwritten, stays_small_over_a_long_time) {
    Unwritten unwritten;
    std::uint64_t end = 0;
    for (int i = 0; i < 100'000; ++i) {
        unwritten.add(end += 10, message("x"));
        if (end > 50) unwritten.written(end - 50);
    }
    unwritten.written(end);
    EXPECT_TRUE(unwritten.empty());
    EXPECT_TRUE(unwritten.cut_behind(0).empty());
}

class FakeParser final : public IdleParsers::Entry {
public:
    bool release_parser() override {
        ++asked;
        return !busy;
    }
    using IdleParsers::Entry::leave;
    int asked = 0;
    bool busy = false;
};

TEST(IdleParsers, are_released_after_a_while_and_asked_again_when_busy) {
    reactor::SimWorld sim{reactor::SimOptions{}};
    sim.on(sim.world(), [&] {
        IdleParsers idle(sim.world().reactor);
        FakeParser quiet;
        FakeParser busy;
        FakeParser active;
        FakeParser gone;
        busy.busy = true;
        for (FakeParser* parser : {&quiet, &busy, &active, &gone})
            idle.touch(*parser);
        gone.leave();
        sim.advance(kParserIdle - 1s);
        idle.touch(active);
        sim.advance(2s);
        EXPECT_EQ(quiet.asked, 1);
        EXPECT_EQ(busy.asked, 1);
        EXPECT_EQ(active.asked, 0);
        EXPECT_EQ(gone.asked, 0);
        sim.advance(kParserIdle + 1s);
        EXPECT_EQ(quiet.asked, 1);
        EXPECT_EQ(busy.asked, 2);
        EXPECT_EQ(active.asked, 1);
    });
}

}  // namespace
}  // namespace server::test
