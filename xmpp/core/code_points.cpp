// Character properties from ICU's tables; see code_points.h.
#include "xmpp/core/code_points.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <cstddef>

namespace xmpp {
namespace {

constexpr UChar32 code_point(char32_t character) {
    return static_cast<UChar32>(character);
}

constexpr bool in_range(char32_t character, char32_t first, char32_t last) {
    return character >= first && character <= last;
}

constexpr bool is_arabic_digit(char32_t c) {
    return in_range(c, 0x0660, 0x0669);
}
constexpr bool is_extended_arabic_digit(char32_t c) {
    return in_range(c, 0x06F0, 0x06F9);
}

// RFC 5892 §2.6, the Exceptions table, and the join controls (§2.8).
enum class Exception : std::uint8_t { none, valid, context, disallowed };

constexpr Exception exception_of(char32_t c) {
    switch (c) {
        case 0x00DF:
        case 0x03C2:
        case 0x06FD:
        case 0x06FE:
        case 0x0F0B:
        case 0x3007:
            return Exception::valid;
        case 0x00B7:
        case 0x0375:
        case 0x05F3:
        case 0x05F4:
        case 0x30FB:
        case 0x200C:
        case 0x200D:
            return Exception::context;
        case 0x0640:
        case 0x07FA:
        case 0x302E:
        case 0x302F:
        case 0x3031:
        case 0x3032:
        case 0x3033:
        case 0x3034:
        case 0x3035:
        case 0x303B:
            return Exception::disallowed;
        default:
            break;
    }
    if (is_arabic_digit(c) || is_extended_arabic_digit(c)) return Exception::context;
    return Exception::none;
}

bool is_old_hangul_jamo(UChar32 c) {
    const int32_t type = u_getIntPropertyValue(c, UCHAR_HANGUL_SYLLABLE_TYPE);
    return type == U_HST_LEADING_JAMO || type == U_HST_VOWEL_JAMO || type == U_HST_TRAILING_JAMO;
}

// HasCompat: NFKC changes it.
bool has_compatibility_equivalent(UChar32 c) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* const nfkc = icu::Normalizer2::getNFKCInstance(status);
    if (U_FAILURE(status)) return true;
    const icu::UnicodeString original(c);
    const icu::UnicodeString normalized = nfkc->normalize(original, status);
    return U_FAILURE(status) || normalized != original;
}

PrecisProperty property_of_category(UChar32 c) {
    const uint32_t category = U_GET_GC_MASK(c);
    if ((category & (U_GC_LL_MASK | U_GC_LU_MASK | U_GC_LO_MASK | U_GC_ND_MASK | U_GC_LM_MASK |
                     U_GC_MN_MASK | U_GC_MC_MASK)) != 0) {
        return PrecisProperty::valid;
    }
    if ((category & (U_GC_LT_MASK | U_GC_NL_MASK | U_GC_NO_MASK | U_GC_ME_MASK | U_GC_ZS_MASK |
                     U_GC_S_MASK | U_GC_P_MASK)) != 0) {
        return PrecisProperty::free_valid;
    }
    return PrecisProperty::disallowed;
}

// RFC 5892 appendix A.1.
bool zero_width_non_joiner_allowed(std::u32string_view text, std::size_t index) {
    if (index == 0) return false;
    if (u_getCombiningClass(code_point(text[index - 1])) == 9) return true;  // Virama.
    const auto joining_type = [&](std::size_t at) {
        return u_getIntPropertyValue(code_point(text[at]), UCHAR_JOINING_TYPE);
    };
    std::size_t before = index - 1;
    while (before > 0 && joining_type(before) == U_JT_TRANSPARENT)
        --before;
    const int32_t left = joining_type(before);
    std::size_t after = index + 1;
    while (after < text.size() && joining_type(after) == U_JT_TRANSPARENT)
        ++after;
    if (after == text.size()) return false;
    const int32_t right = joining_type(after);
    return (left == U_JT_LEFT_JOINING || left == U_JT_DUAL_JOINING) &&
           (right == U_JT_RIGHT_JOINING || right == U_JT_DUAL_JOINING);
}

UScriptCode script_of(char32_t character) {
    UErrorCode status = U_ZERO_ERROR;
    return uscript_getScript(code_point(character), &status);
}

bool is_japanese_script(char32_t character) {
    const UScriptCode script = script_of(character);
    return script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA || script == USCRIPT_HAN;
}

}  // namespace

// The order of the steps is that of RFC 8264 §8.
PrecisProperty precis_property(char32_t character) noexcept {
    switch (exception_of(character)) {
        case Exception::valid:
            return PrecisProperty::valid;
        case Exception::context:
            return PrecisProperty::context;
        case Exception::disallowed:
            return PrecisProperty::disallowed;
        case Exception::none:
            break;
    }
    const UChar32 c = code_point(character);
    if (u_charType(c) == U_UNASSIGNED) return PrecisProperty::disallowed;
    if (in_range(character, 0x21, 0x7E)) return PrecisProperty::valid;
    if (is_old_hangul_jamo(c) || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
        u_hasBinaryProperty(c, UCHAR_NONCHARACTER_CODE_POINT) || u_charType(c) == U_CONTROL_CHAR) {
        return PrecisProperty::disallowed;
    }
    if (has_compatibility_equivalent(c)) return PrecisProperty::free_valid;
    return property_of_category(c);
}

bool context_allows(std::u32string_view text, std::size_t index) noexcept {
    const char32_t character = text[index];
    const bool has_before = index > 0;
    const bool has_after = index + 1 < text.size();
    switch (character) {
        case 0x200C:
            return zero_width_non_joiner_allowed(text, index);
        case 0x200D:
            return has_before && u_getCombiningClass(code_point(text[index - 1])) == 9;
        case 0x00B7:
            return has_before && has_after && text[index - 1] == U'l' && text[index + 1] == U'l';
        case 0x0375:
            return has_after && script_of(text[index + 1]) == USCRIPT_GREEK;
        case 0x05F3:
        case 0x05F4:
            return has_before && script_of(text[index - 1]) == USCRIPT_HEBREW;
        case 0x30FB:
            return std::ranges::any_of(text, is_japanese_script);
        default:
            break;
    }
    if (is_arabic_digit(character)) return std::ranges::none_of(text, is_extended_arabic_digit);
    if (is_extended_arabic_digit(character)) return std::ranges::none_of(text, is_arabic_digit);
    return false;
}

bool has_right_to_left(std::u32string_view text) noexcept {
    return std::ranges::any_of(text, [](char32_t character) {
        const UCharDirection direction = u_charDirection(code_point(character));
        return direction == U_RIGHT_TO_LEFT || direction == U_RIGHT_TO_LEFT_ARABIC ||
               direction == U_ARABIC_NUMBER;
    });
}

// Text with a right-to-left character fails the rule's part for left-to-right labels (condition 5),
// so it must begin as a right-to-left one and meet conditions 1 to 4.
bool satisfies_bidi_rule(std::u32string_view text) noexcept {
    const auto direction_of = [](char32_t character) {
        return u_charDirection(code_point(character));
    };
    if (text.empty()) return false;
    const UCharDirection first = direction_of(text.front());
    if (first != U_RIGHT_TO_LEFT && first != U_RIGHT_TO_LEFT_ARABIC) return false;
    bool european = false;
    bool arabic = false;
    UCharDirection last = first;
    for (const char32_t character : text) {
        const UCharDirection direction = direction_of(character);
        switch (direction) {
            case U_EUROPEAN_NUMBER:
                european = true;
                break;
            case U_ARABIC_NUMBER:
                arabic = true;
                break;
            case U_RIGHT_TO_LEFT:
            case U_RIGHT_TO_LEFT_ARABIC:
            case U_EUROPEAN_NUMBER_SEPARATOR:
            case U_COMMON_NUMBER_SEPARATOR:
            case U_EUROPEAN_NUMBER_TERMINATOR:
            case U_OTHER_NEUTRAL:
            case U_BOUNDARY_NEUTRAL:
            case U_DIR_NON_SPACING_MARK:
                break;
            default:
                return false;
        }
        if (direction != U_DIR_NON_SPACING_MARK) last = direction;
    }
    if (european && arabic) return false;
    return last == U_RIGHT_TO_LEFT || last == U_RIGHT_TO_LEFT_ARABIC || last == U_EUROPEAN_NUMBER ||
           last == U_ARABIC_NUMBER;
}

}  // namespace xmpp
