#include "xmpp/sasl/mechanism.h"

#include <algorithm>
#include <array>

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/sasl/mechanisms.h"

namespace xmpp::sasl {
namespace {

constexpr std::string_view kPlusSuffix = "-PLUS";
constexpr std::array<std::string_view, 6> kScramNames = {
    "SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-512",      "SCRAM-SHA-256",      "SCRAM-SHA-1",
};

bool has_binding(const ServerContext& context) {
    return context.is_tls && std::ranges::any_of(context.channel_bindings, [](const auto& binding) {
               return !binding.data.empty();
           });
}
bool may_send_plain(const ServerContext& context) {
    return context.is_tls || context.plain_without_tls;
}

}  // namespace

std::optional<ScramName> parse_scram_name(std::string_view name) noexcept {
    if (std::ranges::find(kScramNames, name) == kScramNames.end()) return std::nullopt;
    const bool plus = name.ends_with(kPlusSuffix);
    if (plus) name.remove_suffix(kPlusSuffix.size());
    name.remove_prefix(std::string_view("SCRAM-").size());
    return ScramName{*parse_scram_hash(name), plus};
}

std::span<const std::string_view> scram_names() noexcept {
    return kScramNames;
}

Step ServerMechanism::provide_keys(std::optional<ScramKeys>) {
    return malformed("out of order");
}
Step ServerMechanism::provide_verdict(bool) {
    return malformed("out of order");
}

base::Result<std::unique_ptr<ServerMechanism>, SaslCondition> make_server_mechanism(
    std::string_view name, ServerContext context) {
    const auto invalid = std::unexpected(SaslCondition::invalid_mechanism);
    if (const auto scram = parse_scram_name(name)) {
        if (scram->plus && !has_binding(context)) return invalid;
        CHECK(context.nonce.size() >= kNonceBytes);
        CHECK(context.fake_salt_secret.size() >= 16);
        std::string nonce = base::base64_encode(context.nonce);
        return make_scram_server(*scram, std::move(context), std::move(nonce));
    }
    if (name == kPlain) {
        if (!may_send_plain(context)) return std::unexpected(SaslCondition::encryption_required);
        return make_plain_server(std::move(context));
    }
    if (name == kExternal) {
        if (context.external_identities.empty()) return invalid;
        return make_external_server(std::move(context));
    }
    if (name == kAnonymous && context.anonymous_allowed) return make_anonymous_server();
    return invalid;
}

std::vector<std::string_view> mechanisms_to_offer(const ServerContext& context) {
    std::vector<std::string_view> names;
    if (!context.external_identities.empty()) names.push_back(kExternal);
    for (const std::string_view name : kScramNames)
        if (!name.ends_with(kPlusSuffix) || has_binding(context)) names.push_back(name);
    if (may_send_plain(context)) names.push_back(kPlain);
    if (context.anonymous_allowed) names.push_back(kAnonymous);
    return names;
}

}  // namespace xmpp::sasl
