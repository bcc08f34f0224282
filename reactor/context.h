// ContextVar: a value that accompanies work without being passed: a deadline, a trace id, tags of
// a log. Bound around a call by `with`, it is seen by everything that call starts, wherever that
// goes on: coroutines keep it over every wait, `Reactor::soon` and `post`, `Shards::run_on` and
// jobs of the pool carry it. Nobody can change it for somebody else: a binding ends with its call.
#pragma once

#include <atomic>
#include <utility>

namespace reactor {

namespace detail {

/// One binding and those around it. Immutable; shared by everything that was started inside it, on
/// any thread.
class Context {
public:
    Context(const void* key, Context* outer) noexcept : key_(key), outer_(outer) {
        if (outer_ != nullptr) outer_->retain();
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void retain() noexcept { users_.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    const Context* find(const void* key) const noexcept {
        for (const Context* at = this; at != nullptr; at = at->outer_)
            if (at->key_ == key) return at;
        return nullptr;
    }

protected:
    virtual ~Context() {
        if (outer_ != nullptr) outer_->release();
    }

private:
    std::atomic<int> users_ = 1;
    const void* key_;
    Context* outer_;
};

/// What work that starts now on this thread sees; null outside any binding.
inline constinit thread_local Context* current_context = nullptr;

/// A share in a context, also in none.
class ContextRef {
public:
    /// The current one.
    ContextRef() noexcept : context_(current_context) {
        if (context_ != nullptr) context_->retain();
    }
    /// Takes over the share that `fresh` was made with.
    explicit ContextRef(Context& fresh) noexcept : context_(&fresh) {}
    ContextRef(ContextRef&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
    ContextRef& operator=(ContextRef&&) = delete;
    ~ContextRef() {
        if (context_ != nullptr) context_->release();
    }
    Context* get() const noexcept { return context_; }

private:
    Context* context_;
};

/// Makes a context current while it lives; somebody else keeps the context.
class ContextScope {
public:
    explicit ContextScope(Context* context) noexcept
        : outer_(std::exchange(current_context, context)) {}
    explicit ContextScope(const ContextRef& context) noexcept : ContextScope(context.get()) {}
    ContextScope(const ContextScope&) = delete;
    ContextScope& operator=(const ContextScope&) = delete;
    ~ContextScope() { current_context = outer_; }

private:
    Context* outer_;
};

}  // namespace detail

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
        const detail::Context* found =
            detail::current_context != nullptr ? detail::current_context->find(this) : nullptr;
        return found != nullptr ? static_cast<const Binding*>(found)->value : otherwise_;
    }
    /// Calls `function()` with the variable bound to `value`; what it starts keeps the binding.
    template <class Function>
    auto with(T value, Function&& function) const {
        const detail::ContextRef binding(
            *new Binding(this, detail::current_context, std::move(value)));
        const detail::ContextScope scope(binding);
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
