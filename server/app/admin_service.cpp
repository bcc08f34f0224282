#include "server/app/admin_service.h"

#include "reactor/reactor.h"
#include "storage/database.h"
#include "storage/tables/users.h"

#include <algorithm>
#include <utility>

namespace server {
namespace {

AdminSession describe(const SessionInfo& info) {
    AdminSession session;
    if (auto jid = xmpp::Jid::parse(info.jid)) session.jid = std::move(*jid);
    session.address = info.peer_address;
    session.connected = info.connected_at;
    session.tls = info.tls;
    session.mechanism = info.mechanism;
    session.available = info.available;
    session.priority = info.priority;
    return session;
}

}  // namespace

AdminService::AdminService(ServerGroup& group, storage::Database& database, const Hosts& hosts,
                           Actions actions)
    : group_(group),
      database_(database),
      hosts_(hosts),
      actions_(std::move(actions)),
      started_at_(group.shards().world(0).reactor.now()) {}

reactor::Deferred<void> AdminService::add_user(xmpp::Jid bare, std::string password) {
    return group_.first().users().create(std::move(bare), std::move(password));
}

reactor::Deferred<void> AdminService::remove_user(xmpp::Jid bare) {
    return group_.first().users().remove(std::move(bare));
}

reactor::Deferred<void> AdminService::set_password(xmpp::Jid bare, std::string password) {
    return group_.first().users().set_password(std::move(bare), std::move(password));
}

// The mark is the last JID of the page before; hosts come in the order of Hosts::names().
reactor::Deferred<UserPage> AdminService::list_users(std::string host, std::string after,
                                                     std::size_t limit) {
    if (!host.empty() && !hosts_.contains(host))
        co_return base::fail(base::Errc::not_found, "the domain " + host + " is not served here");
    xmpp::Jid mark;
    if (!after.empty()) {
        auto parsed = xmpp::Jid::parse(after);
        if (!parsed) co_return parsed.error();
        mark = std::move(*parsed);
    }
    UserPage page;
    for (const std::string& name : hosts_.names()) {
        if (!host.empty() && name != host) continue;
        if (!mark.empty() && name < mark.domain()) continue;
        const std::string after_local(name == mark.domain() ? mark.local() : "");
        const auto wanted = static_cast<std::uint32_t>(limit - page.users.size());
        auto reading = database_.read([name, after_local, wanted](storage::Transaction& db) {
            return storage::Users(db).list(name, after_local, wanted);
        });
        auto users = co_await std::move(reading);
        if (!users) co_return users.error();
        for (storage::UserSummary& user : *users)
            page.users.push_back(std::move(user.account));
        if (page.users.size() >= limit) {
            page.next = page.users.back().text();
            break;
        }
    }
    co_return page;
}

reactor::Deferred<SessionPage> AdminService::list_sessions(xmpp::Jid bare, std::string after,
                                                           std::size_t limit) {
    auto gathering = group_.gather([bare, after](ShardServer& server) {
        std::vector<AdminSession> sessions;
        server.clients().for_each([&](const SessionInfo& info) {
            if (info.jid <= after) return;
            AdminSession session = describe(info);
            if (bare.empty() || session.jid.same_bare(bare)) sessions.push_back(std::move(session));
        });
        return sessions;
    });
    auto found = co_await std::move(gathering);
    if (!found) co_return found.error();
    SessionPage page;
    for (std::vector<AdminSession>& part : *found)
        std::ranges::move(part, std::back_inserter(page.sessions));
    std::ranges::sort(page.sessions, {}, [](const AdminSession& session) -> const std::string& {
        return session.jid.text();
    });
    if (page.sessions.size() > limit) {
        page.sessions.resize(limit);
        page.next = page.sessions.back().jid.text();
    }
    co_return page;
}

reactor::Deferred<std::int64_t> AdminService::kick(xmpp::Jid jid, std::string reason) {
    auto gathering = group_.gather([jid, reason](ShardServer& server) {
        return static_cast<std::int64_t>(server.clients().kick(
            jid, xmpp::StreamError(xmpp::StreamCondition::policy_violation, reason)));
    });
    auto counts = co_await std::move(gathering);
    if (!counts) co_return counts.error();
    std::int64_t all = 0;
    for (const std::int64_t count : *counts)
        all += count;
    co_return all;
}

reactor::Deferred<MetricsSnapshot> AdminService::stats() {
    auto snapshots =
        co_await group_.gather([](ShardServer& server) { return server.metrics().snapshot(); });
    if (!snapshots) co_return snapshots.error();
    MetricsSnapshot merged;
    for (const MetricsSnapshot& snapshot : *snapshots)
        merge(merged, snapshot);
    co_return merged;
}

reactor::Deferred<ServerStatus> AdminService::status() {
    auto counts = co_await group_.gather([](ShardServer& server) {
        return static_cast<std::int64_t>(server.clients().session_count());
    });
    if (!counts) co_return counts.error();
    ServerStatus status;
    status.version = PARLEY_VERSION;
    status.uptime = group_.shards().world(0).reactor.now() - started_at_;
    status.hosts = hosts_.names();
    status.shards = group_.shards().count();
    for (const std::int64_t count : *counts)
        status.sessions += count;
    auto written =
        co_await database_.write([](storage::Transaction&) -> base::Result<void> { return {}; });
    if (!written) status.problems.push_back("the database: " + written.error().message());
    co_return status;
}

reactor::Deferred<std::vector<ConfigChange>> AdminService::reload() {
    return actions_.reload();
}

reactor::Deferred<void> AdminService::stop() {
    actions_.stop();
    return reactor::ready();
}

}  // namespace server
