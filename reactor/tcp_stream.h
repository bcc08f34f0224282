// TcpStream: a connected socket of the kernel as a ByteStream; TCP and Unix-domain alike. Private
// to tcp_*.cpp; others get it from a Network.
#pragma once

#include "reactor/fd_watch.h"
#include "reactor/owned_fd.h"
#include "reactor/ready_signal.h"
#include "reactor/stream.h"

#include <optional>

namespace reactor {

class TcpStream final : public ByteStream, private FdObserver {
public:
    /// `fd` is connected and non-blocking.
    TcpStream(World& world, OwnedFd fd);
    ~TcpStream() override { close(); }

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { signal_.set_observer(observer); }
    void arm(Interest interest) override;
    void disarm(Interest interest) override { signal_.disarm(interest); }
    void shutdown_write() override;
    void close() override;
    void abort() override;
    Endpoint peer() const override;
    Endpoint local() const override;
    void detach() override;
    void attach(World& world) override;
    /// The descriptor leaves the stream, which is closed then. Nothing is lost: there are no
    /// buffers.
    OwnedFd release_descriptor() noexcept;

private:
    void on_fd_events(bool readable, bool writable, bool hangup) override;

    OwnedFd fd_;
    // What the kernel last told or showed; a fresh socket is worth a try in both directions.
    bool readable_ = true;
    bool writable_ = true;
    bool ending_ = false;  // The peer's FIN or an error is queued: a short read is not the end.
    bool write_shut_ = false;
    std::optional<FdWatch> watch_;  // None while detached or closed.
    ReadySignal signal_;
};

}  // namespace reactor
