// A key-value store over lines, with limits: a client must log in within a time, may not idle for
// longer than another, and no line may be too long. Ends cleanly on SIGTERM.
//   line_server [port, default 0: any] [idle timeout in ms, default 30000]
//   HELLO name | SET key value | GET key | QUIT
#include "reactor/combine.h"
#include "reactor/net/server.h"
#include "reactor/run_main.h"

#include <cstdio>
#include <cstdlib>
#include <map>

namespace {

using namespace reactor;
using namespace std::chrono_literals;

using Store = std::map<std::string, std::string>;

std::string take_word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    std::string word(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

std::string answer_to(Store& store, std::string_view line) {
    constexpr std::size_t kKeysMax = 10'000;
    const std::string verb = take_word(line);
    const std::string key = take_word(line);
    if (verb == "SET" && !key.empty()) {
        if (store.size() >= kKeysMax && !store.contains(key)) return "507 full\r\n";
        store[key] = line;
        return "200 stored\r\n";
    }
    if (verb == "GET") {
        const auto found = store.find(key);
        return found == store.end() ? "404 not found\r\n" : "200 " + found->second + "\r\n";
    }
    return "400 bad request\r\n";
}

Deferred<void> session(Store& store, Connection& connection, base::Duration login_limit) {
    World& world = connection.world();
    (void)connection.write("220 who are you?\r\n");
    Deferred<std::string> greeting =
        with_timeout(world.reactor, connection.read_until("\r\n"), login_limit);
    const base::Result<std::string> hello = co_await std::move(greeting);
    if (!hello || !hello->starts_with("HELLO ")) {
        (void)connection.write(hello ? "401 say hello first\r\n" : "408 too slow\r\n");
        co_return {};
    }
    (void)connection.write("250 welcome\r\n");
    for (;;) {
        Deferred<std::string> reading = connection.read_until("\r\n");
        const base::Result<std::string> line = co_await std::move(reading);
        if (!line || *line == "QUIT") {
            const bool too_long = !line && line.error().is(base::Errc::resource_exhausted);
            (void)connection.write(too_long ? "413 line too long\r\n" : "221 bye\r\n");
            co_return {};
        }
        if (!connection.write(answer_to(store, *line))) co_return {};
        Deferred<void> draining = connection.drain();  // A slow reader waits for its answers.
        (void)co_await std::move(draining);
    }
}

Deferred<int> line_server(World& world, std::vector<std::string> arguments) {
    const int port = arguments.empty() ? 0 : std::atoi(arguments[0].c_str());
    const int idle_ms = arguments.size() < 2 ? 30'000 : std::atoi(arguments[1].c_str());
    Store store;
    ServerOptions options;
    options.connection.line_bytes_max = 1024;
    options.idle_timeout = std::chrono::milliseconds(idle_ms);
    Server server(
        world,
        [&store, idle_ms](Connection& connection) {
            return session(store, connection, std::chrono::milliseconds(idle_ms / 2));
        },
        options);
    const base::Result<Endpoint> endpoint =
        server.listen({.endpoint = {"127.0.0.1", static_cast<std::uint16_t>(port)}});
    if (!endpoint) co_return endpoint.error();
    std::printf("listening on %s\n", endpoint->to_string().c_str());
    std::fflush(stdout);
    Promise<void> for_ever;
    (void)co_await for_ever.deferred().as_result();  // Until a signal cancels it.
    Deferred<void> stopping = server.stop(1s);
    (void)co_await std::move(stopping);
    co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return run_main(line_server, argc, argv);
}
