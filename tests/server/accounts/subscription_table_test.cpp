// The subscription table against the tables of RFC 6121 Appendix A, written down here once more in
// the RFC's own words, row by row.
#include "server/accounts/subscription_table.h"

#include <gtest/gtest.h>

#include <array>
#include <cctype>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace server {
namespace {

struct AppendixRow {
    std::string_view section;
    SubscriptionEvent event;
    std::string_view state;
    std::string_view handling;  // "MUST", "MUST NOT", "MUST NOT [1]": answer on the owner's behalf.
    std::string_view next;      // Empty: no state change.
};

// Otherwise GoogleTest prints the bytes, padding included.
void PrintTo(const AppendixRow& row, std::ostream* out) {
    *out << row.section << " " << row.state;
}

using enum SubscriptionEvent;

const std::vector<AppendixRow> kAppendix = {
    {"A21", out_subscribe, "None", "MUST", "None + Pending Out"},
    {"A21", out_subscribe, "None + Pending Out", "MUST", ""},
    {"A21", out_subscribe, "None + Pending In", "MUST", "None + Pending Out+In"},
    {"A21", out_subscribe, "None + Pending Out+In", "MUST", ""},
    {"A21", out_subscribe, "To", "MUST", ""},
    {"A21", out_subscribe, "To + Pending In", "MUST", ""},
    {"A21", out_subscribe, "From", "MUST", "From + Pending Out"},
    {"A21", out_subscribe, "From + Pending Out", "MUST", ""},
    {"A21", out_subscribe, "Both", "MUST", ""},

    {"A22", out_unsubscribe, "None", "MUST", ""},
    {"A22", out_unsubscribe, "None + Pending Out", "MUST", "None"},
    {"A22", out_unsubscribe, "None + Pending In", "MUST", ""},
    {"A22", out_unsubscribe, "None + Pending Out+In", "MUST", "None + Pending In"},
    {"A22", out_unsubscribe, "To", "MUST", "None"},
    {"A22", out_unsubscribe, "To + Pending In", "MUST", "None + Pending In"},
    {"A22", out_unsubscribe, "From", "MUST", ""},
    {"A22", out_unsubscribe, "From + Pending Out", "MUST", "From"},
    {"A22", out_unsubscribe, "Both", "MUST", "From"},

    {"A23", out_subscribed, "None", "MUST NOT", ""},
    {"A23", out_subscribed, "None + Pending Out", "MUST NOT", ""},
    {"A23", out_subscribed, "None + Pending In", "MUST", "From"},
    {"A23", out_subscribed, "None + Pending Out+In", "MUST", "From + Pending Out"},
    {"A23", out_subscribed, "To", "MUST NOT", ""},
    {"A23", out_subscribed, "To + Pending In", "MUST", "Both"},
    {"A23", out_subscribed, "From", "MUST NOT", ""},
    {"A23", out_subscribed, "From + Pending Out", "MUST NOT", ""},
    {"A23", out_subscribed, "Both", "MUST NOT", ""},

    {"A24", out_unsubscribed, "None", "MUST NOT", ""},
    {"A24", out_unsubscribed, "None + Pending Out", "MUST NOT", ""},
    {"A24", out_unsubscribed, "None + Pending In", "MUST", "None"},
    {"A24", out_unsubscribed, "None + Pending Out+In", "MUST", "None + Pending Out"},
    {"A24", out_unsubscribed, "To", "MUST NOT", ""},
    {"A24", out_unsubscribed, "To + Pending In", "MUST", "To"},
    {"A24", out_unsubscribed, "From", "MUST", "None"},
    {"A24", out_unsubscribed, "From + Pending Out", "MUST", "None + Pending Out"},
    {"A24", out_unsubscribed, "Both", "MUST", "To"},

    {"A31", in_subscribe, "None", "MUST", "None + Pending In"},
    {"A31", in_subscribe, "None + Pending Out", "MUST", "None + Pending Out+In"},
    {"A31", in_subscribe, "None + Pending In", "MUST NOT", ""},
    {"A31", in_subscribe, "None + Pending Out+In", "MUST NOT", ""},
    {"A31", in_subscribe, "To", "MUST", "To + Pending In"},
    {"A31", in_subscribe, "To + Pending In", "MUST NOT", ""},
    {"A31", in_subscribe, "From", "MUST NOT [1]", ""},
    {"A31", in_subscribe, "From + Pending Out", "MUST NOT [1]", ""},
    {"A31", in_subscribe, "Both", "MUST NOT [1]", ""},

    {"A32", in_unsubscribe, "None", "MUST NOT", ""},
    {"A32", in_unsubscribe, "None + Pending Out", "MUST NOT", ""},
    {"A32", in_unsubscribe, "None + Pending In", "MUST", "None"},
    {"A32", in_unsubscribe, "None + Pending Out+In", "MUST", "None + Pending Out"},
    {"A32", in_unsubscribe, "To", "MUST NOT", ""},
    {"A32", in_unsubscribe, "To + Pending In", "MUST", "To"},
    {"A32", in_unsubscribe, "From", "MUST", "None"},
    {"A32", in_unsubscribe, "From + Pending Out", "MUST", "None + Pending Out"},
    {"A32", in_unsubscribe, "Both", "MUST", "To"},

    {"A33", in_subscribed, "None", "MUST NOT", ""},
    {"A33", in_subscribed, "None + Pending Out", "MUST", "To"},
    {"A33", in_subscribed, "None + Pending In", "MUST NOT", ""},
    {"A33", in_subscribed, "None + Pending Out+In", "MUST", "To + Pending In"},
    {"A33", in_subscribed, "To", "MUST NOT", ""},
    {"A33", in_subscribed, "To + Pending In", "MUST NOT", ""},
    {"A33", in_subscribed, "From", "MUST NOT", ""},
    {"A33", in_subscribed, "From + Pending Out", "MUST", "Both"},
    {"A33", in_subscribed, "Both", "MUST NOT", ""},

    {"A34", in_unsubscribed, "None", "MUST NOT", ""},
    {"A34", in_unsubscribed, "None + Pending Out", "MUST", "None"},
    {"A34", in_unsubscribed, "None + Pending In", "MUST NOT", ""},
    {"A34", in_unsubscribed, "None + Pending Out+In", "MUST", "None + Pending In"},
    {"A34", in_unsubscribed, "To", "MUST", "None"},
    {"A34", in_unsubscribed, "To + Pending In", "MUST", "None + Pending In"},
    {"A34", in_unsubscribed, "From", "MUST NOT", ""},
    {"A34", in_unsubscribed, "From + Pending Out", "MUST", "From"},
    {"A34", in_unsubscribed, "Both", "MUST", "From"},
};

// What a client sees of a state: the attributes of the roster item.
std::string item_of(std::string_view state) {
    const std::string_view subscription = state.substr(0, state.find(' '));
    const bool asks = state.find("Pending Out") != std::string_view::npos;
    return std::string(subscription) + (asks ? " ask" : "");
}

SubscriptionState state_named(std::string_view name) {
    for (std::size_t i = 0; i < kSubscriptionStateCount; ++i) {
        const auto state = static_cast<SubscriptionState>(i);
        if (name_of(state) == name) return state;
    }
    ADD_FAILURE() << "no state is called " << name;
    return SubscriptionState::none;
}

class AppendixA : public testing::TestWithParam<AppendixRow> {};

TEST_P(AppendixA, row_holds) {
    const AppendixRow& row = GetParam();
    const SubscriptionStep step = subscription_step(state_named(row.state), row.event);
    const std::string_view next = row.next.empty() ? row.state : row.next;
    EXPECT_EQ(name_of(step.next), next);
    EXPECT_EQ(step.route, is_outbound(row.event) && row.handling == "MUST");
    EXPECT_EQ(step.deliver, !is_outbound(row.event) && row.handling == "MUST");
    EXPECT_EQ(step.answer, row.handling == "MUST NOT [1]");
    EXPECT_EQ(step.push, item_of(row.state) != item_of(next));
}

INSTANTIATE_TEST_SUITE_P(Rfc6121, AppendixA, testing::ValuesIn(kAppendix), [](const auto& row) {
    std::string name(row.param.section);
    for (const char letter : row.param.state)
        if (std::isalnum(static_cast<unsigned char>(letter)) != 0) name.push_back(letter);
    return name;
});

TEST(SubscriptionTable, has_a_row_for_every_state_and_event) {
    EXPECT_EQ(kAppendix.size(), kSubscriptionStateCount * kSubscriptionEventCount);
}

TEST(SubscriptionTable, puts_a_state_together_from_its_properties) {
    for (std::size_t i = 0; i < kSubscriptionStateCount; ++i) {
        const auto state = static_cast<SubscriptionState>(i);
        EXPECT_EQ(subscription_state(has_to(state), has_from(state), is_pending_out(state),
                                     is_pending_in(state)),
                  state)
            << name_of(state);
    }
}

TEST(SubscriptionTable, lets_a_subscription_win_over_a_request_for_it) {
    EXPECT_EQ(subscription_state(true, true, true, true), SubscriptionState::both);
    EXPECT_EQ(subscription_state(true, false, true, false), SubscriptionState::to);
    EXPECT_EQ(subscription_state(false, true, false, true), SubscriptionState::from);
}

}  // namespace
}  // namespace server
