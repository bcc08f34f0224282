// TcpListener: a listening socket of the kernel. Private to tcp_*.cpp.
#pragma once

#include "reactor/fd_watch.h"
#include "reactor/network.h"
#include "reactor/tcp_stream.h"
#include "reactor/timers.h"
#include "reactor/world.h"

#include <sys/types.h>

#include <optional>

namespace reactor {

class TcpListener final : public Listener, private FdObserver, private Timer {
public:
    static base::Result<std::unique_ptr<Listener>> open(World& world, const ListenOptions& options,
                                                        AcceptFunction accepted);
    /// `fd` listens and is non-blocking. `owns_socket_file`: remove it at the end.
    static base::Result<std::unique_ptr<Listener>> adopt(World& world, OwnedFd fd,
                                                         bool owns_socket_file,
                                                         AcceptFunction accepted);
    ~TcpListener() override;

    /// A duplicate for another process, which owns the socket's file from now on.
    base::Result<OwnedFd> hand_over();

    Endpoint local() const override;
    void pause() override;
    void resume() override;

private:
    TcpListener(World& world, OwnedFd fd, AcceptFunction accepted);
    void on_fd_events(bool readable, bool writable, bool hangup) override;
    void on_expired() override { accept_some(); }
    void own_socket_file(const std::string& path);
    void accept_some();
    bool go_on_after(int error_number);
    bool drop_one();

    World& world_;
    OwnedFd fd_;
    OwnedFd reserve_;  // Given up for a moment when no other descriptor is left.
    AcceptFunction accepted_;
    std::optional<FdWatch> watch_;
    std::string unix_path_;  // Removed with us while it is still ours.
    dev_t unix_device_ = 0;
    ino_t unix_inode_ = 0;
    bool* destroyed_ = nullptr;  // Set while `accepted_` runs.
    bool paused_ = false;
    bool short_of_descriptors_ = false;
};

}  // namespace reactor
