// PRECIS (RFC 8264, 8265) over ICU: preparation and enforcement of user names and of passwords and
// resources. Not the domain's rules: idna.h. The excluded characters of an XMPP localpart are
// checked in jid.cpp, since RFC 7622 adds them to the profile.
#pragma once

#include "reactor/base/result.h"

#include <string>
#include <string_view>

namespace xmpp {

/// UsernameCaseMapped (RFC 8265 §3.3): width mapping, lower case, NFC, bidi rule, IdentifierClass.
/// Errc::invalid_argument with the reason when `text` is empty, not UTF-8 or has a character that
/// the profile disallows. Idempotent.
base::Result<std::string> prepare_username(std::string_view text);

/// OpaqueString (RFC 8265 §4.2), for passwords and resourceparts: non-ASCII spaces become U+0020,
/// NFC, FreeformClass; case is kept. Errors as above. The text of an error never quotes the input.
base::Result<std::string> prepare_password(std::string_view text);

/// The same profile under the name that addresses use (RFC 7622 §3.4).
inline base::Result<std::string> prepare_opaque(std::string_view text) {
    return prepare_password(text);
}

}  // namespace xmpp
