// Resuming a stream (XEP-0198 §5): the client has logged in over a new connection and asks for its
// old session instead of binding. That session lives on this shard, with or without its old
// connection; or a crash has ended it, and all that is left is to say how far it had come.
#include "reactor/reactor.h"
#include "server/routing/offline_queue.h"
#include "server/sessions/client_session.h"
#include "server/sessions/negotiation.h"
#include "storage/database.h"
#include "storage/tables/messages_deliveries.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/stream/sm_elements.h"

#include <chrono>
#include <utility>
#include <vector>

namespace server {
namespace {

using storage::Transaction;
using xmpp::StanzaCondition;
using xmpp::StreamCondition;
using xmpp::StreamError;

/// How often to look whether what the old connection brought is settled. It will be: storage
/// answers, and requests are waited for with patience.
constexpr base::Duration kSettleInterval = std::chrono::milliseconds(2);

/// Storage may refuse to note what a client has got, which is then better off waiting a little:
/// what it is not known to have comes again. It cannot wait for a disk that stays full.
constexpr unsigned kReleaseAttempts = 3;
constexpr base::Duration kReleasePause = std::chrono::seconds(1);

/// What the client of a lost stream says that it got although it was never acknowledged. Where it
/// waits in the offline queue for another client of the account, nobody knows any more for whom.
base::Result<void> acknowledge_lost(Transaction& transaction, const LostStream& lost,
                                    std::uint32_t handled) {
    storage::Deliveries deliveries(transaction);
    const auto first = TRY(deliveries.unacknowledged(lost.key, 0, 1));
    if (first.empty()) return {};
    const std::int64_t through = StreamManagement::number_of(handled, first.front().sequence);
    std::vector<storage::MessageId> shared;
    for (std::int64_t after = 0; after < through;) {
        const auto page =
            TRY(deliveries.unacknowledged(lost.key, after, storage::kDeliveryPageMax));
        for (const storage::Delivery& given : page)
            if (given.shared && given.sequence <= through) shared.push_back(given.id);
        after = page.empty() ? through : page.back().sequence;
    }
    TRY(deliveries.remove_delivered(lost.owner, shared));
    TRY(deliveries.acknowledge(lost.key, through));
    return {};
}

struct ReleasedRows {
    std::int64_t moved = 0;  ///< Into the offline queue.
    std::vector<storage::HandOver> given;
};

base::Result<ReleasedRows> release_rows(Transaction& transaction, const LostStream& lost,
                                        const storage::OfflineQueueLimits& limits,
                                        base::Duration keep, base::WallTime now) {
    const auto there = storage::SmSessions(transaction).detach(lost.key, now);
    if (!there && there.error().is(base::Errc::not_found))
        return ReleasedRows();  // Gone with its account.
    if (!there) return std::unexpected(there.error());
    storage::Deliveries deliveries(transaction, limits);
    TRY(ClientSession::forget(transaction, lost.owner, lost.key, lost.gone));
    if (lost.handled) TRY(acknowledge_lost(transaction, lost, *lost.handled));
    ReleasedRows released;
    released.given = TRY(deliveries.given(lost.key, kGivenMax));
    released.moved = TRY(deliveries.move_to_offline(lost.key, keep, lost.shared));
    if (lost.shared == storage::SharedDeliveries::taken) TRY(deliveries.remove_had(lost.owner));
    return released;
}

}  // namespace

void Negotiation::on_management(const xmpp::Element& element) {
    if (++management_attempts_ > kManagementAttemptsMax)
        return session_.fail(StreamError(StreamCondition::policy_violation,
                                         "too many attempts at stream management"));
    // XEP-0198 §3: the order is enforced with <failed/>.
    if (phase_ != Phase::bind)
        return session_.send(xmpp::failed_xml(StanzaCondition::unexpected_request, "log in first"));
    const auto parsed = xmpp::parse_sm(element);
    if (!parsed) {
        session_.send(
            xmpp::failed_xml(parsed.error().condition(), std::string(parsed.error().text())));
    } else if (const auto* resume = std::get_if<xmpp::SmResume>(&*parsed)) {
        if (context_.settings.resume_timeout == base::Duration::zero())
            return session_.send(xmpp::failed_xml(StanzaCondition::feature_not_implemented,
                                                  "nobody may resume here"));
        session_.stream().hold(XmlStream::Hold::task);
        task_ = this->resume(*resume);
    } else {
        session_.send(
            xmpp::failed_xml(StanzaCondition::unexpected_request, "bind a resource first"));
    }
}

reactor::Deferred<void> Negotiation::resume(xmpp::SmResume wanted) {
    // Not from inside the stream's call: it will be taken out from under the parser.
    static_cast<void>(co_await reactor::yield());
    if (!session_.open()) co_return {};
    const auto found = context_.resumable.find(wanted.previd);
    ClientSession* old = found ? context_.keeper.find_session(*found) : nullptr;
    if (old == nullptr || !old->bound() || !old->jid().same_bare(session_.jid())) {
        auto refusing = refuse_resume(std::move(wanted));
        co_return co_await std::move(refusing);
    }
    const SessionId old_id = old->id();
    old->give_up_connection();
    old->set_successor(session_.id());
    while (old->counts_pending()) {
        static_cast<void>(co_await reactor::sleep(context_.world.reactor, kSettleInterval));
        old = context_.keeper.find_session(old_id);
        if (!session_.open()) co_return {};
        if (old == nullptr || !old->bound()) {
            auto refusing = refuse_resume(std::move(wanted));
            co_return co_await std::move(refusing);
        }
        // Somebody else came to resume it meanwhile.
        if (old->successor() != session_.id()) {
            session_.fail(StreamError(StreamCondition::conflict, "resumed by another connection"));
            co_return {};
        }
    }
    take_over(*old, wanted.handled);
    co_return {};
}

void Negotiation::take_over(ClientSession& old, std::uint32_t handled) {
    auto acknowledged = old.management()->acknowledge(handled);
    if (!acknowledged) return session_.fail(xmpp::handled_count_too_high(acknowledged.error()));
    old.take_acknowledged(*std::move(acknowledged));
    std::unique_ptr<DetachedStream> stream = session_.stream().detach();
    if (stream == nullptr) return;  // It is gone already; the session waits for the next.
    old.resume(std::move(*stream), session_);
    session_.moved();
}

// --- streams that have ended

// What a crash left of a stream is its count, exact to the stanza, and what it was sent. That is in
// the offline queue before the client goes on: nothing new may overtake it. The count stays: the
// next crash may come before the client has heard it.
reactor::Deferred<void> Negotiation::refuse_resume(xmpp::SmResume wanted) {
    while (is_ending(wanted.previd)) {
        static_cast<void>(co_await reactor::sleep(context_.world.reactor, kSettleInterval));
        if (!session_.open()) co_return {};
    }
    std::optional<std::uint32_t> taken;
    for (unsigned attempt = 1; attempt <= kReleaseAttempts; ++attempt) {
        auto lost = context_.resumable.release_lost(wanted.previd, session_.jid());
        if (!lost) break;
        taken = lost->taken;
        knows_lost_ = true;
        lost->handled = wanted.handled;
        auto releasing =
            lost->released ? take_back_given(*lost, wanted.handled) : release_lost(context_, *lost);
        const base::Result<bool> released = co_await std::move(releasing);
        if (!session_.open()) co_return {};
        if (released && *released) break;
        static_cast<void>(co_await reactor::sleep(context_.world.reactor, kReleasePause));
        if (!session_.open()) co_return {};
    }
    session_.send(xmpp::failed_xml(StanzaCondition::item_not_found,
                                   "there is no such session any more", taken));
    session_.stream().release(XmlStream::Hold::task);
    co_return {};
}

// What it took is known a moment later.
bool Negotiation::is_ending(const std::string& token) const {
    if (context_.resumable.is_ending(token)) return true;
    const auto found = context_.resumable.find(token);
    const ClientSession* old = found ? context_.keeper.find_session(*found) : nullptr;
    return old != nullptr && !old->bound();
}

// Somebody else came before the client could say what it has: it is in the offline queue.
reactor::Deferred<bool> Negotiation::take_back_given(const LostStream& lost,
                                                     std::uint32_t handled) {
    std::vector<storage::MessageId> had;
    if (!lost.given.empty()) {
        const std::int64_t through =
            StreamManagement::number_of(handled, lost.given.front().sequence);
        for (const storage::HandOver& given : lost.given)
            if (given.sequence <= through) had.push_back(given.id);
    }
    if (had.empty()) co_return true;
    ClientContext& context = context_;
    const xmpp::Jid account = lost.owner.bare();
    auto writing = context.database.write([account, had](Transaction& transaction) {
        return storage::Deliveries(transaction).remove_delivered(account, had);
    });
    const base::Result<std::int64_t> removed = co_await std::move(writing);
    if (removed) context.router.offline().taken_out(account, had);
    co_return removed.has_value();
}

/// `lost` outlives it.
reactor::Deferred<bool> Negotiation::release_lost(ClientContext& context, LostStream& lost) {
    if (lost.released) co_return true;
    const xmpp::Jid account = lost.owner.bare();
    // Loaded, so that what comes meanwhile stays behind it.
    reactor::Promise<bool> promise;
    reactor::Deferred<bool> expecting = promise.deferred();
    context.accounts.with(account, [&offline = context.router.offline(),
                                    promise = std::move(promise)](auto loaded) mutable {
        if (loaded) offline.expect(**loaded);
        promise.try_resolve(loaded.has_value());
    });
    const base::Result<bool> expected = co_await std::move(expecting);
    auto writing =
        context.database.write([lost, limits = context.router.offline().limits(),
                                keep = context.router.offline().keep_for(),
                                now = context.world.clock.wall()](Transaction& transaction) {
            return release_rows(transaction, lost, limits, keep, now);
        });
    base::Result<ReleasedRows> rows = co_await std::move(writing);
    if (rows) {
        lost.given = std::move(rows->given);
    } else {
        context.world.log.error("sm.release_failed",
                                {{"jid", lost.owner.text()}, {"why", rows.error().message()}});
        context.keeper.keep_lost(lost, kReleaseRetry);
    }
    if (expected && *expected) context.router.offline().arrived(account, rows && rows->moved > 0);
    co_return rows.has_value();
}

reactor::Deferred<void> Negotiation::forget_lost(ClientContext& context, LostStream lost) {
    const std::string token = lost.token;
    context.resumable.begin_end(token);
    auto releasing = release_lost(context, lost);
    const base::Result<bool> released = co_await std::move(releasing);
    context.resumable.finish_end(token);
    if (!released || !*released) co_return {};  // It is tried again.
    lost.released = true;
    const base::Duration left = lost.forget_at - context.world.reactor.now();
    if (left > base::Duration::zero()) {
        context.keeper.keep_lost(std::move(lost), left);
        co_return {};
    }
    auto writing = context.database.write([key = lost.key](Transaction& transaction) {
        return storage::SmSessions(transaction).remove(key);
    });
    const base::Result<bool> removed = co_await std::move(writing);
    if (removed) co_return {};
    context.world.log.error("sm.forget_failed",
                            {{"jid", lost.owner.text()}, {"why", removed.error().message()}});
    context.keeper.keep_lost(std::move(lost), kReleaseRetry);
    co_return {};
}

}  // namespace server
