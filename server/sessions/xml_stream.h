// XmlStream: one XML stream over one connection (RFC 6120 §4): reads and parses within a budget per
// turn, writes what gathered during a turn at its end, upgrades to TLS, restarts, closes in order.
// Knows nothing of what the elements mean: that is its owner's business.
//
// Calls to the owner come from the loop, never from inside a call on the stream, and the owner may
// not destroy the stream from them: it marks itself and is removed in a later step.
#pragma once

#include "reactor/outbound_buffer.h"
#include "reactor/reactor.h"
#include "reactor/ready_queue.h"
#include "reactor/stream.h"
#include "reactor/tls.h"
#include "server/sessions/idle_parsers.h"
#include "xmpp/core/error.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/parser_pool.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace server {

/// What the streams of one shard share. Outlives them.
struct StreamShared {
    explicit StreamShared(reactor::Reactor& of) : reactor(of), idle(of) {}

    reactor::Reactor& reactor;
    IdleParsers idle;
    xmpp::ParserPool parsers;
    /// Every read of the shard goes here first; nobody keeps bytes in it.
    std::array<std::byte, 65'536> read_buffer;
};

/// Bytes that one stream reads in one turn before others have theirs.
inline constexpr std::size_t kReadTurnMax = 65'536;
/// Bytes that a closing stream takes from its peer, to be thrown away, before it is cut.
inline constexpr std::size_t kDiscardMax = 1'048'576;

class XmlStreamOwner {
public:
    virtual void on_bytes(std::size_t count) = 0;  ///< Read just now; before what they contain.
    virtual void on_stream_open(const xmpp::StreamOpen& open) = 0;
    virtual void on_element(xmpp::StanzaElement element) = 0;
    /// The peer's closing tag. Nothing more is parsed.
    virtual void on_stream_close() = 0;
    /// What the peer sent is no XML stream; to be answered with this error.
    virtual void on_parse_error(const xmpp::StreamError& error) = 0;
    /// The upgrade that `start_tls` asked for has begun.
    virtual void on_tls_started() = 0;
    /// What was queued in this turn is about to be written: a last word may be added.
    virtual void on_flush() {}
    /// Bytes went out; see written_total().
    virtual void on_written() = 0;
    /// The peer closed its side or the connection broke. Once, and only before `finish`.
    virtual void on_connection_lost(const base::Failure& why) = 0;
    /// After `finish`: the connection is closed, nothing follows. Not after `abort`.
    virtual void on_finished() = 0;
    /// Nothing was read or sent for a while: memory that can be had back should be.
    virtual void on_idle() = 0;

protected:
    ~XmlStreamOwner() = default;
};

/// A stream on its way to another shard.
struct DetachedStream {
    std::unique_ptr<reactor::ByteStream> connection;
    reactor::TlsStream* tls = nullptr;  ///< `connection` as what it is, or null.
    xmpp::StreamParser parser;          ///< With the bytes that came too early.
    reactor::OutboundQueue outbound;
};

class XmlStream final : private reactor::StreamObserver,
                        private reactor::TurnEnd,
                        private reactor::ReadyItem,
                        private IdleParsers::Entry {
public:
    /// `connection` must be attached to the shard's loop. Reading begins with `start`.
    XmlStream(StreamShared& shared, XmlStreamOwner& owner,
              std::unique_ptr<reactor::ByteStream> connection, const xmpp::ParserLimits& limits);
    /// Takes over a stream that was detached on another shard.
    XmlStream(StreamShared& shared, XmlStreamOwner& owner, reactor::World& world,
              DetachedStream arrived);
    XmlStream(const XmlStream&) = delete;
    XmlStream& operator=(const XmlStream&) = delete;
    ~XmlStream() override;

    /// Without a connection, as after `abort`: until `adopt`.
    XmlStream(StreamShared& shared, XmlStreamOwner& owner);

    void start();

    /// Takes over a stream that was detached, in place of the connection that is gone. Nothing is
    /// held. Precondition: `abort` was called, or there never was a connection.
    void adopt(reactor::World& world, DetachedStream arrived);

    /// Puts TLS under the stream, right away; for ports that speak it from the first byte.
    void wrap_in_tls(std::shared_ptr<const reactor::TlsServerContext> context);
    /// STARTTLS: sends `proceed` in the clear, then upgrades and expects a new stream header.
    /// Precondition: pending_bytes() == 0.
    void start_tls(std::string_view proceed,
                   std::shared_ptr<const reactor::TlsServerContext> context);
    /// Null without TLS.
    reactor::TlsStream* tls() const noexcept { return tls_; }

    /// The next thing to come is a new stream header (RFC 6120 §4.3.3).
    void restart() { parser_.reset(); }
    void set_limits(const xmpp::ParserLimits& limits) { parser_.set_limits(limits); }
    /// Bytes that came behind the element being handled.
    std::size_t pending_bytes() const noexcept { return parser_.pending_bytes(); }
    /// Drops pending bytes that are white space; false: there is something else.
    bool drop_white_space() noexcept {
        if (!parser_.pending_is_white_space()) return false;
        parser_.discard_pending();
        return true;
    }

    /// Queues; written at the end of the turn. Ignored after `finish`.
    void send(std::string_view bytes);
    void send(base::SharedBytes bytes);
    /// Writes what the connection takes without waiting for the end of the turn. The one call that
    /// may call the owner (on_written, on_connection_lost) from inside.
    void flush_now() { flush(); }
    /// Asks for `on_flush` at the end of the turn even if nothing is queued.
    void flush_later() { shared_.reactor.at_turn_end(*this); }
    std::size_t queued_bytes() const noexcept { return outbound_.size_bytes(); }
    /// Bytes queued and bytes handed to the operating system since the beginning.
    std::uint64_t queued_total() const noexcept { return written_total_ + outbound_.size_bytes(); }
    std::uint64_t written_total() const noexcept { return written_total_; }
    /// Forgets what is queued behind `total` (as of queued_total()).
    void truncate(std::uint64_t total);

    /// Reasons not to read. While one holds, nothing is read and no element is handed out.
    enum class Hold : std::uint8_t {
        task = 1,
        rate = 2,
        congestion = 4,
        upgrade = 8,
        storing = 16,
    };
    void hold(Hold reason) noexcept { holds_ |= static_cast<std::uint8_t>(reason); }
    /// Handing out goes on in a later step.
    void release(Hold reason);
    bool held() const noexcept { return holds_ != 0; }

    /// The end of the stream: sends `last` (an error, the closing tag), takes nothing more from the
    /// peer, and closes the connection once everything is written and the peer has closed too; how
    /// long to wait for that is the owner's to say (`abort`).
    void finish(std::string_view last);
    bool finishing() const noexcept { return state_ != State::open; }
    /// Closes at once. No-op when finished.
    void abort();
    /// Closes without a word on the stream: TLS says goodbye, the client may resume.
    void close();

    /// Leaves this shard's loop; this object is good for destruction only. Null when the connection
    /// is not open any more.
    std::unique_ptr<DetachedStream> detach();

    const reactor::ByteStream* connection() const noexcept { return connection_.get(); }

private:
    enum class State : std::uint8_t { open, finishing, finished };

    void on_ready(reactor::Interest interest) override;
    void on_turn_end() override;
    void run() override;
    bool release_parser() override;

    void cut(void (reactor::ByteStream::*how)());
    void pump();
    void take_in(std::size_t bytes);
    bool hand_out();
    void dispatch(xmpp::ParserEvent& event);
    void discard();
    void flush();
    void after_flush();
    void lose(base::Failure why);
    void end();

    StreamShared& shared_;
    XmlStreamOwner& owner_;
    std::unique_ptr<reactor::ByteStream> connection_;
    reactor::TlsStream* tls_ = nullptr;
    xmpp::StreamParser parser_;
    reactor::OutboundQueue outbound_;
    std::shared_ptr<const reactor::TlsServerContext> upgrade_;
    std::uint64_t written_total_ = 0;
    std::uint32_t turn_bytes_ = 0;  // Read in this turn, or discarded so far when finishing.
    State state_ = State::open;
    std::uint8_t holds_ = 0;
    bool write_blocked_ = false;
    bool peer_closed_ = false;
    bool write_closed_ = false;
    bool parse_ended_ = false;
};

}  // namespace server
