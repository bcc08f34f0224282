#include "tests/bots/measure/sequence_set.h"

#include <algorithm>
#include <iterator>

namespace bots {

template <class Visit>
void SequenceSet::each_interval(Visit visit) const {
    if (base_ > 0) visit(std::uint64_t{1}, base_);
    if (!beyond_) return;
    for (const auto& [first, last] : *beyond_)
        visit(first, last);
}

bool SequenceSet::insert(std::uint64_t sequence) {
    if (sequence == base_ + 1 && !beyond_) {  // What nearly every message is.
        ++base_;
        return true;
    }
    return insert_interval(sequence, sequence) == 0;
}

bool SequenceSet::contains(std::uint64_t sequence) const {
    if (sequence <= base_) return sequence > 0;
    if (!beyond_) return false;
    auto after = beyond_->upper_bound(sequence);
    return after != beyond_->begin() && std::prev(after)->second >= sequence;
}

bool SequenceSet::opens_gap(std::uint64_t sequence) const {
    if (sequence <= base_ + 1) return false;
    if (!beyond_) return true;
    auto after = beyond_->upper_bound(sequence);
    if (after != beyond_->end() && after->first == sequence + 1) return false;
    return after == beyond_->begin() || std::prev(after)->second < sequence - 1;
}

std::uint64_t SequenceSet::count_up_to(std::uint64_t limit) const {
    std::uint64_t count = 0;
    each_interval([&](std::uint64_t first, std::uint64_t last) {
        if (first <= limit) count += std::min(last, limit) - first + 1;
    });
    return count;
}

std::uint64_t SequenceSet::highest() const {
    return beyond_ ? beyond_->rbegin()->second : base_;
}

std::uint64_t SequenceSet::merge(const SequenceSet& other) {
    std::uint64_t in_both = 0;
    other.each_interval(
        [&](std::uint64_t first, std::uint64_t last) { in_both += insert_interval(first, last); });
    return in_both;
}

std::uint64_t SequenceSet::count_without(const SequenceSet& other, std::uint64_t limit) const {
    SequenceSet both;
    both.merge(*this);
    both.merge(other);
    return both.count_up_to(limit) - other.count_up_to(limit);
}

// Returns how many of the interval's numbers were in the set before.
std::uint64_t SequenceSet::insert_interval(std::uint64_t first, std::uint64_t last) {
    std::uint64_t had = 0;
    if (first <= base_) {
        had = std::min(last, base_) - first + 1;
        if (last <= base_) return had;
        first = base_ + 1;
    }
    if (!beyond_) beyond_ = std::make_unique<Intervals>();
    std::uint64_t from = first;
    std::uint64_t to = last;
    auto place = beyond_->upper_bound(first);
    if (place != beyond_->begin() && std::prev(place)->second >= first - 1) --place;
    while (place != beyond_->end() && place->first - 1 <= last) {
        if (place->second >= first && place->first <= last)
            had += std::min(last, place->second) - std::max(first, place->first) + 1;
        from = std::min(from, place->first);
        to = std::max(to, place->second);
        place = beyond_->erase(place);
    }
    beyond_->emplace_hint(place, from, to);
    join_base();
    return had;
}

void SequenceSet::join_base() {
    if (beyond_->begin()->first == base_ + 1) {
        base_ = beyond_->begin()->second;
        beyond_->erase(beyond_->begin());
    }
    if (beyond_->empty()) beyond_ = nullptr;
}

}  // namespace bots
