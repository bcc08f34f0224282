#include "server/sessions/outbound_order.h"

#include "server/routing/shares.h"

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
    Entry& entry = entries_.emplace_back();
    entry.item = std::move(item);
    entry.ready = true;
    count(entry);
}

void OutboundOrder::count(Entry& entry) {
    entry.bytes = entry.item.stanza ? memory_of(*entry.item.stanza) : entry.item.text.size();
    bytes_ += entry.bytes;
    all_bytes_ += entry.bytes;
}

bool OutboundOrder::fill(std::uint64_t place, Item item) {
    if (place < front_ || place >= next()) return false;
    Entry& entry = entries_[first_ + static_cast<std::size_t>(place - front_)];
    if (entry.ready) return false;
    item.counted = entry.item.counted;
    item.managed = entry.item.managed;
    entry.item = std::move(item);
    entry.ready = true;
    count(entry);
    return true;
}

std::optional<OutboundOrder::Item> OutboundOrder::take() {
    if (empty() || !entries_[first_].ready) return std::nullopt;
    return take_any();
}

std::optional<OutboundOrder::Item> OutboundOrder::take_any() {
    if (empty()) return std::nullopt;
    Entry& front = entries_[first_++];
    std::optional<Item> item = std::move(front.item);
    bytes_ -= front.bytes;
    all_bytes_ -= front.bytes;
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
