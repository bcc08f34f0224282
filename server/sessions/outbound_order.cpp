#include "server/sessions/outbound_order.h"

#include <utility>

namespace server {

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
    Entry& entry = entries_[static_cast<std::size_t>(place - front_)];
    if (entry.ready) return false;
    item.counted = entry.item.counted;
    item.managed = entry.item.managed;
    entry = {std::move(item), true};
    return true;
}

std::optional<OutboundOrder::Item> OutboundOrder::take() {
    if (entries_.empty() || !entries_.front().ready) return std::nullopt;
    return take_any();
}

std::optional<OutboundOrder::Item> OutboundOrder::take_any() {
    if (entries_.empty()) return std::nullopt;
    std::optional<Item> item = std::move(entries_.front().item);
    entries_.pop_front();
    ++front_;
    return item;
}

}  // namespace server
