// Jid: an XMPP address, `[local "@"] domain ["/" resource]`, always prepared and valid (RFC 7622).
// One string and two offsets. Preparation (PRECIS, IDNA) lives in precis.h and idna.h; an ASCII
// lower-case address, which nearly all are, never gets there.
#pragma once

#include "reactor/base/result.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace xmpp {

/// The most bytes a localpart, domainpart or resourcepart may have, each (RFC 7622 §3.1).
inline constexpr std::size_t kJidPartBytesMax = 1023;

/// A valid address. Forms: `domain`, `domain/resource`, `local@domain` (bare),
/// `local@domain/resource` (full). A value type: copy, compare and hash freely, on any thread.
/// A default-made Jid is empty: `empty()`, no domain; it stands for "none" and equals only itself.
class Jid {
public:
    Jid() = default;
    Jid(const Jid&) = default;
    Jid& operator=(const Jid&) = default;
    /// A Jid that was moved from may only be assigned to or destroyed.
    Jid(Jid&& other) noexcept
        : text_(std::move(other.text_)),
          domain_start_(std::exchange(other.domain_start_, std::uint16_t{0})),
          domain_end_(std::exchange(other.domain_end_, std::uint16_t{0})) {
        other.text_.clear();
    }
    Jid& operator=(Jid&& other) noexcept {
        text_.swap(other.text_);
        std::swap(domain_start_, other.domain_start_);
        std::swap(domain_end_, other.domain_end_);
        return *this;
    }
    ~Jid() = default;

    /// Splits at the first '/' and then at the first '@', prepares and checks every part.
    /// Errc::invalid_argument with a text that names the part and the reason.
    static base::Result<Jid> parse(std::string_view text);

    /// Builds an address from its parts, with the same checks; an empty local or resource means
    /// that there is none.
    static base::Result<Jid> make(std::string_view local, std::string_view domain,
                                  std::string_view resource = {});

    /// The prepared parts; empty when absent. Valid as long as this Jid lives unchanged.
    std::string_view local() const noexcept;
    std::string_view domain() const noexcept;
    std::string_view resource() const noexcept;

    /// The whole address, and the address without its resource, as views into this Jid.
    const std::string& text() const noexcept { return text_; }
    std::string_view bare_view() const noexcept { return {text_.data(), domain_end_}; }

    bool empty() const noexcept { return text_.empty(); }
    bool has_local() const noexcept { return domain_start_ > 0; }
    /// Has no resource (a domain alone is bare as well).
    bool is_bare() const noexcept { return text_.size() == domain_end_; }
    /// Has a resource.
    bool is_full() const noexcept { return text_.size() != domain_end_; }
    /// Neither a localpart nor a resourcepart.
    bool is_domain() const noexcept { return domain_start_ == 0 && is_bare(); }

    /// The same address without its resource.
    Jid bare() const;
    /// The domain alone.
    Jid domain_jid() const;
    /// The bare address with another resource, which is prepared and checked.
    base::Result<Jid> with_resource(std::string_view resource) const;

    /// False: `text` is another address, or none. True says nothing: `parse` knows. Compares
    /// nothing but localparts, which takes next to no time.
    bool may_be(std::string_view text) const noexcept;

    /// Both belong to the same account or server: equal without their resources.
    bool same_bare(const Jid& other) const noexcept { return bare_view() == other.bare_view(); }

    friend bool operator==(const Jid& left, const Jid& right) noexcept {
        return left.text_ == right.text_;
    }
    /// By bytes of the text; a total order for containers, not for people.
    friend std::strong_ordering operator<=>(const Jid& left, const Jid& right) noexcept {
        return left.text_ <=> right.text_;
    }

private:
    std::string text_;
    std::uint16_t domain_start_ = 0;
    std::uint16_t domain_end_ = 0;
};

}  // namespace xmpp

template <>
struct std::hash<xmpp::Jid> {
    std::size_t operator()(const xmpp::Jid& jid) const noexcept {
        return std::hash<std::string_view>{}(jid.text());
    }
};
