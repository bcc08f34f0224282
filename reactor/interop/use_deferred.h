// Bridges to Boost.Asio: `use_deferred` makes any Asio operation return a Deferred, and
// `async_settle` makes a Deferred an operation for any completion token. This header brings Asio
// with it, so include it in .cpp files only.
#pragma once

#include "reactor/deferred.h"
#include "reactor/poller.h"
#include "reactor/reactor.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace reactor {

/// The context that this shard's loop runs: make Asio's objects on it. Shard only; not in a
/// simulation, which does not poll.
inline boost::asio::io_context& asio_context(Reactor& reactor) {
    return reactor.poller().asio();
}

/// `cancelled` for operation_aborted, `connection_done` for eof, the errno's code for system
/// errors, else `internal`; with Asio's text.
base::Failure failure_from(const boost::system::error_code& error);

/// The completion token: `co_await timer.async_wait(UseDeferred{reactor})`. A leading error_code or
/// exception_ptr becomes the failure; of the other arguments none gives void, one its type, several
/// a tuple. Cancelling emits Asio's terminal cancellation and settles when the operation has
/// completed; dropping emits it too.
struct UseDeferred {
    Reactor& reactor;
};

namespace detail {

template <class... T>
struct AsioValue {
    using Type = std::tuple<std::decay_t<T>...>;
};
template <class T>
struct AsioValue<T> {
    using Type = std::decay_t<T>;
};
template <>
struct AsioValue<> {
    using Type = void;
};
template <class... T>
struct AsioSignature : AsioValue<T...> {};
template <class... T>
struct AsioSignature<boost::system::error_code, T...> : AsioValue<T...> {};
template <class... T>
struct AsioSignature<std::exception_ptr, T...> : AsioValue<T...> {};

/// Between the operation, which owns the handler, and the consumer; gone when both are.
template <class T>
class AsioNode final : public ValueNode<T> {
public:
    explicit AsioNode(Reactor& reactor) : use_(reactor.poller()) {}

    boost::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
    void complete(base::Result<T> result) {
        if (consumer_ && !this->settled()) this->settle(std::move(result));
    }
    void operation_gone() noexcept {
        complete(base::fail(base::Errc::broken_promise));
        operation_ = false;
        free_if_unused();
    }
    void cancel() noexcept override {
        if (!this->settled()) emit();
    }
    void drop() noexcept override {
        this->set_waiter(nullptr);
        consumer_ = false;
        if (operation_ && !this->settled()) emit();
        free_if_unused();
    }
    Hop hop() const noexcept override { return {"asio", {}, nullptr}; }

private:
    // Emitting may run the handler, so the node is kept meanwhile.
    void emit() noexcept {
        emitting_ = true;
        signal_.emit(boost::asio::cancellation_type::terminal);
        emitting_ = false;
    }
    void free_if_unused() noexcept {
        if (!consumer_ && !operation_ && !emitting_) delete this;
    }

    Poller::AsioUse use_;
    boost::asio::cancellation_signal signal_;
    bool consumer_ = true;
    bool operation_ = true;
    bool emitting_ = false;
};

template <class T>
class AsioHandler {
public:
    using cancellation_slot_type = boost::asio::cancellation_slot;

    explicit AsioHandler(AsioNode<T>& node) noexcept : node_(&node) {}
    AsioHandler(AsioHandler&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    AsioHandler& operator=(AsioHandler&&) = delete;
    ~AsioHandler() {
        if (node_) node_->operation_gone();
    }
    cancellation_slot_type get_cancellation_slot() const noexcept { return node_->slot(); }

    template <class... Rest>
    void operator()(const boost::system::error_code& error, Rest&&... rest) {
        if (error) {
            node_->complete(std::unexpected(failure_from(error)));
        } else {
            succeed(std::forward<Rest>(rest)...);
        }
    }
    template <class... Rest>
    void operator()(std::exception_ptr error, Rest&&... rest) {
        if (!error) return succeed(std::forward<Rest>(rest)...);
        try {
            std::rethrow_exception(error);
        } catch (...) {
            node_->complete(std::unexpected(failure_of_current_exception()));
        }
    }
    template <class... Rest>
    void operator()(Rest&&... rest) {
        succeed(std::forward<Rest>(rest)...);
    }

private:
    template <class... Rest>
    void succeed(Rest&&... rest) {
        if constexpr (std::is_void_v<T>) {
            node_->complete({});
        } else {
            node_->complete(T(std::forward<Rest>(rest)...));
        }
    }
    AsioNode<T>* node_;
};

/// A Deferred under way as an Asio operation; in the reactor's keeping until it settles.
template <class T, class Handler>
class AsioSettling final : public DetachedBase, public ReadyItem {
public:
    AsioSettling(Deferred<T> work, Handler handler)
        : work_(std::move(work)), handler_(std::move(handler)) {
        ReadyQueue::current().own(*this);
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected())
            slot.assign([this](boost::asio::cancellation_type) { work_.cancel(); });
        work_.notify(*this);
    }
    std::string_view why() const noexcept override { return "async_settle"; }
    const Node* waits_for() const noexcept override { return work_.node(); }

private:
    void run() override {
        base::Result<T> result = work_.take();
        auto slot = boost::asio::get_associated_cancellation_slot(handler_);
        if (slot.is_connected()) slot.clear();
        Handler handler = std::move(handler_);
        delete this;
        auto executor =
            boost::asio::get_associated_executor(handler, boost::asio::system_executor());
        if constexpr (std::is_same_v<decltype(executor), boost::asio::system_executor>) {
            std::move(handler)(std::move(result));  // No thread of Asio's own: here and now.
        } else {
            boost::asio::post(executor,
                              [handler = std::move(handler), result = std::move(result)]() mutable {
                                  std::move(handler)(std::move(result));
                              });
        }
    }

    Deferred<T> work_;
    Handler handler_;
};

}  // namespace detail

/// `work` as an asynchronous operation with the signature void(base::Result<T>). The handler is
/// called through its associated executor, or from the loop when it has none. Asio's cancellation
/// cancels the work. Shard only.
template <class T, class Token>
auto async_settle(Deferred<T> work, Token&& token) {
    return boost::asio::async_initiate<Token, void(base::Result<T>)>(
        [](auto handler, Deferred<T> started) {
            // Owned by the ready queue from here on.
            new detail::AsioSettling<T, decltype(handler)>(std::move(started), std::move(handler));
        },
        token, std::move(work));
}

}  // namespace reactor

template <class... Arguments>
class boost::asio::async_result<reactor::UseDeferred, void(Arguments...)> {
public:
    using Value = typename reactor::detail::AsioSignature<std::decay_t<Arguments>...>::Type;
    using return_type = reactor::Deferred<Value>;

    template <class Initiation, class... InitArguments>
    static return_type initiate(Initiation&& initiation, reactor::UseDeferred token,
                                InitArguments&&... arguments) {
        auto* node = new reactor::detail::AsioNode<Value>(token.reactor);
        return_type deferred(*node);
        std::forward<Initiation>(initiation)(reactor::detail::AsioHandler<Value>(*node),
                                             std::forward<InitArguments>(arguments)...);
        return deferred;
    }
};
