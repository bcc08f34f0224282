#include "reactor/process/channel.h"

#include "reactor/base/bytes.h"
#include "reactor/combine.h"
#include "reactor/world.h"

#include <algorithm>
#include <array>
#include <utility>

namespace reactor::ipc {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;

namespace {

constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kReadBytes = 65'536;
constexpr std::size_t kBytesPerTurnMax = 1'048'576;

template <class Integer>
void put(std::string& into, Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        into += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

std::uint64_t get(std::string_view from, std::size_t offset, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i > 0; --i)
        value = value << 8 | static_cast<unsigned char>(from[offset + i - 1]);
    return value;
}

}  // namespace

Channel::Channel(World& world, std::unique_ptr<ByteStream> stream, ChannelOptions options)
    : world_(world), stream_(std::move(stream)), options_(options), replies_(world.reactor) {
    stream_->set_observer(this);
    stream_->arm(Interest::readable);
}

Channel::Channel(World& world, std::unique_ptr<UnixStream> stream, ChannelOptions options)
    : world_(world), unix_(stream.get()), options_(options), replies_(world.reactor) {
    stream_ = std::move(stream);
    stream_->set_observer(this);
    stream_->arm(Interest::readable);
}

Channel::~Channel() {
    if (destroyed_ != nullptr) *destroyed_ = true;
    stream_->set_observer(nullptr);
    const Failure closed(Errc::closed, "the channel was destroyed");
    for (auto& [number, promise] : std::exchange(requests_, {}))
        promise.fail(closed);
    for (Promise<Failure>& promise : std::exchange(enders_, {}))
        promise.try_resolve(Result<Failure>(closed));
}

// --- Sending ---

Result<void> Channel::enqueue(Kind kind, std::uint64_t number, Message message) {
    if (ended_) return fail(Errc::closed, "the channel ended");
    if (message.bytes.size() > options_.message_bytes_max)
        return fail(Errc::invalid_argument, "a message longer than allowed");
    if (message.descriptors.size() > std::min(options_.descriptors_max, UnixStream::kPerMessageMax))
        return fail(Errc::invalid_argument, "more descriptors than one message may carry");
    if (!message.descriptors.empty() && unix_ == nullptr)
        return fail(Errc::unsupported, "this stream carries no descriptors");
    if (unsent_bytes_ + message.bytes.size() > options_.unsent_bytes_max)
        return fail(Errc::queue_full, "the other side does not read its messages");
    Frame frame;
    frame.bytes.reserve(kHeaderBytes + message.bytes.size());
    put(frame.bytes, static_cast<std::uint32_t>(message.bytes.size()));
    put(frame.bytes, static_cast<std::uint8_t>(kind));
    put(frame.bytes, static_cast<std::uint8_t>(message.descriptors.size()));
    put(frame.bytes, std::uint16_t{0});
    put(frame.bytes, number);
    frame.bytes += message.bytes;
    frame.descriptors = std::move(message.descriptors);
    unsent_bytes_ += frame.bytes.size();
    unsent_.push_back(std::move(frame));
    world_.reactor.at_turn_end(*this);
    return {};
}

Result<void> Channel::send(Message message) {
    return enqueue(Kind::message, 0, std::move(message));
}

IoResult Channel::write_front() {
    Frame& frame = unsent_.front();
    const ConstBuffer rest = base::as_bytes(frame.bytes).subspan(frame.sent);
    if (frame.descriptors.empty()) return stream_->try_writev(std::span(&rest, 1));
    std::array<int, UnixStream::kPerMessageMax> fds;
    for (std::size_t i = 0; i < frame.descriptors.size(); ++i)
        fds[i] = frame.descriptors[i].get();
    const IoResult result =
        unix_->try_write_with(std::span(&rest, 1), std::span(fds).first(frame.descriptors.size()));
    // With the first byte they are the other side's; ours are closed.
    if (result.bytes > 0) frame.descriptors.clear();
    return result;
}

void Channel::flush() {
    while (!ended_ && !unsent_.empty()) {
        const IoResult result = write_front();
        if (result.status == IoStatus::would_block) return stream_->arm(Interest::writable);
        if (result.status != IoStatus::ok) return end(result.error);
        Frame& frame = unsent_.front();
        frame.sent += result.bytes;
        unsent_bytes_ -= result.bytes;
        if (frame.sent == frame.bytes.size()) unsent_.pop_front();
    }
}

Deferred<Message> Channel::request(Message message, std::optional<base::Duration> timeout) {
    std::erase_if(requests_, [](const auto& each) { return !each.second.wanted(); });
    if (requests_.size() >= options_.requests_max)
        return Failure(Errc::queue_full, "too many requests wait for a reply");
    const std::uint64_t number = next_number_++;
    if (auto sent = enqueue(Kind::request, number, std::move(message)); !sent) return sent.error();
    Deferred<Message> reply = requests_[number].deferred();
    return with_timeout(world_.reactor, std::move(reply),
                        timeout.value_or(options_.request_timeout));
}

// --- Receiving ---

void Channel::on_ready(Interest interest) {
    if (interest == Interest::writable) return flush();
    receive();
}

void Channel::receive() {
    std::vector<std::byte> bytes(kReadBytes);
    std::size_t taken = 0;
    bool destroyed = false;
    destroyed_ = &destroyed;
    while (!ended_) {
        if (taken >= kBytesPerTurnMax) {
            stream_->arm(Interest::readable);
            break;
        }
        const IoResult result = stream_->try_read(bytes);
        if (result.status == IoStatus::would_block) {
            stream_->arm(Interest::readable);
            break;
        }
        if (result.status == IoStatus::end_of_stream) {
            end(received_.empty() ? Errc::connection_done : Errc::connection_lost);
            break;
        }
        if (result.status == IoStatus::failed) {
            end(result.error);
            break;
        }
        taken += result.bytes;
        received_ += base::as_text(std::span(bytes).first(result.bytes));
        const bool whole = take_frames();
        if (destroyed) return;
        if (!whole) end(Failure(Errc::corrupt, "a frame that breaks the rules"));
    }
    destroyed_ = nullptr;
}

// False: the peer broke the rules. Looks at `destroyed_` after every delivery.
bool Channel::take_frames() {
    bool* const destroyed = destroyed_;
    std::size_t done = 0;
    bool valid = true;
    while (!ended_ && received_.size() - done >= kHeaderBytes) {
        const std::string_view rest = std::string_view(received_).substr(done);
        const Header header{.length = static_cast<std::uint32_t>(get(rest, 0, 4)),
                            .kind = static_cast<Kind>(rest[4]),
                            .descriptors = static_cast<unsigned char>(rest[5]),
                            .number = get(rest, 8, 8)};
        if (header.length > options_.message_bytes_max ||
            static_cast<unsigned char>(rest[4]) > static_cast<unsigned char>(Kind::refusal) ||
            get(rest, 6, 2) != 0 || header.descriptors > options_.descriptors_max ||
            (header.descriptors > 0 && unix_ == nullptr)) {
            valid = false;
            break;
        }
        if (rest.size() - kHeaderBytes < header.length) break;
        Message message{std::string(rest.substr(kHeaderBytes, header.length))};
        for (std::size_t i = 0; i < header.descriptors; ++i) {
            std::optional<OwnedFd> fd = unix_->take_received();
            // They came with the first byte of the frame, so they are here.
            if (!fd) return false;
            message.descriptors.push_back(*std::move(fd));
        }
        done += kHeaderBytes + header.length;
        deliver(header, std::move(message));
        if (*destroyed) return true;
    }
    received_.erase(0, done);
    return valid;
}

void Channel::deliver(const Header& header, Message message) {
    switch (header.kind) {
        case Kind::message: {
            if (!on_message_) {
                world_.log.warn("ipc.unexpected", {{"bytes", message.bytes.size()}});
                return;
            }
            bool* const destroyed = destroyed_;
            auto calling = std::move(on_message_);  // Lives until it returns.
            calling(std::move(message));
            if (!*destroyed && !on_message_) on_message_ = std::move(calling);
            return;
        }
        case Kind::request:
            return answer(header.number, std::move(message));
        case Kind::reply:
        case Kind::refusal: {
            auto waiting = requests_.extract(header.number);
            if (waiting.empty()) return;  // It came too late.
            if (header.kind == Kind::reply) {
                waiting.mapped().try_resolve(std::move(message));
            } else {
                waiting.mapped().fail(Failure(Errc::io_error, std::move(message.bytes)));
            }
        }
    }
}

void Channel::answer(std::uint64_t number, Message message) {
    if (!on_request_ || replies_.size() >= options_.requests_max) {
        (void)enqueue(Kind::refusal, number,
                      {on_request_ ? "busy: too many requests" : "unsupported: nobody answers"});
        return;
    }
    bool* const destroyed = destroyed_;
    auto calling = std::move(on_request_);
    Deferred<Message> work = calling(std::move(message));
    if (*destroyed) return;
    if (!on_request_) on_request_ = std::move(calling);
    replies_.add("ipc reply", reply_to(number, std::move(work)));
}

Deferred<void> Channel::reply_to(std::uint64_t number, Deferred<Message> work) {
    Result<Message> reply = co_await std::move(work).as_result();
    if (reply) {
        const Result<void> sent = enqueue(Kind::reply, number, *std::move(reply));
        if (!sent && !ended_) (void)enqueue(Kind::refusal, number, {sent.error().message()});
    } else {
        (void)enqueue(Kind::refusal, number, {reply.error().message()});
    }
    co_return {};
}

// --- Ending ---

void Channel::close() {
    if (ended_) return;
    flush();
    if (!ended_) end(Errc::connection_done);
}

void Channel::end(Failure reason) {
    ended_ = std::move(reason);
    withdraw();
    stream_->set_observer(nullptr);
    stream_->close();
    unsent_.clear();
    unsent_bytes_ = 0;
    for (auto& [number, promise] : std::exchange(requests_, {}))
        promise.fail(*ended_);
    for (Promise<Failure>& promise : std::exchange(enders_, {}))
        promise.try_resolve(Result<Failure>(*ended_));
}

Deferred<Failure> Channel::when_ended() {
    if (ended_) return Result<Failure>(*ended_);
    std::erase_if(enders_, [](const auto& promise) { return !promise.wanted(); });
    return enders_.emplace_back().deferred();
}

}  // namespace reactor::ipc
