// A server in memory behind the admin commands: some users, sessions, and failures on demand.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/admin/admin_backend.h"

namespace server::test {

class FakeBackend final : public AdminBackend {
public:
    using Jid = xmpp::Jid;
    template <class T = void>
    using Deferred = reactor::Deferred<T>;

    Deferred<void> add_user(Jid bare, std::string password) override {
        if (failure) return *failure;
        if (bare.domain() != "example.org")
            return base::Failure(base::Errc::not_found, "nowhere.example is not served here");
        if (users.contains(bare.text()))
            return base::Failure(base::Errc::already_exists, bare.text() + " exists already");
        users[bare.text()] = std::move(password);
        return reactor::ready();
    }
    Deferred<void> remove_user(Jid bare) override {
        if (users.erase(bare.text()) == 0)
            return base::Failure(base::Errc::not_found, "there is no user " + bare.text());
        return reactor::ready();
    }
    Deferred<void> set_password(Jid bare, std::string password) override {
        if (!users.contains(bare.text()))
            return base::Failure(base::Errc::not_found, "there is no user " + bare.text());
        users[bare.text()] = std::move(password);
        return reactor::ready();
    }
    Deferred<UserPage> list_users(std::string host, std::string after, std::size_t limit) override {
        UserPage page;
        for (const auto& [user, password] : users) {
            const Jid jid = *Jid::parse(user);
            if (user <= after || (!host.empty() && jid.domain() != host)) continue;
            if (page.users.size() == limit) {
                page.next = page.users.back().text();
                break;
            }
            page.users.push_back(jid);
        }
        return page;
    }
    Deferred<SessionPage> list_sessions(Jid bare, std::string, std::size_t) override {
        SessionPage page;
        for (const AdminSession& session : sessions)
            if (bare.empty() || session.jid.same_bare(bare)) page.sessions.push_back(session);
        return page;
    }
    Deferred<std::int64_t> kick(Jid jid, std::string reason) override {
        kick_reason = std::move(reason);
        return static_cast<std::int64_t>(std::erase_if(sessions, [&](const AdminSession& session) {
            return jid.is_full() ? session.jid == jid : session.jid.same_bare(jid);
        }));
    }
    Deferred<MetricsSnapshot> stats() override {
        Metrics metrics;
        metrics.counter("logins_total", "Logins.", {{"how", "scram"}}).add(3);
        metrics.histogram("login_seconds", "Time of a login.").observe(0.5);
        return metrics.snapshot();
    }
    Deferred<ServerStatus> status() override {
        ServerStatus status{.version = "9.9",
                            .uptime = std::chrono::seconds(93'784),
                            .hosts = {"example.org", "b.example"},
                            .shards = 2,
                            .sessions = static_cast<std::int64_t>(sessions.size()),
                            .problems = problems};
        return status;
    }
    Deferred<std::vector<ConfigChange>> reload() override {
        if (failure) return *failure;
        return changes;
    }
    Deferred<void> stop() override {
        // Pending until the test lets it go.
        stopping.emplace();
        return stopping->deferred();
    }

    std::map<std::string, std::string> users;
    std::vector<AdminSession> sessions;
    std::vector<std::string> problems;
    std::vector<ConfigChange> changes;
    std::optional<base::Failure> failure;
    std::string kick_reason;
    std::optional<reactor::Promise<void>> stopping;
};

inline AdminSession session_of(std::string_view jid) {
    return {.jid = *xmpp::Jid::parse(jid),
            .address = "192.0.2.1:40000",
            .connected = base::WallTime::from_seconds(1'795'197'600),
            .tls = "TLSv1.3",
            .mechanism = "SCRAM-SHA-256-PLUS",
            .available = true,
            .priority = 5};
}

}  // namespace server::test
