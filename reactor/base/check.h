// CHECK: our own invariants. Always on; a broken one aborts with its place. Input from outside
// never reaches a CHECK (it gets an error value); the fuzzers prove that.
#pragma once

namespace base {
[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;
}  // namespace base

#define CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::base::check_failed(#condition, __FILE__, __LINE__))
