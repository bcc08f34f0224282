// XEP-0045 Multi-User Chat, as a module: which domains have rooms, what may be set, and the rooms
// of all shards over a restart. A room is room.h, a shard's rooms are rooms.h.
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "server/modules/muc/rooms_operator.h"
#include "server/routing/user_service.h"
#include "storage/database.h"
#include "xmpp/core/jid.h"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace server::modules {
namespace {

using namespace std::chrono_literals;

std::string_view check_subdomain(std::string_view value) {
    if (value.empty()) return {};
    const auto domain = xmpp::Jid::parse(std::string(value) + ".example.org");
    const bool fits =
        domain && domain->is_domain() && domain->domain() == std::string(value) + ".example.org";
    return fits ? std::string_view() : "a domain name in lower case, without the host's own";
}

constexpr StringKey kSubdomain{
    "rooms.subdomain", "rooms",
    "Rooms are at this subdomain of each host: coven@rooms.example.org. Empty: there are none.",
    Reload::restart, check_subdomain};
constexpr BoolKey kOpenToAll{
    "rooms.open_creation", true,
    "Everybody may make rooms. Off: those there are stay, and there are no new ones."};
constexpr IntegerKey kOccupantsMax{
    "rooms.occupants_max", 2000, 1, 100'000,
    "Occupants of one room, where its owner sets no lower limit. Admins and owners still get in."};
constexpr IntegerKey kHistoryMax{
    "rooms.history_max", 50, 0, storage::kArchivePageMax,
    "Most messages that a room shows to who enters; its owner may set less. The rest is in the "
    "room's archive."};
constexpr IntegerKey kAffiliationsMax{"rooms.affiliations_max", 10'000, 1, 1'000'000,
                                      "Members, admins, owners and outcasts of one room."};
constexpr IntegerKey kNickBytesMax{"rooms.nick_bytes_max", muc::kNickBytesMax, 1, 1023,
                                   "Bytes of a nick, in UTF-8."};
constexpr IntegerKey kOwnedMax{
    "rooms.owned_max", 500, 1, 1'000'000,
    "Rooms that one user may own by making them. What others make them owner of does not end at "
    "this, but counts."};
constexpr DurationKey kUnconfiguredTimeout{
    "rooms.unconfigured_timeout", 10min, 1min, 24h,
    "How long a new room waits, locked, for its owner to configure it. Then it is given up."};
constexpr IntegerKey kOccupantPace{
    "rooms.occupant_stanzas_per_second", 100, 1, 1'000'000,
    "Messages and changes of presence a second that a room takes from one occupant for long; five "
    "times as many at once. A large one counts once for each KiB, and one for everybody in a room "
    "of more than 1,000 once for every 500 of them. What is beyond is refused. Admins and owners "
    "are not limited."};
constexpr IntegerKey kRoomPace{"rooms.stanzas_per_second", 10'000, 1, 10'000'000,
                               "The same for all occupants of one room together."};
std::string_view check_operator(std::string_view value) {
    const auto jid = xmpp::Jid::parse(value);
    return jid && jid->has_local() && jid->is_bare() ? "" : "an address such as admin@example.org";
}

constexpr BoolKey kAvatarPresence{
    "rooms.avatar_presence", false,
    "Send the hash of a room's avatar in a presence of the room itself too (XEP-0153), for old "
    "clients. Others may take it for somebody without a nick."};
constexpr StringListKey kOperators{
    "rooms.operators",
    {},
    "Users who may list, make and destroy all rooms and change who is who in them, with the "
    "ad-hoc commands of the rooms' domain (XEP-0050).",
    Reload::live,
    {},
    check_operator};
constexpr IntegerKey kPageMax{
    "rooms.archive_page_max", 100, 1, storage::kArchivePageMax,
    "Most messages of a room's archive that answer one query; clients ask again for more."};
constexpr IntegerKey kLoadedMax{
    "rooms.loaded_max", 100'000, 1, 10'000'000,
    "Rooms in memory at a time, on each processor core. What comes for one more is refused."};

reactor::PaceLimit pace_of(std::int64_t per_second) {
    constexpr std::uint64_t kBurstSeconds = 5;
    const auto each = static_cast<std::uint64_t>(per_second);
    return {.per_second = each, .burst = each * kBurstSeconds};
}

class Muc final : public Module {
public:
    explicit Muc(ModuleContext& context)
        : context_(context),
          occupant_ids_(context.occupant_id_secret),
          rooms_({context.world, context.router, context.database, context.archive_ids,
                  occupant_ids_, context.metrics},
                 settings(context.config)),
          operator_({context.world, context.database, context.archive_ids}) {
        subscriptions_ += context.users.after_removal(
            [this](xmpp::Jid account) { return let_go(std::move(account)); });
        const std::string subdomain(context.config.get(kSubdomain));
        if (subdomain.empty()) return;
        for (const std::string& host : context.hosts.names())
            serve(subdomain, host);
        subscriptions_ += context.disco.add_item([this](std::string_view host) {
            const auto domain = domains_.find(std::string(host));
            return domain == domains_.end()
                       ? xmpp::DiscoItem{}
                       : xmpp::DiscoItem{.jid = domain->second, .name = "Chatrooms"};
        });
    }

    void reload(const Config& config) override { rooms_.set(settings(config)); }
    RoomOperations* rooms() override { return domains_.empty() ? nullptr : &operator_; }
    void stopping() override { rooms_.set_stopping(); }

    void connect(const std::vector<Module*>& all) override {
        for (Module* one : all)
            shards_.push_back(static_cast<Muc*>(one));
        std::vector<muc::Rooms*> rooms;
        for (Muc* one : shards_)
            rooms.push_back(&one->rooms_);
        operator_.connect(std::move(rooms));
        rooms_.connect(shards_.front()->operator_);
    }

    reactor::Deferred<void> suspend() override {
        auto writing =
            context_.database.write([rows = rooms_.occupants()](storage::Transaction& transaction) {
                return storage::Rooms(transaction).save_occupants(rows);
            });
        const base::Result<void> saved = co_await std::move(writing);
        if (!saved)
            context_.world.log.error("rooms.suspend_failed", {{"why", saved.error().message()}});
        co_return saved;
    }

    // Once: after a stop without order nobody is in a room.
    reactor::Deferred<void> resume() override {
        auto reading = context_.database.read([](storage::Transaction& transaction) {
            return storage::Rooms(transaction).departed();
        });
        const base::Result<std::vector<xmpp::Jid>> departed = co_await std::move(reading);
        if (!departed) co_return departed.error();
        for (const xmpp::Jid& account : *departed) {
            auto letting_go = let_go(account);
            const base::Result<void> gone = co_await std::move(letting_go);
            if (!gone) co_return gone.error();
        }
        auto writing = context_.database.write([](storage::Transaction& transaction) {
            return storage::Rooms(transaction).take_occupants();
        });
        base::Result<std::vector<storage::RoomOccupantRow>> rows = co_await std::move(writing);
        if (!rows) co_return rows.error();
        const reactor::ShardId count = context_.world.shards.count();
        std::vector<std::vector<storage::RoomOccupantRow>> by_shard(count);
        for (storage::RoomOccupantRow& row : *rows)
            by_shard[shard_of(row.room.bare_view(), count)].push_back(std::move(row));
        for (reactor::ShardId id = 0; id < count; ++id) {
            auto restoring = context_.world.shards.run_on(
                id, [home = shards_[id], here = std::move(by_shard[id])]() mutable {
                    for (storage::RoomOccupantRow& row : here)
                        home->rooms_.restore(std::move(row));
                });
            const base::Result<void> restored = co_await std::move(restoring);
            if (!restored) co_return restored.error();
        }
        co_return {};
    }

private:
    // All rooms of an account that was removed, each in its turn; noted when all are done, so that
    // a crash forgets none.
    reactor::Deferred<void> let_go(xmpp::Jid account) {
        constexpr std::uint32_t kAtOnce = 100;
        const reactor::ShardId count = context_.world.shards.count();
        std::string after;
        for (;;) {
            auto reading =
                context_.database.read([account, after](storage::Transaction& transaction) {
                    return storage::Rooms(transaction).rooms_of(account, after, kAtOnce);
                });
            const base::Result<std::vector<xmpp::Jid>> rooms = co_await std::move(reading);
            if (!rooms) co_return rooms.error();
            if (rooms->empty()) break;
            after = rooms->back().text();
            for (const xmpp::Jid& room : *rooms) {
                const reactor::ShardId id = shard_of(room.bare_view(), count);
                auto letting_go =
                    context_.world.shards.run_on(id, [home = shards_[id], room, account] {
                        return home->rooms_.let_go(room, account);
                    });
                const base::Result<void> gone = co_await std::move(letting_go);
                if (!gone) co_return gone.error();
            }
        }
        auto writing = context_.database.write([account](storage::Transaction& transaction) {
            return storage::Rooms(transaction).forget_departed(account);
        });
        co_return co_await std::move(writing);
    }

    static muc::RoomsSettings settings(const Config& config) {
        muc::RoomsSettings settings;
        settings.limits = {
            .occupants_max = static_cast<std::uint32_t>(config.get(kOccupantsMax)),
            .history_max = static_cast<std::uint32_t>(config.get(kHistoryMax)),
            .affiliations_max = static_cast<std::size_t>(config.get(kAffiliationsMax)),
            .nick_bytes_max = static_cast<std::uint32_t>(config.get(kNickBytesMax)),
            .occupant_pace = pace_of(config.get(kOccupantPace)),
            .room_pace = pace_of(config.get(kRoomPace)),
            .entry_page_bytes = config.get(keys::kOutboundQueueMax) / 8};
        settings.open_to_all = config.get(kOpenToAll);
        for (const std::string_view name : config.get(kOperators))
            if (const auto jid = xmpp::Jid::parse(name)) settings.operators.push_back(jid->bare());
        settings.shows_avatars = config.get(kAvatarPresence);
        settings.owned_max = static_cast<std::uint32_t>(config.get(kOwnedMax));
        settings.unconfigured_timeout = config.get(kUnconfiguredTimeout);
        settings.rooms_max = static_cast<std::size_t>(config.get(kLoadedMax));
        settings.page_max = static_cast<std::uint32_t>(config.get(kPageMax));
        settings.page_bytes_max = config.get(keys::kOutboundQueueMax) / 4;
        return settings;
    }

    void serve(const std::string& subdomain, const std::string& host) {
        const auto domain = xmpp::Jid::parse(subdomain + "." + host);
        if (!domain || context_.hosts.contains(domain->domain())) {
            context_.world.log.warn("rooms.domain_taken",
                                    {{"host", host}, {"subdomain", subdomain}});
            return;
        }
        subscriptions_ += context_.router.serve(std::string(domain->domain()), rooms_);
        domains_[host] = domain->text();
        operator_.serve(domain->text());
    }

    ModuleContext context_;
    muc::OccupantIds occupant_ids_;
    muc::Rooms rooms_;
    muc::RoomsOperator operator_;
    std::vector<Muc*> shards_;
    std::unordered_map<std::string, std::string> domains_;  // By host.
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_muc() {
    return {.name = "muc",
            .xeps = {{45, "1.35.5", "Multi-User Chat"},
                     {50, "1.3.0", "Ad-Hoc Commands"},
                     {153, "1.1.1", "vCard-Based Avatars"},
                     {249, "1.2", "Direct MUC Invitations"},
                     {317, "0.3.1", "Hats"},
                     {410, "1.1.0", "MUC Self-Ping (Schrödinger's Chat)"},
                     {421, "1.0.1", "Occupant identifiers for semi-anonymous MUCs"},
                     {425, "0.3.0", "Moderated Message Retraction"},
                     {463, "0.2.0", "MUC Affiliations Versioning"},
                     {486, "0.1.0", "MUC Avatars"},
                     {500, "0.1.1", "MUC Slow Mode"}},
            .features = {},
            .account_features = {},
            .needs = {"disco", "archive"},
            .config = {kSubdomain, kOpenToAll, kOperators, kAvatarPresence, kOwnedMax,
                       kUnconfiguredTimeout, kOccupantsMax, kHistoryMax, kAffiliationsMax,
                       kNickBytesMax, kOccupantPace, kRoomPace, kPageMax, kLoadedMax},
            .create = create_module<Muc>};
}

}  // namespace server::modules
