// Host names through UTS #46 without transitional mappings, then the stricter character rule of
// IDNA2008 on top, which UTS #46 alone does not apply.
#include "xmpp/core/idna.h"

#include <arpa/inet.h>
#include <unicode/idna.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include "reactor/base/text.h"
#include "xmpp/core/code_points.h"

namespace xmpp {
namespace {

using base::Errc;
using base::fail;

constexpr std::size_t kLabelBytesMax = 63;  // RFC 1035 §2.3.4.

constexpr bool is_letter_digit_hyphen(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

// A lower-case NR-LDH label (RFC 5890 §2.3.1): no hyphen at the ends nor at both places 3 and 4.
bool is_plain_label(std::string_view label) {
    if (label.empty() || label.size() > kLabelBytesMax) return false;
    if (!std::ranges::all_of(label, is_letter_digit_hyphen)) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    return label.size() < 4 || label.substr(2, 2) != "--";
}

bool is_plain_host(std::string_view host) {
    std::size_t start = 0;
    while (true) {
        const std::size_t dot = host.find('.', start);
        if (!is_plain_label(host.substr(start, dot - start))) return false;
        if (dot == std::string_view::npos) return true;
        start = dot + 1;
    }
}

// RFC 3986 §3.2.2: "[" IPv6address "]". Zones and future versions are not addresses of accounts.
base::Result<std::string> prepare_ipv6(std::string_view text) {
    const std::string inner(text.substr(1, text.size() - 2));
    in6_addr address{};
    if (text.back() != ']' || inner.find('\0') != std::string::npos ||
        inet_pton(AF_INET6, inner.c_str(), &address) != 1) {
        return fail(Errc::invalid_argument, "is not an IPv6 address in brackets");
    }
    std::array<char, INET6_ADDRSTRLEN> canonical{};
    if (inet_ntop(AF_INET6, &address, canonical.data(), canonical.size()) == nullptr) {
        return fail(Errc::internal, "cannot print an IPv6 address");
    }
    return "[" + std::string(canonical.data()) + "]";
}

std::string_view reason_of(uint32_t errors) {
    if ((errors & UIDNA_ERROR_EMPTY_LABEL) != 0) return "has an empty label";
    if ((errors & UIDNA_ERROR_LABEL_TOO_LONG) != 0) return "has a label of more than 63 bytes";
    if ((errors & (UIDNA_ERROR_LEADING_HYPHEN | UIDNA_ERROR_TRAILING_HYPHEN)) != 0) {
        return "has a label that begins or ends with a hyphen";
    }
    if ((errors & UIDNA_ERROR_BIDI) != 0) return "mixes writing directions (RFC 5893)";
    if ((errors & (UIDNA_ERROR_PUNYCODE | UIDNA_ERROR_INVALID_ACE_LABEL)) != 0) {
        return "has a malformed xn-- label";
    }
    return "has a character that host names do not allow";
}

// Every label's characters are PVALID or allowed by context (RFC 5891 §4.2.2, RFC 5892); for what
// is stable under normalisation and case folding, that is PRECIS's IdentifierClass.
bool is_idna2008(const icu::UnicodeString& host) {
    std::u32string label;
    for (int32_t index = 0; index <= host.length(); index = host.moveIndex32(index, 1)) {
        if (index < host.length() && host.char32At(index) != '.') {
            label.push_back(static_cast<char32_t>(host.char32At(index)));
            continue;
        }
        for (std::size_t at = 0; at < label.size(); ++at) {
            const PrecisProperty property = precis_property(label[at]);
            if (property == PrecisProperty::valid) continue;
            if (property != PrecisProperty::context || !context_allows(label, at)) return false;
        }
        label.clear();
        if (index == host.length()) break;
    }
    return true;
}

base::Result<std::string> prepare_host(std::string_view text) {
    constexpr uint32_t kOptions = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                  UIDNA_CHECK_CONTEXTO | UIDNA_NONTRANSITIONAL_TO_ASCII |
                                  UIDNA_NONTRANSITIONAL_TO_UNICODE;
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::IDNA> idna(icu::IDNA::createUTS46Instance(kOptions, status));
    if (U_FAILURE(status)) return fail(Errc::internal, "no IDNA data");
    const icu::UnicodeString source = icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
    icu::UnicodeString host;
    icu::IDNAInfo info;
    idna->nameToUnicode(source, host, info, status);
    icu::UnicodeString ascii;
    icu::IDNAInfo ascii_info;
    idna->nameToASCII(source, ascii, ascii_info, status);
    if (U_FAILURE(status)) return fail(Errc::invalid_argument, "is not a host name");
    // An address may be longer than a name in the DNS (RFC 7622 §3.2): only labels are limited
    // here.
    const uint32_t errors =
        (info.getErrors() | ascii_info.getErrors()) & ~uint32_t{UIDNA_ERROR_DOMAIN_NAME_TOO_LONG};
    if (errors != 0) return fail(Errc::invalid_argument, std::string(reason_of(errors)));
    if (host.endsWith(u'.')) host.truncate(host.length() - 1);
    if (host.isEmpty()) return fail(Errc::invalid_argument, "is empty");
    if (!is_idna2008(host)) {
        return fail(Errc::invalid_argument, "has a character that host names do not allow");
    }
    std::string prepared;
    host.toUTF8String(prepared);
    return prepared;
}

}  // namespace

bool is_plain_domain(std::string_view text) noexcept {
    return is_plain_host(text);
}

base::Result<std::string> prepare_domain(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty()) return fail(Errc::invalid_argument, "is empty");
    if (text.ends_with('.')) return fail(Errc::invalid_argument, "has an empty label");
    if (is_plain_host(text)) return std::string(text);
    if (text.front() == '[') return prepare_ipv6(text);
    if (!base::is_valid_utf8(text)) return fail(Errc::invalid_argument, "is not UTF-8");
    const std::string lower = base::to_lower_ascii(text);
    if (is_plain_host(lower)) return lower;
    return prepare_host(lower);
}

base::Result<std::string> domain_to_ascii(std::string_view domain) {
    if (is_plain_host(domain) || domain.starts_with('[')) return std::string(domain);
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::IDNA> idna(
        icu::IDNA::createUTS46Instance(UIDNA_NONTRANSITIONAL_TO_ASCII, status));
    if (U_FAILURE(status)) return fail(Errc::internal, "no IDNA data");
    icu::UnicodeString ascii;
    icu::IDNAInfo info;
    idna->nameToASCII(icu::UnicodeString::fromUTF8(
                          icu::StringPiece(domain.data(), static_cast<int32_t>(domain.size()))),
                      ascii, info, status);
    if (U_FAILURE(status) || info.hasErrors())
        return fail(Errc::invalid_argument, std::string(domain) + " has no form for the DNS");
    std::string text;
    ascii.toUTF8String(text);
    return text;
}

}  // namespace xmpp
