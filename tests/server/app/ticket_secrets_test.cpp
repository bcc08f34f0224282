#include "server/app/ticket_secrets.h"

#include "reactor/tls.h"
#include "storage/database.h"
#include "storage/tables/meta.h"
#include "tests/support/server_harness.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace server {
namespace {

using namespace std::chrono_literals;
using Secrets = std::vector<std::string>;

std::string secret(char filling) {
    return std::string(reactor::kTicketSecretBytes, filling);
}

class TicketSecrets : public testing::Test {
protected:
    /// As of `age` after the beginning; `fresh` is what a new one would be.
    Secrets at(base::Duration age, char fresh) {
        auto asking = harness.on_server([&] {
            return harness.database().write(
                [now = start + age, candidate = secret(fresh)](storage::Transaction& transaction) {
                    return ticket_secrets(transaction, now, candidate);
                });
        });
        return harness.wait(std::move(asking)).value();
    }

    test::ServerHarness harness;
    base::WallTime start = harness.sim().clock().wall() + 100h;  // Long after the harness's own.
};

TEST_F(TicketSecrets, are_good_for_a_day_and_understood_for_another) {
    EXPECT_EQ(at(0h, 'a'), Secrets{secret('a')});
    EXPECT_EQ(at(23h, 'b'), Secrets{secret('a')});
    EXPECT_EQ(at(24h, 'c'), (Secrets{secret('c'), secret('a')}));
    EXPECT_EQ(at(47h, 'd'), (Secrets{secret('c'), secret('a')}));
    EXPECT_EQ(at(48h, 'e'), (Secrets{secret('e'), secret('c')}));
    EXPECT_EQ(at(500h, 'f'), Secrets{secret('f')});
}

TEST_F(TicketSecrets, outlive_a_clock_that_was_wrong) {
    EXPECT_EQ(at(1000h, 'a'), Secrets{secret('a')});
    EXPECT_EQ(at(0h, 'b'), Secrets{secret('b')});
    EXPECT_EQ(at(-1h, 'c'), Secrets{secret('b')});
}

TEST_F(TicketSecrets, begin_anew_where_nothing_can_be_read) {
    auto breaking = harness.on_server([&] {
        return harness.database().write([](storage::Transaction& transaction) {
            return storage::Meta(transaction).put(storage::kMetaTlsTicketSecrets, "broken");
        });
    });
    ASSERT_TRUE(harness.wait(std::move(breaking)));
    EXPECT_EQ(at(0h, 'a'), Secrets{secret('a')});
}

TEST_F(TicketSecrets, of_a_server_are_random_and_the_same_after_a_restart) {
    const auto ask = [this] {
        auto asking = harness.on_server([&] { return harness.group().ticket_secrets(); });
        return harness.wait(std::move(asking)).value();
    };
    const Secrets first = ask();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].size(), reactor::kTicketSecretBytes);
    EXPECT_NE(first[0], secret('\0'));
    harness.restart();
    EXPECT_EQ(ask(), first);
    harness.advance(25h);
    const Secrets later = ask();
    ASSERT_EQ(later.size(), 2U);
    EXPECT_NE(later[0], first[0]);
    EXPECT_EQ(later[1], first[0]);
}

}  // namespace
}  // namespace server
