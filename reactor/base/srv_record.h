// SrvRecord: one DNS SRV record as a value (RFC 2782). The resolver (reactor/resolver.h) yields
// them, protocols order and use them; sorting by priority and weight is theirs.
#pragma once

#include <cstdint>
#include <string>

namespace base {

struct SrvRecord {
    std::uint16_t priority = 0;  ///< The lowest is tried first.
    std::uint16_t weight = 0;    ///< The share among records of one priority.
    std::uint16_t port = 0;
    std::string target;  ///< Without a final dot; "." alone: the service is decidedly not offered.

    friend bool operator==(const SrvRecord&, const SrvRecord&) = default;
};

}  // namespace base
