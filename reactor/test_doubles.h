// For tests: streams and networks that record, follow a script or refuse, and a look at what a test
// left behind. Beside test_kit.h. Not for product code.
#pragma once

#include "reactor/monitor/task_dump.h"
#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/test_kit.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace reactor::test {

/// A ByteStream without a peer: the test feeds what is read and looks at what was written.
class StringStream : public ByteStream {
public:
    StringStream() = default;
    StringStream(const StringStream&) = delete;
    StringStream& operator=(const StringStream&) = delete;
    ~StringStream() override = default;

    /// Everything written so far.
    const std::string& value() const noexcept { return written_; }
    void clear() noexcept { written_.clear(); }
    /// Bytes for the reader.
    void feed(std::string_view bytes) {
        unread_.append(bytes);
        tell_readable();
    }
    void feed_end() {
        ended_ = true;
        tell_readable();
    }
    void fail(base::Errc error) {
        error_ = error;
        tell_readable();
        tell_writable();
    }
    /// How many more bytes it takes before it would block; unlimited at first.
    void set_write_space(std::size_t bytes) {
        write_space_ = bytes;
        if (bytes > 0) tell_writable();
    }
    /// Nobody waits for bytes.
    bool paused() const noexcept { return !readable_.armed; }
    bool write_shut() const noexcept { return write_shut_; }
    bool closing() const noexcept { return closed_; }
    bool aborted() const noexcept { return aborted_; }

    IoResult try_read(std::span<std::byte> into) override {
        if (error_) return {.status = IoStatus::failed, .error = *error_};
        if (unread_.empty())
            return {.status = ended_ ? IoStatus::end_of_stream : IoStatus::would_block};
        const std::size_t count = std::min(into.size(), unread_.size());
        std::memcpy(into.data(), unread_.data(), count);
        unread_.erase(0, count);
        return {.bytes = count, .maybe_more = !unread_.empty() || ended_};
    }
    IoResult try_writev(std::span<const ConstBuffer> buffers) override {
        if (error_) return {.status = IoStatus::failed, .error = *error_};
        if (closed_ || write_shut_)
            return {.status = IoStatus::failed, .error = base::Errc::closed};
        std::string taken;
        bool any = false;
        for (const ConstBuffer buffer : buffers) {
            any = any || !buffer.empty();
            const std::size_t count = std::min(buffer.size(), write_space_ - taken.size());
            taken.append(reinterpret_cast<const char*>(buffer.data()), count);
        }
        if (any && taken.empty()) return {.status = IoStatus::would_block};
        if (write_space_ != kUnlimited) write_space_ -= taken.size();
        written_ += taken;
        on_written(taken);
        return {.bytes = taken.size()};
    }
    void set_observer(StreamObserver* observer) override { observer_ = observer; }
    void arm(Interest interest) override {
        of(interest).armed = true;
        if (interest == Interest::readable) {
            tell_readable();
        } else {
            tell_writable();
        }
    }
    void disarm(Interest interest) override { of(interest).disarm(); }
    void shutdown_write() override { write_shut_ = true; }
    void close() override { closed_ = true; }
    void abort() override { aborted_ = closed_ = true; }
    Endpoint peer() const override { return {"192.0.2.1", 1}; }
    Endpoint local() const override { return {"192.0.2.2", 2}; }
    void detach() override {
        readable_.disarm();
        writable_.disarm();
        observer_ = nullptr;
    }
    void attach(World&) override {}

protected:
    virtual void on_written(std::string_view) {}

private:
    static constexpr std::size_t kUnlimited = ~std::size_t{0};

    struct Ready final : ReadyItem {
        Ready(StringStream& its_stream, Interest its_interest)
            : stream(its_stream), interest(its_interest) {}
        void disarm() noexcept {
            armed = false;
            withdraw();
        }
        void run() override {
            armed = false;
            if (stream.observer_) stream.observer_->on_ready(interest);
        }
        StringStream& stream;
        Interest interest;
        bool armed = false;
    };

    Ready& of(Interest interest) noexcept {
        return interest == Interest::readable ? readable_ : writable_;
    }
    static void tell(Ready& ready) {
        if (ready.armed && !ready.queued()) ReadyQueue::current().push(ready);
    }
    void tell_readable() {
        if (!unread_.empty() || ended_ || error_) tell(readable_);
    }
    void tell_writable() {
        if (write_space_ > 0 || error_) tell(writable_);
    }

    std::string unread_;
    std::string written_;
    std::size_t write_space_ = kUnlimited;
    bool ended_ = false;
    bool write_shut_ = false;
    bool closed_ = false;
    bool aborted_ = false;
    std::optional<base::Errc> error_;
    StreamObserver* observer_ = nullptr;
    Ready readable_{*this, Interest::readable};
    Ready writable_{*this, Interest::writable};
};

/// A peer that follows a script: what must be written, and what it answers then.
class ScriptedStream final : public StringStream {
public:
    ScriptedStream& expect(std::string text) {
        steps_.push_back({true, std::move(text)});
        return *this;
    }
    ScriptedStream& send(std::string text) {
        steps_.push_back({false, std::move(text)});
        return *this;
    }
    /// Call when the script is complete: sends what stands before the first `expect`.
    void begin() { answer(); }
    /// Throws when something else was written, or something is missing.
    void check() const {
        if (!wrong_.empty()) throw TestFailure(wrong_);
        if (!steps_.empty()) throw TestFailure("the script still expects: " + steps_.front().text);
    }

private:
    struct ScriptStep {
        bool expected;
        std::string text;
    };
    void on_written(std::string_view bytes) override {
        while (!bytes.empty() && wrong_.empty()) {
            if (steps_.empty()) {
                wrong_ = "written beyond the script: " + std::string(bytes);
                return;
            }
            std::string& wanted = steps_.front().text;
            const std::size_t count = std::min(wanted.size(), bytes.size());
            if (wanted.compare(0, count, bytes.substr(0, count)) != 0) {
                wrong_ = "expected: " + wanted + " but written: " + std::string(bytes);
                return;
            }
            wanted.erase(0, count);
            bytes.remove_prefix(count);
            if (!wanted.empty()) return;
            steps_.pop_front();
            answer();
        }
    }
    void answer() {
        while (!steps_.empty() && !steps_.front().expected) {
            const std::string text = std::move(steps_.front().text);
            steps_.pop_front();
            feed(text);
        }
    }
    std::deque<ScriptStep> steps_;
    std::string wrong_;
};

/// Records every listen and connect, and refuses both with a failure of the test's choice.
class RaisingNetwork final : public Network {
public:
    explicit RaisingNetwork(base::Failure failure) : failure_(std::move(failure)) {}

    std::vector<Endpoint> listens;
    std::vector<Endpoint> connects;

    base::Result<std::unique_ptr<Listener>> listen(ListenOptions options, AcceptFunction) override {
        listens.push_back(options.endpoint);
        return std::unexpected(failure_);
    }
    Deferred<std::unique_ptr<ByteStream>> connect(Endpoint endpoint,
                                                  std::optional<Endpoint>) override {
        connects.push_back(endpoint);
        return failure_;
    }

private:
    base::Failure failure_;
};

/// Throws when something still lives on the reactor: timers, tasks, detached work, things to run.
inline void check_no_leaks(Reactor& reactor) {
    std::string found;
    const std::size_t timers = reactor.wheel().size();
    if (timers > 0) found += std::to_string(timers) + " timers\n";
    if (!reactor.ready_queue().empty()) found += "something is ready to run\n";
    found += dump_tasks(reactor);
    if (!found.empty()) throw TestFailure("left behind:\n" + found);
}

/// Throws when `capture` has an error whose event is not in `expected`, or lacks one that is.
inline void check_errors(const LogCapture& capture,
                         std::initializer_list<std::string_view> expected) {
    for (const LogCapture::Event& event : capture.events())
        if (event.level == base::LogLevel::error &&
            std::find(expected.begin(), expected.end(), event.name) == expected.end())
            throw TestFailure("unexpected error: " + event.name + " " + event.text("failure"));
    for (const std::string_view name : expected)
        if (capture.count(name) == 0) throw TestFailure("not logged: " + std::string(name));
}

}  // namespace reactor::test
