// A server that loses, doubles or reorders messages must not get away with it.
#include "tests/bots/run/swarm_harness.h"

#include "server/app/shard_server.h"
#include "server/routing/hooks.h"
#include "server/routing/router.h"

#include <gtest/gtest.h>
#include <set>

namespace bots {
namespace {

using namespace std::chrono_literals;
using server::StanzaEvent;
using server::Verdict;
using test::SwarmHarness;

/// A chat of 200 messages through a server that does `fault` to every message that is for a bot.
class Faulty : public testing::Test {
protected:
    Faulty()
        : swarm("chat", {{"users", "10"},
                         {"rate", "100"},
                         {"duration", "2s"},
                         {"warmup", "0s"},
                         {"drain", "2s"}}) {
        swarm.make_accounts();
    }

    RunResult run(std::function<Verdict(xmpp::Stanza& message, std::uint64_t number)> fault) {
        std::uint64_t number = 0;
        const server::Subscription hook = swarm.server.on_server([&] {
            return router().hooks().inbound.add(
                server::Stage::observe, [&, fault = std::move(fault)](StanzaEvent& event) {
                    if (!event.stanza.is_message() || !event.stanza.has_body())
                        return Verdict::proceed();
                    return fault(event.stanza, ++number);
                });
        });
        return swarm.run();
    }
    server::Router& router() { return swarm.server.group().first().router(); }

    SwarmHarness swarm;
};

TEST_F(Faulty, is_innocent_without_a_fault) {
    const RunResult result = run([](xmpp::Stanza&, std::uint64_t) { return Verdict::proceed(); });
    EXPECT_TRUE(result.passed());
    EXPECT_EQ(result.messages.received, 200U);
}

TEST_F(Faulty, is_found_out_when_it_loses_one) {
    const RunResult result = run([](xmpp::Stanza&, std::uint64_t number) {
        return number == 150 ? Verdict::done() : Verdict::proceed();
    });
    EXPECT_FALSE(result.passed());
    EXPECT_EQ(result.messages.lost, 1U);
    EXPECT_EQ(result.messages.received, 199U);
    EXPECT_EQ(result.messages.duplicated, 0U);
    EXPECT_EQ(result.messages.reordered, 0U);
}

TEST_F(Faulty, is_found_out_when_it_loses_the_last_ones) {
    const RunResult result = run([](xmpp::Stanza&, std::uint64_t number) {
        return number > 195 ? Verdict::done() : Verdict::proceed();
    });
    EXPECT_FALSE(result.passed());
    EXPECT_EQ(result.messages.lost, 5U);
}

TEST_F(Faulty, is_found_out_when_it_doubles_one) {
    std::set<std::string> doubled;
    const RunResult result = run([&](xmpp::Stanza& message, std::uint64_t number) {
        if (number == 40 && doubled.emplace(message.id()).second) router().route(message);
        return Verdict::proceed();
    });
    EXPECT_FALSE(result.passed());
    EXPECT_EQ(result.messages.duplicated, 1U);
    EXPECT_EQ(result.messages.lost, 0U);
    EXPECT_EQ(result.messages.received, 200U);
}

TEST_F(Faulty, is_found_out_when_it_lets_one_overtake_another) {
    std::optional<xmpp::Stanza> held;
    const RunResult result = run([&](xmpp::Stanza& message, std::uint64_t number) {
        if (number == 60) {
            held = message;
            return Verdict::done();
        }
        const bool next = held && message.from() == held->from();
        // The queue of the resource takes what is routed here behind this message.
        if (next) {
            swarm.server.sim().at(
                swarm.server.sim().now() + 1ms,
                [this, late = *std::exchange(held, std::nullopt)]() mutable {
                    swarm.server.on_server([&] { router().route(std::move(late)); });
                });
        }
        return Verdict::proceed();
    });
    EXPECT_FALSE(result.passed());
    EXPECT_EQ(result.messages.reordered, 1U);
    EXPECT_EQ(result.messages.lost, 0U);
    EXPECT_EQ(result.messages.received, 200U);
}

TEST_F(Faulty, is_not_blamed_for_what_it_refuses) {
    const RunResult result = run([](xmpp::Stanza&, std::uint64_t number) {
        return number % 10 == 0 ? Verdict::refuse(xmpp::StanzaError::resource_constraint())
                                : Verdict::proceed();
    });
    EXPECT_EQ(result.messages.refused, 20U);
    EXPECT_EQ(result.messages.lost, 0U);
    EXPECT_EQ(result.errors.at("message refused: resource-constraint"), 20U);
}

}  // namespace
}  // namespace bots
