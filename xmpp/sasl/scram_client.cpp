// SCRAM, the client's side (RFC 5802, 7677). Refuses iteration counts below kIterationsMin: a
// hostile server would use them to make guessing cheap.
#include "reactor/base/text.h"
#include "xmpp/sasl/crypto.h"
#include "xmpp/sasl/mechanisms.h"
#include "xmpp/sasl/scram_messages.h"

namespace xmpp::sasl {
namespace {

class ScramClient final : public ClientMechanism {
public:
    ScramClient(ScramName name, ClientContext context, std::string nonce)
        : name_(name), context_(std::move(context)), nonce_(std::move(nonce)) {}

    ClientStep start() override;
    ClientStep challenge(std::string data) override;
    ClientStep provide_salted_password(std::string salted_password) override;
    ClientStep success(std::optional<std::string> data) override;

private:
    enum class State : std::uint8_t { fresh, server_first, password, server_final, proven, over };

    ClientStep read_server_first(std::string data);
    ClientStep abort(std::string reason) {
        state_ = State::over;
        return Abort{std::move(reason)};
    }
    /// Empty when the server proved that it knows ServerKey, otherwise the reason to abort.
    std::string check_server_final(std::string_view message) const;

    ScramName name_;
    ClientContext context_;
    std::string nonce_;
    State state_ = State::fresh;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string full_nonce_;
    std::string server_signature_;
};

ClientStep ScramClient::start() {
    if (state_ != State::fresh) return abort("out of order");
    if (context_.username.empty()) return abort("no user name");
    if (name_.plus) {
        gs2_header_ = "p=" + context_.binding_type;
    } else {
        gs2_header_ = context_.could_have_bound ? "y" : "n";
    }
    gs2_header_ += ',';
    if (!context_.authzid.empty()) gs2_header_ += "a=" + encode_saslname(context_.authzid);
    gs2_header_ += ',';
    client_first_bare_ = "n=" + encode_saslname(context_.username) + ",r=" + nonce_;
    state_ = State::server_first;
    return Response{gs2_header_ + client_first_bare_};
}

ClientStep ScramClient::challenge(std::string data) {
    switch (state_) {
        case State::server_first:
            return read_server_first(std::move(data));
        case State::server_final:
            // The verifier may come as a challenge; then <success/> follows without data.
            if (auto reason = check_server_final(data); !reason.empty())
                return abort(std::move(reason));
            state_ = State::proven;
            return Response{};
        default:
            return abort("out of order");
    }
}

ClientStep ScramClient::read_server_first(std::string data) {
    const auto first = parse_server_first(data);
    if (!first) {
        const auto error = parse_server_final(data);
        return abort(error ? std::string(first.error()) : error.error());
    }
    if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size())
        return abort("the server changed the nonce");
    if (first->iterations < kIterationsMin || first->iterations > kIterationsMax)
        return abort("the iteration count is out of range");
    if (first->salt.size() > kSaltBytesMax) return abort("the salt is too long");
    full_nonce_ = first->nonce;
    server_first_ = std::move(data);
    state_ = State::password;
    return NeedSaltedPassword{name_.hash, first->salt, first->iterations};
}

ClientStep ScramClient::provide_salted_password(std::string salted_password) {
    if (state_ != State::password) return abort("out of order");
    if (salted_password.size() != digest_bytes(name_.hash)) return abort("no salted password");
    std::string binding_input = gs2_header_;
    if (name_.plus)
        binding_input += find_binding(context_.channel_bindings, context_.binding_type)->data;
    const std::string without_proof =
        "c=" + base::base64_encode(binding_input) + ",r=" + full_nonce_;
    const std::string auth_message = client_first_bare_ + "," + server_first_ + "," + without_proof;

    const std::string client_key = hmac(name_.hash, salted_password, "Client Key");
    const std::string stored_key = digest(name_.hash, client_key);
    const std::string proof = exclusive_or(client_key, hmac(name_.hash, stored_key, auth_message));
    server_signature_ =
        hmac(name_.hash, hmac(name_.hash, salted_password, "Server Key"), auth_message);
    wipe(salted_password);
    state_ = State::server_final;
    return Response{without_proof + ",p=" + base::base64_encode(proof)};
}

std::string ScramClient::check_server_final(std::string_view message) const {
    const auto verifier = parse_server_final(message);
    if (!verifier) return verifier.error();
    if (!base::equal_constant_time(*verifier, server_signature_))
        return "the server did not prove that it knows the account";
    return {};
}

ClientStep ScramClient::success(std::optional<std::string> data) {
    if (state_ == State::server_final) {
        if (!data) return abort("the server did not prove that it knows the account");
        if (auto reason = check_server_final(*data); !reason.empty())
            return abort(std::move(reason));
    } else if (state_ != State::proven || (data && !data->empty())) {
        return abort("out of order");
    }
    state_ = State::over;
    return Authenticated{};
}

}  // namespace

std::unique_ptr<ClientMechanism> make_scram_client(ScramName name, ClientContext context,
                                                   std::string nonce) {
    return std::make_unique<ScramClient>(name, std::move(context), std::move(nonce));
}

}  // namespace xmpp::sasl
