// ClientSession: one client connection from accept to close (RFC 6120 §4, §8). Owns the stream;
// while the client negotiates, a Negotiation decides; afterwards the session checks and stamps what
// the client sends, queues what it is sent, and keeps it alive (XEP-0199 §4.2).
//
// How it ends: `close` (or the client, or a broken connection) stops the reading; once all that is
// queued is written, or cannot be any more, the resource is withdrawn and unwritten messages are
// given back; once the connection is closed the service destroys it. Each is a step of its own.
#pragma once

#include "reactor/timers.h"
#include "server/routing/router.h"
#include "server/sessions/client_context.h"
#include "server/sessions/unwritten.h"

#include <memory>
#include <string>
#include <string_view>

namespace server {

class HeldStanzas;
class Negotiation;

class ClientSession final : public SessionSink,
                            private XmlStreamOwner,
                            private CongestionObserver,
                            private reactor::Timer {
public:
    ClientSession(ClientContext& context, SessionId id,
                  std::unique_ptr<reactor::ByteStream> connection, ClientTransport transport,
                  std::optional<AddressKey> address);
    /// Takes over a client that logged in on another shard, and tells it so.
    ClientSession(ClientContext& context, SessionId id, Arrival arrival);
    ClientSession(const ClientSession&) = delete;
    ClientSession& operator=(const ClientSession&) = delete;
    /// Withdraws the resource if that has not happened.
    ~ClientSession() override;

    void start() { stream_.start(); }

    // SessionSink
    void deliver(xmpp::Stanza stanza) override;
    void deliver_stored(xmpp::Stanza stanza) override;
    reactor::Deferred<void> flushed() override;
    void close(xmpp::StreamError error) override;
    SessionInfo info() const override;

    SessionId id() const { return id_; }
    bool bound() const { return state_ == State::bound; }
    /// Neither closing nor closed.
    bool open() const { return state_ == State::negotiating || state_ == State::bound; }
    const xmpp::Jid& jid() const { return jid_; }
    const std::optional<AddressKey>& address() const { return address_; }

    /// Removes the resource from its account now, its presence first; unwritten messages follow
    /// when the stream is done with them. Not from inside a call to `deliver`.
    void withdraw();
    /// The later step that `SessionKeeper::settle_later` brings about. True: destroy it.
    bool settle();
    /// Cuts the connection without a word.
    void abort(StreamEnd how);

    // --- for Negotiation

    ClientContext& context() { return context_; }
    XmlStream& stream() { return stream_; }
    /// Numeric, with port; empty when there is none any more.
    std::string peer_text() const;
    /// False from a stream restart to our next header.
    void set_header_sent(bool sent) { header_sent_ = sent; }
    void set_lang(std::string_view lang);
    void set_account(xmpp::Jid bare, std::string mechanism);
    /// The resource that is being asked for; it is withdrawn when the session ends.
    void set_resource(xmpp::Jid full) { jid_ = std::move(full); }
    /// The resource is bound and the client knows it.
    void enter_bound();
    /// When `on_deadline` strikes; replaces the one before.
    void set_deadline(base::MonotonicTime deadline);
    /// Sends bytes that are no stanza, or the answer to one.
    void send(std::string_view text);
    void send(const xmpp::Element& element);
    /// Ends the stream with an error, after a header of ours if it had none (RFC 6120 §4.9.1.2).
    void fail(const xmpp::StreamError& error);
    /// Ends the stream with the closing tag alone, after `last`.
    void end_stream(std::string_view last, StreamEnd how);
    /// Hands the client over; nothing happens on the wire. Null when the connection is gone.
    std::shared_ptr<Arrival> pack(std::optional<std::string> final_data);
    /// It has arrived elsewhere.
    void moved();
    bool has_moved() const { return moved_; }

private:
    enum class State : std::uint8_t { negotiating, bound, closing, finished };

    // XmlStreamOwner
    void on_bytes(std::size_t count) override;
    void on_stream_open(const xmpp::StreamOpen& open) override;
    void on_element(xmpp::StanzaElement element) override;
    void on_stream_close() override;
    void on_parse_error(const xmpp::StreamError& error) override;
    void on_tls_started() override;
    void on_written() override;
    void on_connection_lost(const base::Failure& why) override;
    void on_finished() override;
    void on_idle() override;

    void on_uncongested() override;
    void on_expired() override;

    // Inbound (client_inbound.cpp).
    void take_in(xmpp::StanzaElement element);
    bool has_own_from(const xmpp::Element& element) const;
    void submit(xmpp::Stanza stanza);
    bool answered_here(xmpp::Stanza& stanza);
    bool take_client_state(const xmpp::Element& element);
    void refuse_element(const xmpp::Element& element);
    void pause_for(base::Duration wait);

    void on_deadline();
    void ping();
    void arm_timer();
    void start_closing();
    void limit_queue();
    void overflow();
    void give_back();
    void forget_anonymous();
    void queue(const xmpp::Stanza& stanza);
    void write(xmpp::StanzaKind kind, std::string_view xml);
    bool hold_back(const xmpp::Stanza& stanza);
    void release_held();
    Unwritten& unwritten();

    ClientContext& context_;
    SessionId id_;
    XmlStream stream_;
    std::unique_ptr<Negotiation> negotiation_;  // Gone once bound.
    std::unique_ptr<Unwritten> unwritten_;
    std::unique_ptr<HeldStanzas> held_;  // While the client is inactive (XEP-0352).
    std::unique_ptr<std::vector<xmpp::Stanza>> returned_;  // Came too late, for give_back.
    xmpp::Jid jid_;  // Bare after login, full from binding on.
    std::string lang_;
    std::string mechanism_;
    std::optional<AddressKey> address_;
    base::WallTime connected_at_;
    base::MonotonicTime active_at_;
    base::MonotonicTime deadline_;
    base::MonotonicTime resume_at_;  // Zero: not paused.
    std::uint64_t counted_out_ = 0;
    Pace stanza_pace_;
    Pace byte_pace_;
    std::uint32_t ping_number_ = 0;
    State state_ = State::negotiating;
    bool header_sent_ = false;
    bool ping_sent_ = false;
    bool withdrawn_ = false;
    bool overflowed_ = false;
    bool congested_ = false;
    bool moved_ = false;
};

}  // namespace server
