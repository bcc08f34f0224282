#include "server/routing/durable_delivery.h"

#include "storage/database.h"
#include "storage/tables/sm_sessions.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/payloads/stanza_id.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

using storage::MessageId;

xmpp::StanzaError error_for(const base::Failure& why) {
    if (why.is(base::Errc::queue_full) || why.is(base::Errc::no_space) || why.is(base::Errc::busy))
        return xmpp::StanzaError::resource_constraint();
    return xmpp::StanzaError::internal_server_error();
}

}  // namespace

DurableDelivery::DurableDelivery(Parts parts)
    : parts_(std::move(parts)),
      stored_(parts_.metrics.counter("messages_stored_total",
                                     "Messages stored before they were delivered.")),
      refused_(parts_.metrics.counter("messages_refused_total",
                                      "Messages that could not be stored and were refused.")),
      tasks_(parts_.world.reactor) {}

bool DurableDelivery::concerns(const xmpp::Stanza& stanza) {
    if (!stanza.is_message()) return false;
    const xmpp::MessageType type = stanza.message_type();
    if (type != xmpp::MessageType::chat && type != xmpp::MessageType::normal) return false;
    return xmpp::is_worth_keeping_offline(stanza) || xmpp::is_worth_archiving(stanza);
}

bool DurableDelivery::stores(Account& account, const xmpp::Stanza& message, DeliveryRule rule,
                             const std::optional<Origin>& origin) const {
    if (!concerns(message)) return false;
    return !parts_.only_in_memory || rule == DeliveryRule::store_or_refuse ||
           (origin && origin->archived) || parts_.hooks.archives(account, message) ||
           std::ranges::any_of(account.resources(), [&](const auto& resource) {
               return parts_.offline.waits(account, *resource);
           });
}

void DurableDelivery::take(Account& account, xmpp::Stanza message, DeliveryRule rule,
                           const std::optional<Origin>& origin) {
    Job job{.account = account.jid(),
            .message = std::move(message),
            .origin = origin,
            .targets = {},
            .archived = false,
            .keeps = false};
    job.archived = parts_.hooks.archives(account, job.message);
    job.keeps = parts_.offline.enabled() && xmpp::is_worth_keeping_offline(job.message);
    choose_targets(account, rule, job);
    if (job.queued && !job.keeps && !job.archived) {
        if (origin) parts_.report(*origin, {.kind = OriginReport::Kind::settled});
        parts_.bounce(std::move(job.message), xmpp::StanzaError::service_unavailable());
        return;
    }
    if (job.queued) parts_.offline.expect(account);
    if (passes_queue(job)) parts_.offline.expect_passing(account);
    tasks_.add("durable delivery", store(std::move(job)));
    if (origin) parts_.report(*origin, {.kind = OriginReport::Kind::placed});
}

// Several have it, and one of them is enough; but not for one more who waits behind the queue.
bool DurableDelivery::is_shared(const Job& job) {
    return job.targets.size() > 1 && !job.queued;
}

bool DurableDelivery::is_managed(const Target& target) {
    return target.place.session != storage::kOfflineQueue;
}

// In the queue for one client, while others have it as theirs.
bool DurableDelivery::waits_alone(const Job& job) {
    return job.waiting != 0 && std::ranges::any_of(job.targets, is_managed);
}

// Without stream management a message is in the queue until it is written, unless it is kept for
// somebody else as well.
bool DurableDelivery::passes_queue(const Job& job) {
    return !job.queued && !job.targets.empty() && std::ranges::none_of(job.targets, is_managed);
}

// Whoever is still being handed older messages gets it behind them, through the queue.
void DurableDelivery::choose_targets(Account& account, DeliveryRule rule, Job& job) {
    const auto add = [&](const Resource& resource) {
        if (job.keeps && parts_.offline.waits(account, resource)) {
            job.queued = true;
            job.waiting = resource.session_id;
        } else {
            job.targets.push_back({resource.session_id, resource.session->reserve()});
        }
    };
    if (rule == DeliveryRule::to_resource) {
        add(*account.find(job.message.to()->resource()));
    } else if (rule == DeliveryRule::to_all_available) {
        for (const auto& resource : account.resources())
            if (resource->takes_messages()) add(*resource);
    } else {
        job.queued = true;
    }
}

std::vector<storage::MessageCopy> DurableDelivery::copies_of(const Job& job) const {
    const xmpp::Jid& from = *job.message.from();
    const bool to_oneself = from.same_bare(job.account);
    std::vector<storage::MessageCopy> copies;
    storage::MessageCopy& own =
        copies.emplace_back(storage::MessageCopy{.owner = job.account,
                                                 .peer = to_oneself ? *job.message.to() : from,
                                                 .outgoing = to_oneself,
                                                 .archived = job.archived,
                                                 .deliveries = {}});
    const bool shared = is_shared(job) || job.queued;
    for (const Target& target : job.targets)
        if (is_managed(target))
            own.deliveries.push_back({.session = target.place.session,
                                      .sequence = target.place.sequence,
                                      .shared = shared,
                                      .kept = job.keeps});
    if (job.queued ? job.keeps : passes_queue(job))
        own.deliveries.push_back({.session = storage::kOfflineQueue,
                                  .shared = waits_alone(job),
                                  .expires_at = parts_.offline.expiry(parts_.world.clock.wall())});
    if (!to_oneself && job.origin && job.origin->archived)
        copies.push_back({.owner = from,
                          .peer = *job.message.to(),
                          .outgoing = true,
                          .archived = true,
                          .deliveries = {}});
    return copies;
}

reactor::Deferred<void> DurableDelivery::store(Job job) {
    // The stored bytes lack what is different for each who gets them: the archive's id.
    auto writing =
        parts_.database.write([xml = job.message.to_xml(), copies = copies_of(job),
                               now = parts_.world.clock.wall(), limits = parts_.offline.limits(),
                               origin = job.origin, queued_only = job.queued && !job.archived](
                                  storage::Transaction& transaction) -> base::Result<MessageId> {
            const auto appended =
                TRY(storage::Messages(transaction, limits).append(now, xml, copies));
            // XEP-0160 §3: the queue is full, and nothing else keeps the message.
            if (appended.offline_queue_full && queued_only)
                return base::fail(base::Errc::resource_exhausted);
            if (!origin || origin->managed == 0) return appended.id;
            const auto counted =
                storage::SmSessions(transaction).set_taken(origin->managed, origin->taken);
            // A stream that has been closed meanwhile counts no more.
            if (!counted && !counted.error().is(base::Errc::not_found))
                return std::unexpected(counted.error());
            return appended.id;
        });
    const base::Result<MessageId> id = co_await std::move(writing);
    if (id) {
        deliver(std::move(job), *id);
    } else {
        refuse(std::move(job), id.error());
    }
    co_return {};
}

void DurableDelivery::keep_sent(const Account& account, const xmpp::Stanza& message) {
    tasks_.add("sent message", run_keep_sent(account.jid(), message));
}

reactor::Deferred<void> DurableDelivery::run_keep_sent(xmpp::Jid account, xmpp::Stanza message) {
    std::vector<storage::MessageCopy> copies = {{.owner = account,
                                                 .peer = *message.to(),
                                                 .outgoing = true,
                                                 .archived = true,
                                                 .deliveries = {}}};
    auto writing =
        parts_.database.write([xml = message.to_xml(), copies = std::move(copies),
                               now = parts_.world.clock.wall()](storage::Transaction& transaction) {
            return storage::Messages(transaction).append(now, xml, copies);
        });
    const base::Result<storage::Appended> kept = co_await std::move(writing);
    if (!kept) parts_.world.log.error("message.store_failed", {{"why", kept.error().message()}});
    co_return {};
}

void DurableDelivery::deliver(Job job, MessageId id) {
    stored_.add();
    xmpp::Stanza shown = std::move(job.message);
    if (job.archived) shown.append_child(xmpp::stanza_id_element(parts_.ids.text(id), job.account));
    const bool shared = is_shared(job);
    for (const Target& target : job.targets) {
        if (Resource* taker = parts_.accounts.resource_of(job.account, target.session))
            taker->session->fill(target.place.number, shown, id, shared);
        // When it is written, nobody else need get it, whether the queue has it or others do.
        if (!job.queued && !is_managed(target))
            parts_.offline.given(job.account, target.session, id);
        if (job.queued) parts_.offline.seen(job.account, target.session, id);
    }
    if (job.waiting != 0 && !job.targets.empty())
        parts_.offline.only_for(job.account, job.waiting, id, waits_alone(job));
    if (passes_queue(job)) parts_.offline.passed(job.account);
    if (job.queued) parts_.offline.arrived(job.account, true);
    if (Account* account = parts_.accounts.find(job.account)) {
        std::vector<SessionId> sessions;
        for (const Target& target : job.targets)
            sessions.push_back(target.session);
        MessageEvent event{*account, nullptr, shown, sessions, id};
        (void)parts_.hooks.message_received.run(event);
    }
    if (job.origin) parts_.report(*job.origin, {.kind = OriginReport::Kind::stored, .id = id});
}

void DurableDelivery::refuse(Job job, const base::Failure& why) {
    refused_.add();
    for (const Target& target : job.targets)
        if (Resource* taker = parts_.accounts.resource_of(job.account, target.session))
            taker->session->give_up(target.place.number);
    if (passes_queue(job)) parts_.offline.passed(job.account);
    if (job.queued) parts_.offline.arrived(job.account, false);
    const bool queue_full = why.is(base::Errc::resource_exhausted);
    if (!queue_full) parts_.world.log.error("message.store_failed", {{"why", why.message()}});
    if (job.origin) parts_.report(*job.origin, {.kind = OriginReport::Kind::settled});
    parts_.bounce(std::move(job.message),
                  queue_full ? xmpp::StanzaError::service_unavailable() : error_for(why));
}

}  // namespace server
