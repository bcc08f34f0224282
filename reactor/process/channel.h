// ipc::Channel: messages between two processes (or two ends of any ByteStream): framed, bounded,
// with requests and replies, and with file descriptors where the stream is a UnixStream.
//
// A frame: u32 length of the body, u8 kind (0 message, 1 request, 2 reply, 3 refusal), u8 number of
// descriptors, u16 zero, u64 request number; then the body. Integers in little-endian order.
#pragma once

#include "reactor/net/unix_stream.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace reactor::ipc {

struct Message {
    std::string bytes;
    std::vector<OwnedFd> descriptors = {};
};

struct ChannelOptions {
    std::size_t message_bytes_max = 1'048'576;
    std::size_t unsent_bytes_max = 8'388'608;
    std::size_t requests_max = 1024;   ///< Ours that wait for a reply; and theirs under way.
    std::size_t descriptors_max = 16;  ///< In one message; at most UnixStream::kPerMessageMax.
    base::Duration request_timeout = std::chrono::seconds(30);
};

class Channel final : private StreamObserver, private TurnEnd {
public:
    /// May destroy the Channel.
    using OnMessage = base::UniqueFunction<void(Message)>;
    /// The reply, or a failure, whose text the other side gets (as Errc::io_error). Stored until
    /// the Channel goes; its Deferreds are dropped with the Channel.
    using OnRequest = base::UniqueFunction<Deferred<Message>(Message)>;

    Channel(World& world, std::unique_ptr<UnixStream> stream, ChannelOptions options = {});
    /// Without descriptors: a memory pipe, TCP, TLS. Sending some fails with `unsupported`.
    Channel(World& world, std::unique_ptr<ByteStream> stream, ChannelOptions options = {});
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    /// Unsent messages are lost; requests under way fail with `closed`.
    ~Channel();

    /// Set both before the first turn; without them messages are dropped (logged as
    /// "ipc.unexpected") and requests refused.
    void on_message(OnMessage function) { on_message_ = std::move(function); }
    void on_request(OnRequest function) { on_request_ = std::move(function); }

    /// Errors: closed (the channel ended), queue_full (unsent_bytes_max), invalid_argument (too
    /// long, too many descriptors), unsupported. A refused message keeps nothing.
    base::Result<void> send(Message message);
    /// Sends and waits for the reply. Also fails with timed_out (a late reply is dropped),
    /// queue_full (requests_max), io_error (the other side failed; its text), and with what ended
    /// the channel. Dropping it forgets the reply.
    Deferred<Message> request(Message message, std::optional<base::Duration> timeout = {});

    /// Settles with the reason when the channel ends: connection_done (the other side closed),
    /// connection_lost, corrupt (a frame that breaks the rules: the channel closes).
    Deferred<base::Failure> when_ended();
    const std::optional<base::Failure>& ended() const noexcept { return ended_; }
    /// Ends it from this side: what the kernel takes now is still sent.
    void close();
    std::size_t unsent_bytes() const noexcept { return unsent_bytes_; }

private:
    enum class Kind : std::uint8_t { message, request, reply, refusal };
    struct Frame {
        std::string bytes;
        std::size_t sent = 0;
        std::vector<OwnedFd> descriptors;
    };
    struct Header {
        std::uint32_t length;
        Kind kind;
        std::size_t descriptors;
        std::uint64_t number;
    };

    void on_ready(Interest interest) override;
    void on_turn_end() override { flush(); }
    base::Result<void> enqueue(Kind kind, std::uint64_t number, Message message);
    void flush();
    IoResult write_front();
    void receive();
    bool take_frames();
    void deliver(const Header& header, Message message);
    void answer(std::uint64_t number, Message message);
    Deferred<void> reply_to(std::uint64_t number, Deferred<Message> work);
    void end(base::Failure reason);

    World& world_;
    std::unique_ptr<ByteStream> stream_;
    UnixStream* unix_ = nullptr;  // The same, if it carries descriptors.
    ChannelOptions options_;
    OnMessage on_message_;
    OnRequest on_request_;
    std::deque<Frame> unsent_;
    std::size_t unsent_bytes_ = 0;
    std::string received_;
    std::uint64_t next_number_ = 1;
    std::map<std::uint64_t, Promise<Message>> requests_;
    std::optional<base::Failure> ended_;
    std::vector<Promise<base::Failure>> enders_;
    bool* destroyed_ = nullptr;  // Set while a function of the user runs.
    TaskSet replies_;
};

}  // namespace reactor::ipc
