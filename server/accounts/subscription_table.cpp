#include "server/accounts/subscription_table.h"

#include <array>

namespace server {
namespace {

using enum SubscriptionState;

// What happens to the stanza, in the words of the appendix: MUST (pass) or MUST NOT (stop) be
// routed or delivered; auto_reply is its note on requests of contacts that are subscribed already.
enum class Handling : std::uint8_t { pass, stop, auto_reply };
using enum Handling;

struct Row {
    SubscriptionState state;
    Handling handling;
    SubscriptionState next;
};
using Rows = std::array<Row, kSubscriptionStateCount>;

// RFC 6121 §A.2.1 to §A.3.4, a block per table, rows in the order of the RFC.
constexpr std::array<Rows, kSubscriptionEventCount> kTable{{
    // §A.2.1 Outbound subscribe
    {{{none, pass, none_pending_out},
      {none_pending_out, pass, none_pending_out},
      {none_pending_in, pass, none_pending_out_in},
      {none_pending_out_in, pass, none_pending_out_in},
      {to, pass, to},
      {to_pending_in, pass, to_pending_in},
      {from, pass, from_pending_out},
      {from_pending_out, pass, from_pending_out},
      {both, pass, both}}},
    // §A.2.2 Outbound unsubscribe
    {{{none, pass, none},
      {none_pending_out, pass, none},
      {none_pending_in, pass, none_pending_in},
      {none_pending_out_in, pass, none_pending_in},
      {to, pass, none},
      {to_pending_in, pass, none_pending_in},
      {from, pass, from},
      {from_pending_out, pass, from},
      {both, pass, from}}},
    // §A.2.3 Outbound subscribed
    {{{none, stop, none},
      {none_pending_out, stop, none_pending_out},
      {none_pending_in, pass, from},
      {none_pending_out_in, pass, from_pending_out},
      {to, stop, to},
      {to_pending_in, pass, both},
      {from, stop, from},
      {from_pending_out, stop, from_pending_out},
      {both, stop, both}}},
    // §A.2.4 Outbound unsubscribed
    {{{none, stop, none},
      {none_pending_out, stop, none_pending_out},
      {none_pending_in, pass, none},
      {none_pending_out_in, pass, none_pending_out},
      {to, stop, to},
      {to_pending_in, pass, to},
      {from, pass, none},
      {from_pending_out, pass, none_pending_out},
      {both, pass, to}}},
    // §A.3.1 Inbound subscribe
    {{{none, pass, none_pending_in},
      {none_pending_out, pass, none_pending_out_in},
      {none_pending_in, stop, none_pending_in},
      {none_pending_out_in, stop, none_pending_out_in},
      {to, pass, to_pending_in},
      {to_pending_in, stop, to_pending_in},
      {from, auto_reply, from},
      {from_pending_out, auto_reply, from_pending_out},
      {both, auto_reply, both}}},
    // §A.3.2 Inbound unsubscribe
    {{{none, stop, none},
      {none_pending_out, stop, none_pending_out},
      {none_pending_in, pass, none},
      {none_pending_out_in, pass, none_pending_out},
      {to, stop, to},
      {to_pending_in, pass, to},
      {from, pass, none},
      {from_pending_out, pass, none_pending_out},
      {both, pass, to}}},
    // §A.3.3 Inbound subscribed
    {{{none, stop, none},
      {none_pending_out, pass, to},
      {none_pending_in, stop, none_pending_in},
      {none_pending_out_in, pass, to_pending_in},
      {to, stop, to},
      {to_pending_in, stop, to_pending_in},
      {from, stop, from},
      {from_pending_out, pass, both},
      {both, stop, both}}},
    // §A.3.4 Inbound unsubscribed
    {{{none, stop, none},
      {none_pending_out, pass, none},
      {none_pending_in, stop, none_pending_in},
      {none_pending_out_in, pass, none_pending_in},
      {to, pass, none},
      {to_pending_in, pass, none_pending_in},
      {from, stop, from},
      {from_pending_out, pass, from},
      {both, pass, from}}},
}};

constexpr bool rows_are_in_order() {
    for (const Rows& rows : kTable)
        for (std::size_t i = 0; i < rows.size(); ++i)
            if (static_cast<std::size_t>(rows[i].state) != i) return false;
    return true;
}
static_assert(rows_are_in_order());

constexpr bool looks_the_same(SubscriptionState left, SubscriptionState right) {
    return has_to(left) == has_to(right) && has_from(left) == has_from(right) &&
           is_pending_out(left) == is_pending_out(right);
}

}  // namespace

SubscriptionStep subscription_step(SubscriptionState state, SubscriptionEvent event) {
    const Row& row = kTable[static_cast<std::size_t>(event)][static_cast<std::size_t>(state)];
    return {.next = row.next,
            .route = row.handling == pass && is_outbound(event),
            .deliver = row.handling == pass && !is_outbound(event),
            .push = !looks_the_same(state, row.next),
            .answer = row.handling == auto_reply};
}

SubscriptionState subscription_state(bool has_to_side, bool has_from_side, bool pending_out,
                                     bool pending_in) {
    if (has_to_side) {
        if (has_from_side) return both;
        return pending_in ? to_pending_in : to;
    }
    if (has_from_side) return pending_out ? from_pending_out : from;
    if (pending_out) return pending_in ? none_pending_out_in : none_pending_out;
    return pending_in ? none_pending_in : none;
}

std::string_view name_of(SubscriptionState state) noexcept {
    constexpr std::array<std::string_view, kSubscriptionStateCount> kNames{"None",
                                                                           "None + Pending Out",
                                                                           "None + Pending In",
                                                                           "None + Pending Out+In",
                                                                           "To",
                                                                           "To + Pending In",
                                                                           "From",
                                                                           "From + Pending Out",
                                                                           "Both"};
    return kNames[static_cast<std::size_t>(state)];
}

}  // namespace server
