// Whom a SASL exchange is about: user names to localparts, authorization identities to bare JIDs
// (RFC 6120 §6.3.7, §6.3.8). Internal to xmpp/sasl.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace xmpp::sasl {

/// The prepared localpart for `username`; nullopt when no account at `host` could have that name.
std::optional<std::string> prepare_localpart(std::string_view username, std::string_view host);

/// The canonical bare JID of `authzid` if that is the account `localpart`@`host`, else nullopt: we
/// let nobody act for somebody else.
std::optional<std::string> own_authzid(std::string_view authzid, std::string_view localpart,
                                       std::string_view host);

}  // namespace xmpp::sasl
