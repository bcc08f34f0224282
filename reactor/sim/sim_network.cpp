// See sim_network.h. Names: an endpoint is looked up by machine, so that "127.0.0.1" and the
// wildcards mean the machine that says them.
#include "reactor/sim/sim_network.h"

#include "reactor/reactor.h"
#include "reactor/ready_queue.h"
#include "reactor/sim/sim_stream.h"
#include "reactor/world.h"

#include <algorithm>
#include <deque>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;
using StreamPtr = std::unique_ptr<ByteStream>;

namespace {

constexpr base::Duration kSynRepeat = std::chrono::seconds(1);
constexpr std::uint16_t kEphemeralPortFirst = 49'152;

bool is_own_v4(std::string_view address) {
    return address == "0.0.0.0" || address.starts_with("127.");
}
bool is_own_v6(std::string_view address) {
    return address == "::" || address == "::1";
}

/// The machine that `address` means when it is said on machine `node`.
std::string node_of(const Endpoint& endpoint, const std::string& node) {
    const bool own =
        endpoint.is_unix() || is_own_v4(endpoint.address) || is_own_v6(endpoint.address);
    return own ? node : endpoint.address;
}

/// Where a listener is found. The two families have ports of their own, as with IPV6_V6ONLY.
std::string key_of(const Endpoint& endpoint, const std::string& node) {
    if (endpoint.is_unix()) return node + " " + endpoint.address;
    const bool v6 = endpoint.address.find(':') != std::string::npos;
    return node_of(endpoint, node) + (v6 ? " v6 " : " v4 ") + std::to_string(endpoint.port);
}

}  // namespace

class SimListener final : public Listener, private ReadyItem {
public:
    SimListener(SimInternet::Impl& internet, World& world, std::string key, ListenOptions options,
                AcceptFunction accepted)
        : internet_(internet),
          world_(world),
          key_(std::move(key)),
          options_(std::move(options)),
          accepted_(std::move(accepted)) {
        internet_.listeners[key_].push_back(this);
    }
    ~SimListener() override {
        if (destroyed_ != nullptr) *destroyed_ = true;
        auto found = internet_.listeners.find(key_);
        std::erase(found->second, this);
        if (found->second.empty()) internet_.listeners.erase(found);
    }

    Endpoint local() const override { return options_.endpoint; }
    void pause() override { paused_ = true; }
    void resume() override {
        paused_ = false;
        wake();
    }

    World& world() noexcept { return world_; }
    bool shares() const noexcept { return options_.share_port; }
    bool has_room() const noexcept {
        const auto backlog = static_cast<std::size_t>(std::max(options_.backlog, 1));
        return waiting_.size() < std::min(backlog, internet_.options.backlog_max);
    }
    void offer(StreamPtr stream) {
        waiting_.push_back(std::move(stream));
        wake();
    }

private:
    void wake() {
        if (!waiting_.empty() && !queued()) world_.reactor.ready_queue().push(*this);
    }
    void run() override {
        bool destroyed = false;
        destroyed_ = &destroyed;
        while (!paused_ && !waiting_.empty()) {
            StreamPtr stream = std::move(waiting_.front());
            waiting_.pop_front();
            accepted_(std::move(stream));
            if (destroyed) return;
        }
        destroyed_ = nullptr;
    }

    SimInternet::Impl& internet_;
    World& world_;
    const std::string key_;
    ListenOptions options_;
    AcceptFunction accepted_;
    std::deque<StreamPtr> waiting_;
    bool* destroyed_ = nullptr;  // Set while `accepted_` runs.
    bool paused_ = false;
};

namespace {

/// A connection under way; the timer fires when the listener's answer is back. Lives in the
/// canceller of its own Deferred.
class SimConnecting final : private Timer {
public:
    SimConnecting(SimInternet::Impl& internet, World& world, std::string node, Endpoint local,
                  Endpoint remote)
        : internet_(internet),
          world_(world),
          node_(std::move(node)),
          local_(std::move(local)),
          remote_(std::move(remote)),
          gives_up_(world.clock.monotonic() + internet.options.connect_timeout) {}

    static Deferred<StreamPtr> start(std::unique_ptr<SimConnecting> owner) {
        SimConnecting& it = *owner;
        it.try_after(it.internet_.draw_latency() + it.internet_.draw_latency());
        return it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); });
    }

private:
    void try_after(base::Duration delay) {
        Timer::arm(world_.reactor.wheel(), std::min(gives_up_, world_.clock.monotonic() + delay));
    }
    void settle(base::Result<StreamPtr> result) {
        // Settling destroys the canceller and with it this object.
        Promise<StreamPtr> promise = std::move(promise_);
        promise.resolve(std::move(result));
    }
    void on_expired() override;

    SimInternet::Impl& internet_;
    World& world_;
    const std::string node_;
    Endpoint local_;
    Endpoint remote_;
    base::MonotonicTime gives_up_;
    Promise<StreamPtr> promise_;
};

void SimConnecting::on_expired() {
    const std::string peer_node = node_of(remote_, node_);
    const auto found = internet_.listeners.find(key_of(remote_, node_));
    const bool silent = internet_.is_black(node_, peer_node);
    if (!internet_.has_socket(node_))
        return settle(fail(Errc::resource_exhausted,
                           "cannot connect to " + remote_.to_string() + ": out of sockets"));
    if (!silent && (found == internet_.listeners.end() || internet_.refusing.contains(peer_node)))
        return settle(fail(Errc::connection_refused,
                           "cannot connect to " + remote_.to_string() + ": nobody listens"));
    if (silent || !found->second.front()->has_room() || !internet_.has_socket(peer_node)) {
        if (world_.clock.monotonic() >= gives_up_)
            return settle(
                fail(Errc::timed_out, "cannot connect to " + remote_.to_string() + ": no answer"));
        return try_after(kSynRepeat);
    }
    // Listeners that share the port take turns.
    std::ranges::rotate(found->second, found->second.begin() + 1);
    SimListener& listener = *found->second.back();
    auto ours = std::make_unique<SimStream>(internet_, world_, node_, peer_node, local_, remote_);
    auto theirs =
        std::make_unique<SimStream>(internet_, listener.world(), peer_node, node_, remote_, local_);
    SimStream::join(*ours, *theirs);
    listener.offer(std::move(theirs));
    settle(StreamPtr(std::move(ours)));
}

class SimNetwork final : public Network {
public:
    SimNetwork(World& world, SimInternet::Impl& internet, std::string address)
        : world_(world), internet_(internet), address_(std::move(address)) {}

    base::Result<std::unique_ptr<Listener>> listen(ListenOptions options,
                                                   AcceptFunction accepted) override;
    Deferred<StreamPtr> connect(Endpoint endpoint, std::optional<Endpoint> source) override {
        Endpoint local{address_, 0};
        if (source && !is_own_v4(source->address) && !is_own_v6(source->address)) local = *source;
        if (source) local.port = source->port;
        if (local.port == 0) local.port = next_port();
        if (endpoint.is_unix()) local = {"unix:", 0};
        return SimConnecting::start(std::make_unique<SimConnecting>(
            internet_, world_, address_, std::move(local), std::move(endpoint)));
    }

private:
    std::uint16_t next_port() {
        const std::uint16_t port = internet_.next_port++;
        if (internet_.next_port == 0) internet_.next_port = kEphemeralPortFirst;
        return port;
    }

    World& world_;
    SimInternet::Impl& internet_;
    const std::string address_;
};

base::Result<std::unique_ptr<Listener>> SimNetwork::listen(ListenOptions options,
                                                           AcceptFunction accepted) {
    Endpoint& endpoint = options.endpoint;
    if (!endpoint.is_unix() && endpoint.port == 0) {
        do {
            endpoint.port = next_port();
        } while (internet_.listeners.contains(key_of(endpoint, address_)));
    }
    std::string key = key_of(endpoint, address_);
    if (const auto found = internet_.listeners.find(key); found != internet_.listeners.end()) {
        const bool shared = options.share_port && found->second.front()->shares();
        if (!shared)
            return fail(Errc::address_in_use,
                        "cannot listen on " + endpoint.to_string() + ": address already in use");
    }
    return std::make_unique<SimListener>(internet_, world_, std::move(key), std::move(options),
                                         std::move(accepted));
}

}  // namespace

SimInternet::SimInternet(SimInternetOptions options) : impl_(std::make_unique<Impl>(options)) {}
SimInternet::~SimInternet() = default;

void SimInternet::cut(std::string_view address) {
    // Resetting one end unhooks the other: find those that are hit before breaking any.
    std::vector<SimStream*> hit;
    for (const auto& [id, stream] : impl_->streams)
        if (stream->touches(address)) hit.push_back(stream);
    for (SimStream* stream : hit)
        stream->reset();
}

void SimInternet::black_hole(std::string_view address) {
    impl_->black_holes.insert(std::string(address));
}

void SimInternet::heal(std::string_view address) {
    const auto found = impl_->black_holes.find(address);
    if (found == impl_->black_holes.end()) return;
    impl_->black_holes.erase(found);
    impl_->retransmit(address);
}

void SimInternet::part(std::string_view one, std::string_view other) {
    impl_->parted.insert(pair_of(one, other));
}

void SimInternet::join(std::string_view one, std::string_view other) {
    if (impl_->parted.erase(pair_of(one, other)) > 0) impl_->retransmit(one);
}

void SimInternet::refuse(std::string_view address) {
    impl_->refusing.insert(std::string(address));
}

void SimInternet::admit(std::string_view address) {
    if (const auto found = impl_->refusing.find(address); found != impl_->refusing.end())
        impl_->refusing.erase(found);
}

void SimInternet::power_off(std::string_view address) {
    impl_->off.insert(std::string(address));
    black_hole(address);
}

void SimInternet::power_on(std::string_view address) {
    if (const auto found = impl_->off.find(address); found != impl_->off.end())
        impl_->off.erase(found);
    heal(address);
}

void SimInternet::set_latency(base::Duration least, base::Duration most) {
    impl_->options.latency_min = least;
    impl_->options.latency_max = most;
}

void SimInternet::set_bandwidth(std::uint64_t bytes_per_second) {
    impl_->options.bytes_per_second = bytes_per_second;
}

void SimInternet::set_sockets_max(std::size_t sockets_max) {
    impl_->options.sockets_max = sockets_max;
}

std::size_t SimInternet::connections() const noexcept {
    const auto ends = std::ranges::count_if(
        impl_->streams, [](const auto& entry) { return entry.second->joined(); });
    return static_cast<std::size_t>(ends) / 2;
}

std::unique_ptr<Network> make_sim_network(World& world, SimInternet& internet,
                                          std::string address) {
    return std::make_unique<SimNetwork>(world, internet.impl(), std::move(address));
}

}  // namespace reactor
