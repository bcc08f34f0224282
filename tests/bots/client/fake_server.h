// FakeServer: a server on a simulated network that says what the test says, for what a real one
// never does. Calls that wait let virtual time pass, and throw when nothing comes.
#pragma once

#include "reactor/network.h"
#include "reactor/outbound_buffer.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_world.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"
#include "xmpp/xml/parser.h"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bots::test {

class Unexpected : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a client told its observer.
class Recorder final : public ClientObserver {
public:
    void on_online(Client& client, bool resumed) override;
    void on_offline(Client&, const base::Failure& why) override;
    void on_message(Client& client, xmpp::Stanza message) override;
    void on_presence(Client&, xmpp::Stanza presence) override;
    void on_acknowledged(Client&, std::uint32_t stanzas) override { acknowledged += stanzas; }

    /// "online", "resumed", "offline reason", "message body", "presence from" in order.
    std::vector<std::string> events;
    std::uint32_t acknowledged = 0;
    std::function<void(Client&)> when_online;
    std::function<void(Client&, const std::string& body)> when_message;
};

class FakeServer final : private reactor::StreamObserver {
public:
    FakeServer(reactor::SimWorld& sim, reactor::World& world, reactor::Endpoint at);
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;
    ~FakeServer();

    /// The next connection; what was connected before is forgotten.
    void accept();
    bool has_connection() const { return !waiting_.empty(); }
    /// The next element, as text.
    std::string expect();
    void expect_header();
    void expect_close();
    void expect_end();
    void expect_nothing(base::Duration time = std::chrono::seconds(1));
    void send(std::string_view text);
    void reset();
    /// FIN.
    void end();

    /// Answers the client's header with one and these features.
    void open(std::string_view features);
    /// From a new connection through ANONYMOUS to the features with `content` after it.
    void log_in(std::string_view content);
    /// log_in() and bind; the full JID becomes me@example.org/1.
    void log_in_and_bind(std::string_view others = {});
    /// The same with stream management, the session having that id.
    void log_in_with_sm(std::string_view id);

    static constexpr std::string_view kBind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    static constexpr std::string_view kSm = "<sm xmlns='urn:xmpp:sm:3'/>";

private:
    struct Header {};
    struct Close {};
    struct End {};
    using Event = std::variant<Header, xmpp::Element, Close, End>;

    void on_ready(reactor::Interest interest) override;
    void read();
    Event next();

    reactor::SimWorld& sim_;
    reactor::World& world_;
    std::unique_ptr<reactor::Listener> listener_;
    std::deque<std::unique_ptr<reactor::ByteStream>> waiting_;
    std::unique_ptr<reactor::ByteStream> stream_;
    xmpp::StreamParser parser_;
    reactor::OutboundQueue outbound_;
    std::deque<Event> events_;
};

/// A fake server and clients of it, on two machines.
struct FakeWorld {
    FakeWorld();
    ~FakeWorld();

    /// For the fake server, without TLS, by ANONYMOUS.
    static ClientOptions options();
    Client& client(ClientOptions with = options());
    template <class Function>
    auto on_client(Function function) {
        return sim.on(client_world, std::move(function));
    }
    /// Runs until `deferred` settles.
    template <class T>
    base::Result<T> wait(reactor::Deferred<T> deferred) {
        if (!sim.run_until([&] { return deferred.settled(); }, std::chrono::minutes(10)))
            throw Unexpected("not settled within ten minutes");
        return deferred.take();
    }
    /// connect(), with the server's side of it played by `server_side`.
    template <class Function>
    base::Result<void> connect(Client& who, Function server_side) {
        auto connecting = on_client([&] { return who.connect(); });
        server_side();
        return wait(std::move(connecting));
    }

    reactor::SimInternet internet;
    reactor::SimWorld sim;
    reactor::World& client_world;
    FakeServer server;
    ClientShared shared;
    Recorder recorder;
    std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace bots::test
