// Splitting and checking addresses; see jid.h.
#include "xmpp/core/jid.h"

#include <algorithm>
#include <array>
#include <utility>

#include "reactor/base/text.h"
#include "xmpp/core/confusables.h"
#include "xmpp/core/idna.h"
#include "xmpp/core/precis.h"

namespace xmpp {
namespace {

using base::Errc;
using base::fail;

// Preparation may shrink text (fullwidth letters are three bytes each), so what is longer than a
// part is still looked at, but not without end.
constexpr std::size_t kUnpreparedBytesMax = 4 * kJidPartBytesMax;

// The characters that RFC 7622 §3.3.1 excludes on top of the profile.
constexpr std::string_view kLocalExcluded = "\"&'/:<>@";

constexpr auto kPlainLocal = [] {
    std::array<bool, 256> table{};
    for (std::size_t c = 0x21; c <= 0x7E; ++c)
        table[c] = true;
    for (std::size_t c = 'A'; c <= 'Z'; ++c)
        table[c] = false;
    for (const char c : kLocalExcluded)
        table[static_cast<unsigned char>(c)] = false;
    return table;
}();

bool is_plain_local(std::string_view text) {
    return std::ranges::all_of(text,
                               [](char c) { return kPlainLocal[static_cast<unsigned char>(c)]; });
}

bool is_plain_resource(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7E; });
}

std::unexpected<base::Failure> bad_part(std::string_view part, std::string_view reason) {
    std::string text(part);
    text += ' ';
    text += reason;
    return fail(Errc::invalid_argument, std::move(text));
}

using Prepare = base::Result<std::string> (*)(std::string_view);

// Appends the prepared part. `is_plain` spares nearly every address the way through ICU.
base::Result<void> append_part(std::string& out, std::string_view part, std::string_view text,
                               bool is_plain, Prepare prepare) {
    if (text.size() > kUnpreparedBytesMax) return bad_part(part, "is longer than 1023 bytes");
    if (is_plain) {
        if (text.size() > kJidPartBytesMax) return bad_part(part, "is longer than 1023 bytes");
        out += text;
        return {};
    }
    const auto prepared = prepare(text);
    if (!prepared) return bad_part(part, prepared.error().detail());
    if (prepared->size() > kJidPartBytesMax) return bad_part(part, "is longer than 1023 bytes");
    out += *prepared;
    return {};
}

base::Result<std::string> prepare_local(std::string_view text) {
    std::string prepared = TRY(prepare_username(text));
    // After the mappings: a fullwidth '@' is an '@' (RFC 7622 §3.3.1).
    if (prepared.find_first_of(kLocalExcluded) != std::string::npos) {
        return fail(Errc::invalid_argument, "has one of the characters \"&'/:<>@");
    }
    return prepared;
}

}  // namespace

base::Result<Jid> Jid::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string_view bare = text.substr(0, slash);
    const std::size_t at = bare.find('@');
    const std::string_view domain = at == std::string_view::npos ? bare : bare.substr(at + 1);
    if (at == 0) return fail(Errc::invalid_argument, "localpart is empty");
    if (slash == std::string_view::npos) {
        return make(at == std::string_view::npos ? std::string_view() : bare.substr(0, at), domain);
    }
    if (slash + 1 == text.size()) return fail(Errc::invalid_argument, "resourcepart is empty");
    return make(at == std::string_view::npos ? std::string_view() : bare.substr(0, at), domain,
                text.substr(slash + 1));
}

base::Result<Jid> Jid::make(std::string_view local, std::string_view domain,
                            std::string_view resource) {
    Jid jid;
    jid.text_.reserve(local.size() + domain.size() + resource.size() + 2);
    if (!local.empty()) {
        if (auto appended =
                append_part(jid.text_, "localpart", local, is_plain_local(local), prepare_local);
            !appended) {
            return std::unexpected(std::move(appended).error());
        }
        jid.text_ += '@';
        jid.domain_start_ = static_cast<std::uint16_t>(jid.text_.size());
    }
    if (auto appended =
            append_part(jid.text_, "domainpart", domain, is_plain_domain(domain), prepare_domain);
        !appended) {
        return std::unexpected(std::move(appended).error());
    }
    jid.domain_end_ = static_cast<std::uint16_t>(jid.text_.size());
    if (!resource.empty()) {
        jid.text_ += '/';
        if (auto appended = append_part(jid.text_, "resourcepart", resource,
                                        is_plain_resource(resource), prepare_opaque);
            !appended) {
            return std::unexpected(std::move(appended).error());
        }
    }
    return jid;
}

// What preparation does to an ASCII localpart is to make it lower case (RFC 8265 §3.3).
bool Jid::may_be(std::string_view text) const noexcept {
    if (!has_local()) return true;
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos) return false;
    const std::string_view spelled = text.substr(0, at);
    return !is_ascii(spelled) || base::to_lower_ascii(spelled) == local();
}

std::string_view Jid::local() const noexcept {
    if (domain_start_ == 0) return {};
    return {text_.data(), std::size_t{domain_start_} - 1};
}

std::string_view Jid::domain() const noexcept {
    return {text_.data() + domain_start_, std::size_t{domain_end_} - domain_start_};
}

std::string_view Jid::resource() const noexcept {
    if (is_bare()) return {};
    return std::string_view(text_).substr(std::size_t{domain_end_} + 1);
}

Jid Jid::bare() const {
    Jid jid;
    jid.text_ = bare_view();
    jid.domain_start_ = domain_start_;
    jid.domain_end_ = domain_end_;
    return jid;
}

Jid Jid::domain_jid() const {
    Jid jid;
    jid.text_ = domain();
    jid.domain_end_ = static_cast<std::uint16_t>(jid.text_.size());
    return jid;
}

base::Result<Jid> Jid::with_resource(std::string_view resource) const {
    if (resource.empty()) return fail(Errc::invalid_argument, "resourcepart is empty");
    Jid jid;
    jid.text_.reserve(bare_view().size() + 1 + resource.size());
    jid.text_ = bare_view();
    jid.domain_start_ = domain_start_;
    jid.domain_end_ = domain_end_;
    jid.text_ += '/';
    if (auto appended = append_part(jid.text_, "resourcepart", resource,
                                    is_plain_resource(resource), prepare_opaque);
        !appended) {
        return std::unexpected(std::move(appended).error());
    }
    return jid;
}

}  // namespace xmpp
