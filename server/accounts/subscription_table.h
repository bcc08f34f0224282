// The subscription states of RFC 6121 Appendix A as one table: state and event in; new state and
// what to do with the stanza out. Pure data. Who saves, sends and pushes:
// routing/subscription_flow.cpp. Pre-approval (§3.4) is not a state of the appendix; the flow looks
// at the item's flag first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace server {

/// RFC 6121 §A.1, in its order.
enum class SubscriptionState : std::uint8_t {
    none,
    none_pending_out,
    none_pending_in,
    none_pending_out_in,
    to,
    to_pending_in,
    from,
    from_pending_out,
    both,
};
inline constexpr std::size_t kSubscriptionStateCount = 9;

/// A subscription stanza, seen by the account whose state it is: `out_` is sent by its owner, `in_`
/// comes from the contact.
enum class SubscriptionEvent : std::uint8_t {
    out_subscribe,
    out_unsubscribe,
    out_subscribed,
    out_unsubscribed,
    in_subscribe,
    in_unsubscribe,
    in_subscribed,
    in_unsubscribed,
};
inline constexpr std::size_t kSubscriptionEventCount = 8;

constexpr bool is_outbound(SubscriptionEvent event) {
    return event <= SubscriptionEvent::out_unsubscribed;
}

/// What an event does in a state.
struct SubscriptionStep {
    SubscriptionState next = SubscriptionState::none;
    bool route = false;    ///< Outbound: the stanza goes to the contact.
    bool deliver = false;  ///< Inbound: the stanza goes to the owner's clients.
    bool push = false;     ///< The roster item changes as clients see it (subscription, ask).
    bool answer = false;   ///< Inbound subscribe: answered with `subscribed` on the owner's behalf.
};

/// The table. Total: every combination has a row.
SubscriptionStep subscription_step(SubscriptionState state, SubscriptionEvent event);

/// The contact gets our presence (From, From + Pending Out, Both).
constexpr bool has_from(SubscriptionState state) {
    return state >= SubscriptionState::from;
}
/// We get the contact's presence (To, To + Pending In, Both).
constexpr bool has_to(SubscriptionState state) {
    return state == SubscriptionState::to || state == SubscriptionState::to_pending_in ||
           state == SubscriptionState::both;
}
/// Our request waits for the contact's answer (ask='subscribe').
constexpr bool is_pending_out(SubscriptionState state) {
    return state == SubscriptionState::none_pending_out ||
           state == SubscriptionState::none_pending_out_in ||
           state == SubscriptionState::from_pending_out;
}
/// The contact's request waits for the owner's answer.
constexpr bool is_pending_in(SubscriptionState state) {
    return state == SubscriptionState::none_pending_in ||
           state == SubscriptionState::none_pending_out_in ||
           state == SubscriptionState::to_pending_in;
}

/// The state with these four properties; has_from excludes pending_in and has_to excludes
/// pending_out: where stored data says both, the subscription wins.
SubscriptionState subscription_state(bool to, bool from, bool pending_out, bool pending_in);

/// The RFC's name: "None + Pending Out".
std::string_view name_of(SubscriptionState state) noexcept;

}  // namespace server
