// Entity capabilities (XEP-0115): the <c/> of a presence and the verification string over a
// disco#info answer. A hash that does not match, or an ill-formed answer, must not be cached for
// other JIDs (§5.4).
#pragma once

#include "reactor/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace xmpp {

class Element;
struct DiscoInfo;

inline constexpr std::size_t kCapsAttributeBytesMax = 1024;

struct Caps {
    std::string hash{};  ///< "sha-1"; empty: the legacy format, whose `ver` verifies nothing (§9).
    std::string node{};
    std::string ver{};

    /// The node to ask with disco#info: `node#ver`.
    std::string query_node() const;
    Element to_element() const;
    /// `c` is the <c/> itself. Errors: invalid_argument: wrong element, node or ver missing, or a
    /// value over the cap.
    static base::Result<Caps> parse(const Element& c);
};

/// The verification string of §5.1. `hash`: "sha-1", "sha-256" or "sha-512" (IANA's hash names).
/// Errors: unsupported for another hash; invalid_argument when the answer is ill-formed by §5.4
/// (the same identity, feature or FORM_TYPE twice, a FORM_TYPE with several different values).
/// Forms without a hidden FORM_TYPE are left out, as §5.4 says. A '<' inside a value counts as
/// "&lt;" (§5.1, note).
base::Result<std::string> caps_hash(const DiscoInfo& info, std::string_view hash);

/// Whether `info` is what `caps` promised; false for anything that must not be cached globally.
bool caps_verified(const Caps& caps, const DiscoInfo& info);

}  // namespace xmpp
