#include "reactor/sim/trace_hash.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <type_traits>

namespace reactor {

// The finalizer of SplitMix64 over the running value: every bit that goes in moves all of them.
void TraceHash::mix(std::uint64_t number) noexcept {
    std::uint64_t mixed = (hash_ ^ number) + 0x9E37'79B9'7F4A'7C15U;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58'476D'1CE4'E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D0'49BB'1331'11EBU;
    hash_ = mixed ^ (mixed >> 31U);
}

void TraceHash::mix(std::string_view bytes) noexcept {
    mix(bytes.size());
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t count = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), count);
        mix(word);
        bytes.remove_prefix(count);
    }
}

void TraceHash::add(base::MonotonicTime time, std::uint64_t place, std::string_view what,
                    std::string_view bytes) {
    mix(static_cast<std::uint64_t>(time.nanoseconds));
    mix(place);
    mix(what);
    mix(bytes);
    if (++events_ % kEventsPerCheckpoint == 0) checkpoints_.push_back(hash_);
}

std::optional<std::uint64_t> same_until(const TraceHash& one, const TraceHash& other) {
    if (one.value() == other.value() && one.events() == other.events()) return std::nullopt;
    const auto [first, second] = std::ranges::mismatch(one.checkpoints(), other.checkpoints());
    return static_cast<std::uint64_t>(first - one.checkpoints().begin()) *
           TraceHash::kEventsPerCheckpoint;
}

void TraceSink::write(base::LogLevel level, std::string_view event,
                      std::span<const base::LogField> fields) {
    trace_.add({}, static_cast<std::uint64_t>(level), event);
    for (const base::LogField& field : fields) {
        const std::string text = std::visit(
            [](const auto& value) {
                using Value = std::remove_cvref_t<decltype(value)>;
                if constexpr (std::is_same_v<Value, std::string>) {
                    return value;
                } else if constexpr (std::is_same_v<Value, double>) {
                    return std::to_string(std::bit_cast<std::uint64_t>(value));
                } else {
                    return std::to_string(value);
                }
            },
            field.value);
        trace_.add({}, 0, field.key, text);
    }
    if (next_ != nullptr) next_->write(level, event, fields);
}

}  // namespace reactor
