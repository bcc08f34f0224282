// A Failure as an exception, for the borders to code that throws: std::future, Asio, foreign
// callbacks. Caught at those borders and turned back into the Failure it carries.
#pragma once

#include "reactor/base/result.h"

#include <exception>
#include <initializer_list>
#include <string>
#include <utility>

namespace base {

class FailureError final : public std::exception {
public:
    explicit FailureError(Failure failure)
        : failure_(std::move(failure)), text_(failure_.message()) {}
    const char* what() const noexcept override { return text_.c_str(); }
    const Failure& failure() const noexcept { return failure_; }

private:
    Failure failure_;
    std::string text_;
};

[[noreturn]] inline void raise(const Failure& failure) {
    throw FailureError(failure);
}

/// The code of `failure` if it is one of `codes`, else the failure itself: `TRY(trap(failure,
/// {…}))` deals with those and passes everything else on.
inline Result<Errc> trap(const Failure& failure, std::initializer_list<Errc> codes) {
    for (const Errc code : codes)
        if (failure.is(code)) return code;
    return std::unexpected(failure);
}

}  // namespace base
