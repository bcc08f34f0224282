#include "reactor/net/connection.h"

#include "reactor/buggify.h"
#include "reactor/combine.h"
#include "reactor/world.h"

#include <algorithm>
#include <array>
#include <utility>

namespace reactor {

using base::Errc;
using base::Failure;
using base::Result;

namespace {

constexpr std::size_t kReadBytes = 16'384;

/// Settled one by one; those told may add to the list again.
template <class T>
void resolve_all(std::vector<Promise<T>>& promises, const Result<T>& result) {
    for (Promise<T>& promise : std::exchange(promises, {}))
        promise.try_resolve(result);
}

template <class T>
Deferred<T> add_to(std::vector<Promise<T>>& promises) {
    std::erase_if(promises, [](const Promise<T>& promise) { return !promise.wanted(); });
    return promises.emplace_back().deferred();
}

}  // namespace

/// A read under way; the connection may go before it.
class Connection::Reading {
public:
    explicit Reading(Connection& connection) noexcept : connection_(&connection) {
        connection.reading_ = this;
    }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() {
        if (connection_ != nullptr) connection_->reading_ = nullptr;
    }
    void connection_gone() noexcept { connection_ = nullptr; }

private:
    Connection* connection_;
};

Connection::Connection(World& world, std::unique_ptr<ByteStream> stream, ConnectionOptions options)
    : world_(world),
      stream_(std::move(stream)),
      options_(options),
      peer_(stream_->peer()),
      close_timer_([this] {
          const Result<void> late = base::fail(Errc::timed_out, "unsent bytes at the close");
          resolve_all(closers_, late);
          abort();
      }) {
    stream_->set_observer(this);
}

Connection::~Connection() {
    stream_->set_observer(nullptr);
    if (reading_ != nullptr) reading_->connection_gone();
    if (ended_) return;
    if (source_ != nullptr) std::exchange(source_, nullptr)->stop();
    const Result<void> closed = base::fail(Errc::closed, "the connection was destroyed");
    if (auto reader = std::exchange(readable_, std::nullopt)) reader->try_resolve(closed);
    resolve_all(drains_, closed);
    resolve_all(closers_, closed);
    resolve_all<Failure>(enders_, Failure(Errc::closed));
}

// --- Reading ---

IoResult Connection::read_now() {
    std::array<std::byte, kReadBytes> bytes;
    const std::size_t at_most = buggify(4) ? 1 : bytes.size();
    const IoResult result = stream_->try_read(std::span(bytes).first(at_most));
    if (result.status == IoStatus::ok)
        unread_ += base::as_text(std::span(bytes).first(result.bytes));
    return result;
}

Result<Connection::Fill> Connection::fill() {
    if (ended_) return std::unexpected(*ended_);
    if (input_ended_) return Fill::end;
    if (reading_paused_) return Fill::wait;
    const IoResult result = read_now();
    switch (result.status) {
        case IoStatus::ok:
            return Fill::more;
        case IoStatus::would_block:
            stream_->arm(Interest::readable);
            return Fill::wait;
        case IoStatus::end_of_stream:
            input_ended_ = true;
            if (shut_) end(Errc::connection_done);
            return Fill::end;
        case IoStatus::failed:
            break;
    }
    end(result.error);
    return std::unexpected(*ended_);
}

// After a failure of the wait `this` may be gone.
Deferred<std::string> Connection::read() {
    if (reading_ != nullptr) co_return Failure(Errc::busy, "another read is under way");
    const Reading reading(*this);
    while (unread_.empty()) {
        const Result<Fill> filled = fill();
        if (!filled) co_return filled.error();
        if (*filled == Fill::end) break;
        if (*filled == Fill::more) continue;
        auto waiting = readable_.emplace().deferred();
        const Result<void> told = co_await std::move(waiting);
        if (!told) co_return told.error();
    }
    co_return std::exchange(unread_, {});
}

Deferred<std::string> Connection::read_exactly(std::size_t count) {
    if (reading_ != nullptr) co_return Failure(Errc::busy, "another read is under way");
    const Reading reading(*this);
    while (unread_.size() < count) {
        const Result<Fill> filled = fill();
        if (!filled) co_return filled.error();
        if (*filled == Fill::end) co_return ended_early();
        if (*filled == Fill::more) continue;
        auto waiting = readable_.emplace().deferred();
        const Result<void> told = co_await std::move(waiting);
        if (!told) co_return told.error();
    }
    std::string bytes = unread_.substr(0, count);
    unread_.erase(0, count);
    co_return bytes;
}

Deferred<std::string> Connection::read_until(std::string delimiter) {
    if (reading_ != nullptr) co_return Failure(Errc::busy, "another read is under way");
    if (delimiter.empty()) co_return Failure(Errc::invalid_argument, "an empty delimiter");
    const Reading reading(*this);
    std::size_t searched = 0;
    for (;;) {
        const std::size_t found = unread_.find(delimiter, searched);
        if (found != std::string::npos && found <= options_.line_bytes_max) {
            std::string bytes = unread_.substr(0, found);
            unread_.erase(0, found + delimiter.size());
            co_return bytes;
        }
        if (unread_.size() >= options_.line_bytes_max + delimiter.size())
            co_return Failure(Errc::resource_exhausted, "a line longer than allowed");
        searched = unread_.size() - std::min(unread_.size(), delimiter.size() - 1);
        const Result<Fill> filled = fill();
        if (!filled) co_return filled.error();
        if (*filled == Fill::end) co_return ended_early();
        if (*filled == Fill::more) continue;
        auto waiting = readable_.emplace().deferred();
        const Result<void> told = co_await std::move(waiting);
        if (!told) co_return told.error();
    }
}

Failure Connection::ended_early() const {
    return unread_.empty() ? Errc::connection_done : Errc::connection_lost;
}

void Connection::pause_reading() noexcept {
    reading_paused_ = true;
    if (!ended_) stream_->disarm(Interest::readable);
}

void Connection::resume_reading() {
    reading_paused_ = false;
    if (readable_ && !ended_) stream_->arm(Interest::readable);
}

void Connection::on_ready(Interest interest) {
    if (interest == Interest::writable) return flush();
    if (auto reader = std::exchange(readable_, std::nullopt)) reader->try_resolve({});
}

// --- Writing ---

template <class Bytes>
Result<void> Connection::enqueue(Bytes bytes, std::size_t size) {
    if (ended_ || closing_ || shutting_)
        return base::fail(Errc::closed, "the connection takes no more");
    if (queue_.size_bytes() + size > options_.write_bytes_max) {
        if (options_.on_overflow == Overflow::abort) abort();
        return base::fail(Errc::queue_full, "the peer does not read what it is sent");
    }
    queue_.append(std::move(bytes));
    world_.reactor.at_turn_end(*this);
    if (!congested_ && queue_.size_bytes() >= options_.write_high_bytes) {
        congested_ = true;
        if (source_ != nullptr) source_->pause();
    }
    return {};
}

Result<void> Connection::write(std::string_view bytes) {
    return enqueue(bytes, bytes.size());
}
Result<void> Connection::write(base::SharedBytes bytes) {
    const std::size_t size = bytes.size();
    return enqueue(std::move(bytes), size);
}

void Connection::flush() {
    if (ended_) return;
    const IoResult result = queue_.flush(*stream_);
    if (result.status == IoStatus::failed) return end(result.error);
    if (result.status == IoStatus::would_block) stream_->arm(Interest::writable);
    if (congested_ && queue_.size_bytes() <= options_.write_low_bytes) relieve();
    if (ended_ || !queue_.empty()) return;
    if (closing_) {
        resolve_all(closers_, Result<void>());
        return end(Errc::connection_done);
    }
    if (shutting_ && !shut_) {
        shut_ = true;
        stream_->shutdown_write();
        if (input_ended_) end(Errc::connection_done);
    }
}

void Connection::relieve() {
    congested_ = false;
    resolve_all(drains_, Result<void>());
    if (source_ != nullptr) source_->resume();
}

Deferred<void> Connection::drain() {
    if (ended_) return *ended_;
    if (!congested_) return ready();
    return add_to(drains_);
}

Result<void> Connection::register_source(PushSource& source) {
    if (ended_ || closing_) {
        source.stop();
        return base::fail(Errc::closed, "the connection takes no more");
    }
    if (source_ != nullptr)
        return base::fail(Errc::already_exists, "another source writes to this connection");
    source_ = &source;
    if (congested_) source.pause();
    return {};
}

// --- Ending ---

void Connection::shutdown_write() {
    if (ended_ || closing_ || shutting_) return;
    shutting_ = true;
    flush();
}

Deferred<void> Connection::close() {
    if (ended_) return ended_->is(Errc::connection_done) ? ready() : failed(*ended_);
    Deferred<void> closed = add_to(closers_);
    if (!closing_) {
        closing_ = true;
        if (source_ != nullptr) std::exchange(source_, nullptr)->stop();
        world_.reactor.arm(close_timer_, options_.close_timeout);
        flush();
    }
    return closed;
}

void Connection::abort() {
    if (ended_) return;
    stream_->abort();
    end(Errc::connection_aborted);
}

// Told through Deferreds and so never inside the call that noticed it; the source is the exception.
void Connection::end(Failure reason) {
    ended_ = std::move(reason);
    withdraw();
    close_timer_.cancel();
    queue_.clear();
    stream_->set_observer(nullptr);
    stream_->close();
    const Result<void> failure = std::unexpected(*ended_);
    if (auto reader = std::exchange(readable_, std::nullopt)) reader->try_resolve(failure);
    resolve_all(drains_, failure);
    resolve_all(closers_, failure);
    resolve_all<Failure>(enders_, *ended_);
    if (source_ != nullptr) std::exchange(source_, nullptr)->stop();
}

Deferred<Failure> Connection::when_ended() {
    if (ended_) return Result<Failure>(*ended_);
    return add_to(enders_);
}

Result<void> Connection::upgrade(
    base::UniqueFunction<std::unique_ptr<ByteStream>(std::unique_ptr<ByteStream>)> wrap) {
    if (ended_ || closing_) return base::fail(Errc::closed, "the connection ended");
    if (!unread_.empty())
        return base::fail(Errc::invalid_argument, "plaintext came before the change to TLS");
    if (!queue_.empty()) return base::fail(Errc::busy, "unsent bytes before the change to TLS");
    if (reading_ != nullptr) return base::fail(Errc::busy, "a read is under way");
    stream_->set_observer(nullptr);
    stream_ = wrap(std::move(stream_));
    stream_->set_observer(this);
    return {};
}

// --- Pipes ---

Deferred<std::uint64_t> pipe(Connection& from, Connection& to) {
    std::uint64_t total = 0;
    for (;;) {
        Result<std::string> bytes = co_await from.read();
        if (!bytes) co_return bytes.error();
        if (bytes->empty()) co_return total;
        total += bytes->size();
        if (const Result<void> written = to.write(base::SharedBytes(*std::move(bytes))); !written)
            co_return written.error();
        const Result<void> drained = co_await to.drain();
        if (!drained) co_return drained.error();
    }
}

namespace {

Deferred<void> pipe_one_way(Connection& from, Connection& to) {
    const Result<std::uint64_t> copied = co_await pipe(from, to);
    if (!copied) co_return copied.error();
    to.shutdown_write();
    co_return {};
}

}  // namespace

Deferred<void> pipe_both(Connection& one, Connection& other) {
    std::vector<Deferred<void>> ways;
    ways.push_back(pipe_one_way(one, other));
    ways.push_back(pipe_one_way(other, one));
    return when_all(std::move(ways));
}

}  // namespace reactor
