#include "server/app/process_limits.h"

#include <sys/resource.h>

namespace server {
namespace {
constexpr rlim_t kComfortable = 10'000;
}

void raise_descriptor_limit(const base::Log& log) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_cur < kComfortable)
        log.warn("server.few_descriptors",
                 {{"limit", limit.rlim_cur},
                  {"mend", "each client needs one; raise the limit (LimitNOFILE= or ulimit -n)"}});
}

}  // namespace server
