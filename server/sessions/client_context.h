// ClientContext: what the sessions of one shard share: the parts of the server they talk to, the
// settings in force, counters and scratch space. Owned by the ClientService; outlives the sessions.
#pragma once

#include "reactor/shards.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/sessions/client_metrics.h"
#include "server/sessions/client_service.h"
#include "server/sessions/client_settings.h"
#include "server/sessions/resumable_sessions.h"
#include "server/sessions/xml_stream.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace server {

class ClientSession;

/// A client that has logged in, on its way to the shard of its account.
struct Arrival {
    DetachedStream stream;
    xmpp::Jid account;                      ///< Bare.
    std::optional<std::string> final_data;  ///< Of <success/>, which the new shard sends.
    std::string mechanism;
    std::string lang;
    std::optional<AddressKey> address;
    base::WallTime connected_at;
};

/// What the sessions ask of the service that keeps them.
class SessionKeeper {
public:
    /// Calls `settle` on the session in a later step of this turn.
    virtual void settle_later(SessionId id) = 0;
    /// Null when no such session lives here.
    virtual ClientSession* find_session(SessionId id) = 0;
    /// The limit on logins per address. False also when nobody could be asked.
    virtual reactor::Deferred<bool> may_log_in(std::optional<AddressKey> address) = 0;
    virtual bool lives_here(const xmpp::Jid& account) const = 0;
    /// False: the mailbox is full, `arrival` is untouched.
    virtual bool move(std::shared_ptr<Arrival> arrival) = 0;
    /// To be looked at after `time`: to be released if it is not, and forgotten.
    virtual void keep_lost(LostStream stream, base::Duration time) = 0;
    /// A session lost its connection and lives on.
    virtual void disconnected(const std::optional<AddressKey>& address) = 0;

protected:
    ~SessionKeeper() = default;
};

struct ClientContext {
    ClientContext(ClientService::Parts parts, const Config& config, ClientTls contexts,
                  SessionKeeper& of)
        : world(parts.world),
          hosts(parts.hosts),
          router(parts.router),
          accounts(parts.accounts),
          database(parts.database),
          before_login(parts.before_login),
          fake_salt_secret(std::move(parts.fake_salt_secret)),
          settings(config),
          tls(std::move(contexts)),
          metrics(parts.metrics),
          streams(parts.world.reactor),
          keeper(of),
          tasks(parts.world.reactor) {}

    reactor::World& world;
    const Hosts& hosts;
    Router& router;
    Accounts& accounts;
    storage::Database& database;
    BeforeLogin* before_login;
    std::string fake_salt_secret;
    ClientSettings settings;
    ClientTls tls;
    ClientMetrics metrics;
    StreamShared streams;
    SessionKeeper& keeper;
    std::vector<std::function<xmpp::Element(std::string_view)>> features;
    /// What clients that have logged in are offered, by host; made when first asked for. They
    /// change with the configuration only.
    std::unordered_map<std::string, std::string> bind_features;
    /// A stanza is serialised here before it is queued.
    std::string scratch;
    ResumableSessions resumable;
    /// Memory held by what waits to be sent to clients behind what is being stored (OutboundOrder),
    /// and by what clients have sent and is being stored.
    std::size_t order_bytes = 0;
    std::size_t storing_bytes = 0;
    /// Sessions whose clients acknowledged what the database may forget now.
    std::vector<SessionId> acknowledged;
    bool saving_acknowledged = false;
    /// What outlasts the session that began it. Last: ends before what it uses.
    reactor::TaskSet tasks;
};

}  // namespace server
