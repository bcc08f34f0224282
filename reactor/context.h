// ContextVar: a value that accompanies work without being passed: a deadline, a trace id, tags of
// a log. Bound around a call by `with`, it is seen by everything that call starts, wherever that
// goes on: coroutines keep it over every wait, `Reactor::soon` and `post`, `Shards::run_on` and
// jobs of the pool carry it. Nobody can change it for somebody else: a binding ends with its call.
#pragma once

#include "reactor/surroundings.h"

#include <utility>

namespace reactor {

/// One variable, usually a constant of a file. Must outlive the work that was bound to it. Any
/// thread.
template <class T>
class ContextVar {
public:
    explicit ContextVar(T otherwise = T()) : otherwise_(std::move(otherwise)) {}
    ContextVar(const ContextVar&) = delete;
    ContextVar& operator=(const ContextVar&) = delete;

    /// The innermost binding around the running work, or the default. Valid while that work runs.
    const T& get() const noexcept {
        const detail::Context* context = detail::current_context();
        const detail::Context* found = context != nullptr ? context->find(this) : nullptr;
        return found != nullptr ? static_cast<const Binding*>(found)->value : otherwise_;
    }
    /// Calls `function()` with the variable bound to `value`; what it starts keeps the binding.
    template <class Function>
    auto with(T value, Function&& function) const {
        const detail::ContextRef binding(
            *new Binding(this, detail::current_context(), std::move(value)));
        const detail::FreshScope scope(detail::current_lane(), binding.get());
        return std::forward<Function>(function)();
    }

private:
    struct Binding final : detail::Context {
        Binding(const void* key, detail::Context* outer, T its_value)
            : Context(key, outer), value(std::move(its_value)) {}
        const T value;
    };
    const T otherwise_;
};

}  // namespace reactor
