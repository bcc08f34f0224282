#include "server/routing/subscription_flow.h"

#include "server/routing/router.h"

#include <utility>

namespace server {
namespace {

using xmpp::PresenceType;
using xmpp::Stanza;

bool changes_anything(const RosterChange& change) {
    return change.item || change.removed || change.request != RosterChange::Request::keep;
}

storage::Subscription subscription_of(SubscriptionState state) {
    if (has_from(state))
        return has_to(state) ? storage::Subscription::both : storage::Subscription::from;
    return has_to(state) ? storage::Subscription::to : storage::Subscription::none;
}

bool is_approved(const Roster& roster, const xmpp::Jid& contact) {
    const Contact* present = roster.find(contact);
    return present != nullptr && present->approved();
}

struct Decision {
    SubscriptionState before;
    SubscriptionStep step;  // As the table says, with pre-approval (§3.4.2) around it.
    bool approved = false;  // The item's flag from now on.
};

Decision decide(const Roster& roster, const xmpp::Jid& contact, SubscriptionEvent event) {
    const SubscriptionState before = roster.state_of(contact);
    const bool was_approved = is_approved(roster, contact);
    Decision decision{before, subscription_step(before, event), was_approved};
    SubscriptionStep& step = decision.step;
    if (event == SubscriptionEvent::out_subscribed) {
        // Nothing asked for and nothing granted yet: it is granted in advance.
        if (!has_from(before) && !is_pending_in(before)) decision.approved = true;
    } else if (event == SubscriptionEvent::out_unsubscribed) {
        decision.approved = false;
    } else if (event == SubscriptionEvent::in_subscribe && was_approved && !step.answer) {
        // Granted in advance: as if the owner had answered at once. The grant is used up.
        step = subscription_step(step.next, SubscriptionEvent::out_subscribed);
        step.route = false;
        step.answer = true;
        decision.approved = false;
    }
    if (decision.approved != was_approved) step.push = true;
    return decision;
}

// What must be saved for it. A contact that is in no roster and needs no item (None, None + Pending
// In) gets none.
RosterChange change_for(const Roster& roster, const xmpp::Jid& contact, const Decision& decision) {
    const SubscriptionState next = decision.step.next;
    RosterChange change;
    change.contact = contact;
    if (decision.step.push) {
        const Contact* present = roster.find(contact);
        change.item.emplace();
        if (present != nullptr) change.item = present->to_item();
        change.item->jid = contact;
        change.item->subscription = subscription_of(next);
        change.item->ask = is_pending_out(next);
        change.item->approved = decision.approved;
    }
    const bool waits = roster.request_of(contact) != nullptr;
    if (waits && !is_pending_in(next)) change.request = RosterChange::Request::drop;
    if (!waits && is_pending_in(next)) change.request = RosterChange::Request::add;
    return change;
}

// A subscription stanza for the owner's clients: a request for the available ones, whether they
// read the roster or not (§3.1.3); the others for those that get the roster push that follows
// (§3.1.6).
void deliver(Account& account, const Stanza& stanza) {
    const bool request = stanza.presence_type() == PresenceType::subscribe;
    for (const auto& resource : account.resources())
        if (request ? resource->available() : resource->interested)
            resource->session->deliver(stanza);
}

}  // namespace

std::optional<SubscriptionEvent> outbound_event(PresenceType type) {
    switch (type) {
        case PresenceType::subscribe:
            return SubscriptionEvent::out_subscribe;
        case PresenceType::subscribed:
            return SubscriptionEvent::out_subscribed;
        case PresenceType::unsubscribe:
            return SubscriptionEvent::out_unsubscribe;
        case PresenceType::unsubscribed:
            return SubscriptionEvent::out_unsubscribed;
        default:
            return std::nullopt;
    }
}

std::optional<SubscriptionEvent> inbound_event(PresenceType type) {
    switch (type) {
        case PresenceType::subscribe:
            return SubscriptionEvent::in_subscribe;
        case PresenceType::subscribed:
            return SubscriptionEvent::in_subscribed;
        case PresenceType::unsubscribe:
            return SubscriptionEvent::in_unsubscribe;
        case PresenceType::unsubscribed:
            return SubscriptionEvent::in_unsubscribed;
        default:
            return std::nullopt;
    }
}

reactor::Deferred<void> SubscriptionFlow::sent(xmpp::Jid owner, Stanza stanza) {
    Account* account = accounts_.find(owner);
    const std::optional<SubscriptionEvent> event = outbound_event(stanza.presence_type());
    if (account == nullptr || !event) co_return {};
    const xmpp::Jid contact = stanza.to()->bare();
    const Decision decision = decide(account->roster, contact, *event);
    const RosterChange change = change_for(account->roster, contact, decision);

    if (changes_anything(change)) {
        base::Result<void> saved = co_await edits_.save(owner, change);
        if (!saved) {
            refuse(stanza, refusal_of(saved.error()));
            co_return {};
        }
        account = accounts_.find(owner);
        if (account == nullptr) co_return {};
    }
    const bool ended = has_from(decision.before) && !has_from(decision.step.next);
    const bool granted = !has_from(decision.before) && has_from(decision.step.next);
    // §3.2.2: while the contact is still subscribed, it sees the resources go.
    if (ended) broadcast_.send_unavailable(*account, contact);
    if (decision.step.route) {
        stanza.set_from(owner);
        stanza.set_to(contact);
        router_.route(std::move(stanza));
    }
    if (decision.step.push) RosterEdits::push(*account, contact);
    if (granted) broadcast_.send_current(*account, contact);
    co_return {};
}

reactor::Deferred<void> SubscriptionFlow::received(xmpp::Jid owner, Stanza stanza) {
    Account* account = accounts_.find(owner);
    const std::optional<SubscriptionEvent> event = inbound_event(stanza.presence_type());
    if (account == nullptr || !event) co_return {};
    const xmpp::Jid contact = stanza.from()->bare();
    if (account->blocks(contact)) co_return {};  // Since it came here.
    const Decision decision = decide(account->roster, contact, *event);
    const RosterChange change = change_for(account->roster, contact, decision);
    stanza.set_from(contact);
    stanza.set_to(owner);

    if (changes_anything(change)) {
        std::string request;
        if (change.request == RosterChange::Request::add) request = stanza.to_xml();
        base::Result<void> saved = co_await edits_.save(owner, change, std::move(request));
        if (!saved) {
            router_.bounce(std::move(stanza), refusal_of(saved.error()));
            co_return {};
        }
        account = accounts_.find(owner);
        if (account == nullptr) co_return {};
    }
    if (decision.step.deliver) deliver(*account, stanza);
    if (decision.step.answer)
        send_subscription(PresenceType::subscribed, owner, contact, stanza.id());
    if (decision.step.push) RosterEdits::push(*account, contact);
    // Whoever is answered on the owner's behalf may have lost sight of it: show what there is.
    if (decision.step.answer) broadcast_.send_current(*account, contact);
    if (has_from(decision.before) && !has_from(decision.step.next))
        broadcast_.send_unavailable(*account, contact);
    co_return {};
}

bool SubscriptionFlow::concerns(const Account& account, const Stanza& inbound) {
    const std::optional<SubscriptionEvent> event = inbound_event(inbound.presence_type());
    if (!event || inbound.from()->same_bare(account.jid())) return false;
    const xmpp::Jid contact = inbound.from()->bare();
    const Decision decision = decide(account.roster, contact, *event);
    return decision.step.deliver || decision.step.answer || decision.step.next != decision.before;
}

reactor::Deferred<void> SubscriptionFlow::set_contact(xmpp::Jid owner, RosterSet set) {
    Account* account = accounts_.find(owner);
    if (account == nullptr) co_return base::Errc::not_found;
    RosterChange change;
    change.contact = set.contact;
    const Contact* present = account->roster.find(set.contact);
    change.item.emplace();
    if (present != nullptr) change.item = present->to_item();
    change.item->jid = set.contact;
    change.item->name = std::move(set.name);
    change.item->groups = std::move(set.groups);

    base::Result<void> saved = co_await edits_.save(owner, std::move(change));
    if (!saved) co_return std::move(saved).error();
    account = accounts_.find(owner);
    if (account != nullptr) RosterEdits::push(*account, set.contact);
    co_return {};
}

reactor::Deferred<void> SubscriptionFlow::remove_contact(xmpp::Jid owner, xmpp::Jid contact) {
    Account* account = accounts_.find(owner);
    if (account == nullptr || account->roster.find(contact) == nullptr)
        co_return base::Errc::not_found;
    const SubscriptionState before = account->roster.state_of(contact);
    RosterChange change;
    change.contact = contact;
    change.removed = true;
    if (is_pending_in(before)) change.request = RosterChange::Request::drop;

    base::Result<void> saved = co_await edits_.save(owner, std::move(change));
    if (!saved) co_return std::move(saved).error();
    account = accounts_.find(owner);
    if (account == nullptr) co_return {};
    RosterEdits::push(*account, contact);
    if (account->blocks(contact)) co_return {};  // Who is blocked hears nothing (XEP-0191).
    if (has_from(before)) broadcast_.send_unavailable(*account, contact);
    if (has_to(before) || is_pending_out(before))
        send_subscription(PresenceType::unsubscribe, owner, contact);
    if (has_from(before) || is_pending_in(before))
        send_subscription(PresenceType::unsubscribed, owner, contact);
    co_return {};
}

void SubscriptionFlow::refuse(const Stanza& stanza, const xmpp::StanzaError& error) {
    if (stanza.may_answer_with_error()) router_.route(stanza.reply_error(error));
}

void SubscriptionFlow::send_subscription(PresenceType type, const xmpp::Jid& from,
                                         const xmpp::Jid& to, std::string_view id) {
    Stanza stanza = Stanza::presence(type);
    stanza.set_from(from);
    stanza.set_to(to);
    if (!id.empty()) stanza.set_id(id);
    router_.route(std::move(stanza));
}

}  // namespace server
