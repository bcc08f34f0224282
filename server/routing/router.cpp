#include "server/routing/router.h"

#include "reactor/base/check.h"
#include "reactor/base/text_map.h"
#include "reactor/base/units.h"
#include "reactor/reactor.h"
#include "server/config/hosts.h"
#include "server/observe/metrics.h"
#include "server/routing/audience.h"
#include "server/routing/durable_delivery.h"
#include "server/routing/iq_requests.h"
#include "server/routing/iq_service.h"
#include "server/routing/local_delivery.h"
#include "server/routing/offline_queue.h"
#include "server/routing/outbox.h"
#include "server/routing/presence.h"
#include "server/routing/sent_messages.h"
#include "server/routing/shares.h"
#include "xmpp/payloads/message_class.h"

#include <string>
#include <utility>

namespace server {

reactor::ShardId shard_of(std::string_view bare_jid, reactor::ShardId shard_count) {
    // FNV-1a, then a finalizer: FNV's low bits alone spread short names badly.
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char letter : bare_jid)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211ULL;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93ULL;
    hash ^= hash >> 32;
    return static_cast<reactor::ShardId>(hash % shard_count);
}

namespace {

/// What waits for accounts that are being loaded or changed; how many stanzas for each is their
/// affair (Accounts).
constexpr Shares::Limits kWaiting{.each_bytes_max = base::operator""_MiB(16),
                                  .all_bytes_max = base::operator""_MiB(128)};
/// An outbox is posted at the end of the turn.
constexpr base::Duration kPassingTime = std::chrono::milliseconds(1);

// RFC 6120 §8.3.1 forbids answering errors and IQ responses. Presence other than a request or a
// directed notice is dropped silently: its sender did not wait for anything.
bool may_be_answered(const xmpp::Stanza& stanza) {
    if (!stanza.may_answer_with_error()) return false;
    return !stanza.is_presence() || stanza.presence_type() == xmpp::PresenceType::available ||
           stanza.presence_type() == xmpp::PresenceType::subscribe;
}

// Presence that its addressee just gets to see.
bool tells_of(const xmpp::Stanza& stanza) {
    return stanza.is_presence() && (stanza.presence_type() == xmpp::PresenceType::available ||
                                    stanza.presence_type() == xmpp::PresenceType::unavailable);
}

bool shares_content(const xmpp::Stanza& copy, const xmpp::Stanza& original) {
    return copy.raw_inner().view().data() == original.raw_inner().view().data() &&
           copy.element().has_no_content() == original.element().has_no_content();
}

}  // namespace

struct Router::Impl {
    Impl(Router& router, Parts p)
        : parts(p),
          shard(p.world.shards.current()),
          iq(p.world, p.iq, router),
          requests(p.world, router),
          outbox(p.world,
                 [this](reactor::ShardId target, MailBatch batch) {
                     return base::UniqueFunction<void()>(
                         [home = all[target]->impl_.get(), batch = std::move(batch)]() mutable {
                             for (Mail& mail : batch)
                                 home->open(std::move(mail));
                         });
                 }),
          sent(p.accounts, p.hooks, p.archive_ids),
          durable({p.world, p.accounts, p.database, p.hooks, p.offline, p.archive_ids, p.metrics,
                   p.only_in_memory,
                   [this](const Origin& origin, OriginReport about) { report(origin, about); },
                   [&router](xmpp::Stanza stanza, const xmpp::StanzaError& error) {
                       router.bounce(std::move(stanza), error);
                   }}),
          routed(p.metrics.counter("router_stanzas_total", "Stanzas routed by this server.")),
          bounced(p.metrics.counter("router_bounced_total", "Stanzas answered with an error.")),
          crossed(p.metrics.counter("router_crossed_total", "Stanzas sent to another shard.")) {}

    Parts parts;
    reactor::ShardId shard;
    std::vector<Router*> all;
    std::unique_ptr<Presence> presence;
    IqService iq;
    IqRequests requests;
    Outbox outbox;
    Shares waiting{kWaiting};
    SentMessages sent;
    DurableDelivery durable;
    Counter& routed;
    Counter& bounced;
    Counter& crossed;
    Router* self = nullptr;
    base::TextMap<DomainService*> services;

    DomainService* service_of(std::string_view domain) const;
    Submitted submit_message(Account& account, Resource& resource, xmpp::Stanza message,
                             std::uint32_t taken);
    void route(RoutedStanza&& routed_stanza);
    void open(Mail mail);
    void report(const Origin& origin, OriginReport about);
    void settle(const std::optional<Origin>& origin);
    void refuse(RoutedStanza&& routed_stanza, const xmpp::StanzaError& error);
    void arrive(RoutedStanza&& routed_stanza);
    void spread(FanOut&& fan_out);
    reactor::Deferred<void> flushed(const xmpp::Jid& client);
    bool deliver_copy(xmpp::Stanza& copy, const xmpp::Stanza& original,
                      const base::SharedBytes& shared);
    void deliver_home(RoutedStanza&& routed_stanza);
    void deliver_in(Account& account, RoutedStanza&& routed_stanza);
    void deliver_absent(xmpp::Stanza&& stanza);
    void deliver_to_server(xmpp::Stanza&& stanza);
    void deliver_message_to_all(Account& account, xmpp::Stanza&& stanza);
    void apply(Account& account, DeliveryRule rule, RoutedStanza&& routed_stanza);
    void tell_received(Account& account, const xmpp::Stanza& message,
                       std::span<const SessionId> sessions);
    void deliver_at_once(Account& account, DeliveryRule rule, xmpp::Stanza&& stanza);
};

Router::Router(Parts parts) : impl_(std::make_unique<Impl>(*this, parts)) {
    impl_->self = this;
    impl_->all.assign(parts.world.shards.count(), nullptr);
    impl_->all[impl_->shard] = this;
}

Router::~Router() = default;

void Router::connect(std::vector<Router*> all) {
    impl_->all = std::move(all);
}

void Router::set_presence(std::unique_ptr<Presence> presence) {
    impl_->presence = std::move(presence);
}

Router::Submitted Router::submit(Account& account, Resource& resource, xmpp::Stanza stanza,
                                 std::uint32_t taken) {
    StanzaEvent event{account, &resource, stanza};
    const Verdict verdict = impl_->parts.hooks.outbound.run(event);
    if (!verdict.is_proceed()) {
        if (verdict.error()) bounce(std::move(stanza), *verdict.error());
        return Submitted::settled;
    }
    if (stanza.is_presence()) {
        impl_->presence->outbound(account, resource, std::move(stanza));
        return Submitted::settled;
    }
    if (stanza.is_message()) {
        // RFC 6121 §8.1.1.1 (RFC 6120 §10.3.1): as if sent to the own bare JID.
        if (!stanza.to()) stanza.set_to(account.jid());
        return impl_->submit_message(account, resource, std::move(stanza), taken);
    }
    if (stanza.to()) {
        route(std::move(stanza));
    } else if (stanza.is_request()) {
        impl_->iq.answer_for_account(account.jid(), std::move(stanza));
    }
    // A result or error without `to` answers a request of ours; the session has seen it already.
    return Submitted::settled;
}

// What is not stored is sent now, for all that anybody will ever know.
Router::Submitted Router::Impl::submit_message(Account& account, Resource& resource,
                                               xmpp::Stanza message, std::uint32_t taken) {
    const bool is_kept =
        DurableDelivery::concerns(message) || (xmpp::is_worth_archiving_in_room(message) &&
                                               service_of(message.to()->domain()) != nullptr);
    if (!is_kept) {
        MessageEvent event{account, &resource, message, {}};
        (void)parts.hooks.message_sent.run(event);
        self->route(std::move(message));
        return Submitted::settled;
    }
    Origin origin{.shard = shard,
                  .managed = taken == 0 ? 0 : resource.managed,
                  .taken = taken,
                  .archived = parts.hooks.archives(account, message)};
    // A room passes it on in another name, so the sender's copy is one of its own.
    if (origin.archived && service_of(message.to()->domain()) != nullptr) {
        durable.keep_sent(account, message);
        origin.archived = false;
    }
    origin.ticket = sent.add(account, resource, message, taken, origin.archived);
    route({std::move(message), origin});
    const Submitted known = sent.state_of(origin.ticket);
    sent.announce(origin.ticket);
    return known;
}

void Router::route(xmpp::Stanza stanza) {
    impl_->route({std::move(stanza), std::nullopt});
}

void Router::route(xmpp::Stanza stanza, const std::optional<Origin>& origin) {
    impl_->route({std::move(stanza), origin});
}

void Router::Impl::route(RoutedStanza&& routed_stanza) {
    const xmpp::Stanza& stanza = routed_stanza.stanza;
    CHECK(stanza.to().has_value());
    routed.add();
    const xmpp::Jid& to = *stanza.to();
    DomainService* service = service_of(to.domain());
    if (service == nullptr && !self->is_local(to.domain()))
        return refuse(std::move(routed_stanza), xmpp::StanzaError::remote_server_not_found());
    if (!to.has_local()) {
        if (service != nullptr)
            return service->receive(std::move(routed_stanza.stanza), routed_stanza.origin);
        settle(routed_stanza.origin);
        return deliver_to_server(std::move(routed_stanza.stanza));
    }
    const reactor::ShardId home = shard_of(to.bare_view(), parts.world.shards.count());
    if (home == shard) return arrive(std::move(routed_stanza));
    crossed.add();
    if (!outbox.add(home, routed_stanza))
        refuse(std::move(routed_stanza), xmpp::StanzaError::resource_constraint());
}

DomainService* Router::Impl::service_of(std::string_view domain) const {
    if (services.empty() || self->is_local(domain)) return nullptr;
    const auto found = services.find(domain);
    return found == services.end() ? nullptr : found->second;
}

Subscription Router::serve(std::string domain, DomainService& service) {
    CHECK(!is_local(domain));
    CHECK(impl_->services.emplace(domain, &service).second);
    return Subscription([impl = impl_.get(), domain] { impl->services.erase(domain); });
}

void Router::route_to_all(xmpp::Stanza stanza, std::shared_ptr<const Audience> audience) {
    const auto count = static_cast<reactor::ShardId>(impl_->all.size());
    CHECK(audience->shard_count() == count);
    stanza.clear_to();
    stanza.share_content();
    std::string xml = stanza.to_xml();
    const auto shared = std::make_shared<const SharedStanza>(std::move(stanza), std::move(xml));
    // The others first: what this turn is written to its clients takes long, and the mail to other
    // shards would wait for that.
    for (reactor::ShardId step = 1; step <= count; ++step) {
        const reactor::ShardId id = (impl_->shard + step) % count;
        if (audience->part(id).empty()) continue;
        impl_->routed.add(audience->part(id).size());
        if (id == impl_->shard) {
            impl_->spread({shared, audience});
        } else {
            impl_->crossed.add();
            impl_->outbox.add(id, FanOut{shared, audience});
        }
    }
}

reactor::Deferred<void> Router::flushed(xmpp::Jid client) {
    if (!client.has_local() || !is_local(client.domain())) co_return {};
    const reactor::World& world = impl_->parts.world;
    // Behind what is on its way there.
    auto passing = reactor::sleep(impl_->parts.world.reactor, kPassingTime);
    co_await std::move(passing);
    const reactor::ShardId home = shard_of(client.bare_view(), world.shards.count());
    auto asking = impl_->parts.world.shards.run_on(
        home, [there = impl_->all[home]->impl_.get(), client] { return there->flushed(client); });
    const base::Result<void> flushed = co_await std::move(asking).as_result();
    co_return flushed;
}

reactor::Deferred<void> Router::Impl::flushed(const xmpp::Jid& client) {
    Account* account = parts.accounts.find(client);
    Resource* resource = account == nullptr ? nullptr : account->find(client.resource());
    if (resource == nullptr) return base::Errc::not_found;
    return resource->session->flushed();
}

// What is not for an account of this shard finds its own way.
void Router::Impl::spread(FanOut&& fan_out) {
    const xmpp::Stanza& original = fan_out.shared->stanza;
    xmpp::Stanza copy = original;
    // The shard's own: a count that two shards change would cost more than this copy.
    const base::SharedBytes shared{std::string(fan_out.shared->xml)};
    std::string_view domain;  // The last one: usually that of all.
    bool is_ours = false;
    for (const xmpp::Jid* recipient : fan_out.audience->part(shard)) {
        const xmpp::Jid& to = *recipient;
        copy.set_to(to);
        if (to.domain() != domain) {
            domain = to.domain();
            is_ours = self->is_local(domain);
        }
        if (!is_ours || !to.has_local()) {
            self->route(copy);
        } else if (!deliver_copy(copy, original, shared)) {
            deliver_home({copy, std::nullopt});
        }
        // Whoever changed it changed it for one.
        if (!shares_content(copy, original)) copy = original;
    }
}

// A room's message or presence for a client that is there, without a copy for it alone; what
// arrives otherwise does the same. False: not that, and nothing has happened.
bool Router::Impl::deliver_copy(xmpp::Stanza& copy, const xmpp::Stanza& original,
                                const base::SharedBytes& shared) {
    const bool is_plain = copy.is_message() ? !DurableDelivery::concerns(copy) : tells_of(copy);
    Account* account =
        is_plain && copy.to()->is_full() ? parts.accounts.ready(*copy.to()) : nullptr;
    if (account == nullptr || account->find(copy.to()->resource()) == nullptr) return false;
    StanzaEvent event{*account, nullptr, copy};
    const Verdict verdict = parts.hooks.inbound.run(event);
    if (!verdict.is_proceed()) {
        if (verdict.error()) self->bounce(copy, *verdict.error());
        return true;
    }
    Resource* resource = account->find(copy.to()->resource());
    if (resource == nullptr) {
        apply(*account, delivery_rule(copy, Addressed::full_unknown), {copy, std::nullopt});
        return true;
    }
    const SessionId session = resource->session_id;
    if (copy.is_message()) tell_received(*account, copy, std::span(&session, 1));
    if (shares_content(copy, original)) {
        resource->session->deliver_copy(copy, shared);
    } else {
        resource->session->deliver(copy);
    }
    return true;
}

void Router::Impl::arrive(RoutedStanza&& routed_stanza) {
    DomainService* service = service_of(routed_stanza.stanza.to()->domain());
    if (service == nullptr) return deliver_home(std::move(routed_stanza));
    service->receive(std::move(routed_stanza.stanza), routed_stanza.origin);
}

void Router::Impl::open(Mail mail) {
    if (auto* routed_stanza = std::get_if<RoutedStanza>(&mail)) {
        arrive(std::move(*routed_stanza));
    } else if (auto* fan_out = std::get_if<FanOut>(&mail)) {
        spread(std::move(*fan_out));
    } else {
        sent.report(std::get<OriginReport>(mail));
    }
}

void Router::Impl::report(const Origin& origin, OriginReport about) {
    about.ticket = origin.ticket;
    if (origin.shard == shard) {
        sent.report(about);
    } else {
        outbox.add(origin.shard, about);
    }
}

void Router::report(const Origin& origin, OriginReport about) {
    impl_->report(origin, about);
}

// Nothing of it will be stored.
void Router::Impl::settle(const std::optional<Origin>& origin) {
    if (origin) report(*origin, {.kind = OriginReport::Kind::settled});
}

void Router::Impl::refuse(RoutedStanza&& routed_stanza, const xmpp::StanzaError& error) {
    settle(routed_stanza.origin);
    self->bounce(std::move(routed_stanza.stanza), error);
}

void Router::bounce(xmpp::Stanza stanza, const xmpp::StanzaError& error) {
    if (!may_be_answered(stanza) || !stanza.from()) return;
    impl_->bounced.add();
    xmpp::Stanza reply = stanza.reply_error(error);
    if (!reply.to()) return;
    const std::string_view domain = reply.to()->domain();
    if (!is_local(domain) && impl_->service_of(domain) == nullptr) return;
    impl_->route({std::move(reply), std::nullopt, true});
}

void Router::Impl::deliver_to_server(xmpp::Stanza&& stanza) {
    if (stanza.is_request() && stanza.to()->is_domain()) {
        iq.answer_for_server(std::move(stanza));
        return;
    }
    if (stanza.is_iq() && stanza.is_response()) {
        static_cast<void>(requests.accept(stanza));
        return;
    }
    // RFC 6121 §8.2: nobody sits behind the domain; requests and messages are refused, responses
    // and presence end here.
    if (stanza.is_presence()) return;
    self->bounce(std::move(stanza), xmpp::StanzaError::service_unavailable());
}

void Router::Impl::deliver_home(RoutedStanza&& routed_stanza) {
    if (Account* account = parts.accounts.ready(*routed_stanza.stanza.to()))
        return deliver_in(*account, std::move(routed_stanza));
    const xmpp::Jid bare = routed_stanza.stanza.to()->bare();
    const std::size_t bytes = memory_of(routed_stanza.stanza);
    if (!waiting.take(bare.text(), bytes))
        return refuse(std::move(routed_stanza), xmpp::StanzaError::resource_constraint());
    parts.accounts.with(bare, [this, bytes, routed_stanza = std::move(routed_stanza)](
                                  base::Result<Account*> account) mutable {
        waiting.give_back(routed_stanza.stanza.to()->bare_view(), bytes);
        if (account) return deliver_in(**account, std::move(routed_stanza));
        if (account.error().is(base::Errc::not_found)) {
            settle(routed_stanza.origin);
            deliver_absent(std::move(routed_stanza.stanza));
        } else if (account.error().is(base::Errc::queue_full)) {
            refuse(std::move(routed_stanza), xmpp::StanzaError::resource_constraint());
        } else {
            refuse(std::move(routed_stanza), xmpp::StanzaError::internal_server_error());
        }
    });
}

void Router::Impl::deliver_absent(xmpp::Stanza&& stanza) {
    switch (delivery_rule(stanza, Addressed::absent)) {
        case DeliveryRule::presence:
            presence->inbound_for_absent(std::move(stanza));
            return;
        case DeliveryRule::refuse:
            if (stanza.is_request() && stanza.to()->is_bare()) {
                iq.answer_for_nobody(std::move(stanza));
                return;
            }
            self->bounce(std::move(stanza), xmpp::StanzaError::service_unavailable());
            return;
        default:
            return;
    }
}

void Router::Impl::deliver_in(Account& account, RoutedStanza&& routed_stanza) {
    StanzaEvent event{account, nullptr, routed_stanza.stanza};
    const Verdict verdict =
        routed_stanza.is_refusal ? Verdict::proceed() : parts.hooks.inbound.run(event);
    if (!verdict.is_proceed()) {
        settle(routed_stanza.origin);
        if (verdict.error()) self->bounce(std::move(routed_stanza.stanza), *verdict.error());
        return;
    }
    DeliveryRule rule =
        delivery_rule(routed_stanza.stanza, addressed_in(account, *routed_stanza.stanza.to()));
    if (rule == DeliveryRule::as_bare)
        rule = delivery_rule(routed_stanza.stanza, addressed_in(account, account.jid()));
    apply(account, rule, std::move(routed_stanza));
}

void Router::Impl::apply(Account& account, DeliveryRule rule, RoutedStanza&& routed_stanza) {
    const bool delivers = rule == DeliveryRule::to_resource ||
                          rule == DeliveryRule::to_all_available ||
                          rule == DeliveryRule::store_or_refuse;
    if (delivers && durable.stores(account, routed_stanza.stanza, rule, routed_stanza.origin))
        return durable.take(account, std::move(routed_stanza.stanza), rule, routed_stanza.origin);
    settle(routed_stanza.origin);
    deliver_at_once(account, rule, std::move(routed_stanza.stanza));
}

void Router::Impl::deliver_at_once(Account& account, DeliveryRule rule, xmpp::Stanza&& stanza) {
    switch (rule) {
        case DeliveryRule::to_resource: {
            Resource* resource = account.find(stanza.to()->resource());
            const SessionId session = resource->session_id;
            if (stanza.is_message()) tell_received(account, stanza, std::span(&session, 1));
            resource->session->deliver(std::move(stanza));
            return;
        }
        case DeliveryRule::to_all_available:
            deliver_message_to_all(account, std::move(stanza));
            return;
        case DeliveryRule::as_bare:
            CHECK(false);  // Resolved before.
        case DeliveryRule::store_or_refuse:
            // A chat state and its like is not worth telling its sender about, and whoever forbids
            // keeping a message knows why (XEP-0160 §3). Others may have their copy of it.
            deliver_message_to_all(account, std::move(stanza));
            return;
        case DeliveryRule::refuse:
            self->bounce(std::move(stanza), xmpp::StanzaError::service_unavailable());
            return;
        case DeliveryRule::ignore:
            if (stanza.is_message()) tell_received(account, stanza, {});
            return;
        case DeliveryRule::presence:
            presence->inbound(account, std::move(stanza));
            return;
        case DeliveryRule::answer:
            iq.answer_for_account(account.jid(), std::move(stanza));
            return;
    }
}

void Router::Impl::tell_received(Account& account, const xmpp::Stanza& message,
                                 std::span<const SessionId> sessions) {
    MessageEvent event{account, nullptr, message, sessions};
    (void)parts.hooks.message_received.run(event);
}

void Router::Impl::deliver_message_to_all(Account& account, xmpp::Stanza&& stanza) {
    std::vector<SessionId> sessions;
    for (const auto& resource : account.resources())
        if (resource->takes_messages()) sessions.push_back(resource->session_id);
    tell_received(account, stanza, sessions);
    Resource* last = nullptr;  // Takes the original, so that one recipient costs no copy.
    for (const auto& resource : account.resources()) {
        if (!resource->takes_messages()) continue;
        if (last != nullptr) last->session->deliver(stanza);
        last = resource.get();
    }
    if (last != nullptr) last->session->deliver(std::move(stanza));
}

void Router::redeliver(const xmpp::Jid& bare, xmpp::Stanza message) {
    if (!message.is_message()) return;
    const bool was_for_one = message.to() && message.to()->is_full();
    impl_->parts.accounts.with(
        bare, [impl = impl_.get(), was_for_one,
               message = std::move(message)](base::Result<Account*> account) mutable {
            if (!account) return;
            if (message.from() && (*account)->blocks(*message.from())) {
                // Blocked since it was given to the session.
                impl->self->bounce(std::move(message), xmpp::StanzaError::service_unavailable());
                return;
            }
            const Addressed now = addressed_in(**account, (*account)->jid());
            // A message for the bare JID has reached the other resources already.
            if (now == Addressed::bare_with_takers && !was_for_one) return;
            const DeliveryRule rule = delivery_rule(message, now);
            impl->apply(**account, rule, {std::move(message), std::nullopt});
        });
}

bool Router::is_query(const xmpp::Element& payload) const {
    return impl_->parts.iq.is_query(payload);
}

bool Router::is_local(std::string_view domain) const {
    return impl_->parts.hosts.contains(domain);
}

bool Router::is_home(const xmpp::Jid& bare) const {
    return shard_of(bare.bare_view(), impl_->parts.world.shards.count()) == impl_->shard;
}

bool Router::congested() const {
    return impl_->outbox.congested();
}
void Router::wait(CongestionObserver& observer) {
    impl_->outbox.wait(observer);
}
void Router::withdraw(CongestionObserver& observer) {
    impl_->outbox.withdraw(observer);
}
Presence& Router::presence() {
    return *impl_->presence;
}
IqRequests& Router::requests() {
    return impl_->requests;
}
Hooks& Router::hooks() {
    return impl_->parts.hooks;
}
Accounts& Router::accounts() {
    return impl_->parts.accounts;
}
OfflineQueue& Router::offline() {
    return impl_->parts.offline;
}

}  // namespace server
