// See connect_any.h.
#include "reactor/connect_any.h"

#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/world.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Failure;
using StreamPtr = std::unique_ptr<ByteStream>;

bool is_v6(const Endpoint& endpoint) {
    return !endpoint.is_unix() && endpoint.address.contains(':');
}

/// The attempts of one call. Lives in the canceller of its own Deferred.
class Connecting final {
public:
    Connecting(World& world, std::vector<Endpoint> endpoints, ConnectOptions options)
        : world_(world),
          endpoints_(std::move(endpoints)),
          options_(std::move(options)),
          next_timer_([this] { start_next(); }),
          end_timer_([this] { settle(fail(Errc::timed_out, "no connection in time" + tried())); }) {
        attempts_.reserve(endpoints_.size());
    }

    static Deferred<StreamPtr> start(std::unique_ptr<Connecting> owner) {
        Connecting& it = *owner;
        it.world_.reactor.arm(it.end_timer_, it.options_.timeout);
        it.start_next();
        return it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); });
    }

private:
    struct Attempt final : ReadyItem {
        Attempt(Connecting& all, Deferred<StreamPtr> its_connecting)
            : owner(all), connecting(std::move(its_connecting)) {
            connecting.notify(*this);
        }
        // One that failed when another had won is nobody's business.
        ~Attempt() {
            if (connecting.valid() && connecting.settled()) (void)connecting.take();
        }
        void run() override { owner.on_settled(connecting.take()); }

        Connecting& owner;
        Deferred<StreamPtr> connecting;
    };

    void start_next() {
        if (attempts_.size() == endpoints_.size()) return;
        const Endpoint& endpoint = endpoints_[attempts_.size()];
        attempts_.push_back(
            std::make_unique<Attempt>(*this, world_.network.connect(endpoint, options_.source)));
        if (attempts_.size() < endpoints_.size())
            world_.reactor.arm(next_timer_, options_.attempt_delay);
    }

    void on_settled(base::Result<StreamPtr> result) {
        if (result) return settle(std::move(result));
        last_failure_ = std::move(result).error();
        if (++failed_ == endpoints_.size()) return settle(std::unexpected(all_failed()));
        start_next();
    }

    /// Destroys this object and with it the attempts under way.
    void settle(base::Result<StreamPtr> result) {
        Promise<StreamPtr> promise = std::move(promise_);
        promise.resolve(std::move(result));
    }

    Failure all_failed() const {
        if (failed_ == 1) return *last_failure_;
        return {last_failure_->code(), "every attempt failed" + tried()};
    }
    std::string tried() const {
        std::string text;
        for (std::size_t i = 0; i < attempts_.size(); ++i)
            text += (i == 0 ? ": tried " : ", ") + endpoints_[i].to_string();
        if (last_failure_) text += "; the last failure: " + last_failure_->message();
        return text;
    }

    World& world_;
    std::vector<Endpoint> endpoints_;
    ConnectOptions options_;
    std::vector<std::unique_ptr<Attempt>> attempts_;
    std::size_t failed_ = 0;
    std::optional<Failure> last_failure_;
    CallbackTimer next_timer_;
    CallbackTimer end_timer_;
    Promise<StreamPtr> promise_;
};

}  // namespace

std::vector<Endpoint> interleave_families(std::vector<Endpoint> endpoints) {
    std::vector<Endpoint> preferred;
    std::vector<Endpoint> others;
    for (Endpoint& endpoint : endpoints) {
        const bool is_first = preferred.empty() || is_v6(endpoint) == is_v6(preferred.front());
        (is_first ? preferred : others).push_back(std::move(endpoint));
    }
    endpoints.clear();
    for (std::size_t i = 0; i < std::max(preferred.size(), others.size()); ++i) {
        if (i < preferred.size()) endpoints.push_back(std::move(preferred[i]));
        if (i < others.size()) endpoints.push_back(std::move(others[i]));
    }
    return endpoints;
}

Deferred<StreamPtr> connect_any(World& world, std::vector<Endpoint> endpoints,
                                ConnectOptions options) {
    if (options.source)
        std::erase_if(endpoints, [v6 = is_v6(*options.source)](const Endpoint& endpoint) {
            return is_v6(endpoint) != v6;
        });
    if (endpoints.empty())
        return Failure(Errc::invalid_argument,
                       options.source ? "no address of the source's family to connect to"
                                      : "no address to connect to");
    endpoints = interleave_families(std::move(endpoints));
    if (endpoints.size() > kConnectEndpointsMax) endpoints.resize(kConnectEndpointsMax);
    return Connecting::start(
        std::make_unique<Connecting>(world, std::move(endpoints), std::move(options)));
}

}  // namespace reactor
