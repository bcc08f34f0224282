// Login: one SASL exchange of one client (RFC 6120 §6): runs the mechanism's steps, loads keys from
// the database, checks passwords in the pool. Knows neither XML nor base64 nor the stream.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"
#include "xmpp/core/jid.h"
#include "xmpp/sasl/mechanism.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace storage {
class Database;
struct User;
}  // namespace storage

namespace server {

/// The client is who it says.
struct LoginAccepted {
    xmpp::Jid account;  ///< Bare.
    std::optional<std::string> final_data;
};
using LoginOutcome = std::variant<xmpp::sasl::Challenge, LoginAccepted, xmpp::sasl::Failure>;

class Login {
public:
    struct Parts {
        reactor::World& world;
        storage::Database& database;
        std::string host;
        std::string fake_salt_secret;
        std::uint32_t iterations;
    };

    Login(Parts parts, std::string_view mechanism,
          std::unique_ptr<xmpp::sasl::ServerMechanism> exchange);
    Login(const Login&) = delete;
    Login& operator=(const Login&) = delete;
    ~Login();

    const std::string& mechanism() const { return mechanism_; }

    /// One at a time; the Login must outlive the Deferred. Never fails: what goes wrong here is
    /// temporary-auth-failure.
    reactor::Deferred<LoginOutcome> start(std::optional<std::string> initial_response);
    reactor::Deferred<LoginOutcome> respond(std::string response);

private:
    using Step = xmpp::sasl::Step;

    reactor::Deferred<LoginOutcome> follow(Step step);
    reactor::Deferred<Step> provide_keys(xmpp::sasl::NeedKeys wanted);
    reactor::Deferred<Step> check_password(xmpp::sasl::NeedPasswordCheck wanted);
    reactor::Deferred<std::optional<storage::User>> load(std::string username);
    reactor::Deferred<LoginOutcome> accept(xmpp::sasl::Success success);
    reactor::Deferred<LoginOutcome> accept_anonymous(std::optional<std::string> final_data);

    Parts parts_;
    std::string mechanism_;
    std::unique_ptr<xmpp::sasl::ServerMechanism> exchange_;
    std::optional<bool> enabled_;  // Of the account that was loaded, if it exists.
};

}  // namespace server
