// What an account costs whose client is only online.
#include "server/accounts/accounts.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace server {
namespace {

// Where there is state, made on first use.
std::ptrdiff_t states_of(test::ServerHarness& harness, std::string_view bare) {
    const xmpp::Jid jid = *xmpp::Jid::parse(bare);
    auto counting = harness.on_server([&] {
        return harness.group().gather([jid](ShardServer& server) {
            const Account* account = server.accounts().find(jid);
            return account == nullptr ? std::ptrdiff_t{0}
                                      : std::ranges::count_if(account->slots, [](const auto& slot) {
                                            return slot != nullptr;
                                        });
        });
    });
    const auto counts = harness.wait(std::move(counting)).value();
    return *std::ranges::max_element(counts);
}

TEST(IdleAccount, keeps_no_state_of_modules_that_have_nothing_to_keep) {
    test::ServerHarness harness;
    test::ScriptedClient& romeo = harness.online("romeo@example.org/orchard");
    EXPECT_EQ(states_of(harness, "romeo@example.org"), 0);
    romeo.send("<presence/>");
    harness.advance(std::chrono::seconds(10));
    EXPECT_EQ(states_of(harness, "romeo@example.org"), 1) << "when it was here";
    romeo.send("<message to='romeo@example.org' type='chat'><body>note</body></message>");
    harness.advance(std::chrono::seconds(10));
    EXPECT_GT(states_of(harness, "romeo@example.org"), 1);
}

}  // namespace
}  // namespace server
