// The chat room of Twisted's tutorial, over telnet: say who you are, then everything you say goes
// to everybody. A user who reads too slowly is shown out instead of holding up the room.
//   chat_server [port, default 0: any]
#include "reactor/net/server.h"
#include "reactor/run_main.h"

#include <cstdio>
#include <cstdlib>
#include <map>

namespace {

using namespace reactor;
using namespace std::chrono_literals;

class Room {
public:
    /// False: the name is taken, or none.
    bool enter(const std::string& name, Connection& connection) {
        return !name.empty() && users_.emplace(name, &connection).second;
    }
    void leave(const std::string& name) {
        users_.erase(name);
        tell_all("* " + name + " left\r\n");
    }
    void tell_all(const std::string& line) {
        const base::SharedBytes bytes(line);  // One copy, shared by all queues.
        for (const auto& [name, connection] : users_)
            (void)connection->write(bytes);
    }
    std::string names() const {
        std::string list;
        for (const auto& [name, connection] : users_)
            list += (list.empty() ? "" : ", ") + name;
        return list.empty() ? "nobody" : list;
    }

private:
    std::map<std::string, Connection*> users_;
};

Deferred<std::string> read_line(Connection& connection) {
    return connection.read_until("\n").then([](std::string line) {
        if (line.ends_with('\r')) line.pop_back();  // Telnet sends CR LF.
        return line;
    });
}

Deferred<void> session(Room& room, Connection& connection) {
    (void)connection.write("What is your name?\r\n");
    std::string name;
    while (name.empty()) {
        Deferred<std::string> reading = read_line(connection);
        base::Result<std::string> line = co_await std::move(reading);
        if (!line) co_return {};
        const std::string present = room.names();
        if (room.enter(*line, connection)) name = *std::move(line);
        (void)connection.write(name.empty() ? "Taken. Another name?\r\n"
                                            : "Welcome, " + name + ". Here: " + present + ".\r\n");
    }
    struct Leaving {  // However the session ends, also when it is dropped.
        Room& room;
        const std::string& name;
        ~Leaving() { room.leave(name); }
    } const leaving{room, name};
    room.tell_all("* " + name + " joined\r\n");
    for (;;) {
        Deferred<std::string> reading = read_line(connection);
        const base::Result<std::string> line = co_await std::move(reading);
        if (!line) co_return {};
        room.tell_all("<" + name + "> " + *line + "\r\n");
    }
}

Deferred<int> chat_server(World& world, std::vector<std::string> arguments) {
    const int port = arguments.empty() ? 0 : std::atoi(arguments[0].c_str());
    Room room;
    ServerOptions options;
    options.connection.line_bytes_max = 512;
    options.connection.write_bytes_max = 65'536;  // A slow reader's share; beyond it he is out.
    Server server(
        world, [&room](Connection& connection) { return session(room, connection); }, options);
    const base::Result<Endpoint> endpoint =
        server.listen({.endpoint = {"127.0.0.1", static_cast<std::uint16_t>(port)}});
    if (!endpoint) co_return endpoint.error();
    std::printf("listening on %s\n", endpoint->to_string().c_str());
    std::fflush(stdout);
    Promise<void> for_ever;
    (void)co_await for_ever.deferred().as_result();  // Until a signal cancels it.
    room.tell_all("* the server is closing\r\n");
    Deferred<void> stopping = server.stop(1s);
    (void)co_await std::move(stopping);
    co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
    return run_main(chat_server, argc, argv);
}
