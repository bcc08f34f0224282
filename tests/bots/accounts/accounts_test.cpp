#include "tests/bots/accounts/accounts.h"

#include "server/config/core_keys.h"
#include "tests/bots/run/probe.h"
#include "tests/bots/run/real_run.h"
#include "tests/bots/run/swarm_harness.h"
#include "tests/bots/workload/catalog.h"

#include <gtest/gtest.h>

namespace bots {
namespace {

using test::SwarmHarness;

server::test::HarnessOptions with_registration(std::int64_t per_hour) {
    server::test::HarnessOptions options;
    options.config = server::Config()
                         .with(server::keys::kRegistrationEnabled, true)
                         .with(server::keys::kRegistrationsPerAddressPerHour, per_hour);
    return options;
}

base::Result<AccountsDone> change(SwarmHarness& swarm, AccountOptions options, bool create) {
    auto working = swarm.on_bots([&] {
        return create ? create_accounts(swarm.world(), *swarm.plan, std::move(options))
                      : remove_accounts(swarm.world(), *swarm.plan, std::move(options));
    });
    return swarm.wait(std::move(working));
}

TEST(InBandAccounts, are_made_found_again_and_removed) {
    SwarmHarness swarm("idle", {{"users", "45"}}, with_registration(1000));
    const auto made = change(swarm, {.source = AccountSource::in_band}, true);
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->changed, 45U);
    const auto again = change(swarm, {.source = AccountSource::in_band}, true);
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(again->changed, 0U);
    EXPECT_EQ(again->as_it_was, 45U);
    EXPECT_TRUE(swarm.run().passed());

    const auto gone = change(swarm, {.source = AccountSource::in_band}, false);
    ASSERT_TRUE(gone) << gone.error().message();
    EXPECT_EQ(gone->changed, 45U);
    const auto none = change(swarm, {.source = AccountSource::in_band}, false);
    ASSERT_TRUE(none) << none.error().message();
    EXPECT_EQ(none->as_it_was, 45U);
}

TEST(InBandAccounts, say_why_the_server_refuses) {
    SwarmHarness closed("idle", {{"users", "3"}});
    const auto refused = change(closed, {.source = AccountSource::in_band}, true);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().detail().find("refuses to register"), std::string_view::npos)
        << refused.error().message();

    SwarmHarness few("idle", {{"users", "30"}}, with_registration(10));
    const auto limited = change(few, {.source = AccountSource::in_band, .at_once = 2}, true);
    ASSERT_FALSE(limited);
    EXPECT_TRUE(limited.error().is(base::Errc::resource_exhausted)) << limited.error().message();
}

TEST(Probe, tells_what_the_server_is) {
    SwarmHarness swarm("idle", {{"users", "2"}});
    swarm.make_accounts();
    auto probing = swarm.on_bots([&] { return probe_server(swarm.world(), *swarm.plan, 1); });
    const auto facts = swarm.wait(std::move(probing));
    ASSERT_TRUE(facts) << facts.error().message();
    EXPECT_EQ(facts->software.substr(0, 6), "Parley");
    EXPECT_EQ(facts->tls.substr(0, 7), "TLSv1.3");
    EXPECT_EQ(facts->mechanism, "SCRAM-SHA-1");
}

TEST(Probe, fails_as_every_login_would) {
    SwarmHarness swarm("idle", {{"users", "2"}});
    auto probing = swarm.on_bots([&] { return probe_server(swarm.world(), *swarm.plan, 1); });
    const auto facts = swarm.wait(std::move(probing));
    ASSERT_FALSE(facts);
    EXPECT_TRUE(facts.error().is(base::Errc::permission_denied));
}

class CommandAccounts : public testing::Test {
protected:
    CommandAccounts() {
        Settings settings(*find_workload("idle"));
        plan = std::make_unique<Plan>(std::move(settings),
                                      NamePattern::create("bot{n}", "example.org").value());
        plan->users = 5;
        plan->password = "it's; $HOME";
    }
    base::Result<AccountsDone> run(std::string command) {
        RealRun real(1);
        base::Result<AccountsDone> result = base::fail(base::Errc::internal);
        real.execute([&] {
            AccountOptions options;
            options.source = AccountSource::command;
            options.command = command;
            return create_accounts(real.world(), *plan, std::move(options))
                .both([&](base::Result<AccountsDone> done) {
                    result = std::move(done);
                    return reactor::ready();
                });
        });
        return result;
    }

    std::unique_ptr<Plan> plan;
};

TEST_F(CommandAccounts, get_what_they_are_called_quoted) {
    const auto done =
        run("test {user} != bot6 && test {domain} = example.org && test {password} = \"it's; "
            "\\$HOME\"");
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->changed, 5U);
}

TEST_F(CommandAccounts, may_exist_already) {
    const auto done = run("test {user} = bot3");
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->changed, 1U);
    EXPECT_EQ(done->as_it_was, 4U);
}

TEST_F(CommandAccounts, fail_with_the_command_when_none_can_be_made) {
    const auto done = run("echo no such tool >&2; exit 3 # {user}");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().detail(),
              "the command for accounts failed for every user (exit code 3: no such tool)");
}

}  // namespace
}  // namespace bots
