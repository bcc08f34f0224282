#include "server/routing/creation_limit.h"

#include <chrono>

namespace server {
namespace {

constexpr base::Duration kWindow = std::chrono::hours(1);

}  // namespace

bool CreationLimit::allow(const AddressKey& address, base::MonotonicTime now, std::int64_t most) {
    const bool is_new = !made_.contains(address);
    if (now - started_at_ > kWindow || (is_new && made_.size() >= kAddressesMax)) {
        made_.clear();
        started_at_ = now;
    }
    return ++made_[address] <= most;
}

}  // namespace server
