#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/base/bytes.h"
#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_world.h"
#include "server/admin/admin_socket.h"
#include "tests/server/admin/fake_backend.h"

namespace server::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kStatus = R"({"command":"status"})";

/// Refuses to connect, and listens without anybody ever calling: connections come by pipe.
class DeafNetwork final : public reactor::Network {
public:
    base::Result<std::unique_ptr<reactor::Listener>> listen(reactor::ListenOptions options,
                                                            reactor::AcceptFunction) override {
        listened = options;
        if (refuse) return base::fail(base::Errc::address_in_use, "somebody is there");
        return nullptr;
    }
    reactor::Deferred<std::unique_ptr<reactor::ByteStream>> connect(
        reactor::Endpoint, std::optional<reactor::Endpoint>) override {
        return base::Failure(base::Errc::unsupported);
    }
    reactor::ListenOptions listened;
    bool refuse = false;
};

class Socket : public testing::Test {
protected:
    reactor::World& world() { return world_.world(); }
    template <class Function>
    auto in_world(Function function) {
        return world_.on(world(), std::move(function));
    }

    Socket() {
        add_standard_commands(commands_, backend_);
        AdminSocketOptions options;
        options.path = "/run/x.sock";
        options.request_bytes_max = 1000;
        options.connections_max = 3;
        options.idle_timeout = 10s;
        in_world([&] { socket_ = *AdminSocket::listen(world(), commands_, options); });
    }
    ~Socket() override {
        in_world([&] {
            clients_.clear();
            socket_.reset();
            backend_.stopping.reset();
        });
        world_.run_ready();
    }

    reactor::ByteStream& connect(reactor::MemoryPipeOptions options = {}) {
        in_world([&] {
            auto [client, served] = reactor::memory_pipe(world(), world(), options);
            clients_.push_back(std::move(client));
            socket_->serve(std::move(served));
        });
        world_.run_ready();
        return *clients_.back();
    }
    void write(reactor::ByteStream& stream, std::string_view text) {
        while (!text.empty()) {
            const reactor::ConstBuffer bytes = base::as_bytes(text);
            const reactor::IoResult written =
                in_world([&] { return stream.try_writev({&bytes, 1}); });
            if (written.status == reactor::IoStatus::ok)
                text.remove_prefix(written.bytes);
            else if (written.status == reactor::IoStatus::failed)
                return;
            world_.run_ready();
        }
        world_.run_ready();
    }
    /// All that has come; "<end>" when the other side has closed.
    std::string read(reactor::ByteStream& stream) {
        std::string text;
        for (;;) {
            std::byte bytes[512];
            const reactor::IoResult result = in_world([&] { return stream.try_read(bytes); });
            if (result.status == reactor::IoStatus::ok) {
                text += base::as_text(std::span(bytes).first(result.bytes));
            } else {
                if (result.status != reactor::IoStatus::would_block) text += "<end>";
                return text;
            }
            world_.run_ready();
        }
    }
    std::string ask(reactor::ByteStream& stream, std::string_view text) {
        write(stream, text);
        return read(stream);
    }

    DeafNetwork* network_ = nullptr;
    reactor::SimWorld world_{reactor::SimOptions{}, [this](reactor::World&) {
                                 auto made = std::make_unique<DeafNetwork>();
                                 network_ = made.get();
                                 return made;
                             }};
    FakeBackend backend_;
    AdminCommands commands_;
    std::unique_ptr<AdminSocket> socket_;
    std::vector<std::unique_ptr<reactor::ByteStream>> clients_;
};

TEST_F(Socket, listens_for_its_own_user_only) {
    EXPECT_EQ(network_->listened.endpoint.address, "unix:/run/x.sock");
    EXPECT_EQ(network_->listened.unix_mode, 0600U);
    EXPECT_FALSE(network_->listened.share_port);
}

TEST_F(Socket, passes_on_why_it_cannot_listen) {
    network_->refuse = true;
    in_world([&] {
        const auto refused = AdminSocket::listen(world(), commands_, {.path = "/run/y.sock"});
        ASSERT_FALSE(refused);
        EXPECT_TRUE(refused.error().is(base::Errc::address_in_use));
    });
}

TEST_F(Socket, answers_one_line_per_request) {
    auto& client = connect();
    EXPECT_THAT(ask(client, std::string(kStatus) + "\n"),
                StartsWith(R"({"ok":true,"result":{"ver)"));
    EXPECT_THAT(ask(client, std::string(kStatus) + "\r\n"), StartsWith(R"({"ok":true)"));
    EXPECT_EQ(ask(client, "\n\r\n\n"), "");
}

TEST_F(Socket, answers_pipelined_requests_in_order) {
    auto& client = connect();
    const std::string replies =
        ask(client, R"({"command":"add-user","arguments":{"jid":"a@example.org","password":"x"}})"
                    "\n"
                    R"({"command":"list-users"})"
                    "\n{}\n");
    EXPECT_THAT(replies, StartsWith("{\"ok\":true,\"result\":{\"jid\":\"a@example.org\"}}\n"
                                    "{\"ok\":true,\"result\":{\"users\":[\"a@example.org\"]"));
    EXPECT_THAT(replies, HasSubstr("\n{\"ok\":false,\"error\":{\"code\":\"unknown_command\""));
}

TEST_F(Socket, takes_requests_byte_by_byte_and_writes_to_slow_readers) {
    auto& client = connect({.capacity = 16, .transfer_max = 1});
    write(client, std::string(kStatus) + "\n");
    std::string reply;
    for (int round = 0; round < 1000 && !reply.ends_with('\n'); ++round) {
        reply += read(client);
        world_.run_ready();
    }
    EXPECT_THAT(reply, StartsWith(R"({"ok":true)"));
    EXPECT_THAT(reply, testing::EndsWith("}\n"));
}

TEST_F(Socket, survives_garbage_and_goes_on) {
    auto& client = connect();
    EXPECT_THAT(ask(client, "GET / HTTP/1.1\n"), HasSubstr("invalid_request"));
    EXPECT_THAT(ask(client, std::string_view("\0\xff\xfe\n", 4)), HasSubstr("invalid_request"));
    EXPECT_THAT(ask(client, std::string(900, '[') + "\n"), HasSubstr("invalid_request"));
    EXPECT_THAT(ask(client, std::string(kStatus) + "\n"), StartsWith(R"({"ok":true)"));
}

TEST_F(Socket, accepts_a_request_of_the_largest_size_and_ends_after_one_byte_more) {
    auto& client = connect();
    std::string longest = kStatus;
    longest.resize(1000, ' ');
    EXPECT_THAT(ask(client, longest + "\n"), StartsWith(R"({"ok":true)"));
    const std::string reply = ask(client, longest + " \n" + kStatus + "\n");
    EXPECT_THAT(reply, HasSubstr("request_too_long"));
    EXPECT_THAT(reply, testing::EndsWith("<end>"));
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, ends_an_endless_line_without_keeping_it) {
    auto& client = connect();
    const std::string reply = ask(client, std::string(50'000, 'x'));
    EXPECT_THAT(reply, HasSubstr("request_too_long"));
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, forgets_a_connection_that_closes_even_in_the_middle_of_a_request) {
    write(connect(), R"({"command":)");
    EXPECT_EQ(socket_->connections(), 1U);
    in_world([&] { clients_.clear(); });
    world_.run_ready();
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, answers_a_request_before_the_half_closed_end) {
    auto& client = connect();
    write(client, std::string(kStatus) + "\n");
    in_world([&] { client.shutdown_write(); });
    world_.run_ready();
    EXPECT_THAT(read(client), testing::EndsWith("}\n<end>"));
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, ends_idle_connections) {
    auto& client = connect();
    world_.advance(9s);
    EXPECT_EQ(socket_->connections(), 1U);
    EXPECT_THAT(ask(client, std::string(kStatus) + "\n"), StartsWith(R"({"ok":true)"));
    world_.advance(9s);
    EXPECT_EQ(socket_->connections(), 1U);
    world_.advance(2s);
    EXPECT_EQ(socket_->connections(), 0U);
    EXPECT_EQ(read(client), "<end>");
}

TEST_F(Socket, a_byte_a_second_does_not_keep_a_connection_for_ever) {
    auto& client = connect();
    for (int second = 0; second < 12; ++second) {
        write(client, "x");
        world_.advance(1s);
    }
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, ends_a_connection_that_does_not_read_its_reply) {
    auto& client = connect({.capacity = 64});
    write(client, std::string(kStatus) + "\n");
    world_.advance(11s);
    EXPECT_EQ(socket_->connections(), 0U);
}

TEST_F(Socket, waits_for_a_slow_command_without_a_time_limit) {
    auto& client = connect();
    write(client, "{\"command\":\"stop\"}\n");
    world_.advance(1min);
    EXPECT_EQ(read(client), "");
    in_world([&] { backend_.stopping->resolve(); });
    world_.run_ready();
    EXPECT_EQ(read(client), "{\"ok\":true,\"result\":{}}\n");
}

TEST_F(Socket, closes_connections_past_the_limit_at_once) {
    for (int count = 0; count < 3; ++count)
        connect();
    EXPECT_EQ(read(connect()), "<end>");
    EXPECT_EQ(socket_->connections(), 3U);
    EXPECT_THAT(ask(*clients_[0], std::string(kStatus) + "\n"), StartsWith(R"({"ok":true)"));
}

TEST_F(Socket, destroying_it_drops_what_runs) {
    auto& client = connect();
    write(client, "{\"command\":\"stop\"}\n");
    in_world([&] { socket_.reset(); });
    world_.run_ready();
    EXPECT_EQ(read(client), "<end>");
    EXPECT_FALSE(backend_.stopping->wanted());
}

}  // namespace
}  // namespace server::test
