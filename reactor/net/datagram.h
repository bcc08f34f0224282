// Datagram: a socket that sends and receives messages: UDP over IPv4 and IPv6 with multicast and
// broadcast, and Unix-domain datagrams. Received in batches (recvmmsg), told one by one.
// Sending never waits and never buffers: what the kernel does not take is refused, as UDP may lose
// it anyway.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/unique_function.h"
#include "reactor/stream.h"

#include <memory>
#include <string>

namespace reactor {

struct DatagramOptions {
    /// Where to receive; port 0: the system chooses. "unix:" and a path, or "unix:@name".
    Endpoint endpoint;
    bool reuse_address = false;  ///< Several receivers of one multicast group on one machine.
    bool share_port = false;     ///< SO_REUSEPORT: several sockets share the load.
    bool broadcast = false;      ///< May send to broadcast addresses.
    /// Longer ones are told with `truncated`.
    std::size_t message_bytes_max = 8192;
};

/// `from` is empty for an unnamed Unix-domain sender. `bytes` lives during the call only.
struct Message {
    std::span<const std::byte> bytes;
    Endpoint from;
    bool truncated = false;
};

class DatagramObserver {
public:
    /// May destroy the Datagram.
    virtual void on_message(const Message& message) = 0;
    /// A connected peer refused an earlier message (ICMP): connection_refused, or another error of
    /// the socket. The socket goes on.
    virtual void on_error(base::Errc /*error*/) {}

protected:
    ~DatagramObserver() = default;
};

class Datagram {
public:
    /// Received per turn at most; the rest comes in the next.
    static constexpr std::size_t kBytesPerTurnMax = 262'144;

    /// Receives from the next turn on. Errors: address_in_use, permission_denied, invalid_argument;
    /// the text names the address. A Unix-domain path is removed again at the end.
    static base::Result<std::unique_ptr<Datagram>> open(World& world, DatagramOptions options,
                                                        DatagramObserver& observer);
    virtual ~Datagram() = default;

    virtual Endpoint local() const = 0;
    /// Only messages of `peer` from now on, errors of the way there are told, `send` may be used.
    virtual base::Result<void> connect(const Endpoint& peer) = 0;

    /// Errors: busy (the kernel's buffer is full: try later), invalid_argument (longer than a
    /// message may be, another address family, not a numeric address), connection_refused (what
    /// came back for an earlier message), permission_denied (broadcast without the option).
    virtual base::Result<void> send_to(const Endpoint& to, std::span<const std::byte> bytes) = 0;
    /// To the connected peer; invalid_argument when there is none.
    virtual base::Result<void> send(std::span<const std::byte> bytes) = 0;

    /// Stops receiving; what comes meanwhile waits in the kernel, as much as it holds.
    virtual void pause() = 0;
    virtual void resume() = 0;

    /// `interface` is a name ("eth0") or empty for the system's choice. invalid_argument: no
    /// multicast address of the socket's family, no such interface; address_in_use: joined already
    /// (or, to leave, not joined).
    virtual base::Result<void> join_group(const std::string& group,
                                          const std::string& interface) = 0;
    virtual base::Result<void> leave_group(const std::string& group,
                                           const std::string& interface) = 0;
    /// How far multicast messages travel (hops), whether they come back to this machine, and where
    /// they leave it.
    virtual base::Result<void> set_multicast_ttl(std::uint8_t hops) = 0;
    virtual base::Result<void> set_multicast_loopback(bool loopback) = 0;
    virtual base::Result<void> set_multicast_interface(const std::string& interface) = 0;
};

}  // namespace reactor
