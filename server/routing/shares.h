// Shares: how much of something that is limited each of many has, such as what waits for a room, or
// is under way for a user: a number of stanzas, and the memory they hold. A share of its own is
// what keeps one of them from having all.
#pragma once

#include "reactor/base/text_map.h"
#include "xmpp/core/stanza.h"

#include <cstddef>
#include <limits>
#include <string_view>

namespace server {

/// Memory that a stanza holds, roughly.
inline std::size_t memory_of(const xmpp::Stanza& stanza) {
    return sizeof(xmpp::Stanza) + stanza.element().memory_in_use() +
           stanza.raw_inner().view().size();
}

class Shares {
public:
    static constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
    struct Limits {
        std::size_t each_count_max = kUnlimited;
        std::size_t each_bytes_max = kUnlimited;
        std::size_t all_count_max = kUnlimited;
        std::size_t all_bytes_max = kUnlimited;
    };

    explicit Shares(Limits limits) : limits_(limits) {}

    /// False: `who`, or all together, would have too much. One thing alone is never too large for a
    /// share.
    [[nodiscard]] bool take(std::string_view who, std::size_t bytes);
    /// The same, however much they have: of what cannot be refused any more.
    void add(std::string_view who, std::size_t bytes);
    /// What was taken before, as much of it.
    void give_back(std::string_view who, std::size_t bytes);

    std::size_t count() const noexcept { return all_.count; }
    std::size_t bytes() const noexcept { return all_.bytes; }

private:
    struct Share {
        std::size_t count = 0;
        std::size_t bytes = 0;
    };

    Limits limits_;
    Share all_;
    base::TextMap<Share> shares_;  // None is empty.
};

}  // namespace server
