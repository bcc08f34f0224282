// buggify: rare things made common. Product code asks at a place where something unusual but
// permitted may happen (one byte is read instead of many, a queue is full already), and in a
// simulation that wants it the answer is yes now and then. Everywhere else it is no, for the price
// of a branch. Each seed has some of the places and not others.
#pragma once

#include "reactor/base/split_mix.h"

#include <cstdint>
#include <source_location>
#include <utility>

namespace reactor {

/// What a simulation has chosen; see SimOptions::buggify.
class Buggify {
public:
    explicit Buggify(std::uint64_t seed) noexcept : seed_(seed), numbers_(seed) {}
    bool strikes(unsigned one_in, std::source_location at) noexcept;
    std::uint64_t count() const noexcept { return count_; }

    /// Answers for this thread while it lives; null: none.
    class Scope {
    public:
        explicit Scope(Buggify* buggify) noexcept : outer_(std::exchange(current, buggify)) {}
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope() { current = outer_; }

    private:
        Buggify* outer_;
    };
    static inline constinit thread_local Buggify* current = nullptr;

private:
    std::uint64_t seed_;
    base::SplitMix64 numbers_;
    std::uint64_t count_ = 0;
};

/// True once in `one_in` times at a place that the seed has chosen.
inline bool buggify(unsigned one_in,
                    std::source_location at = std::source_location::current()) noexcept {
    return Buggify::current != nullptr && Buggify::current->strikes(one_in, at);
}

}  // namespace reactor
