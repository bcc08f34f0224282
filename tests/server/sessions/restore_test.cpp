// What a starting server does with the streams in its database (XEP-0198 §5): nobody need log in
// for them to be looked after.
#include "server/sessions/resumable_sessions.h"
#include "storage/tables/messages_deliveries.h"
#include "storage/tables/sm_sessions.h"
#include "tests/server/sessions/session_harness.h"

#include <gtest/gtest.h>

namespace server::test {
namespace {

using namespace std::chrono_literals;
using storage::Transaction;

constexpr std::string_view kMessage =
    "<message from='juliet@example.org/balcony' to='romeo@example.org' type='chat'>"
    "<body>x</body></message>";

class Restore : public testing::Test {
protected:
    SessionHarness harness;

    template <class Function>
    auto write(Function function) {
        auto writing =
            harness.on_shard(0, [&] { return harness.database().write(std::move(function)); });
        harness.sim.run_until([&] { return writing.settled(); }, 10s);
        return writing.take().value();
    }
    /// A stream that a crash has left, with one message that its client did not acknowledge.
    storage::SmSessionKey leave(std::string_view full, std::uint32_t max_seconds) {
        const xmpp::Jid owner = xmpp::Jid::parse(full).value();
        return write([owner, max_seconds, now = harness.sim.clock().wall()](
                         Transaction& transaction) -> base::Result<storage::SmSessionKey> {
            const auto key = TRY(storage::SmSessions(transaction)
                                     .create({.token = "token of " + owner.text(),
                                              .owner = owner,
                                              .created_at = {1},
                                              .max_seconds = max_seconds}));
            const std::vector<storage::MessageCopy> copies = {
                {.owner = owner,
                 .peer = owner,
                 .archived = false,
                 .deliveries = {{.session = key, .sequence = 1}}}};
            TRY(storage::Messages(transaction).append(now, kMessage, copies));
            return key;
        });
    }
    /// As a server that starts.
    void restore() {
        harness.on_shard(0, [&] {
            auto reading = harness.database().read([](Transaction& transaction) {
                return storage::SmSessions(transaction).page(0, 1000);
            });
            std::move(reading)
                .then([&](std::vector<storage::SmSession> streams) {
                    harness.service().restore(std::move(streams)).detach("test");
                })
                .detach("test");
        });
        harness.advance(10ms);
    }
    std::size_t streams() {
        return write([](Transaction& transaction) {
                   return storage::SmSessions(transaction).page(0, 1000);
               })
            .size();
    }
    std::int64_t waiting(std::string_view account) {
        return write([jid = xmpp::Jid::parse(account).value()](Transaction& transaction) {
                   return storage::Deliveries(transaction).offline_totals(jid);
               })
            .messages;
    }
};

TEST_F(Restore, gives_clients_time_to_ask_and_then_their_messages_to_the_offline_queue) {
    leave("romeo@example.org/orchard", 60);
    leave("juliet@example.org/balcony", 120);
    restore();
    EXPECT_EQ(streams(), 2U);
    harness.advance(59s);
    EXPECT_EQ(waiting("romeo@example.org"), 0);
    harness.advance(2s);
    EXPECT_EQ(waiting("romeo@example.org"), 1);
    EXPECT_EQ(waiting("juliet@example.org"), 0);
    harness.advance(60s);
    EXPECT_EQ(waiting("juliet@example.org"), 1);
    // Their counts are kept in case they ask late.
    EXPECT_EQ(streams(), 2U);
    harness.advance(kCountKept);
    EXPECT_EQ(streams(), 0U);
}

TEST_F(Restore, does_not_wait_for_streams_that_could_never_be_resumed) {
    leave("romeo@example.org/orchard", 0);
    restore();
    harness.advance(1s);
    EXPECT_EQ(waiting("romeo@example.org"), 1);
    harness.advance(kCountKept);
    EXPECT_EQ(streams(), 0U);
}

TEST_F(Restore, tries_again_while_storage_fails) {
    leave("romeo@example.org/orchard", 60);
    restore();
    harness.faults.disk_full(true);
    harness.advance(100s);
    harness.faults.disk_full(false);
    EXPECT_EQ(waiting("romeo@example.org"), 0);
    EXPECT_EQ(streams(), 1U);
    harness.advance(21s);
    EXPECT_EQ(waiting("romeo@example.org"), 1);
    harness.advance(kCountKept);
    EXPECT_EQ(streams(), 0U);
}

TEST_F(Restore, leaves_nothing_of_accounts_that_are_gone) {
    leave("nobody@example.org/x", 60);
    restore();
    harness.advance(kCountKept + 1s);
    EXPECT_EQ(streams(), 0U);
    // Nor of one whose state is of no use.
    const auto key = leave("romeo@example.org/orchard", 60);
    harness.on_shard(0, [&] {
        harness.database()
            .write([key](Transaction& transaction) {
                return storage::SmSessions(transaction).save_state(key, "nonsense");
            })
            .detach("test");
    });
    harness.advance(1s);
    restore();
    EXPECT_EQ(harness.sessions(), 0U);
    harness.advance(61s);
    EXPECT_EQ(waiting("romeo@example.org"), 1);
    harness.advance(kCountKept);
    EXPECT_EQ(streams(), 0U);
}

TEST_F(Restore, lets_messages_come_that_wait_for_a_client_that_is_here) {
    ScriptedClient& romeo = harness.online("romeo", "garden");
    romeo.send("<presence/>");
    EXPECT_EQ(romeo.expect_element().name(), "presence");
    leave("romeo@example.org/orchard", 60);
    restore();
    romeo.expect_nothing(55s);
    const xmpp::Element came = romeo.expect_element();
    EXPECT_EQ(came.name(), "message");
    EXPECT_EQ(waiting("romeo@example.org"), 0);
}

}  // namespace
}  // namespace server::test
