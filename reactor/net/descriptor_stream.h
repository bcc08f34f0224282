// DescriptorStream: pipes, terminals and files as a ByteStream; one descriptor to read from and one
// to write to, either of which may be missing. Also the base of UnixStream. Sockets of a Network
// are TcpStreams, which are leaner.
#pragma once

#include "reactor/base/result.h"
#include "reactor/fd_watch.h"
#include "reactor/owned_fd.h"
#include "reactor/ready_signal.h"
#include "reactor/stream.h"

#include <optional>
#include <string>

struct iovec;

namespace reactor {

class DescriptorStream : public ByteStream {
public:
    /// Both must be non-blocking. Reading without an `input` is end_of_stream, writing without an
    /// `output` fails with `closed`. One descriptor for both: give it as `input` and `both` true.
    /// `name` is what peer() and local() say.
    DescriptorStream(World& world, OwnedFd input, OwnedFd output, std::string name,
                     bool both = false);
    ~DescriptorStream() override;

    IoResult try_read(std::span<std::byte> into) override;
    IoResult try_writev(std::span<const ConstBuffer> buffers) override;
    void set_observer(StreamObserver* observer) override { signal_.set_observer(observer); }
    void arm(Interest interest) override;
    void disarm(Interest interest) override { signal_.disarm(interest); }
    /// Closes `output`: the reader of a pipe sees its end.
    void shutdown_write() override;
    void close() override;
    void abort() override { close(); }
    Endpoint peer() const override { return {name_, 0}; }
    Endpoint local() const override { return {name_, 0}; }
    void detach() override;
    void attach(World& world) override;

protected:
    /// As read(2) and writev(2), with errno. Never blocks, never raises SIGPIPE.
    virtual long read_some(int fd, std::span<std::byte> into);
    virtual long write_some(int fd, std::span<iovec> parts);
    /// Ends the writing direction of a descriptor used for both.
    virtual void shut_both(int /*fd*/) {}
    int input_fd() const noexcept { return input_.get(); }
    void fail_with(base::Errc error) noexcept { broken_ = error; }

private:
    class Side final : public FdObserver {
    public:
        Side(DescriptorStream& owner, bool reads, bool writes) noexcept
            : owner_(owner), reads_(reads), writes_(writes) {}

    private:
        void on_fd_events(bool readable, bool writable, bool hangup) override;
        DescriptorStream& owner_;
        bool reads_;
        bool writes_;
    };
    void watch(World& world);
    int output_fd() const noexcept { return both_ ? input_.get() : output_.get(); }

    OwnedFd input_;
    OwnedFd output_;
    std::string name_;
    bool both_;
    bool readable_ = true;  // Worth a try: fell on EAGAIN only, rises with an event.
    bool writable_ = true;
    bool write_shut_ = false;
    bool closed_ = false;
    bool always_ready_ = false;  // A regular file, which epoll refuses to watch.
    std::optional<base::Errc> broken_;
    Side input_side_{*this, true, both_};
    Side output_side_{*this, false, true};
    std::optional<FdWatch> input_watch_;  // None while detached.
    std::optional<FdWatch> output_watch_;
    ReadySignal signal_;
};

/// Standard input and output of this process as one stream. What they refer to is reopened where
/// the kernel allows it, so that O_NONBLOCK does not leak to the shell or to other processes that
/// share them; where it does not, the flag is restored when the stream goes.
/// invalid_argument: not open. One at a time.
base::Result<std::unique_ptr<ByteStream>> stdio_stream(World& world);
/// The same for any two descriptors, which stay the caller's.
base::Result<std::unique_ptr<ByteStream>> stdio_stream(World& world, int input, int output);

}  // namespace reactor
