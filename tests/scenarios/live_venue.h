// Live venues: a parleyd that runs already, or one that is started for each scenario from its
// binary, with a folder and ports of its own. Clients talk to it over real sockets; accounts are
// made over its admin socket.
#pragma once

#include "server/ctl/admin_client.h"
#include "tests/scenarios/venue.h"
#include "tests/support/temporary_folder.h"

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

/// A free port of 127.0.0.1, and nobody else's meanwhile: the system gives it neither to others who
/// ask for a free one nor to outgoing connections. A server that sets SO_REUSEADDR may listen on
/// it, and again after a restart, because this socket does not. Throws ScriptFailure.
class HeldPort {
public:
    HeldPort();
    HeldPort(const HeldPort&) = delete;
    HeldPort& operator=(const HeldPort&) = delete;
    ~HeldPort();
    std::uint16_t number() const { return number_; }

private:
    int socket_;
    std::uint16_t number_ = 0;
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
    void listen() override { stage().pass(std::chrono::milliseconds(250)); }
    base::Duration patience() const override { return std::chrono::minutes(1); }
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
/// However long the machine takes to run it: a server is at rest when its threads sleep.
class OwnServerVenue final : public LiveVenue {
public:
    OwnServerVenue(const std::string& binary, const Script& script);
    ~OwnServerVenue() override;

    void restart() override;
    void kill() override;
    void come_to_rest() override;
    void listen() override;

private:
    void start();
    void end(int signal);
    bool answers();
    bool sleeps() const;
    /// Until it has slept whenever looked at, a few times and for so long.
    void wait_for_sleep(base::Duration time);

    std::string binary_;
    ::test::TemporaryFolder folder_;
    HeldPort port_;
    HeldPort tls_port_;
    pid_t process_ = -1;
};

}  // namespace server::test
