// PLAIN, EXTERNAL and ANONYMOUS, the client's side, and the choice among what a server offers.
#include "xmpp/sasl/client.h"

#include <algorithm>
#include <array>

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/sasl/mechanisms.h"

namespace xmpp::sasl {
namespace {

class SimpleClient final : public ClientMechanism {
public:
    SimpleClient(std::string_view name, ClientContext context) {
        if (name == kPlain) {
            const bool usable =
                !context.username.empty() && !context.password.empty() &&
                !(context.authzid + context.username + context.password).contains('\0');
            if (!usable) return;
            message_ = context.authzid + '\0' + context.username + '\0' + context.password;
        } else if (name == kExternal) {
            message_ = std::move(context.authzid);
        } else {
            message_ = std::string();
        }
    }

    ClientStep start() override {
        if (!message_) return Abort{"unusable user name or password"};
        started_ = true;
        return Response{*std::exchange(message_, std::nullopt)};
    }
    ClientStep challenge(std::string) override { return Abort{"out of order"}; }
    ClientStep success(std::optional<std::string> data) override {
        if (!started_ || (data && !data->empty())) return Abort{"out of order"};
        return Authenticated{};
    }

private:
    std::optional<std::string> message_;
    bool started_ = false;
};

bool contains(std::span<const std::string_view> names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

// The strongest type that both sides have; empty when there is none. A server that lists none knows
// at least what its mechanism's document asks for: tls-unique where that exists (RFC 5802 §6.1), or
// else, on TLS 1.3, tls-exporter (RFC 9266 §3).
std::string_view choose_binding(const ClientAbilities& abilities) {
    static constexpr std::string_view kListed[] = {kTlsExporter, kTlsUnique, kTlsServerEndPoint};
    static constexpr std::string_view kUnlisted[] = {kTlsUnique, kTlsExporter, kTlsServerEndPoint};
    const bool is_listed = !abilities.server_binding_types.empty();
    for (const std::string_view type : is_listed ? kListed : kUnlisted) {
        if (find_binding(abilities.channel_bindings, type) == nullptr) continue;
        if (!is_listed || contains(abilities.server_binding_types, type)) return type;
    }
    return {};
}

}  // namespace

ClientStep ClientMechanism::provide_salted_password(std::string) {
    return Abort{"out of order"};
}

std::unique_ptr<ClientMechanism> make_simple_client(std::string_view name, ClientContext context) {
    return std::make_unique<SimpleClient>(name, std::move(context));
}

std::unique_ptr<ClientMechanism> make_client_mechanism(std::string_view name,
                                                       ClientContext context) {
    if (const auto scram = parse_scram_name(name)) {
        if (scram->plus && find_binding(context.channel_bindings, context.binding_type) == nullptr)
            return nullptr;
        CHECK(context.nonce.size() >= kNonceBytes);
        std::string nonce = base::base64_encode(context.nonce);
        return make_scram_client(*scram, std::move(context), std::move(nonce));
    }
    if (name == kPlain || name == kExternal || name == kAnonymous)
        return make_simple_client(name, std::move(context));
    return nullptr;
}

std::optional<MechanismChoice> choose_mechanism(std::span<const std::string_view> offered,
                                                const ClientAbilities& abilities) {
    if (abilities.certificate && contains(offered, kExternal))
        return MechanismChoice{kExternal, {}};
    if (abilities.password) {
        const std::string_view binding_type = choose_binding(abilities);
        // `y` says "you offer no -PLUS": only true if none is listed (RFC 5802 §6, XEP-0440 §3).
        const bool plus_offered = std::ranges::any_of(
            offered, [](std::string_view name) { return name.ends_with("-PLUS"); });
        const bool could_have_bound = !abilities.channel_bindings.empty() && !plus_offered &&
                                      abilities.server_binding_types.empty();
        for (const std::string_view name : scram_names()) {
            if (!contains(offered, name)) continue;
            if (!parse_scram_name(name)->plus) return MechanismChoice{name, {}, could_have_bound};
            if (!binding_type.empty()) return MechanismChoice{name, binding_type};
        }
        if (abilities.is_tls && contains(offered, kPlain)) return MechanismChoice{kPlain, {}};
    }
    if (abilities.anonymous && contains(offered, kAnonymous))
        return MechanismChoice{kAnonymous, {}};
    return std::nullopt;
}

}  // namespace xmpp::sasl
