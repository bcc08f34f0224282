#include "server/modules/archive_queries.h"

#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "server/modules/archive_plan.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/messages_deliveries.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace server::modules {
namespace {

using storage::ArchivedMessage;
using storage::ArchiveQuery;
using storage::MessageId;
using xmpp::MamQuery;
using xmpp::StanzaError;

/// Messages sent before the client must have taken them, however small they are.
constexpr std::size_t kPartMessagesMax = 250;

}  // namespace

ArchiveQueries::ArchiveQueries(Parts parts)
    : parts_(parts),
      states_(parts.accounts),
      queries_(parts.metrics.counter("module_archive_queries_total", "Queries of archives.")),
      messages_(parts.metrics.counter("module_archive_messages_sent_total",
                                      "Archived messages sent in answer to queries.")) {}

// --- one at a time

reactor::Deferred<IqReply> ArchiveQueries::answer(IqRequest request) {
    queries_.add();
    const xmpp::Jid owner = request.addressee();
    Account* account = parts_.accounts.find(owner);
    const Resource* asking =
        account == nullptr ? nullptr : account->find(request.requester().resource());
    if (asking == nullptr) co_return IqReply(StanzaError::recipient_unavailable());
    const SessionId session = asking->session_id;
    State& state = states_.of(*account);
    const auto line = std::ranges::find(state.lines, session, &Line::session);
    if (line == state.lines.end()) {
        state.lines.push_back({session, {}});
    } else {
        std::size_t waiting = 0;
        for (const Line& one : state.lines)
            waiting += one.waiting.size();
        if (waiting >= kWaitingMax)
            co_return IqReply(StanzaError::resource_constraint("too many queries at a time"));
        reactor::Deferred<void> turn = line->waiting.emplace_back().deferred();
        const base::Result<void> came = co_await std::move(turn);
        if (!came) co_return IqReply(StanzaError::recipient_unavailable());
    }
    auto running = run(std::move(request), session);
    base::Result<IqReply> reply = co_await std::move(running);
    end_turn(owner, session);
    if (!reply) co_return IqReply(refusal_of(reply.error()));
    co_return *std::move(reply);
}

void ArchiveQueries::end_turn(const xmpp::Jid& account, SessionId session) {
    Account* loaded = parts_.accounts.find(account);
    if (loaded == nullptr) return;
    auto& lines = states_.of(*loaded).lines;
    const auto line = std::ranges::find(lines, session, &Line::session);
    if (line == lines.end()) return;
    if (line->waiting.empty()) {
        lines.erase(line);
        return;
    }
    reactor::Promise<void> next = std::move(line->waiting.front());
    line->waiting.erase(line->waiting.begin());
    next.try_resolve({});
}

// --- what is asked

reactor::Deferred<ArchiveQueries::Page> ArchiveQueries::find(xmpp::Jid account,
                                                             ArchiveQuery query) {
    return parts_.database.read([account = std::move(account), query = std::move(query)](
                                    storage::Transaction& transaction) -> base::Result<Page> {
        Page page;
        page.found = TRY(storage::Archive(transaction).page(account, query));
        if (page.found.messages.empty()) return page;
        const auto queue = TRY(storage::Deliveries(transaction).offline_totals(account));
        page.queue_has_messages = queue.messages > 0;
        return page;
    });
}

reactor::Deferred<IqReply> ArchiveQueries::run(IqRequest request, SessionId session) {
    const auto query = MamQuery::parse(request.payload());
    if (!query) co_return IqReply(query.error());
    const auto planned = plan_archive_query(*query, parts_.ids,
                                            {.messages_default = settings_.page_default,
                                             .messages_max = settings_.page_max,
                                             .bytes_max = kPageBytesMax});
    if (!planned) co_return IqReply(planned.error());
    const xmpp::Jid owner = request.addressee();
    Account* account = parts_.accounts.find(owner);
    if (account == nullptr) co_return IqReply(StanzaError::item_not_found());
    // It may have gone while it waited for its turn.
    if (account->of_session(session) == nullptr)
        co_return IqReply(StanzaError::recipient_unavailable());

    // What the page contains is not to be handed over as an offline message meanwhile.
    parts_.offline.expect_passing(*account);
    auto finding = find(owner, *planned);
    const base::Result<Page> page = co_await std::move(finding);
    const bool passes = page && page->queue_has_messages;
    if (!passes) parts_.offline.passed(owner);
    if (!page) co_return IqReply(refusal_of_archive_query(page.error()));
    Sending sending{.client = request.requester(),
                    .session = session,
                    .query = *query,
                    .page = *page,
                    .sent = 0};
    auto sending_all = send(sending);
    static_cast<void>(co_await std::move(sending_all));
    if (passes) parts_.offline.passed(owner);
    co_return end_of(sending, *planned);
}

// --- sending

// At least one.
std::vector<const ArchivedMessage*> ArchiveQueries::next_part(const Sending& sending) const {
    const auto& messages = sending.page.found.messages;
    std::vector<const ArchivedMessage*> part;
    std::size_t bytes = 0;
    for (std::size_t i = sending.sent; i < messages.size(); ++i) {
        const ArchivedMessage& message =
            sending.query.flip_page ? messages[messages.size() - 1 - i] : messages[i];
        bytes += message.stanza.size();
        if (!part.empty() && (bytes > settings_.part_bytes || part.size() == kPartMessagesMax))
            break;
        part.push_back(&message);
    }
    return part;
}

reactor::Deferred<void> ArchiveQueries::send(Sending& sending) {
    const std::size_t all = sending.page.found.messages.size();
    while (sending.sent < all) {
        const auto part = next_part(sending);
        auto sending_part = send_part(sending, part);
        const base::Result<bool> done = co_await std::move(sending_part);
        if (!done || !*done) co_return {};
        sending.sent += part.size();
        messages_.add(part.size());
        if (sending.sent == all) co_return {};
        const Resource* taker = parts_.accounts.resource_of(sending.client, sending.session);
        if (taker == nullptr) co_return {};
        auto flushing =
            reactor::with_timeout(parts_.world.reactor, taker->session->flushed(), kPartTimeout);
        const base::Result<void> flushed = co_await std::move(flushing);
        if (!flushed) co_return {};
    }
    co_return {};
}

xmpp::Stanza ArchiveQueries::result_of(const Sending& sending,
                                       const ArchivedMessage& message) const {
    return xmpp::mam_result(sending.client.bare(), sending.client, sending.query,
                            parts_.ids.text(message.id), storage::time_of(message.id),
                            message.stanza);
}

// False: the client is gone.
reactor::Deferred<bool> ArchiveQueries::send_part(Sending& sending,
                                                  std::span<const ArchivedMessage* const> part) {
    const Resource* taker = parts_.accounts.resource_of(sending.client, sending.session);
    if (taker == nullptr) co_return false;
    for (const ArchivedMessage* message : part)
        parts_.offline.seen(sending.client.bare(), sending.session, message->id);
    if (sending.page.queue_has_messages && taker->managed != storage::kOfflineQueue) {
        auto handing = send_managed(sending, part);
        const base::Result<bool> done = co_await std::move(handing);
        co_return done && *done;
    }
    const xmpp::Jid owner = sending.client.bare();
    for (const ArchivedMessage* message : part) {
        taker->session->deliver_stored(result_of(sending, *message));
        if (sending.page.queue_has_messages)
            parts_.offline.given(owner, sending.session, message->id);
    }
    co_return true;
}

// With stream management: those that are in the queue leave it for the stream's own deliveries, so
// that they are back in it if the client never acknowledges them.
reactor::Deferred<bool> ArchiveQueries::send_managed(Sending& sending,
                                                     std::span<const ArchivedMessage* const> part) {
    const Resource* taker = parts_.accounts.resource_of(sending.client, sending.session);
    std::vector<Place> places;
    std::vector<storage::HandOver> rows;
    std::vector<storage::MessageId> ids;
    for (const ArchivedMessage* message : part) {
        places.push_back(taker->session->reserve());
        rows.push_back({message->id, places.back().sequence});
        ids.push_back(message->id);
    }
    auto writing =
        parts_.database.write([owner = sending.client.bare(), key = taker->managed,
                               rows = std::move(rows)](storage::Transaction& transaction) {
            return storage::Deliveries(transaction).hand_over(owner, key, rows);
        });
    const base::Result<std::int64_t> moved = co_await std::move(writing);
    if (!moved)
        parts_.world.log.error("archive.hand_over_failed", {{"account", sending.client.text()},
                                                            {"why", moved.error().message()}});
    if (moved) parts_.offline.taken_out(sending.client.bare(), ids);
    taker = parts_.accounts.resource_of(sending.client, sending.session);
    if (taker == nullptr) co_return false;
    for (std::size_t i = 0; i < part.size(); ++i)
        taker->session->fill(places[i].number, result_of(sending, *part[i]),
                             moved ? part[i]->id : 0, false);
    co_return true;
}

// A page that broke off is one as well if paging goes on behind it without a gap.
IqReply ArchiveQueries::end_of(const Sending& sending, const ArchiveQuery& query) const {
    const auto& messages = sending.page.found.messages;
    const bool whole = sending.sent == messages.size();
    const bool flipped = sending.query.flip_page;
    if (!whole && (sending.sent == 0 || flipped != pages_backwards(query)))
        return StanzaError::resource_constraint("the page could not be sent");
    xmpp::MamFin fin;
    fin.complete = whole && sending.page.found.complete;
    const std::optional<std::int64_t> count = sending.page.found.count;
    if (count) fin.set.count = static_cast<std::uint32_t>(*count);
    if (sending.sent == 0) return fin.to_element();
    const std::size_t first = flipped ? messages.size() - sending.sent : 0;
    fin.set.first = parts_.ids.text(messages[first].id);
    fin.set.last = parts_.ids.text(messages[first + sending.sent - 1].id);
    if (!pages_backwards(query) && !query.after) {
        fin.set.first_index = 0;
    } else if (query.last_page && count) {
        fin.set.first_index =
            static_cast<std::uint32_t>(*count - static_cast<std::int64_t>(messages.size() - first));
    }
    return fin.to_element();
}

}  // namespace server::modules
