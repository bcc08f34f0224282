// The two PRECIS profiles that XMPP uses. Steps in the order of RFC 8264 §7.
#include "xmpp/core/precis.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstddef>

#include "reactor/base/text.h"
#include "xmpp/core/code_points.h"

namespace xmpp {
namespace {

using base::Errc;
using base::fail;

bool is_ascii_between(std::string_view text, char first, char last) {
    return std::ranges::all_of(text, [first, last](char c) { return c >= first && c <= last; });
}

icu::UnicodeString from_utf8(std::string_view text) {
    return icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
}

std::u32string to_code_points(const icu::UnicodeString& text) {
    std::u32string characters;
    characters.reserve(static_cast<std::size_t>(text.length()));
    for (int32_t index = 0; index < text.length(); index = text.moveIndex32(index, 1)) {
        characters.push_back(static_cast<char32_t>(text.char32At(index)));
    }
    return characters;
}

// Fullwidth and halfwidth characters become what they decompose to.
icu::UnicodeString map_width(const icu::UnicodeString& text, const icu::Normalizer2& nfkc) {
    icu::UnicodeString mapped;
    for (int32_t index = 0; index < text.length(); index = text.moveIndex32(index, 1)) {
        const UChar32 c = text.char32At(index);
        const int32_t type = u_getIntPropertyValue(c, UCHAR_DECOMPOSITION_TYPE);
        icu::UnicodeString decomposed;
        if ((type == U_DT_WIDE || type == U_DT_NARROW) && nfkc.getRawDecomposition(c, decomposed)) {
            mapped.append(decomposed);
        } else {
            mapped.append(c);
        }
    }
    return mapped;
}

icu::UnicodeString map_spaces(const icu::UnicodeString& text) {
    icu::UnicodeString mapped;
    for (int32_t index = 0; index < text.length(); index = text.moveIndex32(index, 1)) {
        const UChar32 c = text.char32At(index);
        mapped.append(u_charType(c) == U_SPACE_SEPARATOR ? UChar32{' '} : c);
    }
    return mapped;
}

base::Result<void> check_class(std::u32string_view text, bool free_text) {
    for (std::size_t index = 0; index < text.size(); ++index) {
        switch (precis_property(text[index])) {
            case PrecisProperty::valid:
                break;
            case PrecisProperty::context:
                if (context_allows(text, index)) break;
                return fail(Errc::invalid_argument,
                            "has a character that is not allowed in this place");
            case PrecisProperty::free_valid:
                if (free_text) break;
                return fail(Errc::invalid_argument,
                            "has a character that is not a letter, a digit or an ASCII sign");
            case PrecisProperty::disallowed:
                return fail(Errc::invalid_argument, "has a character that is not allowed");
        }
    }
    return {};
}

struct Normalizers {
    const icu::Normalizer2* nfc;
    const icu::Normalizer2* nfkc;
};

base::Result<Normalizers> find_normalizers() {
    UErrorCode status = U_ZERO_ERROR;
    const Normalizers found{icu::Normalizer2::getNFCInstance(status),
                            icu::Normalizer2::getNFKCInstance(status)};
    if (U_FAILURE(status)) return fail(Errc::internal, "no Unicode normalisation data");
    return found;
}

base::Result<icu::UnicodeString> normalize(const icu::Normalizer2& form,
                                           const icu::UnicodeString& text) {
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString normalized = form.normalize(text, status);
    if (U_FAILURE(status)) return fail(Errc::internal, "Unicode normalisation failed");
    return normalized;
}

std::string to_utf8(const icu::UnicodeString& text) {
    std::string bytes;
    text.toUTF8String(bytes);
    return bytes;
}

}  // namespace

base::Result<std::string> prepare_username(std::string_view text) {
    if (text.empty()) return fail(Errc::invalid_argument, "is empty");
    if (is_ascii_between(text, 0x21, 0x7E)) return base::to_lower_ascii(text);
    if (!base::is_valid_utf8(text)) return fail(Errc::invalid_argument, "is not UTF-8");
    const Normalizers forms = TRY(find_normalizers());
    icu::UnicodeString mapped = map_width(from_utf8(text), *forms.nfkc);
    mapped.toLower(icu::Locale::getRoot());
    const icu::UnicodeString normalized = TRY(normalize(*forms.nfc, mapped));
    const std::u32string characters = to_code_points(normalized);
    if (characters.empty()) return fail(Errc::invalid_argument, "is empty");
    if (has_right_to_left(characters) && !satisfies_bidi_rule(characters)) {
        return fail(Errc::invalid_argument, "mixes writing directions (RFC 5893)");
    }
    if (auto checked = check_class(characters, false); !checked) {
        return std::unexpected(std::move(checked).error());
    }
    return to_utf8(normalized);
}

base::Result<std::string> prepare_password(std::string_view text) {
    if (text.empty()) return fail(Errc::invalid_argument, "is empty");
    if (is_ascii_between(text, 0x20, 0x7E)) return std::string(text);
    if (!base::is_valid_utf8(text)) return fail(Errc::invalid_argument, "is not UTF-8");
    const Normalizers forms = TRY(find_normalizers());
    const icu::UnicodeString normalized = TRY(normalize(*forms.nfc, map_spaces(from_utf8(text))));
    const std::u32string characters = to_code_points(normalized);
    if (characters.empty()) return fail(Errc::invalid_argument, "is empty");
    if (auto checked = check_class(characters, true); !checked) {
        return std::unexpected(std::move(checked).error());
    }
    return to_utf8(normalized);
}

}  // namespace xmpp
