#include "server/admin/common_arguments.h"

#include <fmt/format.h>

#include <cstdint>

namespace server {
namespace {

constexpr std::size_t kReasonBytesMax = 1024;
constexpr std::int64_t kPageEntries = 100;

}  // namespace

base::Result<std::size_t> page_limit_of(const AdminArguments& arguments, std::size_t most) {
    const std::int64_t limit = arguments.integer("limit", kPageEntries);
    if (limit >= 1 && limit <= static_cast<std::int64_t>(most))
        return static_cast<std::size_t>(limit);
    return base::fail(base::Errc::invalid_argument,
                      fmt::format("a page has 1 to {} entries", most));
}

base::Result<std::string> reason_of(const AdminArguments& arguments) {
    std::string reason = arguments.text("reason");
    if (reason.size() > kReasonBytesMax)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("the reason has more than {} bytes", kReasonBytesMax));
    return reason;
}

}  // namespace server
