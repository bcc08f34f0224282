#include "tests/server/routing/presence_harness.h"

#include "reactor/base/check.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "server/routing/archive_id.h"
#include "server/routing/offline_queue.h"
#include "storage/tables/catalog.h"
#include "storage/tables/last_activity.h"
#include "storage/tables/users.h"
#include "xmpp/xml/read_stanza.h"

#include <chrono>
#include <utility>

namespace server::test {
namespace {

std::string text_of(const std::optional<xmpp::Jid>& jid) {
    return jid ? jid->text() : "-";
}

std::string describe_item(const xmpp::Element& item) {
    std::string line(item.attribute("jid"));
    line.append(" ").append(item.attribute("subscription"));
    if (item.has_attribute("ask")) line += " ask";
    if (item.has_attribute("approved")) line += " approved";
    if (item.has_attribute("name")) line.append(" name=").append(item.attribute("name"));
    for (const xmpp::Element& group : item.children())
        line.append(" group=").append(group.text());
    return line;
}

std::string describe_error(const xmpp::Stanza& stanza) {
    const std::optional<xmpp::StanzaError> error = stanza.error();
    return std::string(xmpp::name_of(error->condition())) + " " +
           std::string(xmpp::name_of(error->type()));
}

std::string describe_iq(const xmpp::Stanza& iq) {
    const std::string id(iq.id());
    if (iq.is_error()) return "error " + id + " " + describe_error(iq);
    if (iq.iq_type() == xmpp::IqType::set)
        return "push " + describe_item(*iq.payload()->first_child());
    std::string line = "result " + id;
    if (iq.payload() == nullptr) return line;
    line += " roster:";
    for (const xmpp::Element& item : iq.payload()->children())
        line.append(" ").append(describe_item(item)).append(";");
    return line;
}

}  // namespace

std::string describe(const xmpp::Stanza& stanza) {
    if (stanza.is_iq()) return describe_iq(stanza);
    std::string line(xmpp::name_of(stanza.kind()));
    if (stanza.is_presence()) {
        const std::string_view type = xmpp::name_of(stanza.presence_type());
        if (!type.empty()) line.append(" ").append(type);
    }
    line += " " + text_of(stanza.from()) + " > " + text_of(stanza.to());
    if (stanza.is_error()) return line + " " + describe_error(stanza);
    const std::string status = stanza.element().child_text("status");
    if (!status.empty()) line += " '" + status + "'";
    return line;
}

Lines TestClient::take() {
    Lines lines;
    for (const xmpp::Stanza& stanza : std::exchange(inbox, {}))
        lines.push_back(describe(stanza));
    return lines;
}

struct TestServer::Shard {
    Shard(reactor::World& w, storage::Database& database, const Hosts& hosts, const Config& config)
        : world(w),
          accounts(w, database, {}),
          offline({w, accounts, database, ids, metrics}, config),
          router({w, hosts, accounts, hooks, iq, metrics, database, offline, ids}),
          users({w, database, accounts, router}, config) {
        router.set_presence(
            std::make_unique<Presence>(Presence::Parts{world, accounts, router, hooks, database}));
        context = std::make_unique<modules::ModuleContext>(modules::ModuleContext{
            .config = config,
            .metrics = metrics,
            .iq = iq,
            .hooks = hooks,
            .accounts = accounts,
            .router = router,
            .users = users,
            .database = database,
            .world = world,
            .hosts = hosts,
            .disco = disco,
            .archive_ids = ids,
            .occupant_id_secret = occupant_id_secret,
            .catalog = catalog,
        });
        roster = modules::describe_roster().create(*context);
    }

    reactor::World& world;
    Metrics metrics;
    Hooks hooks;
    IqRoutes iq;
    ArchiveIds ids{"0123456789abcdef"};
    std::string occupant_id_secret = std::string(32, 's');
    Accounts accounts;
    OfflineQueue offline;
    Router router;
    UserService users;
    std::vector<modules::ModuleDescriptor> catalog;
    modules::DiscoDirectory disco{catalog};
    std::unique_ptr<modules::ModuleContext> context;
    std::unique_ptr<modules::Module> roster;
};

TestServer::TestServer(reactor::ShardId shards, Config config)
    : config_(std::move(config)), sim_({.shards = shards}) {
    storage::DatabaseOptions options;
    options.path = ":memory:";
    options.stores = storage::all_stores();
    options.faults = &faults;
    database_ = *storage::make_inline_database(options);
    build();
    add_user("romeo@example.org");
    add_user("juliet@example.org");
}

TestServer::~TestServer() {
    tear_down();
    sim_.on(sim_.world(), [this] { database_.reset(); });
}

void TestServer::build() {
    for (reactor::ShardId id = 0; id < sim_.shards().count(); ++id) {
        sim_.on(sim_.world(id), [&] {
            shards_.push_back(std::make_unique<Shard>(sim_.world(id), *database_, hosts_, config_));
        });
    }
    std::vector<Router*> routers;
    for (const auto& shard : shards_)
        routers.push_back(&shard->router);
    for (const auto& shard : shards_)
        shard->router.connect(routers);
}

void TestServer::tear_down() {
    for (const auto& shard : shards_) {
        std::unique_ptr<Shard>& slot = shards_[static_cast<std::size_t>(&shard - shards_.data())];
        sim_.on(shard->world, [&slot] { slot.reset(); });
    }
    shards_.clear();
}

void TestServer::restart() {
    run();
    tear_down();
    build();
}

TestServer::Shard& TestServer::home_of(const xmpp::Jid& jid) {
    return *shards_[shard_of(jid.bare_view(), sim_.shards().count())];
}

reactor::ShardId TestServer::shard_of_account(std::string_view bare) const {
    return shard_of(bare, static_cast<reactor::ShardId>(shards_.size()));
}

void TestServer::add_user(std::string_view bare) {
    const xmpp::Jid jid = *xmpp::Jid::parse(bare);
    Shard& home = home_of(jid);
    sim_.on(home.world, [&] {
        database_
            ->write([jid](storage::Transaction& transaction) {
                return storage::Users(transaction).create(jid, {}, {});
            })
            .detach("test");
        home.accounts.created(jid);
    });
    run();
}

void TestServer::set_last_seen(std::string_view bare, base::WallTime at) {
    const xmpp::Jid jid = *xmpp::Jid::parse(bare);
    sim_.on(home_of(jid).world, [&] {
        database_
            ->write([jid, at](storage::Transaction& transaction) {
                return storage::LastActivity(transaction).put(jid, {at, {}});
            })
            .detach("test");
    });
    run();
}

TestClient& TestServer::connect(std::string_view full) {
    const xmpp::Jid jid = *xmpp::Jid::parse(full);
    clients_.push_back(std::make_unique<TestClient>(jid, clients_.size() + 1));
    TestClient& client = *clients_.back();
    Shard& home = home_of(jid);
    sim_.on(home.world, [&] {
        home.accounts.bind(jid, client, client.id).then([](Resource*) {}).detach("test");
    });
    run();
    CHECK(account(jid.bare_view()).find(jid.resource()) != nullptr);
    return client;
}

void TestServer::disconnect(TestClient& client) {
    Shard& home = home_of(client.jid);
    sim_.on(home.world, [&] {
        Account& owner = *home.accounts.find(client.jid);
        home.router.presence().resource_gone(owner, *owner.find(client.jid.resource()));
        home.accounts.unbind(client.jid.bare(), client.id);
    });
    run();
}

void TestServer::submit(TestClient& client, std::string_view xml) {
    Shard& home = home_of(client.jid);
    sim_.on(home.world, [&] {
        xmpp::Stanza stanza = *xmpp::read_stanza(xml);
        stanza.set_from(client.jid);
        Account& owner = *home.accounts.find(client.jid);
        home.router.submit(owner, *owner.find(client.jid.resource()), std::move(stanza));
    });
}

void TestServer::send_together(TestClient& client, const Lines& stanzas) {
    for (const std::string& xml : stanzas)
        submit(client, xml);
    run();
}

void TestServer::send(TestClient& client, std::string_view xml) {
    submit(client, xml);
    run();
}

TestClient& TestServer::online(std::string_view full) {
    TestClient& client = connect(full);
    send(client,
         "<iq xmlns='jabber:client' type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>");
    send(client, "<presence xmlns='jabber:client'/>");
    client.inbox.clear();
    return client;
}

void TestServer::route(std::string_view xml) {
    Shard& first = *shards_.front();
    sim_.on(first.world, [&] { first.router.route(*xmpp::read_stanza(xml)); });
    run();
}

void TestServer::run() {
    CHECK(sim_.advance(std::chrono::milliseconds(200)));
}

Account& TestServer::account(std::string_view bare) {
    const xmpp::Jid jid = *xmpp::Jid::parse(bare);
    Account* found = home_of(jid).accounts.find(jid);
    CHECK(found != nullptr);
    return *found;
}

storage::RosterVersion TestServer::version_of(std::string_view bare) {
    return account(bare).roster.version();
}

void befriend(TestServer& server, TestClient& one, TestClient& other) {
    const auto to = [](std::string_view type, const TestClient& client) {
        return "<presence xmlns='jabber:client' type='" + std::string(type) + "' to='" +
               std::string(client.jid.bare_view()) + "'/>";
    };
    server.send(one, to("subscribe", other));
    server.send(other, to("subscribed", one));
    server.send(other, to("subscribe", one));
    server.send(one, to("subscribed", other));
    one.inbox.clear();
    other.inbox.clear();
}

}  // namespace server::test
