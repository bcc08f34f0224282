// Result<T>: a value or the reason why there is none. We never throw; callers must look.
#pragma once

#include "reactor/base/failure.h"

#include <expected>
#include <utility>

namespace base {

template <class T, class E = Failure>
using Result = std::expected<T, E>;

/// `return fail(Errc::closed, "the pool was stopped");`
inline std::unexpected<Failure> fail(Errc code) {
    return std::unexpected(Failure(code));
}
inline std::unexpected<Failure> fail(Errc code, std::string detail) {
    return std::unexpected(Failure(code, std::move(detail)));
}

}  // namespace base

/// `auto value = TRY(expression);` yields the value or returns the error from the enclosing plain
/// function. Not for coroutines: they spell out `co_return`.
#define TRY(...)                                                                  \
    __extension__({                                                               \
        auto&& try_result_ = (__VA_ARGS__);                                       \
        if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
        *std::move(try_result_);                                                  \
    })
