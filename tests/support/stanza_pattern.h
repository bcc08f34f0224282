// Stanza patterns: XML with wildcards, compared with what a server sent. What the pattern names
// must be there; what it does not name may be.
//
// In attribute values and text: {any} (not empty), {number}, {datetime} (XEP-0082, UTC),
// {capture:name}, and, as a whole attribute value, {absent}. $name is what was captured under that
// name, $$ a dollar sign. On elements, in the namespace kPatternNamespace: absent='yes' (no child
// that matches this one) and exact='yes' (no other children than those named).
#pragma once

#include "xmpp/core/element.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::test {

inline constexpr std::string_view kPatternNamespace = "urn:parley:scenario";

using Variables = std::map<std::string, std::string, std::less<>>;

/// Replaces $name and $$. Throws ScriptFailure for a name that is not known.
std::string substitute(std::string_view text, const Variables& variables);

/// The elements of `xml`, in jabber:client unless they say otherwise, with the prefixes "stream"
/// and "expect" (kPatternNamespace) bound. Throws ScriptFailure when it is not well-formed.
std::vector<xmpp::Element> parse_elements(std::string_view xml);

/// What is wrong with `actual`, as a path and a sentence; nothing when it matches. Captures go to
/// `variables` only then. Throws ScriptFailure for a pattern that makes no sense.
std::optional<std::string> mismatch(const xmpp::Element& pattern, const xmpp::Element& actual,
                                    Variables& variables);

}  // namespace server::test
