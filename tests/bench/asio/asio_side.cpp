// What plain Boost.Asio does in the comparison, in the way of its own examples. One loop, one
// thread, so with the hint that spares it locks.
#include "tests/bench/asio/child.h"
#include "tests/bench/asio/sides.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <thread>

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kBufferBytes = 1024;  // As in Asio's examples.

template <class Stream>
class Session : public std::enable_shared_from_this<Session<Stream>> {
public:
    explicit Session(Stream stream) : stream_(std::move(stream)) {}
    Stream& stream() noexcept { return stream_; }
    void read() {
        stream_.async_read_some(
            asio::buffer(bytes_),
            [self = this->shared_from_this()](const error_code& error, std::size_t count) {
                if (!error) self->write(count);
            });
    }

private:
    void write(std::size_t count) {
        asio::async_write(stream_, asio::buffer(bytes_, count),
                          [self = this->shared_from_this()](const error_code& error, std::size_t) {
                              if (!error) self->read();
                          });
    }

    Stream stream_;
    std::array<char, kBufferBytes> bytes_;
};

class Acceptor {
public:
    Acceptor(asio::io_context& context, const Ready& ready, std::function<void(tcp::socket)> use)
        : acceptor_(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
          use_(std::move(use)) {
        acceptor_.listen(4096);
        ready(acceptor_.local_endpoint().port());
        accept();
    }

private:
    void accept() {
        acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
            if (!error) {
                socket.set_option(tcp::no_delay(true));
                use_(std::move(socket));
            }
            accept();
        });
    }

    tcp::acceptor acceptor_;
    std::function<void(tcp::socket)> use_;
};

asio::awaitable<void> echo(tcp::socket socket) {
    std::array<char, kBufferBytes> bytes;
    error_code error;
    while (!error) {
        const std::size_t count = co_await socket.async_read_some(
            asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
        if (!error)
            co_await asio::async_write(socket, asio::buffer(bytes, count),
                                       asio::redirect_error(asio::use_awaitable, error));
    }
}

}  // namespace

void asio_echo(const Ready& ready) {
    asio::io_context context{1};
    const Acceptor acceptor(context, ready, [](tcp::socket socket) {
        std::make_shared<Session<tcp::socket>>(std::move(socket))->read();
    });
    context.run();
}

void asio_coroutine_echo(const Ready& ready) {
    asio::io_context context{1};
    const Acceptor acceptor(context, ready, [&context](tcp::socket socket) {
        asio::co_spawn(context, echo(std::move(socket)), asio::detached);
    });
    context.run();
}

void asio_tls_echo(const Ready& ready, const std::string& certificate, const std::string& key) {
    using Stream = asio::ssl::stream<tcp::socket>;
    asio::io_context context{1};
    asio::ssl::context tls(asio::ssl::context::tls_server);
    tls.use_certificate_chain(asio::buffer(certificate));
    tls.use_private_key(asio::buffer(key), asio::ssl::context::pem);
    const Acceptor acceptor(context, ready, [&tls](tcp::socket socket) {
        auto session = std::make_shared<Session<Stream>>(Stream(std::move(socket), tls));
        session->stream().async_handshake(asio::ssl::stream_base::server,
                                          [session](const error_code& error) {
                                              if (!error) session->read();
                                          });
    });
    context.run();
}

TimerTimes asio_timers(const TimerPlan& plan) {
    asio::io_context context{1};
    std::deque<asio::steady_timer> timers;
    for (std::size_t i = 0; i < plan.delays.size(); ++i)
        timers.emplace_back(context);
    std::size_t fired = 0;
    const auto count = [&fired](const error_code& error) {
        if (!error) ++fired;
    };
    TimerTimes times;
    double begin = thread_cpu_seconds();
    for (std::size_t i = 0; i < timers.size(); ++i) {
        timers[i].expires_after(plan.delays[i]);
        timers[i].async_wait(count);
    }
    times.arm = thread_cpu_seconds() - begin;
    begin = thread_cpu_seconds();
    for (const auto& [index, delay] : plan.again) {
        timers[index].expires_after(delay);  // Cancels the wait, whose handler runs.
        timers[index].async_wait(count);
    }
    context.poll();
    times.rearm = thread_cpu_seconds() - begin;
    for (auto& timer : timers)
        timer.cancel();
    context.poll();
    context.restart();
    for (std::size_t i = 0; i < timers.size(); ++i) {
        timers[i].expires_after(plan.soon[i]);
        timers[i].async_wait(count);
    }
    begin = thread_cpu_seconds();
    while (fired < timers.size())
        context.poll();
    times.fire = thread_cpu_seconds() - begin;
    return times;
}

double asio_posts(std::size_t posts) {
    asio::io_context context;  // Two threads use it: no hint.
    const auto work = asio::make_work_guard(context);
    std::size_t arrived = 0;
    const double begin = elapsed_seconds();
    std::thread producer([&] {
        for (std::size_t i = 0; i < posts; ++i)
            asio::post(context, [&context, &arrived, posts] {
                if (++arrived == posts) context.stop();
            });
    });
    context.run();
    producer.join();
    return elapsed_seconds() - begin;
}

namespace {

/// Sends batches from its loop to another's, the next one when the last was answered.
class MailSender {
public:
    explicit MailSender(std::size_t posts) : left_(posts) {}

    void run() {
        const auto work = asio::make_work_guard(theirs_);
        std::thread other([this] { theirs_.run(); });
        asio::post(ours_, [this] { send_batch(); });
        ours_.run();
        theirs_.stop();
        other.join();
    }

private:
    void send_batch() {
        if (left_ == 0) return;
        left_ -= std::min(left_, kMailBatch);
        for (std::size_t i = 1; i < kMailBatch; ++i)
            asio::post(theirs_, [this] { ++arrived_; });
        asio::post(theirs_, [this, work = asio::make_work_guard(ours_)] {
            ++arrived_;
            asio::post(ours_, [this] { send_batch(); });
        });
    }

    asio::io_context ours_;
    asio::io_context theirs_;
    std::size_t left_;
    std::size_t arrived_ = 0;
};

}  // namespace

double asio_mail(std::size_t posts) {
    MailSender sender(posts);
    const double begin = elapsed_seconds();
    sender.run();
    return elapsed_seconds() - begin;
}

}  // namespace bench
