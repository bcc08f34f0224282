// E10 with real processes: several servers on one listening socket, and one that takes over from
// another. The servers are the echo server of reactor/examples.
#include "reactor/net/connection.h"
#include "reactor/process/process.h"
#include "reactor/tcp_adopt.h"
#include "tests/reactor/net/real_loop.h"

#include <signal.h>

namespace reactor {
namespace {

using Kind = ChildFd::Kind;

class E10_Processes : public test::RealLoop {
protected:
    /// A server of its own on the listening socket, which serves when this returns.
    std::unique_ptr<Process> serve(const OwnedFd& listener) {
        ProcessSpec spec;
        spec.executable = std::string(EXAMPLES_DIRECTORY) + "/echo_server";
        spec.arguments = {"echo_server", "fd:3"};
        spec.descriptors = {{{0, Kind::null, -1},
                             {1, Kind::pipe_out, -1},
                             {2, Kind::inherit, 2},
                             {3, Kind::inherit, listener.get()}}};
        auto process = spawner->spawn(std::move(spec));
        EXPECT_TRUE(process) << process.error().message();
        outputs.push_back(std::make_unique<Connection>(world(), (*process)->take_stream(1)));
        const auto line = wait(outputs.back()->read_until("\n"));
        EXPECT_TRUE(line && line->starts_with("listening on 127.0.0.1:"));
        return *std::move(process);
    }
    std::string echo(const Endpoint& endpoint, std::string_view text) {
        auto stream = wait(world().network.connect(endpoint));
        if (!stream) return stream.error().message();
        Connection connection(world(), *std::move(stream));
        (void)connection.write(text);
        const auto answer = wait(connection.read());
        return answer ? *answer : answer.error().message();
    }

    std::unique_ptr<ProcessSpawner> spawner = make_process_spawner(world());
    std::vector<std::unique_ptr<Connection>> outputs;  // Open while the servers may write.
};

TEST_F(E10_Processes, share_one_socket_and_take_over_from_each_other) {
    auto listener =
        world().network.listen({.endpoint = {"127.0.0.1", 0}}, [](std::unique_ptr<ByteStream>) {});
    ASSERT_TRUE(listener);
    const Endpoint endpoint = (*listener)->local();
    auto fd = hand_over(**listener);
    ASSERT_TRUE(fd);
    listener->reset();
    auto first = serve(*fd);
    EXPECT_EQ(echo(endpoint, "first"), "first");
    auto second = serve(*fd);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(echo(endpoint, "both"), "both");
    ASSERT_TRUE(first->signal(SIGTERM));
    EXPECT_TRUE(wait(first->exited())->success());
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(echo(endpoint, "second alone"), "second alone") << "no connection was refused";
    ASSERT_TRUE(second->signal(SIGTERM));
    EXPECT_TRUE(wait(second->exited())->success());
}

}  // namespace
}  // namespace reactor
