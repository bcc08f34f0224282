// A message between two clients of one server, from the stanza to what the recipient's session
// gets: hooks, router, delivery rules. The sessions are fakes, without modules and connections.
#include "allocations.h"
#include "null_stream.h"
#include "reactor/outbound_buffer.h"
#include "reactor/sim/sim_world.h"
#include "server/accounts/accounts.h"
#include "server/config/config.h"
#include "server/config/hosts.h"
#include "server/observe/metrics.h"
#include "server/routing/archive_id.h"
#include "server/routing/offline_queue.h"
#include "server/routing/presence.h"
#include "server/routing/router.h"
#include "storage/database.h"
#include "storage/tables/catalog.h"
#include "storage/tables/users.h"
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
    Server() : database_(open()), accounts_(sim_.world(), *database_, {}) {
        sim_.on(sim_.world(), [this] {
            offline_.emplace(
                OfflineQueue::Parts{sim_.world(), accounts_, *database_, ids_, metrics_}, Config());
            router_.emplace(Router::Parts{.world = sim_.world(),
                                          .hosts = hosts_,
                                          .accounts = accounts_,
                                          .hooks = hooks_,
                                          .iq = iq_,
                                          .metrics = metrics_,
                                          .database = *database_,
                                          .offline = *offline_,
                                          .archive_ids = ids_,
                                          .only_in_memory = true});
            router_->set_presence(std::make_unique<Presence>(
                Presence::Parts{sim_.world(), accounts_, *router_, hooks_, *database_}));
        });
        bind(romeo, romeo_session, 1);
        bind(juliet, juliet_session, 2);
    }
    ~Server() {
        sim_.on(sim_.world(), [this] {
            accounts_.unbind(romeo.bare(), 1);
            accounts_.unbind(juliet.bare(), 2);
            router_.reset();
            offline_.reset();
        });
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    Router& router() { return *router_; }
    Account& account() { return *accounts_.find(romeo); }
    Resource& resource() { return *account().find(romeo.resource()); }
    template <class Function>
    void on_shard(Function function) {
        sim_.on(sim_.world(), std::move(function));
    }

    const xmpp::Jid romeo = *xmpp::Jid::parse("romeo@example.org/orchard");
    const xmpp::Jid juliet = *xmpp::Jid::parse("juliet@example.org/balcony");
    FakeSession romeo_session;
    FakeSession juliet_session;

private:
    std::unique_ptr<storage::Database> open() {
        storage::DatabaseOptions options;
        options.path = ":memory:";
        options.stores = storage::all_stores();
        return sim_.on(sim_.world(), [&] { return *storage::make_inline_database(options); });
    }
    void bind(const xmpp::Jid& jid, FakeSession& session, SessionId id) {
        sim_.on(sim_.world(), [&] {
            database_
                ->write([account = jid.bare()](storage::Transaction& transaction) {
                    return storage::Users(transaction).create(account, {}, {});
                })
                .detach("bench");
            accounts_.created(jid.bare());
            accounts_.bind(jid, session, id).then([](Resource*) {}).detach("bench");
        });
        sim_.advance(std::chrono::seconds(1));
        sim_.on(sim_.world(), [&] {
            Account& owner = *accounts_.find(jid);
            (void)router_->submit(owner, *owner.find(jid.resource()), available(jid));
        });
        sim_.advance(std::chrono::seconds(1));
    }
    static xmpp::Stanza available(const xmpp::Jid& jid) {
        xmpp::Stanza presence = xmpp::Stanza::presence(xmpp::PresenceType::available);
        presence.set_from(jid);
        return presence;
    }

    reactor::SimWorld sim_{{}};
    Hosts hosts_{{"example.org"}};
    Metrics metrics_;
    Hooks hooks_;
    IqRoutes iq_;
    std::unique_ptr<storage::Database> database_;
    Accounts accounts_;
    ArchiveIds ids_{"0123456789abcdef"};
    std::optional<OfflineQueue> offline_;
    std::optional<Router> router_;
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
