// A message between two clients of one server, from the stanza to what the recipient's session
// gets: hooks, router, delivery rules. The sessions are fakes, without modules and connections.
#include "allocations.h"
#include "null_stream.h"
#include "reactor/outbound_buffer.h"
#include "storage/tables/users.h"
#include "tests/bench/bare_server.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/read_stanza.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace server {
namespace {

constexpr std::string_view kHeader =
    "<stream:stream to='example.org' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>";
constexpr std::string_view kMessage =
    "<message to='juliet@example.org/balcony' type='chat' "
    "id='6f1d2b8e-5f0c-4f5e-9d1c-2f9f3f6a7b10'>"
    "<body>But soft, what light through yonder window breaks? It is the east.</body>"
    "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    "<request xmlns='urn:xmpp:receipts'/></message>";
constexpr std::string_view kPing =
    "<iq xmlns='jabber:client' type='get' id='p' to='juliet@example.org/balcony'>"
    "<ping xmlns='urn:xmpp:ping'/></iq>";

/// Writes what it is given to a connection, as a session does.
class FakeSession final : public SessionSink {
public:
    void deliver(xmpp::Stanza stanza) override {
        text_.clear();
        stanza.append_to(text_);
        queue_.append(text_);
        queue_.flush(stream_);
    }
    void deliver_stored(xmpp::Stanza stanza) override { deliver(std::move(stanza)); }
    reactor::Deferred<void> flushed() override { return reactor::ready(); }
    Place reserve() override { return {.number = ++places_}; }
    void fill(std::uint64_t, xmpp::Stanza message, storage::MessageId, bool) override {
        deliver(std::move(message));
    }
    void give_up(std::uint64_t) override {}
    void placed(std::uint32_t) override {}
    void settled(std::uint32_t, bool) override {}
    void close(xmpp::StreamError) override {}
    SessionInfo info() const override { return {}; }
    std::uint64_t written() const noexcept { return stream_.written(); }

private:
    std::string text_;
    std::uint64_t places_ = 0;
    reactor::OutboundQueue queue_;
    bench::NullStream stream_;
};

/// One shard of a server with romeo and juliet online, driven by hand.
class Server {
public:
    Server() {
        bind(romeo, romeo_session, 1);
        bind(juliet, juliet_session, 2);
    }
    ~Server() {
        bare_.on_shard([this] {
            bare_.accounts.unbind(romeo.bare(), 1);
            bare_.accounts.unbind(juliet.bare(), 2);
        });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Router& router() { return *bare_.router; }
    Account& account() { return *bare_.accounts.find(romeo); }
    Resource& resource() { return *account().find(romeo.resource()); }
    template <class Function>
    void on_shard(Function function) {
        bare_.on_shard(std::move(function));
    }

    const xmpp::Jid romeo = *xmpp::Jid::parse("romeo@example.org/orchard");
    const xmpp::Jid juliet = *xmpp::Jid::parse("juliet@example.org/balcony");
    FakeSession romeo_session;
    FakeSession juliet_session;

private:
    void bind(const xmpp::Jid& jid, FakeSession& session, SessionId id) {
        bare_.on_shard([&] {
            bare_.database
                ->write([account = jid.bare()](storage::Transaction& transaction) {
                    return storage::Users(transaction).create(account, {}, {});
                })
                .detach("bench");
            bare_.accounts.created(jid.bare());
            bare_.accounts.bind(jid, session, id).then([](Resource*) {}).detach("bench");
        });
        bare_.sim.advance(std::chrono::seconds(1));
        bare_.on_shard([&] {
            Account& owner = *bare_.accounts.find(jid);
            (void)bare_.router->submit(owner, *owner.find(jid.resource()), available(jid));
        });
        bare_.sim.advance(std::chrono::seconds(1));
    }
    static xmpp::Stanza available(const xmpp::Jid& jid) {
        xmpp::Stanza presence = xmpp::Stanza::presence(xmpp::PresenceType::available);
        presence.set_from(jid);
        return presence;
    }

    bench::BareServer bare_;
};

/// `make()` yields the stanza of each round.
template <class Make>
void route(benchmark::State& state, Make make) {
    Server server;
    server.on_shard([&] {
        Account& account = server.account();
        Resource& resource = server.resource();
        const std::uint64_t before = server.juliet_session.written();
        {
            const bench::CountAllocations counting(state);
            for (auto _ : state) {
                xmpp::Stanza stanza = make();
                stanza.set_from(server.romeo);
                server.router().submit(account, resource, std::move(stanza));
            }
        }
        if (server.juliet_session.written() == before) std::abort();
    });
}

void route_a_copied_message(benchmark::State& state) {
    xmpp::StreamParser parser;
    parser.feed(kHeader);
    parser.next();
    parser.feed(kMessage);
    auto element = std::get<xmpp::StanzaElement>(parser.next());
    const xmpp::Stanza stanza =
        *xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
    route(state, [&] { return stanza; });
}
BENCHMARK(route_a_copied_message);

// From the bytes of one stream to the bytes of another, without TLS.
void route_a_message_from_bytes_to_bytes(benchmark::State& state) {
    xmpp::StreamParser parser;
    parser.feed(kHeader);
    parser.next();
    route(state, [&] {
        parser.feed(kMessage);
        auto element = std::get<xmpp::StanzaElement>(parser.next());
        return *xmpp::Stanza::from_element(std::move(element.element),
                                           std::move(element.raw_inner));
    });
}
BENCHMARK(route_a_message_from_bytes_to_bytes);

void route_a_copied_iq(benchmark::State& state) {
    const xmpp::Stanza stanza = *xmpp::read_stanza(kPing);
    route(state, [&] { return stanza; });
}
BENCHMARK(route_a_copied_iq);

}  // namespace
}  // namespace server
