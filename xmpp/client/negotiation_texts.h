// What the parts of ClientNegotiation share. Internal to xmpp/client.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/error.h"
#include "xmpp/core/namespaces.h"

#include <optional>
#include <string_view>

namespace xmpp {

// Ids of the requests that a negotiation makes; nothing else is under way then.
inline constexpr std::string_view kBindId = "bind";
inline constexpr std::string_view kSessionId = "session";
inline constexpr std::string_view kFieldsId = "fields";
inline constexpr std::string_view kLoginId = "login";

inline constexpr std::string_view kLegacyFeature = "http://jabber.org/features/iq-auth";

/// The error of an iq whose type is error; nullopt for a result. One without <error/> is
/// undefined-condition.
inline std::optional<StanzaError> error_of(const Element& iq) {
    if (iq.attribute("type") != "error") return std::nullopt;
    const Element* const error = iq.child("error", ns::client);
    if (error == nullptr) return StanzaError::undefined_condition();
    return StanzaError::parse(*error);
}

}  // namespace xmpp
