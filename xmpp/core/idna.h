// Domainparts (RFC 7622 §3.2): IDNA2008 host names by UTS #46 over ICU, IPv4 and IPv6 literals.
// Internal to xmpp/core; callers use Jid.
#pragma once

#include "reactor/base/result.h"

#include <string>
#include <string_view>

namespace xmpp {

/// The domain in the form in which addresses are compared: U-labels, lower case, NFC, no trailing
/// dot, an IPv6 literal in brackets in its canonical form (RFC 5952).
/// Errc::invalid_argument with the reason.
base::Result<std::string> prepare_domain(std::string_view text);

/// True for a lower-case ASCII host name that is in that form already.
bool is_plain_domain(std::string_view text) noexcept;

/// The A-labels of a prepared domain, as DNS and TLS want them ("xn--…"); an ASCII name or an
/// address literal is returned as it is. Errors as above.
base::Result<std::string> domain_to_ascii(std::string_view domain);

}  // namespace xmpp
