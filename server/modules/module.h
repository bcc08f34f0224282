// A module: one XEP (or one section of an RFC) in one .cpp, described by data. From the descriptor
// the server derives disco#info, --list-xeps, --config-reference and unknown-key errors. One
// instance per shard; modules of different shards share nothing.
#pragma once

#include "reactor/world.h"
#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/config/hosts.h"
#include "server/observe/metrics.h"
#include "server/routing/hooks.h"
#include "server/routing/iq_routes.h"
#include "server/routing/router.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace storage {
class Database;
}

namespace server {

class ArchiveIds;
class BeforeLogin;
class RoomOperations;
class UserService;

namespace modules {

/// Closed once; a module lives as long as its shard.
class Module {
public:
    virtual ~Module() = default;
    /// The configuration was reloaded; the old one is still valid during the call, the new one only
    /// then: keep values, not references.
    virtual void reload(const Config&) {}
    /// An element for the stream features that follow a login (RFC 6120 §4.3.2), made per host.
    virtual std::function<xmpp::Element(std::string_view host)> stream_feature() { return nullptr; }
    /// All instances of this module, index = shard id; once, before anything is served.
    virtual void connect(const std::vector<Module*>&) {}
    /// Takes up what `suspend` left, before anybody can connect. Called on shard 0 alone.
    virtual reactor::Deferred<void> resume() { return reactor::ready(); }
    /// The server stops in order: clients that will not come back have gone. Settles when what is
    /// to outlast the stop is on disk. Called on every shard.
    virtual reactor::Deferred<void> suspend() { return reactor::ready(); }
    /// The one module that answers clients which are not logged in (XEP-0077) returns itself.
    virtual BeforeLogin* before_login() { return nullptr; }
    /// The one module that has chat rooms, on shard 0: what an operator may ask of them.
    virtual RoomOperations* rooms() { return nullptr; }
    /// The server begins to stop; clients are still there. Called on every shard.
    virtual void stopping() {}
};

class DiscoDirectory;
struct ModuleDescriptor;

/// What a module may touch. References outlive the module.
struct ModuleContext {
    const Config& config;
    Metrics& metrics;
    IqRoutes& iq;
    Hooks& hooks;
    Accounts& accounts;
    Router& router;
    UserService& users;
    storage::Database& database;
    reactor::World& world;
    const Hosts& hosts;
    DiscoDirectory& disco;
    const ArchiveIds& archive_ids;
    const std::string& occupant_id_secret;  ///< Of rooms: 32 random bytes, the same everywhere.
    /// All modules of this server, for disco and the like.
    const std::vector<ModuleDescriptor>& catalog;
};

/// A specification and the version of it that is implemented.
struct XepReference {
    int number;
    std::string_view version;
    std::string_view title;
};

struct ModuleDescriptor {
    std::string_view name;
    std::vector<XepReference> xeps;
    std::vector<std::string_view> features;          ///< disco#info of the server.
    std::vector<std::string_view> account_features;  ///< disco#info of an account.
    std::vector<std::string_view> needs;             ///< Names of modules that must come before.
    std::vector<ConfigKeyRef> config;                ///< Keys this module reads.
    std::unique_ptr<Module> (*create)(ModuleContext&);
};

template <class T>
std::unique_ptr<Module> create_module(ModuleContext& context) {
    return std::make_unique<T>(context);
}

}  // namespace modules
}  // namespace server
