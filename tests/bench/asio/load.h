// The load for the servers under comparison: plain sockets and one epoll set, so that nothing that
// is compared loads itself.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// Connections to an echo server, each with one message of 64 bytes on its way.
class EchoLoad {
public:
    EchoLoad(std::uint16_t port, std::size_t connections);
    EchoLoad(const EchoLoad&) = delete;
    EchoLoad& operator=(const EchoLoad&) = delete;
    ~EchoLoad();

    /// Round trips made in so many seconds.
    std::uint64_t run(double seconds);

private:
    struct Connection {
        int fd = -1;
        std::size_t missing = 0;  ///< Bytes of the answer that have not come yet.
    };
    void send_message(Connection& connection);
    bool take_answer(Connection& connection);

    int epoll_ = -1;
    bool started_ = false;
    std::vector<Connection> connections_;
};

/// Connections on which one message went to and fro, and then nothing.
class IdleLoad {
public:
    IdleLoad(std::uint16_t port, std::size_t connections, bool tls);
    IdleLoad(const IdleLoad&) = delete;
    IdleLoad& operator=(const IdleLoad&) = delete;
    ~IdleLoad();

private:
    std::vector<int> fds_;
};

}  // namespace bench
