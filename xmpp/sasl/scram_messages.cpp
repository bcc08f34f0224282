#include "xmpp/sasl/scram_messages.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "reactor/base/text.h"
#include "xmpp/sasl/step.h"

namespace xmpp::sasl {
namespace {

constexpr ScramError kInvalidEncoding = "invalid-encoding";
constexpr ScramError kExtensions = "extensions-not-supported";
constexpr ScramError kInvalidUsername = "invalid-username-encoding";
constexpr ScramError kOther = "other-error";

struct ScramAttribute {
    char name = 0;
    std::string_view value;
};
using Attributes = std::vector<ScramAttribute>;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_message(std::string_view text) {
    return !text.empty() && text.size() <= kMessageBytesMax &&
           text.find('\0') == std::string_view::npos && base::is_valid_utf8(text);
}

// printable = %x21-2B / %x2D-7E
bool is_nonce(std::string_view text) {
    return !text.empty() && text.size() <= kScramNonceBytesMax &&
           std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F && c != ','; });
}

// cb-name = 1*(ALPHA / DIGIT / "." / "-")
bool is_binding_name(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '.' || c == '-';
    });
}

// attr-val *("," attr-val); the values are checked for emptiness only.
std::optional<Attributes> split_attributes(std::string_view text) {
    Attributes attributes;
    for (const std::string_view part : base::split(text, ',')) {
        if (part.size() < 3 || !is_letter(part[0]) || part[1] != '=') return std::nullopt;
        if (attributes.size() == kScramAttributesMax) return std::nullopt;
        attributes.push_back({part[0], part.substr(2)});
    }
    return attributes;
}

// The expected attributes in their order, then extensions: unknown names are ignored (§5.1), the
// reserved `m` and a second one of the protocol's own are not.
std::optional<ScramError> check_names(const Attributes& attributes, std::string_view expected) {
    if (std::ranges::any_of(attributes, [](const auto& a) { return a.name == 'm'; }))
        return kExtensions;
    if (attributes.size() < expected.size()) return kOther;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        const char name = attributes[i].name;
        if (i < expected.size()) {
            if (name != expected[i]) return kOther;
        } else if (std::string_view("acenirspv").contains(name)) {
            return kOther;
        }
    }
    return std::nullopt;
}

std::optional<std::string> decode_saslname(std::string_view text) {
    std::string name;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name += text[i];
            continue;
        }
        const std::string_view escape = text.substr(i, 3);
        if (escape == "=2C") {
            name += ',';
        } else if (escape == "=3D") {
            name += '=';
        } else {
            return std::nullopt;
        }
        i += 2;
    }
    return name;
}

// gs2-header = gs2-cbind-flag "," [authzid] ","; the size of it, or the error.
std::expected<std::size_t, ScramError> parse_gs2_header(std::string_view message,
                                                        ClientFirst& result) {
    const std::size_t flag_end = message.find(',');
    if (flag_end == std::string_view::npos) return std::unexpected(kInvalidEncoding);
    const std::size_t header_end = message.find(',', flag_end + 1);
    if (header_end == std::string_view::npos) return std::unexpected(kInvalidEncoding);

    const std::string_view flag = message.substr(0, flag_end);
    if (flag == "n" || flag == "y") {
        result.flag = static_cast<BindingFlag>(flag[0]);
    } else if (flag.starts_with("p=") && is_binding_name(flag.substr(2))) {
        result.flag = BindingFlag::required;
        result.binding_type = flag.substr(2);
    } else {
        return std::unexpected(kInvalidEncoding);
    }

    const std::string_view authzid = message.substr(flag_end + 1, header_end - flag_end - 1);
    if (!authzid.empty()) {
        if (!authzid.starts_with("a=")) return std::unexpected(kInvalidEncoding);
        auto decoded = decode_saslname(authzid.substr(2));
        if (!decoded || decoded->empty()) return std::unexpected(kInvalidUsername);
        result.authzid = *std::move(decoded);
    }
    return header_end + 1;
}

}  // namespace

std::expected<ClientFirst, ScramError> parse_client_first(std::string_view message) {
    if (!is_message(message)) return std::unexpected(kInvalidEncoding);
    ClientFirst result;
    const auto header_size = parse_gs2_header(message, result);
    if (!header_size) return std::unexpected(header_size.error());
    result.gs2_header = message.substr(0, *header_size);
    result.bare = message.substr(*header_size);

    // `n=` with nothing after it is told apart from other broken syntax: it is a user name, empty.
    if (result.bare.starts_with("n=,")) return std::unexpected(kInvalidUsername);
    const auto attributes = split_attributes(result.bare);
    if (!attributes) return std::unexpected(kInvalidEncoding);
    if (const auto error = check_names(*attributes, "nr")) return std::unexpected(*error);
    auto username = decode_saslname((*attributes)[0].value);
    if (!username) return std::unexpected(kInvalidUsername);
    if (!is_nonce((*attributes)[1].value)) return std::unexpected(kInvalidEncoding);
    result.username = *std::move(username);
    result.nonce = (*attributes)[1].value;
    return result;
}

std::expected<ClientFinal, ScramError> parse_client_final(std::string_view message) {
    if (!is_message(message)) return std::unexpected(kInvalidEncoding);
    const std::size_t proof_start = message.rfind(",p=");
    if (proof_start == std::string_view::npos) return std::unexpected(kInvalidEncoding);
    ClientFinal result;
    result.without_proof = message.substr(0, proof_start);

    const std::string_view encoded_proof = message.substr(proof_start + 3);
    auto proof = base::base64_decode(encoded_proof);
    if (encoded_proof.empty() || !proof) return std::unexpected(kInvalidEncoding);
    const auto attributes = split_attributes(result.without_proof);
    if (!attributes) return std::unexpected(kInvalidEncoding);
    if (const auto error = check_names(*attributes, "cr")) return std::unexpected(*error);
    auto binding_input = base::base64_decode((*attributes)[0].value);
    if (!binding_input || !is_nonce((*attributes)[1].value))
        return std::unexpected(kInvalidEncoding);
    result.binding_input = *std::move(binding_input);
    result.nonce = (*attributes)[1].value;
    result.proof = *std::move(proof);
    return result;
}

std::expected<ServerFirst, ScramError> parse_server_first(std::string_view message) {
    if (!is_message(message)) return std::unexpected(kInvalidEncoding);
    const auto attributes = split_attributes(message);
    if (!attributes) return std::unexpected(kInvalidEncoding);
    if (const auto error = check_names(*attributes, "rsi")) return std::unexpected(*error);
    auto salt = base::base64_decode((*attributes)[1].value);
    // posit-number = %x31-39 *DIGIT
    const std::string_view digits = (*attributes)[2].value;
    const auto iterations =
        is_digit(digits[0]) && digits[0] != '0' ? base::parse_integer(digits) : std::nullopt;
    if (!is_nonce((*attributes)[0].value) || !salt || !iterations ||
        *iterations > std::numeric_limits<std::uint32_t>::max())
        return std::unexpected(kInvalidEncoding);
    return ServerFirst{.nonce = std::string((*attributes)[0].value),
                       .salt = *std::move(salt),
                       .iterations = static_cast<std::uint32_t>(*iterations)};
}

std::expected<std::string, std::string> parse_server_final(std::string_view message) {
    if (!is_message(message)) return std::unexpected(std::string(kInvalidEncoding));
    const auto attributes = split_attributes(message);
    if (!attributes) return std::unexpected(std::string(kInvalidEncoding));
    if (attributes->front().name == 'e')
        return std::unexpected(std::string(attributes->front().value));
    if (const auto error = check_names(*attributes, "v"))
        return std::unexpected(std::string(*error));
    auto verifier = base::base64_decode(attributes->front().value);
    if (!verifier) return std::unexpected(std::string(kInvalidEncoding));
    return *std::move(verifier);
}

std::string encode_saslname(std::string_view name) {
    std::string text;
    for (const char c : name) {
        if (c == ',') {
            text += "=2C";
        } else if (c == '=') {
            text += "=3D";
        } else {
            text += c;
        }
    }
    return text;
}

}  // namespace xmpp::sasl
