// AdminBackend: what the running server does for its operator. The admin commands
// (admin_commands.h) are written against it; server/app/ implements it, tests fake it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reactor/base/clock.h"
#include "reactor/deferred.h"
#include "server/config/config.h"
#include "server/observe/metrics.h"
#include "xmpp/core/jid.h"

namespace server {

/// The most entries of one page of a listing.
inline constexpr std::size_t kAdminPageEntriesMax = 1000;

struct UserPage {
    std::vector<xmpp::Jid> users;  ///< Bare, in a stable order.
    std::string next;              ///< Pass as `after` for the next page; empty: that was the last.
};

struct AdminSession {
    xmpp::Jid jid;        ///< Full.
    std::string address;  ///< "192.0.2.1:40000"
    base::WallTime connected;
    std::string tls;         ///< "TLSv1.3"; empty: none.
    std::string mechanism;   ///< "SCRAM-SHA-256-PLUS"
    bool available = false;  ///< Has sent initial presence.
    int priority = 0;        ///< Of that presence.
};

struct SessionPage {
    std::vector<AdminSession> sessions;
    std::string next;  ///< As in UserPage.
};

struct ServerStatus {
    std::string version;
    base::Duration uptime{};
    std::vector<std::string> hosts;
    std::int64_t shards = 0;
    std::int64_t sessions = 0;
    /// What is wrong, as sentences ("the database is full: …"); empty: all is well.
    std::vector<std::string> problems;
};

/// All calls come on the shard of the admin socket and answer there. Failures carry a sentence for
/// the operator; the codes that are named here get a fitting mend from the command table.
class AdminBackend {
public:
    virtual ~AdminBackend() = default;

    /// already_exists; not_found: the domain is not served here; invalid_argument: the password is
    /// not acceptable. The password is never logged.
    virtual reactor::Deferred<void> add_user(xmpp::Jid bare, std::string password) = 0;
    /// Closes the user's sessions and deletes everything of theirs. not_found.
    virtual reactor::Deferred<void> remove_user(xmpp::Jid bare) = 0;
    /// not_found; invalid_argument.
    virtual reactor::Deferred<void> set_password(xmpp::Jid bare, std::string password) = 0;
    /// Users of `host` (empty: of all hosts) after the mark `after`; `limit` <=
    /// kAdminPageEntriesMax.
    virtual reactor::Deferred<UserPage> list_users(std::string host, std::string after,
                                                   std::size_t limit) = 0;
    /// Sessions of `bare` (an empty Jid: of everybody).
    virtual reactor::Deferred<SessionPage> list_sessions(xmpp::Jid bare, std::string after,
                                                         std::size_t limit) = 0;
    /// Closes the session `jid`, or all of a bare one, with a policy-violation or the like that
    /// carries `reason` (may be empty). Answers how many; 0 is no failure.
    virtual reactor::Deferred<std::int64_t> kick(xmpp::Jid jid, std::string reason) = 0;
    /// Of all shards, merged.
    virtual reactor::Deferred<MetricsSnapshot> stats() = 0;
    virtual reactor::Deferred<ServerStatus> status() = 0;
    /// Reads the configuration and the certificates again. invalid_argument: the new configuration
    /// is wrong (the detail has one problem a line) and the old one stays in use.
    virtual reactor::Deferred<std::vector<ConfigChange>> reload() = 0;
    /// Answers when the stop is decided and begins it in a later turn, so that the reply still goes
    /// out.
    virtual reactor::Deferred<void> stop() = 0;
};

}  // namespace server
