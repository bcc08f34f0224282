#include "tests/bots/run/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

namespace bots {
namespace {
/// Files, loops, timers, the admin socket and some to spare.
constexpr std::uint64_t kOthers = 200;
}  // namespace

base::Result<void> reserve_descriptors(std::uint64_t sessions) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
    const std::uint64_t needed = sessions + kOthers;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return {};
    return base::fail(
        base::Errc::resource_exhausted,
        fmt::format("{} users need {} file descriptors and this process may have {}: raise the "
                    "limit (ulimit -Hn {}, as root), or use fewer --users",
                    sessions, needed, limit.rlim_cur, needed));
}

}  // namespace bots
