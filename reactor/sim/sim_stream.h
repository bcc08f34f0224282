// SimStream: one end of a connection of the simulated network. Private to sim_network.cpp and
// sim_stream.cpp.
#pragma once

#include "reactor/base/split_mix.h"
#include "reactor/ready_signal.h"
#include "reactor/sim/sim_network.h"
#include "reactor/timers.h"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reactor {

class SimListener;
class SimStream;

struct SimInternet::Impl {
    explicit Impl(const SimInternetOptions& chosen) : options(chosen), numbers(chosen.seed) {}

    std::uint64_t draw_below(std::uint64_t limit);  ///< 0 for a limit of 0.
    base::Duration draw_latency();
    bool is_black(std::string_view one, std::string_view other) const;
    /// When bytes that `node` sends now have left it.
    base::MonotonicTime departure(const std::string& node, std::size_t bytes,
                                  base::MonotonicTime now);
    bool has_socket(const std::string& node) const;
    void retransmit(std::string_view address);

    SimInternetOptions options;
    base::SplitMix64 numbers;
    std::uint64_t next_stream_id = 1;
    std::uint16_t next_port = 49'152;
    std::map<std::uint64_t, SimStream*> streams;
    std::map<std::string, std::vector<SimListener*>, std::less<>> listeners;  ///< By key_of.
    std::set<std::string, std::less<>> black_holes;
    std::set<std::pair<std::string, std::string>> parted;  ///< The lesser address first.
    std::set<std::string, std::less<>> refusing;
    std::set<std::string, std::less<>> off;
    std::map<std::string, base::MonotonicTime, std::less<>> line_free;  ///< With a bandwidth.
    std::map<std::string, std::size_t, std::less<>> sockets;            ///< By machine.
};

/// As SimInternet::Impl::parted has it.
std::pair<std::string, std::string> pair_of(std::string_view one, std::string_view other);

class SimStream final : public ByteStream, private Timer {
public:
    /// `node` and `peer_node`: the addresses of the two machines, for cuts and black holes.
    SimStream(SimInternet::Impl& internet, World& world, std::string node, std::string peer_node,
              Endpoint local, Endpoint peer);
    ~SimStream() override;
    static void join(SimStream& a, SimStream& b);

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { signal_.set_observer(observer); }
    void arm(Interest interest) override;
    void disarm(Interest interest) override { signal_.disarm(interest); }
    void shutdown_write() override;
    void close() override;
    void abort() override;
    Endpoint peer() const override { return peer_; }
    Endpoint local() const override { return local_; }
    void detach() override;
    void attach(World& world) override;

    bool touches(std::string_view address) const;
    bool joined() const noexcept { return other_ != nullptr; }
    /// The connection breaks now, at this end.
    void reset();
    /// A black hole went: what was sent meanwhile comes again.
    void retransmit();

private:
    enum class Kind : std::uint8_t { data, end, reset };
    struct Segment {
        Kind kind;
        base::MonotonicTime arrives;
        std::string bytes;
    };

    void on_expired() override { take_arrivals(); }
    void take_arrivals();
    void send(Kind kind, std::string bytes);
    void receive(Segment segment);
    void watch_arrivals();
    std::size_t unread() const { return inbox_.size() - read_; }
    bool is_ready(Interest interest) const;
    void owe(Interest interest);

    SimInternet::Impl& internet_;
    World* world_;
    const std::uint64_t id_;
    const std::string node_;
    const std::string peer_node_;
    const Endpoint local_;
    const Endpoint peer_;
    SimStream* other_ = nullptr;
    ReadySignal signal_;
    std::deque<Segment> arriving_;
    std::size_t arriving_bytes_ = 0;
    std::string inbox_;
    std::size_t read_ = 0;  // Bytes of inbox_ that were read.
    bool input_ended_ = false;
    bool reset_ = false;
    bool write_shut_ = false;
    bool closed_ = false;
};

}  // namespace reactor
