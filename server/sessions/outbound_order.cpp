#include "server/sessions/outbound_order.h"

#include <utility>

namespace server {
namespace {
constexpr std::size_t kRoomKept = 16;
}  // namespace

std::uint64_t OutboundOrder::reserve(bool counted, bool managed) {
    Entry& entry = entries_.emplace_back();
    entry.item.counted = counted;
    entry.item.managed = managed;
    return next() - 1;
}

void OutboundOrder::add(Item item) {
    entries_.push_back({std::move(item), true});
}

bool OutboundOrder::fill(std::uint64_t place, Item item) {
    if (place < front_ || place >= next()) return false;
    Entry& entry = entries_[first_ + static_cast<std::size_t>(place - front_)];
    if (entry.ready) return false;
    item.counted = entry.item.counted;
    item.managed = entry.item.managed;
    entry = {std::move(item), true};
    return true;
}

std::optional<OutboundOrder::Item> OutboundOrder::take() {
    if (empty() || !entries_[first_].ready) return std::nullopt;
    return take_any();
}

std::optional<OutboundOrder::Item> OutboundOrder::take_any() {
    if (empty()) return std::nullopt;
    std::optional<Item> item = std::move(entries_[first_++].item);
    ++front_;
    // What is gone stays below what is there; room for a few stays while the session is busy.
    if (first_ == entries_.size()) {
        entries_.clear();
        if (entries_.capacity() > kRoomKept) entries_.shrink_to_fit();
        first_ = 0;
    } else if (first_ > kRoomKept && first_ > entries_.size() / 2) {
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
    return item;
}

}  // namespace server
