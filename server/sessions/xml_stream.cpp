#include "server/sessions/xml_stream.h"

#include "reactor/base/check.h"

#include <utility>

namespace server {

XmlStream::XmlStream(StreamShared& shared, XmlStreamOwner& owner,
                     std::unique_ptr<reactor::ByteStream> connection,
                     const xmpp::ParserLimits& limits)
    : shared_(shared),
      owner_(owner),
      connection_(std::move(connection)),
      parser_(limits, &shared.parsers) {
    connection_->set_observer(this);
}

XmlStream::XmlStream(StreamShared& shared, XmlStreamOwner& owner, reactor::World& world,
                     DetachedStream arrived)
    : XmlStream(shared, owner) {
    adopt(world, std::move(arrived));
}

XmlStream::XmlStream(StreamShared& shared, XmlStreamOwner& owner)
    : shared_(shared), owner_(owner), parser_({}, &shared.parsers), state_(State::finished) {}

XmlStream::~XmlStream() = default;

void XmlStream::adopt(reactor::World& world, DetachedStream arrived) {
    CHECK(state_ == State::finished && connection_ == nullptr);
    connection_ = std::move(arrived.connection);
    tls_ = arrived.tls;
    parser_ = std::move(arrived.parser);
    outbound_ = std::move(arrived.outbound);
    state_ = State::open;
    holds_ = 0;
    write_blocked_ = peer_closed_ = write_closed_ = parse_ended_ = false;
    parser_.use_pool(&shared_.parsers);
    connection_->attach(world);
    connection_->set_observer(this);
    if (!outbound_.empty()) shared_.reactor.at_turn_end(*this);
}

void XmlStream::start() {
    if (!queued()) reactor::ReadyQueue::current().push(*this);
}

void XmlStream::wrap_in_tls(std::shared_ptr<const reactor::TlsServerContext> context) {
    connection_->disarm(reactor::Interest::readable);
    connection_->disarm(reactor::Interest::writable);
    connection_->set_observer(nullptr);
    auto tls = reactor::TlsStream::server(std::move(connection_), std::move(context));
    tls_ = tls.get();
    connection_ = std::move(tls);
    connection_->set_observer(this);
}

void XmlStream::start_tls(std::string_view proceed,
                          std::shared_ptr<const reactor::TlsServerContext> context) {
    CHECK(parser_.pending_bytes() == 0);
    send(proceed);
    upgrade_ = std::move(context);
    hold(Hold::upgrade);
}

void XmlStream::send(std::string_view bytes) {
    if (state_ != State::open) return;
    outbound_.append(bytes);
    shared_.idle.touch(*this);
    shared_.reactor.at_turn_end(*this);
}

void XmlStream::send(base::SharedBytes bytes) {
    if (state_ != State::open) return;
    outbound_.append(std::move(bytes));
    shared_.idle.touch(*this);
    shared_.reactor.at_turn_end(*this);
}

void XmlStream::truncate(std::uint64_t total) {
    if (total < queued_total())
        outbound_.truncate(static_cast<std::size_t>(total - written_total_));
}

void XmlStream::release(Hold reason) {
    if ((holds_ & static_cast<unsigned>(reason)) == 0) return;
    holds_ = static_cast<std::uint8_t>(holds_ & ~static_cast<unsigned>(reason));
    if (holds_ == 0 && state_ == State::open) start();
}

void XmlStream::finish(std::string_view last) {
    if (state_ != State::open) return;
    outbound_.append(last);
    state_ = State::finishing;
    upgrade_.reset();
    turn_bytes_ = 0;
    parser_.discard_pending();
    shared_.reactor.at_turn_end(*this);
}

void XmlStream::abort() {
    cut(&reactor::ByteStream::abort);
}

void XmlStream::close() {
    cut(&reactor::ByteStream::close);
}

void XmlStream::cut(void (reactor::ByteStream::*how)()) {
    if (state_ == State::finished) return;
    state_ = State::finished;
    outbound_.clear();
    (connection_.get()->*how)();
    connection_.reset();
    tls_ = nullptr;
}

std::unique_ptr<DetachedStream> XmlStream::detach() {
    if (state_ != State::open || peer_closed_) return nullptr;
    state_ = State::finished;
    IdleParsers::Entry::leave();
    parser_.use_pool(nullptr);
    connection_->detach();
    return std::make_unique<DetachedStream>(DetachedStream{.connection = std::move(connection_),
                                                           .tls = std::exchange(tls_, nullptr),
                                                           .parser = std::move(parser_),
                                                           .outbound = std::move(outbound_)});
}

void XmlStream::on_ready(reactor::Interest interest) {
    if (interest == reactor::Interest::readable) {
        pump();
    } else {
        write_blocked_ = false;
        flush();
    }
}

void XmlStream::on_turn_end() {
    if (state_ == State::open) owner_.on_flush();
    TurnEnd::withdraw();  // What was added goes now.
    flush();
}

void XmlStream::run() {
    pump();
}

bool XmlStream::release_parser() {
    owner_.on_idle();
    return state_ != State::open || parser_.release();
}

// Parse what is there, read, and again, until there is nothing to read, the turn's share is used up
// or somebody holds the stream.
void XmlStream::pump() {
    if (state_ == State::finished) return;
    if (state_ == State::finishing) return discard();
    turn_bytes_ = 0;
    bool maybe_more = true;
    while (hand_out()) {
        if (!maybe_more || turn_bytes_ >= kReadTurnMax)
            return connection_->arm(reactor::Interest::readable);
        const reactor::IoResult result = connection_->try_read(shared_.read_buffer);
        switch (result.status) {
            case reactor::IoStatus::ok:
                take_in(result.bytes);
                break;
            case reactor::IoStatus::would_block:
                return connection_->arm(reactor::Interest::readable);
            case reactor::IoStatus::end_of_stream:
                return lose(base::Errc::connection_done);
            case reactor::IoStatus::failed:
                return lose(result.error);
        }
        maybe_more = result.maybe_more;
    }
}

void XmlStream::take_in(std::size_t bytes) {
    turn_bytes_ += static_cast<std::uint32_t>(bytes);
    shared_.idle.touch(*this);
    parser_.feed(std::span(shared_.read_buffer).first(bytes));
    owner_.on_bytes(bytes);
}

// True when everything that was fed is parsed and more is wanted.
bool XmlStream::hand_out() {
    while (state_ == State::open && holds_ == 0 && !parse_ended_) {
        xmpp::ParserEvent event = parser_.next();
        if (std::holds_alternative<xmpp::NeedMore>(event)) return true;
        dispatch(event);
    }
    return false;
}

void XmlStream::dispatch(xmpp::ParserEvent& event) {
    if (auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
        owner_.on_element(std::move(*stanza));
    } else if (const auto* open = std::get_if<xmpp::StreamOpen>(&event)) {
        owner_.on_stream_open(*open);
    } else if (const auto* broken = std::get_if<xmpp::ParserError>(&event)) {
        parse_ended_ = true;
        owner_.on_parse_error(broken->error);
    } else {
        parse_ended_ = true;
        owner_.on_stream_close();
    }
}

// Nothing that comes after our closing tag counts, but it has to be read: closing a socket with
// unread bytes would reset the connection and could destroy our last words on their way.
void XmlStream::discard() {
    const reactor::IoResult result = connection_->try_read(shared_.read_buffer);
    if (result.status == reactor::IoStatus::ok) {
        turn_bytes_ += static_cast<std::uint32_t>(result.bytes);
        if (turn_bytes_ > kDiscardMax) return end();
    } else if (result.status != reactor::IoStatus::would_block) {
        peer_closed_ = true;
        if (write_closed_ || result.status == reactor::IoStatus::failed) end();
        return;
    }
    connection_->arm(reactor::Interest::readable);
}

void XmlStream::flush() {
    if (write_blocked_ || state_ == State::finished) return;
    const reactor::IoResult result = outbound_.flush(*connection_);
    written_total_ += result.bytes;
    if (result.bytes > 0) owner_.on_written();
    if (result.status == reactor::IoStatus::failed) return lose(result.error);
    if (state_ == State::finished) return;
    if (!outbound_.empty()) {
        write_blocked_ = true;
        return connection_->arm(reactor::Interest::writable);
    }
    after_flush();
}

void XmlStream::after_flush() {
    if (upgrade_ != nullptr) {
        parser_.reset();
        wrap_in_tls(std::exchange(upgrade_, nullptr));
        owner_.on_tls_started();
        release(Hold::upgrade);
    }
    if (state_ == State::finishing && !write_closed_) {
        write_closed_ = true;
        connection_->shutdown_write();
        if (peer_closed_) return end();
        connection_->arm(reactor::Interest::readable);
    }
}

void XmlStream::lose(base::Failure why) {
    peer_closed_ = true;
    if (state_ == State::finishing) return end();
    if (parse_ended_) return;
    parse_ended_ = true;
    if (tls_ != nullptr && why.is(base::Errc::tls_failed))
        why = tls_->failure().value_or(std::move(why));
    owner_.on_connection_lost(why);
}

void XmlStream::end() {
    if (state_ == State::finished) return;
    close();
    owner_.on_finished();
}

}  // namespace server
