// Connection: one XML stream of a client over one ByteStream: reads and parses within a budget per
// turn, writes what gathered during a turn at its end, upgrades to TLS. An idle one holds no buffer
// and no parser. Knows nothing of what the elements mean.
//
// Calls to the owner come from the loop, never from inside a call on the connection, and the owner
// may destroy the connection from them.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/outbound_buffer.h"
#include "reactor/reactor.h"
#include "reactor/ready_queue.h"
#include "reactor/stream.h"
#include "reactor/tls.h"
#include "server/sessions/idle_parsers.h"
#include "tests/bots/client/client_shared_impl.h"
#include "tests/bots/client/lifetime.h"
#include "xmpp/xml/parser.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace bots {

class ConnectionOwner {
public:
    virtual void on_stream_open(const xmpp::StreamOpen& open) = 0;
    virtual void on_element(xmpp::StanzaElement element) = 0;
    /// The server's closing tag. Nothing follows but on_lost.
    virtual void on_stream_close() = 0;
    /// The connection is over, or what came is no XML stream (connection_aborted; the server was
    /// told). Once; the connection is good for destruction only.
    virtual void on_lost(base::Failure why) = 0;
    /// Nothing was read or sent for a while. True when something was sent now.
    virtual bool on_quiet() = 0;

protected:
    ~ConnectionOwner() = default;
};

/// Bytes that one connection reads in one turn before others have theirs.
inline constexpr std::size_t kReadTurnMax = 65'536;

class Connection final : private reactor::StreamObserver,
                         private reactor::TurnEnd,
                         private reactor::ReadyItem,
                         private server::IdleParsers::Entry {
public:
    /// `stream` must be attached to the shard's loop; reading begins at once.
    Connection(ClientShared::Impl& shared, ConnectionOwner& owner,
               std::unique_ptr<reactor::ByteStream> stream);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    /// Closes in an orderly way, unless aborted.
    ~Connection() override;

    /// Puts TLS under the stream; everything from now on goes through it. Precondition: nothing
    /// waits to be written.
    /// `session`: of TLS with this server, to be resumed.
    void start_tls(std::string server_name,
                   std::unique_ptr<reactor::TlsSession> session = nullptr);
    /// Null without TLS.
    reactor::TlsStream* tls() const noexcept { return tls_; }

    /// The next thing to come is a new stream header.
    void restart() { parser_.reset(); }
    /// False: bytes that are no white space came behind the element being handled.
    bool drop_white_space() noexcept;

    /// Queues; written at the end of the turn.
    void send(std::string_view bytes);
    void send(base::SharedBytes bytes);
    /// Writes what the connection takes now.
    void flush();
    std::size_t queued_bytes() const noexcept { return outbound_.size_bytes(); }

    void pause(bool paused);
    /// Resets the connection; on_lost does not come.
    void abort();

private:
    void on_ready(reactor::Interest interest) override;
    void on_turn_end() override { flush(); }
    void run() override;
    bool release_parser() override;

    void pump();
    bool hand_out(const Lifetime::Watch& watch);
    void refuse(const xmpp::StreamError& error);
    void lose(base::Failure why);

    ClientShared::Impl& shared_;
    ConnectionOwner& owner_;
    std::unique_ptr<reactor::ByteStream> stream_;
    reactor::TlsStream* tls_ = nullptr;
    xmpp::StreamParser parser_;
    reactor::OutboundQueue outbound_;
    Lifetime lifetime_;
    std::optional<base::Failure> broken_;  // A write failed; to be told from the loop.
    bool write_blocked_ = false;
    bool paused_ = false;
    bool parse_ended_ = false;
    bool lost_ = false;
};

}  // namespace bots
