// A node of a small cluster: it writes entries into its notebook and passes on, to each other node,
// all that it has. Whatever breaks in between, in the end all notebooks hold the same: a connection
// that is made anew starts from the first entry. It does not know whether its World is simulated.
#pragma once

#include "reactor/blocking_pool.h"
#include "reactor/combine.h"
#include "reactor/net/client_service.h"
#include "reactor/net/server.h"

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gossip {

using namespace reactor;
using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 7000;

/// What stays of a node when its program ends.
struct Notebook {
    std::string owner;
    unsigned written = 0;
    std::vector<std::string> entries = {};  ///< In the order in which they came here.
    std::set<std::string> known = {};

    void add(const std::string& entry) {
        if (!entry.empty() && known.insert(entry).second) entries.push_back(entry);
    }
};

inline Deferred<void> listen_to(Connection& connection, Notebook& book) {
    for (;;) {
        const auto line = co_await connection.read_until("\n");
        if (!line) co_return {};
        book.add(*line);
    }
}

/// Sends what is new, and an empty line when nothing is, so that a dead connection shows.
inline Deferred<void> tell(Connection& connection, const Notebook& book) {
    for (std::size_t told = 0;;) {
        std::string lines = "\n";
        for (; told < book.entries.size(); ++told)
            lines += book.entries[told] + "\n";
        if (!connection.write(lines)) co_return {};
        // Nobody ever answers: a result is the end of the connection.
        Deferred<std::string> reading =
            with_timeout(connection.world().reactor, connection.read(), 500ms);
        const auto end = co_await std::move(reading);
        if (end || !end.error().is(base::Errc::timed_out)) co_return {};
    }
}

inline Deferred<void> node(World& world, Notebook& book, std::vector<std::string> peers) {
    Server server(world, [&book](Connection& connection) { return listen_to(connection, book); });
    const auto listening = server.listen({.endpoint = {"0.0.0.0", kPort}});
    if (!listening) co_return listening.error();
    std::vector<std::unique_ptr<ClientService>> services;
    for (const std::string& peer : peers) {
        ClientServiceOptions options;
        options.backoff = {.initial = 300ms, .max = 2s};
        auto connect = [&world, peer] {
            return with_timeout(world.reactor, world.network.connect({peer, kPort}), 2s);
        };
        auto session = [&book](Connection& connection) { return tell(connection, book); };
        services.push_back(
            std::make_unique<ClientService>(world, std::move(connect), std::move(session),
                                            ClientService::Prepare(), std::move(options)));
        services.back()->start();
    }
    for (;;) {
        Deferred<void> pause = sleep(world.reactor, 1s);
        co_await std::move(pause);
        Deferred<void> writing = world.blocking.run(WorkClass::misc, [] {});  // As to a disk.
        if (co_await std::move(writing)) book.add(book.owner + std::to_string(++book.written));
    }
}

}  // namespace gossip
