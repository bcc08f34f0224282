// Venue: the server that a scenario is played against. SimVenue holds one in this process, on
// virtual time; live_venue.h has real ones.
#pragma once

#include "server/sessions/client_service.h"
#include "tests/scenarios/script.h"
#include "tests/support/server_harness.h"
#include "tests/support/stage.h"

#include <chrono>
#include <memory>
#include <string>

namespace server::test {

/// Calls throw ScriptFailure when they cannot do what is asked.
class Venue {
public:
    virtual ~Venue() = default;
    virtual Stage& stage() = 0;
    virtual reactor::Endpoint endpoint(ClientTransport transport) const = 0;

    virtual void add_user(const std::string& bare, const std::string& password) = 0;
    virtual void remove_user(const std::string& bare) = 0;
    virtual void set_password(const std::string& bare, const std::string& password) = 0;
    virtual void kick(const std::string& jid) = 0;

    virtual void restart() = 0;
    virtual void kill() = 0;

    /// Null where time cannot be made to pass and nothing can be made to fail.
    virtual ServerHarness* simulation() { return nullptr; }
    /// Before somebody else does something: until what was done has had its effects, where that is
    /// not certain anyway.
    virtual void come_to_rest() {}
    /// Listens until it may be said that nothing comes.
    virtual void listen() = 0;
    /// How long what is waited for may take.
    virtual base::Duration patience() const = 0;
    /// How long to listen at the end for what should not come.
    virtual base::Duration settle_time() const = 0;
};

class SimVenue final : public Venue {
public:
    /// Throws ScriptFailure for settings that are wrong.
    explicit SimVenue(const Script& script);

    Stage& stage() override { return harness_->stage(); }
    reactor::Endpoint endpoint(ClientTransport transport) const override;
    void add_user(const std::string& bare, const std::string& password) override;
    void remove_user(const std::string& bare) override;
    void set_password(const std::string& bare, const std::string& password) override;
    void kick(const std::string& jid) override;
    void restart() override { harness_->restart(); }
    void kill() override { harness_->crash(); }
    ServerHarness* simulation() override { return harness_.get(); }
    void listen() override { stage().pass(std::chrono::seconds(1)); }
    base::Duration patience() const override { return std::chrono::seconds(10); }
    base::Duration settle_time() const override { return std::chrono::seconds(1); }

private:
    std::unique_ptr<ServerHarness> harness_;
};

}  // namespace server::test
