// SimInternet: the network of simulated worlds. Streams are pipes in memory with latency and split
// segments drawn from a seed; tests cut connections and silence hosts. Single thread; the same seed
// and the same calls give the same bytes at the same virtual times.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/network.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace reactor {

class TraceHash;

struct SimInternetOptions {
    std::uint64_t seed = 1;
    base::Duration latency_min = std::chrono::microseconds(200);
    base::Duration latency_max = std::chrono::milliseconds(5);
    /// Writes are cut into segments of 1 to `segment_max` bytes that arrive one after the other;
    /// 0 keeps them whole.
    std::size_t segment_max = 1400;
    std::size_t window = 65'536;  ///< Bytes under way or unread per direction.
    std::size_t backlog_max = 128;
    base::Duration connect_timeout = std::chrono::seconds(127);  ///< Towards a black hole.
    /// What a machine can send, over all its connections; 0: without limit.
    std::uint64_t bytes_per_second = 0;
    /// Sockets that a machine can have open: beyond them `connect` fails with resource_exhausted
    /// and nobody is accepted.
    std::size_t sockets_max = 1'000'000;
    /// Bytes and ends of connections that arrive go into it; must outlive the internet.
    TraceHash* trace = nullptr;
};

/// The medium between the worlds; must outlive their networks and streams.
class SimInternet {
public:
    explicit SimInternet(SimInternetOptions options = {});
    SimInternet(const SimInternet&) = delete;
    SimInternet& operator=(const SimInternet&) = delete;
    ~SimInternet();

    /// Resets every connection from or to `address` (numeric, no port), as a pulled cable with RST.
    void cut(std::string_view address);
    /// From now on nothing from or to `address` arrives and nobody is told (half-open connections),
    /// until `heal`. What was sent meanwhile arrives then, as TCP's repetitions would have it.
    void black_hole(std::string_view address);
    void heal(std::string_view address);
    /// The same between two machines only; both still reach everybody else.
    void part(std::string_view one, std::string_view other);
    void join(std::string_view one, std::string_view other);
    /// Connections to it are refused from now on, those that exist stay.
    void refuse(std::string_view address);
    void admit(std::string_view address);
    /// The machine falls silent: nothing that it still says is heard, not even that connections
    /// end. Back on, it knows nothing of them: who sends to it is answered with a reset.
    void power_off(std::string_view address);
    void power_on(std::string_view address);
    /// For what is sent from now on.
    void set_latency(base::Duration least, base::Duration most);
    /// 0: without limit.
    void set_bandwidth(std::uint64_t bytes_per_second);
    void set_sockets_max(std::size_t sockets_max);
    /// Connections that exist, both ends open.
    std::size_t connections() const noexcept;

    struct Impl;
    Impl& impl() noexcept { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

/// The network of `world` on `internet`. `address` is where its outgoing connections come from
/// (it may listen on any address). Listening with port 0 chooses a free one. Several listeners with
/// `share_port` on one endpoint take turns.
std::unique_ptr<Network> make_sim_network(World& world, SimInternet& internet,
                                          std::string address = "10.0.0.1");

}  // namespace reactor
