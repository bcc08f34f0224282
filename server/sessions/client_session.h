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
#include "server/sessions/outbound_order.h"
#include "server/sessions/resumable_sessions.h"
#include "server/sessions/stream_management.h"
#include "server/sessions/unwritten.h"
#include "storage/tables/sm_sessions.h"

#include <memory>
#include <string>
#include <string_view>

namespace xmpp {
struct SmEnable;
}

namespace server {

class HeldStanzas;
class Negotiation;
struct SavedSession;

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
    /// A session that was saved before a restart, without a connection until its client resumes it.
    ClientSession(ClientContext& context, SessionId id, xmpp::Jid full, const SavedSession& saved,
                  std::unique_ptr<StreamManagement> management);
    ClientSession(const ClientSession&) = delete;
    ClientSession& operator=(const ClientSession&) = delete;
    /// Withdraws the resource if that has not happened.
    ~ClientSession() override;

    void start() { stream_.start(); }

    // SessionSink
    void deliver(xmpp::Stanza stanza) override;
    void deliver_copy(const xmpp::Stanza& copy, const base::SharedBytes& shared) override;
    void deliver_stored(xmpp::Stanza stanza) override;
    reactor::Deferred<void> flushed() override;
    Place reserve() override;
    void fill(std::uint64_t place, xmpp::Stanza message, storage::MessageId id,
              bool shared) override;
    void give_up(std::uint64_t place) override;
    void placed(std::uint32_t taken) override;
    void settled(std::uint32_t taken, bool stored) override;
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

    // --- stream management (XEP-0198)

    /// Null when it is off.
    StreamManagement* management() { return sm_.get(); }
    bool detached() const { return detached_; }
    /// Whether the address of a connection is to be given back when the session goes.
    bool counts() const { return counts_; }
    /// What the client sent is being stored, or its count is; or a request that it sent is not
    /// answered, unless that took too long.
    bool counts_pending();
    /// What the client of `owner`'s stream has need not be kept for it any more.
    static base::Result<void> forget(storage::Transaction& transaction, const xmpp::Jid& owner,
                                     storage::SmSessionKey key,
                                     const StreamManagement::Acknowledged& gone);
    /// The client has them.
    void take_acknowledged(StreamManagement::Acknowledged acknowledged);
    /// Who will resume it; the last one that asked.
    void set_successor(SessionId session) { successor_ = session; }
    SessionId successor() const { return successor_; }
    /// The old connection, if there is one, is told that another one takes its place.
    void give_up_connection();
    /// Goes on over the connection of `from`, which has logged in as the same account.
    void resume(DetachedStream stream, const ClientSession& from);
    /// Before a restart: no more is read; all there is to save, nullopt when it cannot be resumed;
    /// and the end of the connection.
    void stop_reading() { stream_.hold(XmlStream::Hold::task); }
    bool can_suspend() const { return can_detach() || (detached_ && state_ == State::bound); }
    struct Saved {
        storage::SmSessionKey key = 0;
        std::uint32_t taken = 0;
        std::string state;
    };
    std::optional<Saved> save();
    /// It was sent something since it was saved, and has not got it: save it once more.
    bool outdated() const { return outdated_; }
    /// A restored session that cannot be bound: as if it had not been restored.
    void drop();
    /// `taken`: the count that was saved; nullopt when it was not.
    void suspend(std::optional<std::uint32_t> taken);

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
    /// Sends what came for the resource while the client did not know yet that it is its own.
    void send_early() { send_ordered(); }
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
    void on_flush() override;
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
    void submit_counted(Account& account, Resource& resource, xmpp::Stanza stanza);
    void settle_after_edits(std::uint32_t number);
    void being_stored(std::size_t bytes);
    void stored_one();
    void read_on();
    void settle(std::uint32_t number);
    bool is_set_for_us(const xmpp::Stanza& stanza) const;
    bool answered_here(xmpp::Stanza& stanza);
    bool take_client_state(const xmpp::Element& element);
    void refuse_element(const xmpp::Element& element);
    void pause_for(base::Duration wait);

    // Stream management (client_stream_management.cpp).
    void on_management(const xmpp::Element& element);
    void enable_management(const xmpp::SmEnable& enable);
    void enabled(const base::Result<storage::SmSessionKey>& key, std::uint64_t place);
    void answer_questions();
    void acknowledge(std::uint32_t count);
    void lose_patience_later();
    void lose_patience();
    void store_count(std::uint32_t count);
    void on_acknowledged(std::uint32_t handled);
    bool has_room() const;
    void ask_later();
    void remember(const OutboundOrder::Item& item);
    void remember(Unacknowledged stanza);
    bool comes_from_server(const xmpp::Stanza& response) const;
    bool returns(const OutboundOrder::Item& item) const;
    bool can_detach() const;
    void detach();
    void expire();
    void end_management();
    void leave_suspended();
    void release_address();
    void take_address(const std::optional<AddressKey>& address);
    Resource* own_resource();
    static reactor::Deferred<void> create_stream(ClientContext& context, SessionId id,
                                                 storage::NewSmSession row, std::uint64_t place);
    static reactor::Deferred<void> write_count(ClientContext& context, SessionId id,
                                               storage::SmSessionKey key, std::uint32_t count);
    /// What the database may forget of one stream.
    struct Forgettable {
        SessionId session = 0;
        xmpp::Jid owner;
        storage::SmSessionKey key = 0;
        StreamManagement::Acknowledged gone;
    };
    static std::vector<Forgettable> take_unsaved(ClientContext& context);
    static reactor::Deferred<void> save_acknowledged(ClientContext& context);
    static reactor::Deferred<void> end_stream_row(ClientContext& context, LostStream ended,
                                                  std::optional<std::uint32_t> taken);

    void on_deadline();
    void ping();
    xmpp::Stanza make_ping();
    void arm_timer();
    void start_closing();
    void limit_queue();
    void overflow();
    void give_back();
    void forget_anonymous();
    void enqueue(OutboundOrder::Item item);
    OutboundOrder& order();
    void limit_order();
    void send_ordered();
    void transmit(OutboundOrder::Item item);
    bool hold_back(const xmpp::Stanza& stanza);
    void release_held();
    Unwritten& unwritten();

    ClientContext& context_;
    SessionId id_;
    XmlStream stream_;
    std::unique_ptr<Negotiation> negotiation_;  // Gone once bound.
    std::unique_ptr<StreamManagement> sm_;
    std::unique_ptr<OutboundOrder> order_;
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
    std::uint64_t next_place_ = 1;
    reactor::Pace stanza_pace_;
    reactor::Pace byte_pace_;
    std::size_t storing_bytes_ = 0;
    std::uint32_t storing_ = 0;  // Messages of the client's that are being stored.
    std::uint32_t ping_number_ = 0;
    State state_ = State::negotiating;
    bool header_sent_ = false;
    bool ping_sent_ = false;
    bool withdrawn_ = false;
    bool overflowed_ = false;
    bool congested_ = false;
    bool storing_much_ = false;
    bool moved_ = false;
    bool detached_ = false;  // Bound, without a connection, until it is resumed.
    bool frozen_ = false;    // Saved: nothing more goes out, so that it stays true.
    bool outdated_ = false;
    bool suspended_ = false;  // Saved for the next start of the server.
    bool counts_ = true;
    SessionId successor_ = 0;
};

}  // namespace server
