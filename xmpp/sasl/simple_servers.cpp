// The one-message mechanisms, the server's side: PLAIN (RFC 4616), EXTERNAL (RFC 4422 appendix A,
// XEP-0178) and ANONYMOUS (RFC 4505).
#include "reactor/base/text.h"
#include "xmpp/core/jid.h"
#include "xmpp/sasl/identity.h"
#include "xmpp/sasl/mechanisms.h"

namespace xmpp::sasl {
namespace {

constexpr std::size_t kTraceBytesMax = 1020;  // 255 characters, RFC 4505 §2.

/// The course that all three take: one message from the client, asked for if it did not come at
/// once.
class OneMessageServer : public ServerMechanism {
public:
    Step start(std::optional<std::string> initial_response) final {
        if (state_ != State::fresh) return out_of_order();
        if (!initial_response) {
            state_ = State::asked;
            return Challenge{};
        }
        return read_once(*initial_response);
    }
    Step respond(std::string response) final {
        return state_ == State::asked ? read_once(response) : out_of_order();
    }

protected:
    virtual Step read(std::string_view message) = 0;
    Step out_of_order() {
        state_ = State::over;
        return malformed("out of order");
    }

private:
    enum class State : std::uint8_t { fresh, asked, over };
    Step read_once(std::string_view message) {
        state_ = State::over;
        if (message.size() > kMessageBytesMax) return malformed("the message is too long");
        return read(message);
    }
    State state_ = State::fresh;
};

class PlainServer final : public OneMessageServer {
public:
    explicit PlainServer(ServerContext context) : host_(std::move(context.host)) {}

    Step provide_verdict(bool password_is_right) override {
        if (!pending_) return out_of_order();
        const Success success = *std::exchange(pending_, std::nullopt);
        if (!password_is_right)
            return Failure{SaslCondition::not_authorized, "wrong user name or password"};
        return success;
    }

private:
    // message = [authzid] UTF8NUL authcid UTF8NUL passwd
    Step read(std::string_view message) override {
        const auto parts = base::split(message, '\0');
        if (parts.size() != 3 || !base::is_valid_utf8(message))
            return malformed("not three UTF-8 strings between NULs");
        const std::string_view authzid = parts[0];
        const std::string_view authcid = parts[1];
        const std::string_view password = parts[2];
        if (authcid.empty() || password.empty()) return malformed("no user name or no password");
        if (authcid.size() > kJidPartBytesMax || password.size() > kPasswordBytesMax)
            return malformed("the user name or the password is too long");

        const auto localpart = prepare_localpart(authcid, host_);
        if (!localpart)
            return Failure{SaslCondition::not_authorized, "wrong user name or password"};
        Success success{*localpart, {}, std::nullopt};
        // Old clients repeat the bare user name where the address belongs.
        if (!authzid.empty() && authzid != authcid) {
            auto own = own_authzid(authzid, *localpart, host_);
            if (!own) return Failure{SaslCondition::invalid_authzid, "not the own bare JID"};
            success.authzid = *std::move(own);
        }
        pending_ = std::move(success);
        return NeedPasswordCheck{*localpart, std::string(password)};
    }

    std::string host_;
    std::optional<Success> pending_;
};

class ExternalServer final : public OneMessageServer {
public:
    explicit ExternalServer(ServerContext context) : host_(std::move(context.host)) {
        for (const std::string& identity : context.external_identities) {
            auto jid = Jid::parse(identity);
            const bool usable = jid && jid->has_local() && jid->is_bare() && jid->domain() == host_;
            if (usable && !allows(*jid)) accounts_.push_back(*std::move(jid));
        }
    }

private:
    bool allows(const Jid& jid) const {
        for (const Jid& account : accounts_)
            if (account == jid) return true;
        return false;
    }

    // XEP-0178 §2, steps 8 to 11. The empty response means "whoever the certificate says".
    Step read(std::string_view message) override {
        if (accounts_.empty())
            return Failure{SaslCondition::not_authorized, "the certificate names no account here"};
        if (message.empty()) {
            if (accounts_.size() > 1)
                return Failure{SaslCondition::invalid_authzid,
                               "the certificate names several accounts, the client none"};
            return Success{std::string(accounts_.front().local()), {}, std::nullopt};
        }
        if (message.contains('\0') || !base::is_valid_utf8(message))
            return malformed("not an authorization identity");
        const auto wanted = Jid::parse(message);
        if (!wanted || !allows(*wanted))
            return Failure{SaslCondition::invalid_authzid, "not an identity of the certificate"};
        return Success{std::string(wanted->local()), wanted->text(), std::nullopt};
    }

    std::string host_;
    std::vector<Jid> accounts_;
};

class AnonymousServer final : public OneMessageServer {
    // The trace is optional and tells nothing that we could trust: checked and forgotten.
    Step read(std::string_view message) override {
        if (message.size() > kTraceBytesMax || message.contains('\0') ||
            !base::is_valid_utf8(message))
            return malformed("not a trace");
        return Success{};
    }
};

}  // namespace

std::unique_ptr<ServerMechanism> make_plain_server(ServerContext context) {
    return std::make_unique<PlainServer>(std::move(context));
}
std::unique_ptr<ServerMechanism> make_external_server(ServerContext context) {
    return std::make_unique<ExternalServer>(std::move(context));
}
std::unique_ptr<ServerMechanism> make_anonymous_server() {
    return std::make_unique<AnonymousServer>();
}

}  // namespace xmpp::sasl
