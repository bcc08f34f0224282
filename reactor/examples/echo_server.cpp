// Sends back what it is sent, over TCP or a Unix-domain socket, as the endpoint says:
//   echo_server [endpoint, default tcp:0:interface=127.0.0.1]
// Tells where it listens on standard output. At most 1000 connections; a peer that does not read
// is not read from. Ends cleanly on SIGTERM: what is unsent has a second.
#include "reactor/net/endpoint_text.h"
#include "reactor/net/server.h"
#include "reactor/run_main.h"

#include <cstdio>

namespace {

using namespace reactor;
using namespace std::chrono_literals;

Deferred<void> echo(Connection& connection) {
    const base::Result<std::uint64_t> echoed = co_await pipe(connection, connection);
    if (!echoed) co_return echoed.error();
    co_return {};
}

Deferred<int> echo_server(World& world, std::vector<std::string> arguments) {
    const std::string text = arguments.empty() ? "tcp:0:interface=127.0.0.1" : arguments[0];
    auto endpoint = parse_server_endpoint(text);
    if (!endpoint) co_return endpoint.error();
    ServerOptions options;
    options.limits = {.total_max = 1000, .per_address_max = 1000};
    Server server(world, echo, options);
    auto listener = listen_on(world, *endpoint, server.accept_function());
    if (!listener) co_return listener.error();
    std::printf("listening on %s\n", (*listener)->local().to_string().c_str());
    std::fflush(stdout);
    server.add_listener(*std::move(listener));

    Promise<void> for_ever;
    Deferred<void> waiting = for_ever.deferred();
    (void)co_await std::move(waiting).as_result();  // Until a signal cancels it.
    Deferred<void> stopping = server.stop(1s);
    (void)co_await std::move(stopping);
    std::printf("served %llu\n", static_cast<unsigned long long>(server.statistics().accepted));
    co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return run_main(echo_server, argc, argv);
}
