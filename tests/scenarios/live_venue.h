// Live venues: a parleyd that runs already, or one that is started for each scenario from its
// binary, with a folder and ports of its own. Clients talk to it over real sockets; accounts are
// made over its admin socket.
#pragma once

#include "server/ctl/admin_client.h"
#include "tests/scenarios/venue.h"

#include <sys/types.h>
#include <memory>
#include <string>
#include <vector>

namespace server::test {

struct LiveServer {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::uint16_t tls_port = 0;  ///< 0: scenarios with direct TLS fail.
    std::string admin_socket;
};

/// A server that somebody else started; it must serve example.org and example.net. Accounts that a
/// scenario made are removed with the venue.
class LiveVenue : public Venue {
public:
    explicit LiveVenue(LiveServer server);
    ~LiveVenue() override;

    Stage& stage() override { return stage_; }
    reactor::Endpoint endpoint(ClientTransport transport) const override;
    void add_user(const std::string& bare, const std::string& password) override;
    void remove_user(const std::string& bare) override;
    void set_password(const std::string& bare, const std::string& password) override;
    void kick(const std::string& jid) override;
    void restart() override;
    void kill() override;
    base::Duration quiet_time() const override { return std::chrono::milliseconds(250); }
    base::Duration settle_time() const override { return std::chrono::milliseconds(20); }

protected:
    void call(std::string_view command, AdminValue::Object arguments);
    void forget_users() { users_.clear(); }

    LiveServer server_;

private:
    RealStage stage_;
    std::unique_ptr<ctl::AdminClient> admin_;
    std::vector<std::string> users_;
};

/// Starts `binary` with the settings of the script, waits until it serves, and stops it at the end.
class OwnServerVenue final : public LiveVenue {
public:
    OwnServerVenue(const std::string& binary, const Script& script);
    ~OwnServerVenue() override;

    void restart() override;
    void kill() override;

private:
    void start();
    void end(int signal);
    bool answers();

    std::string binary_;
    std::string folder_;
    pid_t process_ = -1;
};

}  // namespace server::test
