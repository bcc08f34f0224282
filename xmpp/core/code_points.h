// The derived properties of RFC 8264 §8 and the rules that look at more than one character: context
// (RFC 5892 appendix A) and direction (RFC 5893 §2). Internal to xmpp/core.
#pragma once

#include <cstdint>
#include <string_view>

namespace xmpp {

enum class PrecisProperty : std::uint8_t {
    valid,       ///< PVALID: in identifiers and in free text.
    context,     ///< CONTEXTJ or CONTEXTO: where context_allows() says so.
    free_valid,  ///< ID_DIS or FREE_PVAL: in free text only.
    disallowed,  ///< Nowhere, unassigned ones included.
};

PrecisProperty precis_property(char32_t character) noexcept;

/// Whether the context rule of the character at `index` holds. Every character of property
/// `context` must pass.
bool context_allows(std::u32string_view text, std::size_t index) noexcept;

/// True when `text` has a right-to-left character (bidi class R, AL or AN) and so needs the rule.
bool has_right_to_left(std::u32string_view text) noexcept;
/// The Bidi Rule for text in which has_right_to_left() holds.
bool satisfies_bidi_rule(std::u32string_view text) noexcept;

}  // namespace xmpp
