#include "server/routing/roster_edits.h"

#include "reactor/reactor.h"
#include "server/routing/roster_xml.h"
#include "storage/database.h"

#include <utility>

namespace server {
namespace {

// On a storage thread.
base::Result<storage::RosterVersion> write_change(storage::Transaction& transaction,
                                                  const storage::RosterLimits& limits,
                                                  const xmpp::Jid& account,
                                                  const RosterChange& change,
                                                  const std::string& request, base::WallTime now) {
    storage::Roster roster(transaction, limits);
    storage::RosterVersion version = 0;
    if (change.item) version = TRY(roster.put(account, *change.item));
    if (change.removed) version = TRY(roster.remove(account, change.contact));
    if (change.request == RosterChange::Request::add)
        TRY(roster.put_request(account, {change.contact, request, now}));
    if (change.request == RosterChange::Request::drop)
        TRY(roster.remove_request(account, change.contact));
    return version;
}

// A free function, so that what it needs lives in its frame.
reactor::Deferred<void> settle(Accounts::Edit task, reactor::Promise<void> answer) {
    base::Result<void> done = co_await task();
    answer.resolve(std::move(done));
    co_return {};
}

}  // namespace

RosterEdits::RosterEdits(reactor::World& world, Accounts& accounts, storage::Database& database)
    : world_(world), accounts_(accounts), database_(database) {}

reactor::Deferred<void> RosterEdits::run(const xmpp::Jid& account, Accounts::Edit task) {
    reactor::Promise<void> answer;
    reactor::Deferred<void> done = answer.deferred();
    const bool queued =
        accounts_.edit(account, [task = std::move(task), answer = std::move(answer)]() mutable {
            return settle(std::move(task), std::move(answer));
        });
    if (!queued) return base::fail(base::Errc::queue_full, "too many changes of the account wait");
    return done;
}

reactor::Deferred<void> RosterEdits::save(xmpp::Jid account, RosterChange change,
                                          std::string request) {
    auto writing = database_.write([account, change, request = std::move(request), limits = limits_,
                                    now = world_.clock.wall()](storage::Transaction& transaction) {
        return write_change(transaction, limits, account, change, request, now);
    });
    base::Result<storage::RosterVersion> saved = co_await std::move(writing);
    if (!saved) co_return std::move(saved).error();
    Account* loaded = accounts_.find(account);
    if (loaded == nullptr) co_return base::Errc::not_found;
    change.version = *saved;
    loaded->roster.apply(change);
    co_return {};
}

void RosterEdits::push(Account& account, const xmpp::Jid& contact) {
    const Contact* item = account.roster.find(contact);
    const xmpp::Element element =
        item != nullptr ? roster_item_element(item->to_item()) : removed_item_element(contact);
    for (const auto& resource : account.resources()) {
        if (!resource->interested) continue;
        resource->session->deliver(roster_push(element, account.roster.version(), resource->jid));
    }
}

xmpp::StanzaError refusal_of(const base::Failure& failure) {
    switch (failure.code()) {
        case base::Errc::resource_exhausted:
            return xmpp::StanzaError::resource_constraint(std::string(failure.detail()));
        case base::Errc::queue_full:
        case base::Errc::no_space:
        case base::Errc::busy:
            return xmpp::StanzaError::resource_constraint();
        case base::Errc::not_found:
            return xmpp::StanzaError::item_not_found();
        case base::Errc::invalid_argument:
            return xmpp::StanzaError::bad_request();
        default:
            return xmpp::StanzaError::internal_server_error();
    }
}

}  // namespace server
