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

namespace server {
namespace {

using storage::Transaction;
using xmpp::StanzaCondition;
using xmpp::StreamCondition;
using xmpp::StreamError;

/// How often to look, and how long at most, until what the old connection brought is settled.
constexpr base::Duration kSettleInterval = std::chrono::milliseconds(2);
constexpr int kSettleRounds = 2'500;

std::string failed_xml(StanzaCondition condition, std::optional<std::uint32_t> handled,
                       std::string text) {
    return xmpp::to_xml(
        xmpp::SmFailed{.condition = condition, .handled = handled, .text = std::move(text)});
}

}  // namespace

void Negotiation::on_management(const xmpp::Element& element) {
    if (phase_ != Phase::bind)
        return session_.fail(StreamError(StreamCondition::not_authorized, "log in first"));
    const auto parsed = xmpp::parse_sm(element);
    if (!parsed) {
        session_.send(failed_xml(parsed.error().condition(), std::nullopt,
                                 std::string(parsed.error().text())));
    } else if (const auto* resume = std::get_if<xmpp::SmResume>(&*parsed)) {
        session_.stream().hold(XmlStream::Hold::task);
        task_ = this->resume(*resume);
    } else {
        session_.send(
            failed_xml(StanzaCondition::unexpected_request, std::nullopt, "bind a resource first"));
    }
}

reactor::Deferred<void> Negotiation::resume(xmpp::SmResume wanted) {
    // Not from inside the stream's call: it will be taken out from under the parser.
    static_cast<void>(co_await reactor::yield());
    const auto found = context_.resumable.find(wanted.previd);
    ClientSession* old = found ? context_.keeper.find_session(*found) : nullptr;
    if (old == nullptr || !old->jid().same_bare(session_.jid())) {
        auto refusing = refuse_resume(std::move(wanted));
        co_return co_await std::move(refusing);
    }
    const SessionId old_id = old->id();
    old->give_up_connection();
    old->set_successor(session_.id());
    for (int round = 0; round < kSettleRounds && old->counts_pending(); ++round) {
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
    std::unique_ptr<DetachedStream> stream = session_.stream().detach();
    if (stream == nullptr) return;  // It is gone already; the session waits for the next.
    old.resume(std::move(*stream), session_, *std::move(acknowledged));
    session_.moved();
}

// What a crash left of a stream is its count, exact to the stanza, and what it was sent. That is in
// the offline queue before the client goes on: nothing new may overtake it.
reactor::Deferred<void> Negotiation::refuse_resume(xmpp::SmResume wanted) {
    std::optional<std::uint32_t> handled;
    if (auto lost = context_.resumable.take_lost(wanted.previd, session_.jid())) {
        handled = lost->taken;
        knows_lost_ = true;
        auto releasing = release_lost(context_, *std::move(lost), wanted.handled);
        static_cast<void>(co_await std::move(releasing));
        if (!session_.open()) co_return {};
    }
    session_.send(failed_xml(StanzaCondition::item_not_found, handled,
                             "there is no such session any more"));
    session_.stream().release(XmlStream::Hold::task);
    co_return {};
}

reactor::Deferred<void> Negotiation::release_lost(ClientContext& context, LostStream lost,
                                                  std::optional<std::uint32_t> handled) {
    if (Account* account = context.accounts.find(lost.owner))
        context.router.offline().expect(*account);
    auto writing =
        context.database.write([lost, handled, limits = context.router.offline().limits(),
                                keep = context.router.offline().keep_for()](
                                   Transaction& transaction) -> base::Result<std::int64_t> {
            storage::Deliveries deliveries(transaction, limits);
            // What the client says it got although it was never acknowledged.
            if (handled) {
                const auto first = TRY(deliveries.unacknowledged(lost.key, 0, 1));
                if (!first.empty())
                    TRY(deliveries.acknowledge(
                        lost.key, StreamManagement::number_of(*handled, first.front().sequence)));
            }
            const std::int64_t moved = TRY(deliveries.move_to_offline(lost.key, keep));
            TRY(storage::SmSessions(transaction).remove(lost.key));
            return moved;
        });
    const base::Result<std::int64_t> moved = co_await std::move(writing);
    if (!moved)
        context.world.log.error("sm.release_failed",
                                {{"jid", lost.owner.text()}, {"why", moved.error().message()}});
    context.router.offline().arrived(lost.owner.bare(), moved && *moved > 0);
    co_return {};
}

}  // namespace server
