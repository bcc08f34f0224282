#include "tests/bench/asio/load.h"

#include "tests/bench/asio/child.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t kMessageBytes = 64;
constexpr int kEventsMax = 1024;

int connect_to(std::uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(fd >= 0, "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
            "connect");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

}  // namespace

EchoLoad::EchoLoad(std::uint16_t port, std::size_t connections)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), connections_(connections) {
    require(epoll_ >= 0, "epoll_create1");
    for (Connection& connection : connections_) {
        connection.fd = connect_to(port);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &connection;
        require(epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) == 0, "epoll_ctl");
    }
}

EchoLoad::~EchoLoad() {
    for (const Connection& connection : connections_)
        close(connection.fd);
    close(epoll_);
}

void EchoLoad::send_message(Connection& connection) {
    static constexpr std::array<char, kMessageBytes> kMessage{'x'};
    connection.missing = kMessageBytes;
    require(send(connection.fd, kMessage.data(), kMessage.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(kMessageBytes),
            "send");
}

bool EchoLoad::take_answer(Connection& connection) {
    std::array<char, kMessageBytes> answer;
    const ssize_t count = recv(connection.fd, answer.data(), connection.missing, 0);
    require(count > 0, "recv");
    connection.missing -= static_cast<std::size_t>(count);
    return connection.missing == 0;
}

std::uint64_t EchoLoad::run(double seconds) {
    if (!std::exchange(started_, true))
        for (Connection& connection : connections_)
            send_message(connection);
    std::uint64_t round_trips = 0;
    std::array<epoll_event, kEventsMax> events;
    for (const double end = elapsed_seconds() + seconds; elapsed_seconds() < end;) {
        const int count = epoll_wait(epoll_, events.data(), kEventsMax, 1000);
        for (int i = 0; i < count; ++i) {
            auto& connection =
                *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!take_answer(connection)) continue;
            ++round_trips;
            send_message(connection);
        }
    }
    return round_trips;
}

IdleLoad::IdleLoad(std::uint16_t port, std::size_t connections, bool tls) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    require(context != nullptr, "SSL_CTX_new");
    std::array<char, kMessageBytes> message{'x'};
    for (std::size_t i = 0; i < connections; ++i) {
        const int fd = connect_to(port);
        fds_.push_back(fd);
        if (!tls) {
            require(send(fd, message.data(), message.size(), MSG_NOSIGNAL) > 0, "send");
            require(recv(fd, message.data(), message.size(), MSG_WAITALL) > 0, "recv");
            continue;
        }
        SSL* const ssl = SSL_new(context);
        SSL_set_fd(ssl, fd);
        require(SSL_connect(ssl) == 1, "SSL_connect");
        require(SSL_write(ssl, message.data(), static_cast<int>(message.size())) > 0, "SSL_write");
        require(SSL_read(ssl, message.data(), static_cast<int>(message.size())) > 0, "SSL_read");
        SSL_free(ssl);  // The connection stays; only our side forgets its keys.
    }
    SSL_CTX_free(context);
}

IdleLoad::~IdleLoad() {
    for (const int fd : fds_)
        close(fd);
}

}  // namespace bench
