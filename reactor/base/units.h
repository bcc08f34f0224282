// Literals for sizes. Durations use std::chrono_literals.
#pragma once

#include <cstddef>

namespace base {

constexpr std::size_t operator""_KiB(unsigned long long count) {
    return count * 1024;
}
constexpr std::size_t operator""_MiB(unsigned long long count) {
    return count * 1024 * 1024;
}

}  // namespace base
