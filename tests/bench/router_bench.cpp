// A message between two clients of one server, from the stanza to what the recipient's session
// gets: hooks, router, delivery rules. The sessions are fakes, without modules and connections.
#include "allocations.h"
#include "null_stream.h"
#include "reactor/outbound_buffer.h"
#include "server/routing/audience.h"
#include "server/sessions/stream_management.h"
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
#include <vector>

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
    void deliver_copy(const xmpp::Stanza& copy, const base::SharedBytes& shared) override {
        text_.clear();
        append_text_of(text_, {.bytes = shared, .lacks_to = true}, *copy.to());
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

/// One shard of a server, driven by hand.
class Server {
public:
    Server() = default;
    ~Server() {
        bare_.on_shard([this] {
            for (const auto& [id, jid] : bound_)
                bare_.accounts.unbind(jid.bare(), id);
        });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Router& router() { return *bare_.router; }
    Account& account(const xmpp::Jid& jid) { return *bare_.accounts.find(jid); }
    template <class Function>
    void on_shard(Function function) {
        bare_.on_shard(std::move(function));
    }

    /// Makes the account and brings it online.
    void bind(const xmpp::Jid& jid, FakeSession& session) {
        const SessionId id = bound_.size() + 1;
        bound_.emplace_back(id, jid);
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

private:
    static xmpp::Stanza available(const xmpp::Jid& jid) {
        xmpp::Stanza presence = xmpp::Stanza::presence(xmpp::PresenceType::available);
        presence.set_from(jid);
        return presence;
    }

    bench::BareServer bare_;
    std::vector<std::pair<SessionId, xmpp::Jid>> bound_;
};

/// `make()` yields the stanza of each round.
template <class Make>
void route(benchmark::State& state, Make make) {
    const xmpp::Jid romeo = *xmpp::Jid::parse("romeo@example.org/orchard");
    const xmpp::Jid juliet = *xmpp::Jid::parse("juliet@example.org/balcony");
    FakeSession romeo_session;
    FakeSession juliet_session;
    Server server;
    server.bind(romeo, romeo_session);
    server.bind(juliet, juliet_session);
    server.on_shard([&] {
        Account& account = server.account(romeo);
        Resource& resource = *account.find(romeo.resource());
        const std::uint64_t before = juliet_session.written();
        {
            const bench::CountAllocations counting(state);
            for (auto _ : state) {
                xmpp::Stanza stanza = make();
                stanza.set_from(romeo);
                server.router().submit(account, resource, std::move(stanza));
            }
        }
        if (juliet_session.written() == before) std::abort();
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

// Argument: how many get it, each a copy of one stanza. Time and allocations are for one of them.
void route_to_all(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<FakeSession> sessions(count);
    std::vector<xmpp::Jid> clients;
    Server server;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(*xmpp::Jid::parse("user-" + std::to_string(i) + "@example.org/phone"));
        server.bind(clients.back(), sessions[i]);
    }
    const auto audience = std::make_shared<const Audience>(
        std::make_shared<const std::vector<xmpp::Jid>>(std::move(clients)), 1);
    xmpp::Stanza said = *xmpp::read_stanza(
        "<message xmlns='jabber:client' type='groupchat' id='6f1d2b8e-5f0c-4f5e-9d1c' "
        "from='room@rooms.example.org/romeo'><body>But soft, what light breaks?</body>"
        "<stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.example.org' id='1'/></message>");
    said.share_content();
    server.on_shard([&] {
        const std::uint64_t before = sessions.back().written();
        {
            const bench::CountAllocations counting(state, state.range(0));
            for (auto _ : state)
                server.router().route_to_all(said, audience);
        }
        if (sessions.back().written() == before) std::abort();
    });
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(route_to_all)->Arg(20)->Arg(200);

}  // namespace
}  // namespace server
