#include "reactor/tcp_adopt.h"

#include "reactor/base/text.h"
#include "reactor/tcp_listener.h"
#include "reactor/tcp_stream.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr int kFirstPassedDescriptor = 3;
constexpr std::int64_t kPassedDescriptorsMax = 1024;

Result<void> make_adoptable(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        return fail(Errc::invalid_argument, "descriptor " + std::to_string(fd) +
                                                " is not a socket: " + std::strerror(errno));
    if (type != SOCK_STREAM)
        return fail(Errc::invalid_argument,
                    "descriptor " + std::to_string(fd) + " is not a stream socket");
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail(Errc::io_error, "cannot set the flags of descriptor " + std::to_string(fd));
    return {};
}

bool is_listening(int fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

}  // namespace

Result<std::unique_ptr<Listener>> adopt_listener(World& world, OwnedFd fd, AcceptFunction accepted,
                                                 AdoptOptions options) {
    if (const auto usable = make_adoptable(fd.get()); !usable)
        return std::unexpected(usable.error());
    if (!is_listening(fd.get()))
        return fail(Errc::invalid_argument,
                    "descriptor " + std::to_string(fd.get()) + " does not listen");
    return TcpListener::adopt(world, std::move(fd), options.owns_socket_file, std::move(accepted));
}

Result<std::unique_ptr<ByteStream>> adopt_stream(World& world, OwnedFd fd) {
    if (const auto usable = make_adoptable(fd.get()); !usable)
        return std::unexpected(usable.error());
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&peer), &size) != 0)
        return fail(Errc::invalid_argument,
                    "descriptor " + std::to_string(fd.get()) + " is not connected");
    return std::make_unique<TcpStream>(world, std::move(fd));
}

Result<OwnedFd> hand_over(Listener& listener) {
    auto* kernel_listener = dynamic_cast<TcpListener*>(&listener);
    if (kernel_listener == nullptr)
        return fail(Errc::unsupported, "this listener has no descriptor of the kernel");
    return kernel_listener->hand_over();
}

Result<OwnedFd> take_descriptor(std::unique_ptr<ByteStream> stream) {
    auto* kernel_stream = dynamic_cast<TcpStream*>(stream.get());
    if (kernel_stream == nullptr)
        return fail(Errc::unsupported, "this stream is not a plain socket of the kernel");
    OwnedFd fd = kernel_stream->release_descriptor();
    if (!fd) return fail(Errc::closed, "the stream is closed");
    return fd;
}

Result<std::vector<PassedDescriptor>> passed_descriptors(const char* listen_pid,
                                                         const char* listen_fds,
                                                         const char* listen_names,
                                                         std::int64_t own_pid) {
    std::vector<PassedDescriptor> passed;
    if (listen_pid == nullptr || listen_fds == nullptr) return passed;
    const auto pid = base::parse_integer(listen_pid);
    const auto count = base::parse_integer(listen_fds);
    if (!pid || !count || *count < 0 || *count > kPassedDescriptorsMax)
        return fail(Errc::invalid_argument, "LISTEN_PID or LISTEN_FDS is not a sensible number");
    if (*pid != own_pid) return passed;
    std::vector<std::string_view> names;
    if (listen_names != nullptr) names = base::split(listen_names, ':');
    for (int i = 0; i < static_cast<int>(*count); ++i) {
        const int fd = kFirstPassedDescriptor + i;
        if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
            return fail(Errc::invalid_argument,
                        "descriptor " + std::to_string(fd) + " was announced but not passed");
        const auto index = static_cast<std::size_t>(i);
        passed.push_back({OwnedFd(fd), index < names.size() ? std::string(names[index]) : ""});
    }
    return passed;
}

}  // namespace reactor
