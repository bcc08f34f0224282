#include "tests/bots/client/connection.h"

#include "reactor/base/check.h"
#include "xmpp/stream/stream_header.h"

#include <span>
#include <string>
#include <utility>
#include <variant>

namespace bots {
namespace {

// A big roster is one stanza, and the server is one that we chose.
xmpp::ParserLimits limits() {
    xmpp::ParserLimits limits;
    limits.stanza_bytes_max = 16'777'216;
    limits.elements_max = 262'144;
    return limits;
}

}  // namespace

Connection::Connection(ClientShared::Impl& shared, ConnectionOwner& owner,
                       std::unique_ptr<reactor::ByteStream> stream)
    : shared_(shared),
      owner_(owner),
      stream_(std::move(stream)),
      parser_(limits(), &shared.parsers) {
    stream_->set_observer(this);
    stream_->arm(reactor::Interest::readable);
}

Connection::~Connection() {
    if (stream_ != nullptr) stream_->close();
}

void Connection::start_tls(std::string server_name, std::unique_ptr<reactor::TlsSession> session) {
    CHECK(outbound_.empty());
    stream_->disarm(reactor::Interest::readable);
    stream_->disarm(reactor::Interest::writable);
    stream_->set_observer(nullptr);
    auto tls = reactor::TlsStream::client(std::move(stream_), shared_.tls, std::move(server_name),
                                          std::move(session));
    tls_ = tls.get();
    stream_ = std::move(tls);
    parser_.reset();
    stream_->set_observer(this);
    stream_->arm(reactor::Interest::readable);
}

bool Connection::drop_white_space() noexcept {
    if (!parser_.pending_is_white_space()) return false;
    parser_.discard_pending();
    return true;
}

void Connection::send(std::string_view bytes) {
    if (lost_ || stream_ == nullptr) return;
    outbound_.append(bytes);
    shared_.idle.touch(*this);
    shared_.world.reactor.at_turn_end(*this);
}

void Connection::send(base::SharedBytes bytes) {
    if (lost_ || stream_ == nullptr) return;
    outbound_.append(std::move(bytes));
    shared_.idle.touch(*this);
    shared_.world.reactor.at_turn_end(*this);
}

// A failure is told in a step of its own: we may be inside a call of the owner.
void Connection::flush() {
    if (write_blocked_ || lost_ || stream_ == nullptr || broken_) return;
    const reactor::IoResult result = outbound_.flush(*stream_);
    if (result.status == reactor::IoStatus::failed) {
        broken_ = result.error;
        if (!queued()) reactor::ReadyQueue::current().push(*this);
    } else if (!outbound_.empty()) {
        write_blocked_ = true;
        stream_->arm(reactor::Interest::writable);
    }
}

void Connection::pause(bool paused) {
    if (std::exchange(paused_, paused) == paused || paused || lost_ || stream_ == nullptr) return;
    if (!queued()) reactor::ReadyQueue::current().push(*this);
}

void Connection::abort() {
    if (stream_ == nullptr) return;
    lost_ = true;
    outbound_.clear();
    stream_->abort();
    stream_.reset();
    tls_ = nullptr;
}

void Connection::on_ready(reactor::Interest interest) {
    if (interest == reactor::Interest::readable) return pump();
    write_blocked_ = false;
    flush();
}

// What the server said before the connection broke is read first: it may be the reason.
void Connection::run() {
    Lifetime::Watch watch(lifetime_);
    pump();
    if (!watch.over() && broken_ && !lost_) lose(*broken_);
}

bool Connection::release_parser() {
    return owner_.on_quiet() || lost_ || parser_.release();
}

// Parse what is there, read, and again, until there is nothing to read, the turn's share is used up
// or the owner wants no more.
void Connection::pump() {
    Lifetime::Watch watch(lifetime_);
    std::size_t turn_bytes = 0;
    bool maybe_more = true;
    while (hand_out(watch)) {
        if (!maybe_more || turn_bytes >= kReadTurnMax)
            return stream_->arm(reactor::Interest::readable);
        const reactor::IoResult result = stream_->try_read(shared_.read_buffer);
        switch (result.status) {
            case reactor::IoStatus::ok:
                break;
            case reactor::IoStatus::would_block:
                return stream_->arm(reactor::Interest::readable);
            case reactor::IoStatus::end_of_stream:
                return lose({base::Errc::connection_lost, "the server closed the connection"});
            case reactor::IoStatus::failed:
                return lose(result.error);
        }
        turn_bytes += result.bytes;
        maybe_more = result.maybe_more;
        shared_.idle.touch(*this);
        parser_.feed(std::span(shared_.read_buffer).first(result.bytes));
    }
}

// True when everything that was fed is parsed and more is wanted.
bool Connection::hand_out(const Lifetime::Watch& watch) {
    while (!watch.over() && !lost_ && !paused_ && stream_ != nullptr) {
        if (parse_ended_) {
            parser_.discard_pending();
            return true;
        }
        xmpp::ParserEvent event = parser_.next();
        if (std::holds_alternative<xmpp::NeedMore>(event)) return true;
        if (auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
            owner_.on_element(std::move(*stanza));
        } else if (const auto* open = std::get_if<xmpp::StreamOpen>(&event)) {
            owner_.on_stream_open(*open);
        } else if (const auto* bad = std::get_if<xmpp::ParserError>(&event)) {
            refuse(bad->error);
        } else {
            parse_ended_ = true;
            owner_.on_stream_close();
        }
    }
    return false;
}

void Connection::refuse(const xmpp::StreamError& error) {
    send(error.to_xml());
    send(xmpp::kStreamCloseXml);
    flush();
    std::string why = "the server's XML is broken: ";
    why += name_of(error.condition());
    if (!error.text().empty()) why += " (" + error.text() + ")";
    lose({base::Errc::connection_aborted, std::move(why)});
}

void Connection::lose(base::Failure why) {
    lost_ = true;
    if (tls_ != nullptr && why.detail().empty()) why = tls_->failure().value_or(std::move(why));
    owner_.on_lost(std::move(why));
}

}  // namespace bots
