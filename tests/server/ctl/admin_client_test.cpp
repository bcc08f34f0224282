// parleyctl's client against the real admin socket: a Unix-domain socket in a temporary folder.
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/real_world.h"
#include "reactor/tcp_network.h"
#include "server/admin/admin_socket.h"
#include "server/ctl/admin_client.h"
#include "tests/server/admin/fake_backend.h"

namespace server::ctl {
namespace {

using ::testing::HasSubstr;

/// An admin socket on a loop of its own in another thread.
class LiveSocket {
public:
    explicit LiveSocket(std::string path)
        : path_(std::move(path)), shards_({}, base::Log::silent(), reactor::make_tcp_network) {
        add_standard_commands(commands_, backend_);
        thread_ = std::thread([this] {
            shards_.run(
                [this](reactor::ShardId) {
                    auto socket = AdminSocket::listen(shards_.world(0), commands_, {.path = path_});
                    if (socket) socket_ = *std::move(socket);
                    listening_.set_value(socket_ != nullptr);
                },
                [this](reactor::ShardId) { socket_.reset(); });
        });
        EXPECT_TRUE(listening_.get_future().get());
    }
    ~LiveSocket() {
        shards_.stop();
        thread_.join();
    }

private:
    std::string path_;
    reactor::RealShards shards_;
    test::FakeBackend backend_;
    AdminCommands commands_;
    std::unique_ptr<AdminSocket> socket_;
    std::promise<bool> listening_;
    std::thread thread_;
};

std::string temporary_path(const char* name) {
    return testing::TempDir() + "parley-" + std::to_string(::getpid()) + "-" + name;
}

TEST(AdminClient, talks_to_a_live_socket) {
    const std::string path = temporary_path("live.sock");
    const LiveSocket live(path);
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);

    const auto client = make_socket_client(path);
    const auto added =
        client->call("add-user", {{"jid", "a@example.org"}, {"password", "s3cret\n\"ü"}});
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_EQ(added->text_of("jid"), "a@example.org");
    const auto again = client->call("add-user", {{"jid", "a@example.org"}, {"password", "x"}});
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.error().reached);
    EXPECT_EQ(again.error().code, "already_exists");
    EXPECT_THAT(again.error().mend, HasSubstr("set-password"));
}

TEST(AdminClient, tells_a_missing_server_from_a_stopped_one) {
    const auto missing = make_socket_client("/nonexistent/x.sock")->call("status", {});
    ASSERT_FALSE(missing);
    EXPECT_FALSE(missing.error().reached);
    EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/x.sock: No such file"));
    EXPECT_THAT(missing.error().mend, HasSubstr("--socket"));

    const auto long_path = make_socket_client(std::string(200, 'x'))->call("status", {});
    ASSERT_FALSE(long_path);
    EXPECT_THAT(long_path.error().message, HasSubstr("too long"));
}

TEST(AdminClient, says_when_the_connection_ends_without_an_answer) {
    const std::string path = temporary_path("lost.sock");
    const LiveSocket live(path);
    const auto client = make_socket_client(path);
    // Past the largest request the server answers an error and ends the connection.
    const auto refused = client->call("x", {{"y", std::string(100'000, 'z')}});
    ASSERT_FALSE(refused);
    const auto after = client->call("status", {});
    if (!after) {
        EXPECT_EQ(after.error().code, "connection_lost");
        const auto next = client->call("status", {});
        EXPECT_TRUE(next) << "the client connects again after a loss";
    }
}

}  // namespace
}  // namespace server::ctl
