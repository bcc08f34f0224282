// Generator<T>: a coroutine that produces values one at a time, on demand, without waiting. It runs
// only inside `next`. For work in steps see reactor/task/cooperator.h.
#pragma once

#include "reactor/frame_memory.h"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace reactor {

template <class T>
class [[nodiscard]] Generator {
public:
    struct promise_type {
        static void* operator new(std::size_t bytes) { return detail::allocate_frame(bytes); }
        static void operator delete(void* block, std::size_t bytes) noexcept {
            detail::free_frame(block, bytes);
        }
        Generator get_return_object() noexcept {
            return Generator(std::coroutine_handle<promise_type>::from_promise(*this));
        }
        std::suspend_always initial_suspend() const noexcept { return {}; }
        std::suspend_always final_suspend() const noexcept { return {}; }
        std::suspend_always yield_value(T next) {
            value.emplace(std::move(next));
            return {};
        }
        void return_void() const noexcept {}
        void unhandled_exception() noexcept { exception = std::current_exception(); }
        template <class U>
        void await_transform(U&&) = delete;  // A generator does not wait: yield instead.

        std::optional<T> value;
        std::exception_ptr exception;
    };

    Generator(Generator&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Generator& operator=(Generator&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~Generator() {
        if (handle_) handle_.destroy();
    }

    /// The next value, empty at the end and from then on. Throws what the coroutine threw.
    std::optional<T> next() {
        if (!handle_ || handle_.done()) return std::nullopt;
        promise_type& promise = handle_.promise();
        promise.value.reset();
        handle_.resume();
        if (promise.exception) std::rethrow_exception(std::exchange(promise.exception, nullptr));
        return std::exchange(promise.value, std::nullopt);
    }

private:
    explicit Generator(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

}  // namespace reactor
