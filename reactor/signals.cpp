#include "reactor/signals.h"

#include "reactor/poller.h"
#include "reactor/reactor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace reactor {

// Asio only notes the number and queues this item, so that the call happens in a turn like others.
struct SignalWatch::Impl final : ReadyItem {
    Impl(Reactor& reactor, std::initializer_list<int> numbers,
         base::UniqueFunction<void(int)> its_function)
        : queue(reactor.ready_queue()),
          use(reactor.poller()),
          set(reactor.poller().asio()),
          function(std::move(its_function)) {
        for (const int number : numbers)
            set.add(number);
        wait();
    }
    // Cancelled waits complete later, in the io_context: they may not touch this any more.
    ~Impl() { *alive = false; }

    void wait() {
        set.async_wait([this, still_here = alive](boost::system::error_code error, int number) {
            if (!*still_here || error) return;
            caught.push_back(number);
            if (!queued()) queue.push(*this);
            wait();
        });
    }
    // The function may destroy the watch, so it moves to the stack for the calls.
    void run() override {
        const std::shared_ptr<bool> still_here = alive;
        auto calling = std::move(function);
        for (const int number : std::exchange(caught, {})) {
            guarded(calling, number);
            if (!*still_here) return;
        }
        function = std::move(calling);
    }
    // As at the turn boundary: the next signal must still find its function.
    void guarded(base::UniqueFunction<void(int)>& calling, int number) {
        const base::Log log = queue.log();
        try {
            calling(number);
        } catch (const std::exception& error) {
            log.error("reactor.turn_exception", {{"what", error.what()}});
        } catch (...) {
            log.error("reactor.turn_exception");
        }
    }

    ReadyQueue& queue;
    Poller::AsioUse use;
    boost::asio::signal_set set;
    base::UniqueFunction<void(int)> function;
    std::vector<int> caught;  // At most one turn's worth.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

SignalWatch::SignalWatch(Reactor& reactor, std::initializer_list<int> signals,
                         base::UniqueFunction<void(int)> function)
    : impl_(std::make_unique<Impl>(reactor, signals, std::move(function))) {}

SignalWatch::~SignalWatch() = default;

}  // namespace reactor
