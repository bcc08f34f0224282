// SCRAM, the server's side (RFC 5802, 7677): client-first, keys, server-first, client-final,
// verdict. A user who does not exist walks the whole way with made-up keys and fails where a wrong
// password fails. <failure/> carries no mechanism data in XMPP, so `e=` values go into the
// failure's text.
#include "reactor/base/text.h"
#include "xmpp/sasl/crypto.h"
#include "xmpp/sasl/identity.h"
#include "xmpp/sasl/mechanisms.h"
#include "xmpp/sasl/scram_messages.h"

namespace xmpp::sasl {
namespace {

class ScramServer final : public ServerMechanism {
public:
    ScramServer(ScramName name, ServerContext context, std::string nonce)
        : name_(name), context_(std::move(context)), own_nonce_(std::move(nonce)) {}

    Step start(std::optional<std::string> initial_response) override;
    Step respond(std::string response) override;
    Step provide_keys(std::optional<ScramKeys> keys) override;

private:
    enum class State : std::uint8_t { fresh, client_first, keys, client_final, over };

    Step read_client_first(std::string_view message);
    Step read_client_final(std::string_view message);
    /// RFC 5802 §6: the reason to refuse the client's channel-binding flag, or empty.
    std::string_view refuse_binding(const ClientFirst& first) const;
    Step fail(SaslCondition condition, std::string_view text);

    ScramName name_;
    ServerContext context_;
    std::string own_nonce_;
    State state_ = State::fresh;
    std::string username_;
    std::string authzid_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;                   ///< The client's part, then ours.
    std::string expected_binding_input_;  ///< GS2 header and channel-binding data.
    ScramKeys keys_;
    bool keys_are_real_ = false;
};

Step ScramServer::fail(SaslCondition condition, std::string_view text) {
    state_ = State::over;
    return Failure{condition, std::string(text)};
}

Step ScramServer::start(std::optional<std::string> initial_response) {
    if (state_ != State::fresh) return fail(SaslCondition::malformed_request, "out of order");
    if (!initial_response) {
        state_ = State::client_first;
        return Challenge{};
    }
    return read_client_first(*initial_response);
}

Step ScramServer::respond(std::string response) {
    switch (state_) {
        case State::client_first:
            return read_client_first(response);
        case State::client_final:
            return read_client_final(response);
        default:
            return fail(SaslCondition::malformed_request, "out of order");
    }
}

std::string_view ScramServer::refuse_binding(const ClientFirst& first) const {
    switch (first.flag) {
        case BindingFlag::unsupported:
            if (name_.plus) return "channel-binding-not-supported";
            break;
        case BindingFlag::unused:
            // The client believes we offered no -PLUS. If we did, somebody took it out on the way.
            if (name_.plus || context_.plus_advertised)
                return "server-does-support-channel-binding";
            break;
        case BindingFlag::required:
            if (!name_.plus) return "channel-binding-not-supported";
            if (find_binding(context_.channel_bindings, first.binding_type) == nullptr)
                return "unsupported-channel-binding-type";
            break;
    }
    return {};
}

Step ScramServer::read_client_first(std::string_view message) {
    auto first = parse_client_first(message);
    if (!first) return fail(SaslCondition::malformed_request, first.error());
    if (const auto reason = refuse_binding(*first); !reason.empty())
        return fail(SaslCondition::not_authorized, reason);
    auto localpart = prepare_localpart(first->username, context_.host);
    if (!localpart) return fail(SaslCondition::not_authorized, "invalid-username-encoding");
    if (!first->authzid.empty()) {
        auto authzid = own_authzid(first->authzid, *localpart, context_.host);
        if (!authzid) return fail(SaslCondition::invalid_authzid, "other-error");
        authzid_ = *std::move(authzid);
    }

    expected_binding_input_ = std::move(first->gs2_header);
    if (first->flag == BindingFlag::required)
        expected_binding_input_ +=
            find_binding(context_.channel_bindings, first->binding_type)->data;
    client_first_bare_ = std::move(first->bare);
    nonce_ = std::move(first->nonce);
    username_ = *std::move(localpart);
    state_ = State::keys;
    return NeedKeys{username_, name_.hash};
}

Step ScramServer::provide_keys(std::optional<ScramKeys> keys) {
    if (state_ != State::keys) return fail(SaslCondition::malformed_request, "out of order");
    // Made up in either case, so that both cost the same.
    keys_ = fake_keys(name_.hash, username_, context_.fake_salt_secret, context_.iterations);
    keys_are_real_ = keys.has_value();
    if (keys) {
        if (keys->hash != name_.hash || keys->stored_key.size() != digest_bytes(name_.hash) ||
            keys->server_key.size() != digest_bytes(name_.hash) || keys->salt.empty())
            return fail(SaslCondition::temporary_auth_failure, "the stored keys are damaged");
        keys_ = *std::move(keys);
    }
    nonce_ += own_nonce_;
    server_first_ = "r=" + nonce_ + ",s=" + base::base64_encode(keys_.salt) +
                    ",i=" + std::to_string(keys_.iterations);
    state_ = State::client_final;
    return Challenge{server_first_};
}

Step ScramServer::read_client_final(std::string_view message) {
    const auto final = parse_client_final(message);
    if (!final) return fail(SaslCondition::malformed_request, final.error());
    if (!base::equal_constant_time(final->binding_input, expected_binding_input_))
        return fail(SaslCondition::not_authorized, "channel-bindings-dont-match");
    if (!base::equal_constant_time(final->nonce, nonce_))
        return fail(SaslCondition::not_authorized, "other-error");
    if (final->proof.size() != digest_bytes(name_.hash))
        return fail(SaslCondition::malformed_request, "invalid-encoding");

    const std::string auth_message =
        client_first_bare_ + "," + server_first_ + "," + final->without_proof;
    const std::string client_key =
        exclusive_or(final->proof, hmac(name_.hash, keys_.stored_key, auth_message));
    const std::string server_signature = hmac(name_.hash, keys_.server_key, auth_message);
    const bool proven = base::equal_constant_time(digest(name_.hash, client_key), keys_.stored_key);
    if (!proven || !keys_are_real_) return fail(SaslCondition::not_authorized, "invalid-proof");
    state_ = State::over;
    return Success{username_, authzid_, "v=" + base::base64_encode(server_signature)};
}

}  // namespace

std::unique_ptr<ServerMechanism> make_scram_server(ScramName name, ServerContext context,
                                                   std::string nonce) {
    return std::make_unique<ScramServer>(name, std::move(context), std::move(nonce));
}

}  // namespace xmpp::sasl
