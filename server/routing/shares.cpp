#include "server/routing/shares.h"

#include "reactor/base/check.h"

namespace server {

bool Shares::take(std::string_view who, std::size_t bytes) {
    if (all_.count >= limits_.all_count_max || all_.bytes + bytes > limits_.all_bytes_max)
        return false;
    const auto known = shares_.find(who);
    if (known != shares_.end() && (known->second.count >= limits_.each_count_max ||
                                   known->second.bytes + bytes > limits_.each_bytes_max))
        return false;
    add(who, bytes);
    return true;
}

void Shares::add(std::string_view who, std::size_t bytes) {
    auto known = shares_.find(who);
    if (known == shares_.end()) known = shares_.emplace(who, Share{}).first;
    for (Share* share : {&known->second, &all_}) {
        ++share->count;
        share->bytes += bytes;
    }
}

void Shares::give_back(std::string_view who, std::size_t bytes) {
    const auto known = shares_.find(who);
    CHECK(known != shares_.end() && known->second.bytes >= bytes);
    for (Share* share : {&known->second, &all_}) {
        --share->count;
        share->bytes -= bytes;
    }
    if (known->second.count == 0) shares_.erase(known);
}

}  // namespace server
