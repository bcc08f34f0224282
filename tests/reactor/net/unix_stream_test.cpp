// D7: Unix-domain streams, abstract names, descriptors as passengers. E10: sockets that are adopted
// and handed over.
#include "reactor/net/unix_stream.h"

#include "reactor/base/bytes.h"
#include "reactor/tcp_adopt.h"
#include "real_loop.h"
#include "tests/reactor/stream_peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;
using StreamPtr = std::unique_ptr<ByteStream>;

class D7_UnixStream : public test::RealLoop {
protected:
    void make_pair() {
        auto ends = unix_pair();
        ASSERT_TRUE(ends);
        auto first = unix_stream(world(), std::move(ends->first));
        auto second = unix_stream(world(), std::move(ends->second));
        ASSERT_TRUE(first && second);
        one = *std::move(first);
        other = *std::move(second);
    }
    IoResult write(UnixStream& stream, std::string_view text, std::span<const int> fds = {}) {
        const ConstBuffer buffer = base::as_bytes(text);
        return stream.try_write_with(std::span(&buffer, 1), fds);
    }
    std::string read(ByteStream& stream, std::size_t count) {
        std::string text;
        std::array<std::byte, 256> bytes;
        run_until([&] {
            const IoResult result = stream.try_read(
                std::span(bytes).first(std::min(bytes.size(), count - text.size())));
            text += base::as_text(std::span(bytes).first(result.bytes));
            return text.size() == count || result.status == IoStatus::failed;
        });
        return text;
    }
    static std::string contents(const OwnedFd& fd) {
        std::array<char, 64> bytes{};
        const ssize_t count = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
        return count < 0 ? "unreadable"
                         : std::string(bytes.data(), static_cast<std::size_t>(count));
    }
    OwnedFd file_with(const std::string& text) {
        OwnedFd fd(::memfd_create("test", MFD_CLOEXEC));
        EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        return fd;
    }

    std::unique_ptr<UnixStream> one;
    std::unique_ptr<UnixStream> other;
};

TEST_F(D7_UnixStream, passes_descriptors_in_order_with_their_bytes) {
    make_pair();
    const OwnedFd first = file_with("first");
    const OwnedFd second = file_with("second");
    const std::array<int, 2> fds = {first.get(), second.get()};
    ASSERT_EQ(write(*one, "two files", fds).bytes, 9u);
    ASSERT_EQ(write(*one, "and none").bytes, 8u);
    EXPECT_FALSE(other->take_received());
    EXPECT_EQ(read(*other, 17), "two filesand none");
    auto received = other->take_received();
    ASSERT_TRUE(received);
    EXPECT_EQ(contents(*received), "first");
    EXPECT_NE(received->get(), first.get());
    EXPECT_EQ(::fcntl(received->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    received = other->take_received();
    ASSERT_TRUE(received);
    EXPECT_EQ(contents(*received), "second");
    EXPECT_FALSE(other->take_received());
}

TEST_F(D7_UnixStream, refuses_descriptors_without_a_byte_or_too_many) {
    make_pair();
    const OwnedFd file = file_with("x");
    const std::array<int, 1> fds = {file.get()};
    EXPECT_EQ(write(*one, "", fds).error, Errc::invalid_argument);
    const std::vector<int> many(UnixStream::kPerMessageMax + 1, file.get());
    EXPECT_EQ(write(*one, "x", many).error, Errc::invalid_argument);
    const std::vector<int> most(UnixStream::kPerMessageMax, file.get());
    EXPECT_EQ(write(*one, "x", most).bytes, 1u);
    EXPECT_EQ(read(*other, 1), "x");
    std::size_t count = 0;
    while (other->take_received())
        ++count;
    EXPECT_EQ(count, UnixStream::kPerMessageMax);
}

TEST_F(D7_UnixStream, breaks_when_descriptors_pile_up) {
    make_pair();
    const OwnedFd file = file_with("x");
    const std::vector<int> most(UnixStream::kPerMessageMax, file.get());
    const std::size_t messages = UnixStream::kUntakenMax / UnixStream::kPerMessageMax;
    for (std::size_t i = 0; i < messages; ++i) {
        ASSERT_EQ(write(*one, "x", most).bytes, 1u);
        EXPECT_EQ(read(*other, 1), "x");
    }
    ASSERT_EQ(write(*one, "x", std::span(most).first(1)).bytes, 1u);
    std::array<std::byte, 8> bytes;
    const IoResult result = other->try_read(bytes);
    EXPECT_EQ(result.status, IoStatus::failed);
    EXPECT_EQ(result.error, Errc::resource_exhausted);
    EXPECT_FALSE(other->take_received());
}

TEST_F(D7_UnixStream, behaves_as_a_stream) {
    make_pair();
    StreamPeer first(std::move(one));
    StreamPeer second(std::move(other));
    const std::string large(1'000'000, 'z');
    first.send(large);
    ASSERT_TRUE(run_until([&] { return second.received().size() == large.size(); }));
    first.stream().shutdown_write();
    ASSERT_TRUE(run_until([&] { return second.ended(); }));
    second.send("still");
    ASSERT_TRUE(run_until([&] { return first.received() == "still"; }));
}

TEST_F(D7_UnixStream, listens_and_connects_by_abstract_name_without_a_file) {
    const Endpoint endpoint{"unix:@parley-" + std::to_string(getpid()), 0};
    std::vector<std::unique_ptr<StreamPeer>> accepted;
    auto listener = world().network.listen({.endpoint = endpoint}, [&](StreamPtr stream) {
        accepted.push_back(std::make_unique<StreamPeer>(std::move(stream)));
    });
    ASSERT_TRUE(listener) << listener.error().message();
    EXPECT_EQ((*listener)->local(), endpoint);
    auto stream = wait(world().network.connect(endpoint));
    ASSERT_TRUE(stream);
    ASSERT_TRUE(run_until([&] { return accepted.size() == 1; }));
    auto again = world().network.listen({.endpoint = endpoint}, [](StreamPtr) {});
    EXPECT_EQ(again.error().code(), Errc::address_in_use);
    listener->reset();
    EXPECT_EQ(wait(world().network.connect(endpoint)).error().code(), Errc::connection_refused);
}

TEST_F(D7_UnixStream, takes_over_a_connection_and_refuses_others) {
    const Endpoint endpoint{"unix:" + temporary("take"), 0};
    StreamPtr server;
    auto listener = world().network.listen({.endpoint = endpoint},
                                           [&](StreamPtr stream) { server = std::move(stream); });
    ASSERT_TRUE(listener);
    auto stream = wait(world().network.connect(endpoint));
    ASSERT_TRUE(stream);
    ASSERT_TRUE(run_until([&] { return server != nullptr; }));
    auto ours = unix_stream(world(), *std::move(stream));
    auto theirs = unix_stream(world(), std::move(server));
    ASSERT_TRUE(ours && theirs);
    const OwnedFd file = file_with("carried");
    const std::array<int, 1> fds = {file.get()};
    ASSERT_EQ(write(**ours, "!", fds).bytes, 1u);
    EXPECT_EQ(read(**theirs, 1), "!");
    EXPECT_EQ(contents(*(*theirs)->take_received()), "carried");
    EXPECT_EQ(unix_stream(world(), OwnedFd(::memfd_create("x", 0))).error().code(),
              Errc::invalid_argument);
}

class E10_Adopt : public test::RealLoop {
protected:
    std::vector<std::unique_ptr<StreamPeer>> accepted;
    AcceptFunction keep() {
        return [this](StreamPtr stream) {
            accepted.push_back(std::make_unique<StreamPeer>(std::move(stream)));
        };
    }
};

TEST_F(E10_Adopt, hands_a_listener_over_without_losing_a_connection) {
    auto old = world().network.listen({.endpoint = {"127.0.0.1", 0}}, keep());
    ASSERT_TRUE(old);
    const Endpoint endpoint = (*old)->local();
    (*old)->pause();
    auto waiting = wait(world().network.connect(endpoint));  // In the backlog.
    ASSERT_TRUE(waiting);
    auto fd = hand_over(**old);
    ASSERT_TRUE(fd);
    old->reset();
    auto successor = adopt_listener(world(), *std::move(fd), keep());
    ASSERT_TRUE(successor) << successor.error().message();
    EXPECT_EQ((*successor)->local(), endpoint);
    ASSERT_TRUE(run_until([&] { return accepted.size() == 1; }));
    StreamPeer client(*std::move(waiting));
    client.send("patient");
    ASSERT_TRUE(run_until([&] { return accepted[0]->received() == "patient"; }));
}

TEST_F(E10_Adopt, passes_the_duty_for_the_socket_file_on) {
    const std::string path = temporary("handed");
    struct stat status{};
    auto old = world().network.listen({.endpoint = {"unix:" + path, 0}}, keep());
    ASSERT_TRUE(old);
    auto fd = hand_over(**old);
    old->reset();
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << "the successor serves it";
    auto successor = adopt_listener(world(), *std::move(fd), keep(), {.owns_socket_file = true});
    ASSERT_TRUE(successor);
    ASSERT_TRUE(wait(world().network.connect({"unix:" + path, 0})));
    successor->reset();
    EXPECT_NE(::lstat(path.c_str(), &status), 0);
}

TEST_F(E10_Adopt, lets_two_listeners_share_one_port) {
    auto one = world().network.listen({.endpoint = {"127.0.0.1", 0}, .share_port = true}, keep());
    ASSERT_TRUE(one);
    auto other = world().network.listen({.endpoint = (*one)->local(), .share_port = true}, keep());
    ASSERT_TRUE(other) << other.error().message();
    auto alone = world().network.listen({.endpoint = (*one)->local()}, keep());
    EXPECT_EQ(alone.error().code(), Errc::address_in_use);
}

TEST_F(E10_Adopt, moves_a_connection_by_its_descriptor) {
    auto listener = world().network.listen({.endpoint = {"127.0.0.1", 0}}, keep());
    ASSERT_TRUE(listener);
    auto stream = wait(world().network.connect((*listener)->local()));
    ASSERT_TRUE(stream && run_until([&] { return accepted.size() == 1; }));
    accepted[0]->send("sent before");
    run_turns(2);
    auto fd = take_descriptor(*std::move(stream));
    ASSERT_TRUE(fd);
    auto adopted = adopt_stream(world(), *std::move(fd));
    ASSERT_TRUE(adopted) << adopted.error().message();
    StreamPeer client(*std::move(adopted));
    ASSERT_TRUE(run_until([&] { return client.received() == "sent before"; }));
}

TEST_F(E10_Adopt, refuses_what_is_not_what_it_should_be) {
    EXPECT_EQ(adopt_listener(world(), OwnedFd(), keep()).error().code(), Errc::invalid_argument);
    auto pair = unix_pair();
    EXPECT_EQ(adopt_listener(world(), std::move(pair->first), keep()).error().code(),
              Errc::invalid_argument);
    EXPECT_EQ(adopt_stream(world(), OwnedFd(::memfd_create("x", 0))).error().code(),
              Errc::invalid_argument);
    OwnedFd unconnected(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(adopt_stream(world(), std::move(unconnected)).error().code(), Errc::invalid_argument);
}

TEST_F(E10_Adopt, reads_what_systemd_passes) {
    EXPECT_TRUE(passed_descriptors(nullptr, nullptr, nullptr, 7)->empty());
    EXPECT_TRUE(passed_descriptors("8", "1", nullptr, 7)->empty()) << "meant for another process";
    EXPECT_EQ(passed_descriptors("7", "many", nullptr, 7).error().code(), Errc::invalid_argument);
    EXPECT_EQ(passed_descriptors("7", "-1", nullptr, 7).error().code(), Errc::invalid_argument);
    EXPECT_EQ(passed_descriptors("7", "5000", nullptr, 7).error().code(), Errc::invalid_argument);
    EXPECT_TRUE(passed_descriptors("7", "0", nullptr, 7)->empty());
}

}  // namespace
}  // namespace reactor
