// Result set management (XEP-0059): the <set/> of a paged query and of its answer, as values. The
// paging itself belongs to whoever holds the items.
#pragma once

#include "reactor/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

class Element;

inline constexpr std::size_t kRsmUidBytesMax = 1024;

struct RsmRequest {
    std::optional<std::uint32_t> max{};  ///< 0 asks for the count only (§2.7). Absent: our choice.
    std::optional<std::string>
        after{};  ///< Items after this UID; an empty <after/> counts as absent.
    std::optional<std::string>
        before{};  ///< Page backwards; the empty string: the last page (§2.5).
    std::optional<std::uint32_t> index{};  ///< Page by position (§2.6).

    /// `set` is the <set/> itself. Errors: invalid_argument (answer bad-request): wrong name, a
    /// child given twice, a number that is none, an over-long UID, or `index` together with a UID.
    /// `after` together with `before` is a range and passes. A <max/> over 2^32-1 is cut to that.
    static base::Result<RsmRequest> parse(const Element& set);
    Element to_element() const;
};

struct RsmResponse {
    std::optional<std::string>
        first{};  ///< UIDs of the page's ends; both absent for an empty page.
    std::optional<std::string> last{};
    std::optional<std::uint32_t> first_index{};  ///< Only together with `first`.
    std::optional<std::uint32_t> count{};        ///< Size of the full set, if known.

    Element to_element() const;
    /// Errors as RsmRequest::parse().
    static base::Result<RsmResponse> parse(const Element& set);
};

}  // namespace xmpp
