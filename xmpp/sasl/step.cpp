#include "xmpp/sasl/step.h"

#include <array>
#include <utility>

namespace xmpp::sasl {
namespace {

using Entry = std::pair<SaslCondition, std::string_view>;
constexpr std::array kConditions = {
    Entry{SaslCondition::aborted, "aborted"},
    Entry{SaslCondition::account_disabled, "account-disabled"},
    Entry{SaslCondition::credentials_expired, "credentials-expired"},
    Entry{SaslCondition::encryption_required, "encryption-required"},
    Entry{SaslCondition::incorrect_encoding, "incorrect-encoding"},
    Entry{SaslCondition::invalid_authzid, "invalid-authzid"},
    Entry{SaslCondition::invalid_mechanism, "invalid-mechanism"},
    Entry{SaslCondition::malformed_request, "malformed-request"},
    Entry{SaslCondition::mechanism_too_weak, "mechanism-too-weak"},
    Entry{SaslCondition::not_authorized, "not-authorized"},
    Entry{SaslCondition::temporary_auth_failure, "temporary-auth-failure"},
};

}  // namespace

std::string_view name_of(SaslCondition condition) noexcept {
    for (const auto& [value, name] : kConditions)
        if (value == condition) return name;
    return {};
}

std::optional<SaslCondition> parse_sasl_condition(std::string_view name) noexcept {
    for (const auto& [value, known] : kConditions)
        if (known == name) return value;
    return std::nullopt;
}

}  // namespace xmpp::sasl
