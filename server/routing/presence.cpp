#include "server/routing/presence.h"

#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "server/routing/presence_broadcast.h"
#include "server/routing/roster_edits.h"
#include "server/routing/roster_xml.h"
#include "server/routing/router.h"
#include "server/routing/subscription_flow.h"
#include "storage/database.h"
#include "storage/tables/last_activity.h"
#include "xmpp/xml/read_stanza.h"

#include <chrono>
#include <optional>
#include <utility>

namespace server {
namespace {

using xmpp::PresenceType;
using xmpp::Stanza;

// Answers that wait for storage to say since when an account is offline; further ones go without.
constexpr std::size_t kOfflineAnswersMax = 1000;
// Kept requests that a client gets before we wait until they are written.
constexpr std::size_t kRequestBatch = 20;
/// What storage refused to read is asked for again after so long.
constexpr base::Duration kRetryDelay = std::chrono::seconds(10);

}  // namespace

struct Presence::Impl {
    explicit Impl(Parts p)
        : parts(p),
          edits(p.world, p.accounts, p.database),
          broadcast(p.router, p.hooks),
          flow(p.accounts, p.router, edits, broadcast),
          answers(p.world.reactor),
          tasks(p.world.reactor) {}

    Parts parts;
    RosterEdits edits;
    PresenceBroadcast broadcast;
    SubscriptionFlow flow;
    reactor::TaskSet answers;  // The task sets last: what runs in them uses the others.
    reactor::TaskSet tasks;

    void send_subscription(const xmpp::Jid& owner, Stanza stanza);
    void from_client(Account& account, Resource& resource, Stanza stanza);
    void announce(Account& account, Resource& resource, Stanza stanza);
    void direct(Account& account, Resource& resource, Stanza stanza);
    void repeat_requests(Account& account);
    void receive_subscription(Account& account, Stanza stanza);
    void deliver(Account& account, const Stanza& stanza);
    void deliver_error(Account& account, const Stanza& stanza);
    void start_offline_answer(const xmpp::Jid& owner, const xmpp::Jid& prober);
    reactor::Deferred<void> answer_offline(xmpp::Jid owner, xmpp::Jid prober);
    void start_requests(Account& account, const Resource& resource);
    reactor::Deferred<void> hand_over_requests(xmpp::Jid owner, SessionId session,
                                               std::uint32_t newest);
    SessionSink* request_taker(const xmpp::Jid& owner, SessionId session);
};

Presence::Presence(Parts parts) : impl_(std::make_unique<Impl>(parts)) {}
Presence::~Presence() = default;

// ---- what clients send

void Presence::outbound(Account& account, Resource& resource, Stanza stanza) {
    const PresenceType type = stanza.presence_type();
    if (outbound_event(type) || type == PresenceType::probe) {
        // Without an addressee these say nothing.
        if (!stanza.to()) {
            impl_->flow.refuse(stanza, xmpp::StanzaError::bad_request());
            return;
        }
    }
    if (outbound_event(type)) {
        impl_->send_subscription(account.jid(), std::move(stanza));
        return;
    }
    if (impl_->parts.accounts.ready(account.jid()) != nullptr) {
        impl_->from_client(account, resource, std::move(stanza));
        return;
    }
    // An edit of this account is running; what it leads to must not be overtaken.
    impl_->parts.accounts.with(account.jid(),
                               [impl = impl_.get(), session = resource.session_id,
                                stanza = std::move(stanza)](base::Result<Account*> found) mutable {
                                   if (!found) {
                                       impl->flow.refuse(stanza, refusal_of(found.error()));
                                       return;
                                   }
                                   Resource* sender = (*found)->of_session(session);
                                   if (sender != nullptr)
                                       impl->from_client(**found, *sender, std::move(stanza));
                               });
}

void Presence::Impl::send_subscription(const xmpp::Jid& owner, Stanza stanza) {
    // Everybody sees their own presence; there is nothing to subscribe to.
    if (stanza.to()->same_bare(owner)) return;
    const Stanza kept = stanza;
    const bool queued =
        parts.accounts.edit(owner, [this, owner, stanza = std::move(stanza)]() mutable {
            return flow.sent(owner, std::move(stanza));
        });
    if (!queued) flow.refuse(kept, xmpp::StanzaError::resource_constraint());
}

void Presence::Impl::from_client(Account& account, Resource& resource, Stanza stanza) {
    if (stanza.to()) {
        direct(account, resource, std::move(stanza));
    } else if (stanza.presence_type() == PresenceType::available) {
        announce(account, resource, std::move(stanza));
    } else if (stanza.presence_type() == PresenceType::unavailable) {
        broadcast.withdraw(account, resource, std::move(stanza), true);
    }
    // An error without addressee answers nobody.
}

void Presence::Impl::announce(Account& account, Resource& resource, Stanza stanza) {
    const std::optional<std::int8_t> priority = priority_of(stanza);
    if (!priority) {
        flow.refuse(stanza, xmpp::StanzaError::bad_request("priority is a number, -128 to 127"));
        return;
    }
    const bool initial = broadcast.announce(account, resource, std::move(stanza), *priority);
    if (!initial) return;
    start_requests(account, resource);
    repeat_requests(account);
}

void Presence::Impl::direct(Account& account, Resource& resource, Stanza stanza) {
    const PresenceType type = stanza.presence_type();
    if (type != PresenceType::available && type != PresenceType::unavailable) {
        parts.router.route(std::move(stanza));  // A probe or an error.
        return;
    }
    if (!broadcast.direct(account, resource, std::move(stanza)))
        flow.refuse(stanza, xmpp::StanzaError::resource_constraint(
                                "too many recipients of directed presence"));
}

// §3.1.2: a request to another server may have been lost; it goes out again with each new resource.
void Presence::Impl::repeat_requests(Account& account) {
    for (std::size_t i = 0; i < account.roster.items().size(); ++i) {
        const Contact& contact = account.roster.items()[i];
        if (!contact.ask()) continue;
        const xmpp::Jid to = contact.jid();
        if (parts.router.is_local(to.domain()) || account.blocks(to)) continue;
        Stanza request = Stanza::presence(PresenceType::subscribe);
        request.set_from(account.jid());
        request.set_to(to);
        request.set_id("repeated-" + parts.world.entropy.token(9));
        parts.router.route(std::move(request));
    }
}

// ---- what others send

void Presence::inbound(Account& account, Stanza stanza) {
    switch (stanza.presence_type()) {
        case PresenceType::subscribe:
        case PresenceType::subscribed:
        case PresenceType::unsubscribe:
        case PresenceType::unsubscribed:
            impl_->receive_subscription(account, std::move(stanza));
            return;
        case PresenceType::probe:
            if (!impl_->broadcast.answer_probe(account, stanza))
                impl_->start_offline_answer(account.jid(), *stanza.from());
            return;
        case PresenceType::error:
            impl_->deliver_error(account, stanza);
            return;
        case PresenceType::available:
        case PresenceType::unavailable:
            impl_->deliver(account, stanza);
            return;
    }
}

void Presence::Impl::receive_subscription(Account& account, Stanza stanza) {
    // No edit is running now, so this is the state that the stanza meets.
    if (!SubscriptionFlow::concerns(account, stanza)) return;
    const xmpp::Jid owner = account.jid();
    const Stanza kept = stanza;
    const bool queued =
        parts.accounts.edit(owner, [this, owner, stanza = std::move(stanza)]() mutable {
            return flow.received(owner, std::move(stanza));
        });
    if (!queued) parts.router.bounce(kept, xmpp::StanzaError::resource_constraint());
}

void Presence::Impl::start_offline_answer(const xmpp::Jid& owner, const xmpp::Jid& prober) {
    if (answers.size() < kOfflineAnswersMax) {
        answers.add("offline answer", answer_offline(owner, prober));
    } else {
        broadcast.send_offline(owner, prober, std::nullopt);
    }
}

// §4.3.2: unavailable, with the time at which the last resource left.
reactor::Deferred<void> Presence::Impl::answer_offline(xmpp::Jid owner, xmpp::Jid prober) {
    auto reading = parts.database.read([owner](storage::Transaction& transaction) {
        return storage::LastActivity(transaction).get(owner);
    });
    base::Result<std::optional<storage::LastSeen>> seen = co_await std::move(reading);
    Account* account = parts.accounts.find(owner);
    // A resource that came meanwhile has announced itself; a subscription that ended says no more.
    if (account == nullptr || account->has_available() ||
        !PresenceBroadcast::sees_broadcasts(*account, prober))
        co_return {};
    std::optional<base::WallTime> since;
    if (seen && *seen) since = (*seen)->at;
    broadcast.send_offline(owner, prober, since);
    co_return {};
}

// §8.5.2.1.2 and §8.5.3.1: to all available resources, or to the one that is named.
void Presence::Impl::deliver(Account& account, const Stanza& stanza) {
    const xmpp::Jid& to = *stanza.to();
    if (to.is_full()) {
        if (Resource* resource = account.find(to.resource())) resource->session->deliver(stanza);
        return;
    }
    for (const auto& resource : account.resources())
        if (resource->available()) resource->session->deliver(stanza);
}

// An error to the bare JID answers a subscription stanza, which a client may send before it is
// available (§3.1.2).
void Presence::Impl::deliver_error(Account& account, const Stanza& stanza) {
    if (stanza.to()->is_full()) {
        deliver(account, stanza);
        return;
    }
    for (const auto& resource : account.resources())
        if (resource->available() || resource->interested) resource->session->deliver(stanza);
}

void Presence::inbound_for_absent(Stanza stanza) {
    // §8.5.1: all but probes are ignored. The answer to those is that of an account that does not
    // know the prober, so it tells nothing.
    if (stanza.presence_type() != PresenceType::probe) return;
    Stanza answer = Stanza::presence(PresenceType::unsubscribed);
    answer.set_from(stanza.to()->bare());
    answer.set_to(stanza.from()->bare());
    impl_->parts.router.route(std::move(answer));
}

// ---- sessions and rosters

void Presence::resource_gone(Account& account, Resource& resource) {
    if (!resource.available() && resource.directed.empty()) return;
    Stanza gone = Stanza::presence(PresenceType::unavailable);
    gone.set_from(resource.jid);
    impl_->broadcast.withdraw(account, resource, std::move(gone), false);
}

void Presence::roster_requested(Resource& resource) {
    resource.interested = true;
}

reactor::Deferred<void> Presence::set_roster(const xmpp::Jid& account, RosterSet set) {
    SubscriptionFlow& flow = impl_->flow;
    return impl_->edits.run(account, [&flow, account, set = std::move(set)]() mutable {
        return set.remove ? flow.remove_contact(account, set.contact)
                          : flow.set_contact(account, std::move(set));
    });
}

void Presence::hide(Account& account, const Blocklist& more) {
    impl_->broadcast.hide(account, more);
}

void Presence::show(Account& account, const Blocklist& fewer) {
    impl_->broadcast.show(account, fewer);
}

void Presence::set_roster_items_max(std::uint32_t items_max) {
    impl_->edits.set_items_max(items_max);
}

// ---- requests that wait for an answer (§3.1.3): to every new resource, until they are answered

void Presence::Impl::start_requests(Account& account, const Resource& resource) {
    if (!account.roster.has_requests()) return;
    tasks.add("subscription requests", hand_over_requests(account.jid(), resource.session_id,
                                                          account.roster.request_serial()));
}

SessionSink* Presence::Impl::request_taker(const xmpp::Jid& owner, SessionId session) {
    Account* account = parts.accounts.find(owner);
    Resource* resource = account != nullptr ? account->of_session(session) : nullptr;
    return resource != nullptr && resource->available() ? resource->session : nullptr;
}

// `newest`: requests that arrived later than this were delivered when they came.
reactor::Deferred<void> Presence::Impl::hand_over_requests(xmpp::Jid owner, SessionId session,
                                                           std::uint32_t newest) {
    std::optional<std::vector<storage::SubscriptionRequest>> kept;
    while (!kept) {
        auto reading = parts.database.read([owner](storage::Transaction& transaction) {
            return storage::Roster(transaction).requests(owner);
        });
        base::Result<std::vector<storage::SubscriptionRequest>> read = co_await std::move(reading);
        if (read) {
            kept = *std::move(read);
            break;
        }
        parts.world.log.error("presence.requests_not_read", {{"why", read.error().message()}});
        static_cast<void>(co_await reactor::sleep(parts.world.reactor, kRetryDelay));
        if (request_taker(owner, session) == nullptr) co_return {};
    }
    std::size_t delivered = 0;
    for (const storage::SubscriptionRequest& request : *kept) {
        SessionSink* taker = request_taker(owner, session);
        if (taker == nullptr) co_return {};
        const Account& account = *parts.accounts.find(owner);
        const Roster::Request* waiting = account.roster.request_of(request.from);
        if (waiting == nullptr || waiting->serial > newest) continue;
        if (account.blocks(request.from)) continue;
        std::optional<Stanza> stanza = xmpp::read_stanza(request.stanza);
        if (!stanza) continue;
        taker->deliver(*std::move(stanza));
        if (++delivered % kRequestBatch != 0) continue;
        base::Result<void> written = co_await taker->flushed();
        if (!written) co_return {};
    }
    co_return {};
}

}  // namespace server
