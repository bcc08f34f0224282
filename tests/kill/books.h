// What the talkers count. What `clean` looks at must stay 0.
#pragma once

#include <cstdint>

namespace talkers {

struct Books {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t archived = 0;  ///< Entries of archives that were read, each once.
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t archive_faults = 0;  ///< Missing in an archive, or twice, or in the wrong place.
    std::uint64_t refused = 0;
    /// By one of two clients of an account, which had it: the other one waited for it.
    std::uint64_t got_for_another = 0;
    /// To one of two clients of an account, behind newer ones: no fault.
    std::uint64_t came_late = 0;
    std::uint64_t resumed = 0;
    std::uint64_t logins = 0;
    std::uint64_t devices = 0;

    bool clean() const {
        return sent > 0 && lost + duplicated + reordered + archive_faults + refused == 0;
    }
};

}  // namespace talkers
