// Whole simulated runs: that they are the same every time, and that a server which breaks its
// promise is found out.
#include "tests/sim/found_out.h"

#include "server/app/shard_server.h"
#include "server/config/core_keys.h"
#include "server/modules/archive_keys.h"
#include "server/routing/hooks.h"
#include "server/routing/router.h"
#include "tests/sim/journal.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>
#include <optional>

namespace sim {
namespace {

using namespace std::chrono_literals;
using server::StanzaEvent;
using server::Verdict;
using server::test::ServerHarness;

RunOptions small(std::uint64_t seed, std::string_view faults) {
    return {.seed = seed, .accounts = 4, .time = 1min, .faults = *parse_faults(faults)};
}

TEST(SimulatedRun, is_the_same_whenever_its_seed_is_the_same) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const std::uint64_t hash = run(small(seed, "all")).hash;
        EXPECT_EQ(run(small(seed, "all")).hash, hash) << "seed " << seed;
        EXPECT_NE(run(small(seed + 100, "all")).hash, hash);
    }
}

TEST(SimulatedRun, plans_faults_by_its_seed_of_the_kinds_that_are_allowed) {
    EXPECT_EQ(parse_faults("none"), FaultSet{0});
    EXPECT_EQ(parse_faults("all"), kAllFaults);
    EXPECT_EQ(parse_faults("kill,reset"), parse_faults("reset,kill"));
    EXPECT_FALSE(parse_faults("reset,earthquake"));
    std::size_t planned = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Chance chance(seed, 1);
        for (const Fault& fault : plan_faults(chance, *parse_faults("power"), 10min)) {
            EXPECT_EQ(fault.kind, FaultKind::power);
            EXPECT_LT(fault.after, base::Duration(10min));
            ++planned;
        }
    }
    EXPECT_GT(planned, 0U);
}

TEST(Journal, keeps_what_nobody_handled_unless_the_server_dies_of_it) {
    Journal journal(false);
    journal.log().error("deferred.unhandled", {{"failure", "no_space: the disk is full"}});
    journal.set_server_dies(true);
    journal.log().error("deferred.unhandled", {{"failure", "broken_promise"}});
    EXPECT_TRUE(journal.breakdowns().empty());
    journal.set_server_dies(false);
    journal.log().error("deferred.unhandled", {{"failure", "broken_promise"}});
    EXPECT_EQ(journal.breakdowns().size(), 1U);
}

TEST(SimulatedRun, finds_out_a_server_that_acknowledges_before_it_has_stored) {
    const auto in_memory = [](const server::Config& config) {
        return config.with(server::keys::kDurability, server::Durability::memory)
            .with(server::keys::kArchiveEnabled, false);
    };
    RunOptions options = small(1, "kill");
    options.configure = in_memory;
    EXPECT_TRUE(is_found_out(options, "never arrived"));
}

TEST(SimulatedRun, finds_out_a_database_that_does_not_wait_for_the_disk) {
    const auto unsynced = [](const server::Config& config) {
        return config.with(server::keys::kDurability, server::Durability::process);
    };
    // It loses more than messages: nobody can log in any more.
    RunOptions options = small(1, "power");
    options.configure = unsynced;
    EXPECT_TRUE(is_found_out(options, "no rest after the faults"));
}

/// Runs without faults against a server that does `sin` to every numbered message on its way in.
class Sinful : public testing::Test {
protected:
    RunReport run_with(std::function<Verdict(StanzaEvent&, std::uint64_t number)> sin) {
        RunOptions options = small(5, "none");
        options.shards = 1;
        std::uint64_t number = 0;
        std::optional<server::Subscription> hook;
        options.sabotage = [&](ServerHarness& harness) {
            server = &harness;
            harness.on_server([&] {
                hook.emplace(harness.group().first().router().hooks().inbound.add(
                    server::Stage::observe, [&](StanzaEvent& event) {
                        if (!event.stanza.is_message() || !event.stanza.has_body())
                            return Verdict::proceed();
                        return sin(event, ++number);
                    }));
            });
        };
        options.stopping = [&] { hook.reset(); };
        return sim::run(options);
    }
    ServerHarness* server = nullptr;
};

TEST_F(Sinful, is_innocent_without_a_sin) {
    const RunReport report =
        run_with([](StanzaEvent&, std::uint64_t) { return Verdict::proceed(); });
    EXPECT_TRUE(report.violations.empty()) << report.violations.front();
    EXPECT_GT(report.totals.arrived, 20U);
}

TEST_F(Sinful, is_found_out_when_it_loses_one) {
    const RunReport report = run_with([](StanzaEvent&, std::uint64_t number) {
        return number == 10 ? Verdict::done() : Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "never arrived"));
}

TEST_F(Sinful, is_found_out_when_it_doubles_one) {
    const RunReport report = run_with([&](StanzaEvent& event, std::uint64_t number) {
        if (number == 10) server->group().first().router().route(event.stanza);
        return Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "was shown it twice"));
}

TEST_F(Sinful, is_found_out_when_it_lets_one_overtake_another) {
    std::optional<xmpp::Stanza> held;
    const RunReport report = run_with([&](StanzaEvent& event, std::uint64_t number) {
        if (number == 10) {
            held = event.stanza;
            return Verdict::done();
        }
        if (held && held->from() == event.stanza.from() && held->to() == event.stanza.to()) {
            ServerHarness& harness = *server;
            harness.sim().at(harness.sim().now() + 500ms,
                             [&harness, late = *std::exchange(held, std::nullopt)]() mutable {
                                 harness.on_server([&] {
                                     harness.group().first().router().route(std::move(late));
                                 });
                             });
        }
        return Verdict::proceed();
    });
    EXPECT_TRUE(complains(report, "had seen"));
}

}  // namespace
}  // namespace sim
