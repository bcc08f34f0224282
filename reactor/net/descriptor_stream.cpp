#include "reactor/net/descriptor_stream.h"

#include "reactor/base/check.h"
#include "reactor/gathered_parts.h"
#include "reactor/world.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace reactor {
namespace {

constexpr IoResult kWouldBlock{.status = IoStatus::would_block, .maybe_more = false};
constexpr IoResult kClosed{
    .status = IoStatus::failed, .error = base::Errc::closed, .maybe_more = false};

base::Errc error_of(int error_number) {
    switch (error_number) {
        case ENOSPC:
        case EDQUOT:
            return base::Errc::no_space;
        case EIO:
            return base::Errc::io_error;
        case ENOMEM:
        case ENOBUFS:
            return base::Errc::resource_exhausted;
        default:
            return base::Errc::connection_lost;
    }
}

/// Writing to a pipe that nobody reads raises SIGPIPE, which must not end the process, whatever its
/// disposition: blocked for the call, and taken off this thread if the call raised it.
class NoSigpipe {
public:
    NoSigpipe() noexcept {
        sigset_t pending;
        sigemptyset(&pending);
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        sigset_t pipe_only;
        sigemptyset(&pipe_only);
        sigaddset(&pipe_only, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_only, &before_);
    }
    NoSigpipe(const NoSigpipe&) = delete;
    NoSigpipe& operator=(const NoSigpipe&) = delete;
    ~NoSigpipe() {
        const int saved = errno;
        if (raised_ && !was_pending_) {
            sigset_t pipe_only;
            sigemptyset(&pipe_only);
            sigaddset(&pipe_only, SIGPIPE);
            const timespec none{};
            sigtimedwait(&pipe_only, nullptr, &none);
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = saved;
    }
    void raised() noexcept { raised_ = true; }

private:
    sigset_t before_{};
    bool was_pending_ = false;
    bool raised_ = false;
};

}  // namespace

DescriptorStream::DescriptorStream(World& world, OwnedFd input, OwnedFd output, std::string name,
                                   bool both)
    : input_(std::move(input)), output_(std::move(output)), name_(std::move(name)), both_(both) {
    watch(world);
}

DescriptorStream::~DescriptorStream() {
    DescriptorStream::close();
}

void DescriptorStream::watch(World& world) {
    if (input_) input_watch_.emplace(world.reactor, input_.get(), input_side_);
    if (output_) output_watch_.emplace(world.reactor, output_.get(), output_side_);
    for (const auto* each : {&input_watch_, &output_watch_}) {
        if (!*each || (*each)->error() == 0) continue;
        if ((*each)->error() != EPERM) {
            broken_ = base::Errc::resource_exhausted;
        } else {
            always_ready_ = true;
        }
    }
}

long DescriptorStream::read_some(int fd, std::span<std::byte> into) {
    return ::read(fd, into.data(), into.size());
}

long DescriptorStream::write_some(int fd, std::span<iovec> parts) {
    NoSigpipe guard;
    const ssize_t count = ::writev(fd, parts.data(), static_cast<int>(parts.size()));
    if (count < 0 && errno == EPIPE) guard.raised();
    return count;
}

IoResult DescriptorStream::try_read(std::span<std::byte> into) {
    if (closed_) return kClosed;
    if (broken_) return {.status = IoStatus::failed, .error = *broken_, .maybe_more = false};
    if (!input_) return {.status = IoStatus::end_of_stream, .maybe_more = false};
    if (into.empty()) return {};
    if (!readable_) return kWouldBlock;
    long count = 0;
    do {
        count = read_some(input_.get(), into);
    } while (count < 0 && errno == EINTR);
    if (broken_) return {.status = IoStatus::failed, .error = *broken_, .maybe_more = false};
    if (count > 0) return {.bytes = static_cast<std::size_t>(count)};
    // A terminal whose other side is gone says EIO.
    if (count == 0 || (errno == EIO && ::isatty(input_.get()) == 1))
        return {.status = IoStatus::end_of_stream, .maybe_more = false};
    if (errno != EAGAIN)
        return {.status = IoStatus::failed, .error = error_of(errno), .maybe_more = false};
    readable_ = false;
    return kWouldBlock;
}

IoResult DescriptorStream::try_writev(std::span<const ConstBuffer> buffers) {
    if (closed_ || write_shut_ || output_fd() < 0) return kClosed;
    if (broken_) return {.status = IoStatus::failed, .error = *broken_, .maybe_more = false};
    GatheredParts gathered(buffers);
    if (gathered.bytes() == 0) return {};
    if (!writable_) return kWouldBlock;
    long count = 0;
    do {
        count = write_some(output_fd(), gathered.parts());
    } while (count < 0 && errno == EINTR);
    if (count >= 0) {
        const auto bytes = static_cast<std::size_t>(count);
        return {.bytes = bytes, .maybe_more = bytes == gathered.bytes()};
    }
    if (errno != EAGAIN)
        return {.status = IoStatus::failed, .error = error_of(errno), .maybe_more = false};
    writable_ = false;
    return kWouldBlock;
}

void DescriptorStream::arm(Interest interest) {
    signal_.arm(interest);
    const bool is_ready = interest == Interest::readable
                              ? readable_ || !input_
                              : writable_ || write_shut_ || output_fd() < 0;
    if (is_ready || closed_ || broken_ || always_ready_) signal_.owe(interest);
}

void DescriptorStream::Side::on_fd_events(bool readable, bool writable, bool hangup) {
    DescriptorStream& stream = owner_;
    const bool reads = reads_;
    const bool writes = writes_;
    if (reads && (readable || hangup)) stream.readable_ = true;
    if (writes && (writable || hangup)) stream.writable_ = true;
    if (reads && (readable || hangup) && !stream.signal_.deliver(Interest::readable)) return;
    if (writes && (writable || hangup)) (void)stream.signal_.deliver(Interest::writable);
}

void DescriptorStream::shutdown_write() {
    if (closed_ || write_shut_) return;
    write_shut_ = true;
    if (both_) return shut_both(input_.get());
    output_watch_.reset();
    output_.reset();
}

void DescriptorStream::close() {
    closed_ = true;
    input_watch_.reset();
    output_watch_.reset();
    input_.reset();
    output_.reset();
    signal_.reset();
}

void DescriptorStream::detach() {
    signal_.reset();
    input_watch_.reset();
    output_watch_.reset();
}

void DescriptorStream::attach(World& world) {
    CHECK(!input_watch_ && !output_watch_);
    if (closed_) return;
    readable_ = writable_ = true;
    watch(world);
}

}  // namespace reactor
