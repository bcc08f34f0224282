// SequenceSet: which of the numbers 1, 2, 3, … have come. What came in order is one number; what
// came beyond a gap is kept as intervals, so a set without gaps is 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace bots {

class SequenceSet {
public:
    SequenceSet() = default;
    SequenceSet(SequenceSet&&) noexcept = default;
    SequenceSet& operator=(SequenceSet&&) noexcept = default;
    ~SequenceSet() = default;

    /// False when it was in the set already. `sequence` is 1 or more.
    bool insert(std::uint64_t sequence);
    bool contains(std::uint64_t sequence) const;
    /// How many members are at most `limit`.
    std::uint64_t count_up_to(std::uint64_t limit) const;
    /// The greatest member; 0 when empty.
    std::uint64_t highest() const;
    /// Inserting it would leave one gap more: it touches no member.
    bool opens_gap(std::uint64_t sequence) const;
    /// Gaps below the highest member.
    std::size_t gaps() const noexcept { return beyond_ ? beyond_->size() : 0; }

    /// Adds all members of `other`; the number of those that were in both.
    std::uint64_t merge(const SequenceSet& other);
    /// How many members up to `limit` are not in `other`.
    std::uint64_t count_without(const SequenceSet& other, std::uint64_t limit) const;

private:
    using Intervals = std::map<std::uint64_t, std::uint64_t>;  // First to last, both in.

    template <class Visit>
    void each_interval(Visit visit) const;  // visit(first, last), ascending.
    std::uint64_t insert_interval(std::uint64_t first, std::uint64_t last);
    void join_base();

    std::uint64_t base_ = 0;             // 1 to base_ are in.
    std::unique_ptr<Intervals> beyond_;  // Above base_ + 1, apart from each other; null when none.
};

}  // namespace bots
