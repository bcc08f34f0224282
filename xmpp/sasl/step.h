// What a SASL exchange can come to (RFC 4422 §3, RFC 6120 §6): the values that the server-side
// mechanisms return and the error conditions that <failure/> carries.
#pragma once

#include "xmpp/sasl/scram_keys.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace xmpp::sasl {

/// One message of an exchange after base64 decoding, either way.
inline constexpr std::size_t kMessageBytesMax = 6144;

/// RFC 6120 §6.5, all of them.
enum class SaslCondition : std::uint8_t {
    aborted,
    account_disabled,
    credentials_expired,
    encryption_required,
    incorrect_encoding,
    invalid_authzid,
    invalid_mechanism,
    malformed_request,
    mechanism_too_weak,
    not_authorized,
    temporary_auth_failure,
};
/// The element's name: "not-authorized".
std::string_view name_of(SaslCondition condition) noexcept;
std::optional<SaslCondition> parse_sasl_condition(std::string_view name) noexcept;

/// Send <challenge/> with these bytes in base64 (an empty one is an element without text) and hand
/// what comes back to respond().
struct Challenge {
    std::string data{};
};

/// Load the keys of this account for this hash, then call provide_keys(). `username` is a prepared
/// localpart. An account that does not exist, or has no keys of this hash: provide_keys(nullopt).
struct NeedKeys {
    std::string username{};
    ScramHash hash = ScramHash::sha256;
};

/// Load any keys of this account (fake_keys() when it does not exist), run verify_password() in the
/// pool, then call provide_verdict(). Holds a password: never log it, drop it soon.
struct NeedPasswordCheck {
    std::string username{};  ///< A prepared localpart.
    std::string password{};
};

/// Send <success/>. `username` is the prepared localpart; empty for ANONYMOUS, where the server
/// makes one up. `authzid` is the canonical bare JID if the client named one (always the same
/// account).
struct Success {
    std::string username{};
    std::string authzid{};
    /// Additional data of <success/>; nullopt: an element without text; empty: "=".
    std::optional<std::string> final_data{};
};

/// Send <failure/> with this condition; `text` is for the log and may be sent as <text/>. It says
/// the same for an unknown user and for a wrong password.
struct Failure {
    SaslCondition condition = SaslCondition::not_authorized;
    std::string text{};
};

using Step = std::variant<Challenge, NeedKeys, NeedPasswordCheck, Success, Failure>;

}  // namespace xmpp::sasl
