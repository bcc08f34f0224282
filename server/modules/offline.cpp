// XEP-0160 offline messages (with XEP-0203 stamps): a message that no resource can take is kept,
// and handed over in order when one can again.
//
// Order: while an account's store is being handed over, or a write to it is under way, new messages
// for the account go through the store as well, so they cannot overtake older ones. A message is
// deleted when the operating system has taken its bytes, not before: a crash repeats, never loses.
// One from an address that was blocked since waits, until it is unblocked or expires.
#include "storage/tables/offline.h"
#include "reactor/looping_call.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "storage/database.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/xml/read_stanza.h"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

namespace server::modules {
namespace {

using xmpp::Stanza;

// Messages handed over before the next batch is read: small enough that others get their turns.
constexpr std::uint32_t kBatchMessages = 50;
/// Bytes of them handed over before they must be written, or half of what may wait for a client:
/// more at once would make every client a slow reader, whose session ends.
constexpr std::size_t kPartBytes = 32'768;
constexpr base::Duration kExpiryInterval = std::chrono::hours(1);
constexpr std::uint32_t kExpiryBatch = 500;

struct OfflineState final : ModuleState {
    bool handing_over = false;
    SessionId session = 0;        // To whom, while handing over.
    std::size_t writes_open = 0;  // Appended, not yet committed.
};

// The others are bounced or dropped by the rules of RFC 6121 §8.5.
bool has_keepable_type(const Stanza& stanza) {
    return stanza.is_message() && (stanza.message_type() == xmpp::MessageType::chat ||
                                   stanza.message_type() == xmpp::MessageType::normal);
}

const Resource* taker_in(const Account& account) {
    for (const auto& resource : account.resources())
        if (resource->available() && resource->priority >= 0) return resource.get();
    return nullptr;
}

const Resource* resource_in(const Account& account, SessionId session) {
    for (const auto& resource : account.resources())
        if (resource->session_id == session) return resource.get();
    return nullptr;
}

class Offline final : public Module {
public:
    explicit Offline(ModuleContext& context)
        : context_(context),
          states_(context.accounts),
          expiry_(context.world.reactor, [this] { return expire(); }),
          stored_(context.metrics.counter("module_offline_stored_total",
                                          "Messages put into the offline store.")),
          refused_(context.metrics.counter("module_offline_refused_total",
                                           "Messages that the offline store could not take.")),
          handed_over_(context.metrics.counter("module_offline_handed_over_total",
                                               "Offline messages handed to their recipients.")),
          tasks_(context.world.reactor) {
        reload(context.config);
        subscriptions_ += context.hooks.undeliverable.add(
            Stage::deliver, [this](StanzaEvent& event) { return keep(event); });
        subscriptions_ += context.hooks.delivering.add(
            Stage::deliver, [this](StanzaEvent& event) { return keep_order(event); });
        subscriptions_ +=
            context.hooks.presence_changed.add(Stage::observe, [this](ResourceEvent& event) {
                if (event.resource.available() && event.resource.priority >= 0)
                    start(event.account, event.resource);
                return Verdict::proceed();
            });
        if (context.world.shards.current() == 0)
            tasks_.add("offline expiry", expiry_.start(kExpiryInterval));
    }

    void reload(const Config& config) override {
        limits_.stanzas_max = config.get(keys::kOfflineMessagesMax);
        expiry_after_ = config.get(keys::kOfflineExpiry);
        part_bytes_ = std::min<std::size_t>(kPartBytes, config.get(keys::kOutboundQueueMax) / 2);
    }

private:
    Verdict keep(StanzaEvent& event) {
        if (!has_keepable_type(event.stanza)) return Verdict::proceed();
        if (!xmpp::is_worth_keeping_offline(event.stanza)) return Verdict::done();
        if (limits_.stanzas_max == 0) return Verdict::proceed();
        tasks_.add("offline store", store(event.account.jid(), std::move(event.stanza)));
        return Verdict::done();
    }

    Verdict keep_order(StanzaEvent& event) {
        const OfflineState& state = states_.of(event.account);
        if (!state.handing_over && state.writes_open == 0) return Verdict::proceed();
        if (!xmpp::is_worth_keeping_offline(event.stanza)) return Verdict::proceed();
        if (limits_.stanzas_max == 0) return Verdict::proceed();
        const xmpp::Jid& to = *event.stanza.to();
        const Resource* named = to.is_full() ? event.account.find(to.resource()) : nullptr;
        if (named != nullptr)
            return named->session_id == state.session ? keep(event) : Verdict::proceed();
        // Refused by RFC 6121 §8.5.3.2.1, now as ever.
        if (to.is_full() && event.stanza.message_type() == xmpp::MessageType::normal)
            return Verdict::proceed();
        deliver_to_others(event, state);
        return keep(event);
    }

    // Only the resource that is handed the store must wait: the others do not get what is in it.
    void deliver_to_others(const StanzaEvent& event, const OfflineState& state) const {
        const Resource* first = taker_in(event.account);
        if (first == nullptr) return;
        const SessionId waiting = state.handing_over ? state.session : first->session_id;
        for (const auto& resource : event.account.resources())
            if (resource->available() && resource->priority >= 0 && resource->session_id != waiting)
                resource->session->deliver(event.stanza);
    }

    reactor::Deferred<void> store(xmpp::Jid account, Stanza message) {
        const base::WallTime now = context_.world.clock.wall();
        ++states_.of(*context_.accounts.find(account)).writes_open;
        auto writing = context_.database.write(
            [account, xml = message.to_xml(), now, expires_at = now + expiry_after_,
             limits = limits_](storage::Transaction& transaction) {
                return storage::Offline(transaction, limits).append(account, xml, now, expires_at);
            });
        base::Result<storage::OfflineId> stored = co_await std::move(writing);
        if (stored) {
            stored_.add();
        } else {
            refuse(std::move(message), stored.error());
        }
        Account* loaded = context_.accounts.find(account);
        if (loaded == nullptr) co_return {};
        OfflineState& state = states_.of(*loaded);
        if (state.writes_open > 0) --state.writes_open;
        // The recipient may have come meanwhile and found the store still without this message.
        const Resource* taker = taker_in(*loaded);
        if (stored && taker != nullptr && state.writes_open == 0) start(*loaded, *taker);
        co_return {};
    }

    void refuse(Stanza message, const base::Failure& why) {
        refused_.add();
        if (why.is(base::Errc::resource_exhausted)) {
            // XEP-0160 §3: the store of this account is full.
            context_.router.bounce(std::move(message), xmpp::StanzaError::service_unavailable());
            return;
        }
        context_.world.log.error("offline.store_failed", {{"why", why.message()}});
        const bool wait = why.is(base::Errc::queue_full) || why.is(base::Errc::no_space) ||
                          why.is(base::Errc::busy);
        context_.router.bounce(std::move(message),
                               wait ? xmpp::StanzaError::resource_constraint()
                                    : xmpp::StanzaError::internal_server_error());
    }

    void start(Account& account, const Resource& resource) {
        OfflineState& state = states_.of(account);
        if (state.handing_over) return;
        state.handing_over = true;
        state.session = resource.session_id;
        tasks_.add("offline hand-over", hand_over(account.jid(), resource.session_id));
    }

    // Ends the hand-over; if another resource could go on with what is left, it does.
    void finish(const xmpp::Jid& account, bool store_is_empty) {
        Account* loaded = context_.accounts.find(account);
        if (loaded == nullptr) return;
        OfflineState& state = states_.of(*loaded);
        const SessionId ended = std::exchange(state.session, 0);
        state.handing_over = false;
        if (store_is_empty) return;
        for (const auto& other : loaded->resources()) {
            if (other->session_id == ended || !other->available() || other->priority < 0) continue;
            start(*loaded, *other);
            return;
        }
    }

    reactor::Deferred<void> hand_over(xmpp::Jid account, SessionId session) {
        storage::OfflineId after = 0;
        for (;;) {
            auto reading = context_.database.read(
                [account, after, now = context_.world.clock.wall()](storage::Transaction& db) {
                    return storage::Offline(db).page(account, after, kBatchMessages, now);
                });
            base::Result<std::vector<storage::OfflineStanza>> page = co_await std::move(reading);
            if (!page) {
                context_.world.log.error("offline.read_failed", {{"why", page.error().message()}});
                finish(account, true);
                co_return {};
            }
            if (page->empty()) {
                finish(account, true);
                co_return {};
            }
            after = page->back().id;
            for (std::span<storage::OfflineStanza> rest(*page); !rest.empty();) {
                const auto part = rest.first(part_of(rest));
                rest = rest.subspan(part.size());
                Account* loaded = context_.accounts.find(account);
                const Resource* taker = loaded == nullptr ? nullptr : resource_in(*loaded, session);
                if (taker == nullptr || !taker->available()) {
                    finish(account, false);
                    co_return {};
                }
                std::vector<storage::OfflineId> over;
                for (const storage::OfflineStanza& kept : part)
                    if (deliver(*taker, *loaded, kept)) over.push_back(kept.id);
                if (!co_await taker->session->flushed()) {
                    finish(account, false);
                    co_return {};
                }
                handed_over_.add(over.size());
                auto removing = remove(account, std::move(over));
                if (!co_await std::move(removing)) {
                    finish(account, true);
                    co_return {};
                }
            }
        }
    }

    // How many of them to hand over at once; at least one.
    std::size_t part_of(std::span<const storage::OfflineStanza> page) const {
        std::size_t count = 1;
        for (std::size_t bytes = page.front().stanza.size(); count < page.size(); ++count) {
            bytes += page[count].stanza.size();
            if (bytes > part_bytes_) break;
        }
        return count;
    }

    // False: it must wait longer.
    bool deliver(const Resource& taker, const Account& account,
                 const storage::OfflineStanza& kept) {
        std::optional<Stanza> message = xmpp::read_stanza(kept.stanza);
        if (!message) {
            context_.world.log.error("offline.unreadable",
                                     {{"account", account.jid().text()}, {"id", kept.id}});
            return true;
        }
        if (message->from() && account.blocks(*message->from())) return false;
        message->edit().add(
            xmpp::delay_element(account.jid().domain(), kept.stored_at, "Offline Storage"));
        taker.session->deliver_stored(std::move(*message));
        return true;
    }

    // Deleting what was handed over is retried by nobody: if it fails, the same messages come again
    // at the next login, which the log says.
    reactor::Deferred<bool> remove(xmpp::Jid account, std::vector<storage::OfflineId> ids) {
        if (ids.empty()) co_return true;
        auto writing = context_.database.write(
            [account, ids = std::move(ids)](storage::Transaction& transaction) {
                return storage::Offline(transaction).remove(account, ids);
            });
        base::Result<std::int64_t> removed = co_await std::move(writing);
        if (!removed)
            context_.world.log.error("offline.remove_failed", {{"account", account.text()},
                                                               {"why", removed.error().message()}});
        co_return removed.has_value();
    }

    reactor::Deferred<void> expire() {
        std::int64_t removed_last = kExpiryBatch;
        while (removed_last == kExpiryBatch) {
            auto writing = context_.database.write(
                [now = context_.world.clock.wall()](storage::Transaction& transaction) {
                    return storage::Offline(transaction).expire(now, kExpiryBatch);
                });
            base::Result<std::int64_t> removed = co_await std::move(writing);
            if (!removed) {
                context_.world.log.warn("offline.expire_failed",
                                        {{"why", removed.error().message()}});
                co_return {};
            }
            removed_last = *removed;
        }
        co_return {};
    }

    ModuleContext context_;
    AccountState<OfflineState> states_;
    reactor::LoopingCall expiry_;
    storage::OfflineLimits limits_;
    base::Duration expiry_after_{};
    std::size_t part_bytes_ = 0;
    Counter& stored_;
    Counter& refused_;
    Counter& handed_over_;
    reactor::TaskSet tasks_;  // After what the tasks use.
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_offline() {
    return {.name = "offline",
            .xeps = {{160, "1.0.1", "Best Practices for Handling Offline Messages"},
                     {203, "2.0", "Delayed Delivery"},
                     {334, "1.0.0", "Message Processing Hints"}},
            .features = {"msgoffline"},
            .account_features = {},
            .needs = {"roster"},
            .config = {},
            .create = create_module<Offline>};
}

}  // namespace server::modules
