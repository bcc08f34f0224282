// What a user may have from the rooms of a shard, at once and for long.
#include "server/modules/muc/expenses.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace server::modules::muc::test {
namespace {

using namespace std::chrono_literals;

const xmpp::Jid kHecate = *xmpp::Jid::parse("hecate@shakespeare.lit/broom");
const xmpp::Jid kOtherClient = *xmpp::Jid::parse("hecate@shakespeare.lit/laptop");
const xmpp::Jid kCrone = *xmpp::Jid::parse("crone1@shakespeare.lit/desktop");
constexpr base::MonotonicTime kStart{1'000'000'000};

TEST(Expenses, make_who_causes_too_much_wait_with_all_their_clients) {
    Expenses expenses;
    expenses.add(kHecate, Expenses::kLimit.burst - 1, kStart);
    EXPECT_TRUE(expenses.may_ask(kHecate, kStart));
    expenses.add(kHecate, 1000 + Expenses::kLimit.per_second, kStart);
    EXPECT_FALSE(expenses.may_ask(kHecate, kStart));
    EXPECT_FALSE(expenses.may_ask(kOtherClient, kStart));
    EXPECT_TRUE(expenses.may_ask(kCrone, kStart));
    EXPECT_FALSE(expenses.may_ask(kHecate, kStart + 1s));
    EXPECT_TRUE(expenses.may_ask(kHecate, kStart + 2s));
}

TEST(Expenses, are_not_kept_of_what_is_free) {
    Expenses expenses;
    expenses.add(kHecate, Expenses::kFree, kStart);
    EXPECT_EQ(expenses.users(), 0U);
    expenses.add(kHecate, Expenses::kFree + 1, kStart);
    EXPECT_EQ(expenses.users(), 1U);
    expenses.forget_rested(kStart);
    EXPECT_EQ(expenses.users(), 1U);
    expenses.forget_rested(kStart + 1s);
    EXPECT_EQ(expenses.users(), 0U);
}

TEST(Expenses, are_kept_of_so_many_users) {
    Expenses expenses;
    for (std::size_t i = 0; i <= Expenses::kUsersMax; ++i)
        expenses.add(*xmpp::Jid::parse("w" + std::to_string(i) + "@example.org"), 100, kStart);
    EXPECT_EQ(expenses.users(), Expenses::kUsersMax);
}

}  // namespace
}  // namespace server::modules::muc::test
