// AdminService: what `parleyctl` may ask of the running server. Lives on shard 0, beside the
// socket.
#pragma once

#include "server/admin/admin_backend.h"
#include "server/app/server_group.h"

#include <string>

namespace server {

class AdminService final : public AdminBackend {
public:
    /// What only the Application can do.
    struct Actions {
        base::UniqueFunction<reactor::Deferred<std::vector<ConfigChange>>()> reload;
        base::UniqueFunction<void()> stop;
    };

    AdminService(ServerGroup& group, storage::Database& database, const Hosts& hosts,
                 Actions actions);

    reactor::Deferred<void> add_user(xmpp::Jid bare, std::string password) override;
    reactor::Deferred<void> remove_user(xmpp::Jid bare) override;
    reactor::Deferred<void> set_password(xmpp::Jid bare, std::string password) override;
    reactor::Deferred<UserPage> list_users(std::string host, std::string after,
                                           std::size_t limit) override;
    reactor::Deferred<SessionPage> list_sessions(xmpp::Jid bare, std::string after,
                                                 std::size_t limit) override;
    reactor::Deferred<std::int64_t> kick(xmpp::Jid jid, std::string reason) override;
    reactor::Deferred<MetricsSnapshot> stats() override;
    reactor::Deferred<ServerStatus> status() override;
    reactor::Deferred<std::vector<ConfigChange>> reload() override;
    reactor::Deferred<void> stop() override;

private:
    ServerGroup& group_;
    storage::Database& database_;
    const Hosts& hosts_;
    Actions actions_;
    base::MonotonicTime started_at_;
};

}  // namespace server
