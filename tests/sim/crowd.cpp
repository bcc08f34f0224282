#include "tests/sim/crowd.h"

#include "storage/tables/users.h"
#include "xmpp/sasl/scram_keys.h"

#include <fmt/format.h>
#include <algorithm>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPassword = server::test::ServerHarness::kPassword;
constexpr std::uint64_t kChanceStream = 1000;

/// The same for every account: deriving them is slow on purpose.
const storage::ScramKeySet& keys() {
    static const storage::ScramKeySet made = [] {
        const auto derived =
            xmpp::sasl::derive_keys(xmpp::sasl::ScramHash::sha1, kPassword, "a salt for everybody",
                                    xmpp::sasl::kIterationsMin)
                .value();
        storage::ScramKeySet set;
        set[static_cast<std::size_t>(storage::ScramHash::sha1)] = storage::ScramKeys{
            derived.salt, derived.iterations, derived.stored_key, derived.server_key};
        return set;
    }();
    return made;
}

// One for each run: it draws random numbers when it is made and remembers sessions later.
std::shared_ptr<const reactor::TlsClientContext> make_tls() {
    reactor::TlsClientOptions options;
    options.verify = reactor::TlsVerify::none;
    return reactor::TlsClientContext::create(options).value();
}

}  // namespace

void make_accounts_in(server::test::ServerHarness& harness, std::vector<xmpp::Jid> jids) {
    auto writing = harness.on_server([&] {
        return harness.database().write(
            [jids = std::move(jids), now = harness.sim().clock().wall()](
                storage::Transaction& transaction) -> base::Result<void> {
                for (const xmpp::Jid& jid : jids)
                    if (auto made = storage::Users(transaction).create(jid, keys(), now); !made)
                        return made;
                return {};
            });
    });
    if (auto made = harness.wait(std::move(writing)); !made)
        throw server::test::ScriptFailure("no accounts: " + made.error().message());
}

Crowd::Crowd(Parts parts)
    : parts_(parts), node_(parts.harness.sim().add_node(1, [this](reactor::World& world) {
          auto made = std::make_unique<RoamingNetwork>(world, parts_.harness.internet());
          network_ = made.get();
          return made;
      })) {
    parts_.harness.sim().on(world(), [this] {
        shared_ = std::make_unique<bots::ClientShared>(
            bots::ClientShared::Parts{.world = world(), .tls = make_tls()});
        Chance chance(parts_.seed, kChanceStream);
        for (AccountNumber number = 0; number < parts_.accounts; ++number) {
            const std::string_view host = chance.percent(80) ? "example.org" : "example.net";
            Account& made = accounts_.emplace_back();
            made.jid = xmpp::Jid::parse(fmt::format("a{}@{}", number, host)).value();
            const unsigned devices = chance.percent(70) ? 2 : 1;
            for (unsigned i = 0; i < devices; ++i) {
                const auto device = static_cast<DeviceNumber>(phones_.size());
                const Habits habits = habits_of(chance, i == 0);
                made.devices.push_back(device);
                parts_.messages.add_device(number);
                phones_.push_back(std::make_unique<Phone>(*this, device, number, habits,
                                                          Chance(parts_.seed, device)));
            }
        }
        for (AccountNumber number = 0; number < parts_.accounts; ++number) {
            for (unsigned i = 0; i < 3; ++i) {
                const auto other = static_cast<AccountNumber>(chance.below(parts_.accounts));
                auto& contacts = accounts_[number].contacts;
                if (other != number && std::ranges::find(contacts, other) == contacts.end())
                    contacts.push_back(other);
            }
        }
    });
}

Crowd::~Crowd() {
    parts_.harness.sim().on(world(), [this] {
        phones_.clear();
        shared_.reset();
    });
    parts_.harness.sim().run_ready();
}

// Each habit is somebody's, and most have a few only: faults show where few things happen.
Habits Crowd::habits_of(Chance& chance, bool is_first) const {
    Habits habits;
    habits.manages_stream = chance.percent(88);
    habits.wants_copies = chance.percent(60);
    habits.has_own_resource = chance.percent(80);
    habits.direct_tls = chance.percent(30);
    habits.is_first = is_first;
    habits.syncs = chance.percent(50);
    habits.pause_max = chance.between(1s, 12s);
    unsigned* const shares[] = {&habits.changes_presence, &habits.sleeps,   &habits.blocks,
                                &habits.subscribes,       &habits.vanishes, &habits.roams,
                                &habits.closes,           &habits.forgets,  &habits.dawdles};
    for (unsigned* share : shares)
        if (chance.percent(40)) *share = chance.percent(50) ? 0 : *share * 3;
    return habits;
}

reactor::World& Crowd::world() {
    return parts_.harness.sim().world(0, node_);
}

void Crowd::make_accounts() {
    std::vector<xmpp::Jid> jids;
    for (const Account& account : accounts_)
        jids.push_back(account.jid);
    make_accounts_in(parts_.harness, std::move(jids));
}

template <class Function>
void Crowd::each(Function function) {
    parts_.harness.sim().on(world(), [&] {
        for (const auto& phone : phones_)
            function(*phone);
    });
}

void Crowd::start() {
    each([](Phone& phone) { phone.start(); });
}

void Crowd::calm_down() {
    each([](Phone& phone) { phone.calm_down(); });
}

void Crowd::say_last_words() {
    each([](Phone& phone) { phone.say_last_words(); });
}

void Crowd::look_at_rosters() {
    each([](Phone& phone) { phone.look_at_roster(); });
}

void Crowd::look_at_archives() {
    each([](Phone& phone) { phone.look_at_archive(); });
}

void Crowd::leave() {
    each([](Phone& phone) { phone.leave(); });
}

bool Crowd::all_at_rest() const {
    return std::ranges::all_of(phones_, [](const auto& phone) { return phone->at_rest(); });
}

bool Crowd::all_offline() const {
    return std::ranges::all_of(phones_, [](const auto& phone) { return phone->offline(); });
}

}  // namespace sim
