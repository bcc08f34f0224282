#include "server/accounts/accounts.h"

#include "reactor/base/check.h"
#include "reactor/base/text_map.h"
#include "reactor/reactor.h"
#include "storage/database.h"
#include "storage/tables/users.h"

#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <variant>

namespace server {
namespace {

using base::TextMap;

struct Loaded {
    Roster roster;
    Blocklist blocked;
    std::unique_ptr<const storage::ArchiveRules> archive_rules;
};

// Nullopt: no such account. On a storage thread.
base::Result<std::optional<Loaded>> load_account(storage::Transaction& transaction,
                                                 const xmpp::Jid& bare) {
    const bool exists = TRY(storage::Users(transaction).exists(bare));
    if (!exists) return std::nullopt;
    Roster roster = TRY(load_roster(transaction, bare));
    Blocklist blocked = TRY(load_blocklist(transaction, bare));
    auto archive_rules = TRY(load_archive_rules(transaction, bare));
    return Loaded{std::move(roster), std::move(blocked), std::move(archive_rules)};
}

}  // namespace

// An account in memory or on its way there. `busy`: loading, or an edit is running.
struct Accounts::Entry {
    std::unique_ptr<Account> account;
    std::list<std::variant<Call, Edit>> waiting;  // An empty deque would hold 600 bytes.
    reactor::Deferred<void> running = reactor::ready();
    bool busy = false;
    bool calling = false;  // A call that waited is running: an edit it leads to comes next.
    bool aging = false;    // Its name is in Impl::aging.
    base::MonotonicTime used_at;
};

struct Accounts::Impl {
    Impl(reactor::World& w, storage::Database& d, Options o)
        : world(w), database(d), options(o), sweep([this] { drop_idle(); }) {}

    reactor::World& world;
    storage::Database& database;
    Options options;
    TextMap<std::unique_ptr<Entry>> entries;
    TextMap<base::MonotonicTime> absent;  // Name -> until when it is believed.
    std::size_t slots = 0;
    std::deque<std::string> aging;  // Accounts without sessions, oldest first.
    reactor::CallbackTimer sweep;

    Entry* entry(std::string_view bare) {
        const auto found = entries.find(bare);
        return found == entries.end() ? nullptr : found->second.get();
    }

    bool is_absent(std::string_view bare) {
        const auto found = absent.find(bare);
        if (found == absent.end()) return false;
        if (found->second > world.reactor.now()) return true;
        absent.erase(found);
        return false;
    }

    void remember_absent(std::string_view bare) {
        if (absent.size() >= options.absent_max) absent.clear();
        absent[std::string(bare)] = world.reactor.now() + options.absent_timeout;
    }

    Entry& require(const xmpp::Jid& bare) {
        std::unique_ptr<Entry>& slot = entries[std::string(bare.bare_view())];
        if (!slot) {
            slot = std::make_unique<Entry>();
            slot->busy = true;
            slot->used_at = world.reactor.now();
            slot->running = load(bare.bare());
        }
        return *slot;
    }

    reactor::Deferred<void> load(xmpp::Jid bare) {
        auto reading = database.read(
            [bare](storage::Transaction& transaction) { return load_account(transaction, bare); });
        base::Result<std::optional<Loaded>> loaded = co_await std::move(reading);
        Entry* loading = entry(bare.bare_view());
        if (loading == nullptr) co_return {};  // Removed meanwhile.
        if (!loaded || !*loaded) {
            if (loaded) remember_absent(bare.bare_view());
            give_up(bare, loaded ? base::Failure(base::Errc::not_found) : loaded.error());
            co_return {};
        }
        loading->account = std::make_unique<Account>(bare, std::move((*loaded)->roster),
                                                     std::move((*loaded)->blocked));
        loading->account->archive_rules = std::move((*loaded)->archive_rules);
        loading->account->slots.resize(slots);
        release(bare);
        co_return {};
    }

    // The load failed: everybody who waits is told, in a step of its own because this runs inside
    // the entry's own task.
    void give_up(const xmpp::Jid& bare, base::Failure why) {
        world.reactor.soon([this, bare, why] {
            const auto found = entries.find(bare.bare_view());
            if (found == entries.end()) return;
            const std::unique_ptr<Entry> failed = std::move(found->second);
            entries.erase(found);
            for (auto& waiting : failed->waiting)
                if (Call* call = std::get_if<Call>(&waiting)) (*call)(std::unexpected(why));
        });
    }

    // What kept the entry busy is over: the next ones may run, in a step of their own.
    void release(const xmpp::Jid& bare) {
        world.reactor.soon([this, bare] {
            Entry* released = entry(bare.bare_view());
            if (released == nullptr) return;
            released->busy = false;
            released->running = reactor::ready();  // Frees the frame that has ended.
            pump(bare);
        });
    }

    void pump(const xmpp::Jid& bare) {
        while (Entry* next = entry(bare.bare_view())) {
            if (next->busy || next->waiting.empty()) break;
            auto waiting = std::move(next->waiting.front());
            next->waiting.pop_front();
            if (Call* call = std::get_if<Call>(&waiting)) {
                next->calling = true;
                (*call)(next->account.get());
                if (Entry* called = entry(bare.bare_view())) called->calling = false;
            } else {
                start_edit(*next, bare, std::move(std::get<Edit>(waiting)));
            }
        }
        if (Entry* rest = entry(bare.bare_view())) age(*rest, bare);
    }

    void start_edit(Entry& editing, const xmpp::Jid& bare, Edit edit) {
        editing.busy = true;
        editing.running = run_edit(bare, std::move(edit));
    }

    reactor::Deferred<void> run_edit(xmpp::Jid bare, Edit edit) {
        base::Result<void> done = co_await edit();
        if (!done)
            world.log.error("account.edit_failed",
                            {{"account", bare.text()}, {"why", done.error().message()}});
        release(bare);
        co_return {};
    }

    // Queues the account for dropping when nobody uses it.
    void age(Entry& idle, const xmpp::Jid& bare) {
        idle.used_at = world.reactor.now();
        if (idle.aging || !idle.account || !idle.account->resources().empty()) return;
        idle.aging = true;
        aging.emplace_back(bare.bare_view());
        if (!sweep.armed()) world.reactor.arm(sweep, options.idle_timeout);
    }

    void drop_idle() {
        const base::MonotonicTime now = world.reactor.now();
        for (std::size_t left = aging.size(); left > 0; --left) {
            Entry* oldest = entry(aging.front());
            if (oldest == nullptr || !oldest->aging) {
                aging.pop_front();
                continue;
            }
            if (oldest->used_at + options.idle_timeout > now) {
                // Used since it was queued: to the back, unless a session came.
                if (!oldest->account->resources().empty()) {
                    oldest->aging = false;
                    aging.pop_front();
                    continue;
                }
                aging.push_back(std::move(aging.front()));
                aging.pop_front();
                continue;
            }
            const bool unused = oldest->account->resources().empty() && !oldest->busy;
            oldest->aging = false;
            if (unused) entries.erase(aging.front());
            aging.pop_front();
        }
        if (!aging.empty()) world.reactor.arm(sweep, options.idle_timeout / 2);
    }
};

Accounts::Accounts(reactor::World& world, storage::Database& database, Options options)
    : impl_(std::make_unique<Impl>(world, database, options)) {}

Accounts::~Accounts() = default;

Account* Accounts::find(const xmpp::Jid& jid) {
    Entry* entry = impl_->entry(jid.bare_view());
    return entry == nullptr ? nullptr : entry->account.get();
}

Resource* Accounts::resource_of(const xmpp::Jid& jid, SessionId session) {
    Account* account = find(jid);
    return account == nullptr ? nullptr : account->of_session(session);
}

Account* Accounts::ready(const xmpp::Jid& jid) {
    Entry* entry = impl_->entry(jid.bare_view());
    if (entry == nullptr || entry->busy || !entry->waiting.empty()) return nullptr;
    entry->used_at = impl_->world.reactor.now();
    return entry->account.get();
}

void Accounts::with(const xmpp::Jid& bare, Call call) {
    if (Account* account = ready(bare)) {
        call(account);
        return;
    }
    if (impl_->is_absent(bare.bare_view())) {
        call(base::fail(base::Errc::not_found));
        return;
    }
    Entry& entry = impl_->require(bare);
    if (entry.waiting.size() >= impl_->options.waiting_max) {
        call(base::fail(base::Errc::queue_full, "too many stanzas wait for the account"));
        return;
    }
    entry.waiting.emplace_back(std::move(call));
}

bool Accounts::edit(const xmpp::Jid& bare, Edit edit) {
    Entry& entry = impl_->require(bare);
    if (!entry.busy && (entry.waiting.empty() || entry.calling)) {
        impl_->start_edit(entry, bare, std::move(edit));
        return true;
    }
    // Twice the room of `with`: an edit that a waiting stanza leads to must not be lost to others.
    if (entry.waiting.size() >= 2 * impl_->options.waiting_max) return false;
    entry.waiting.emplace_back(std::move(edit));
    return true;
}

reactor::Deferred<Resource*> Accounts::bind(const xmpp::Jid& full, SessionSink& session,
                                            SessionId id) {
    reactor::Promise<Resource*> promise;
    reactor::Deferred<Resource*> bound = promise.deferred();
    with(full.bare(), [full, &session, id,
                       promise = std::move(promise)](base::Result<Account*> account) mutable {
        if (!promise.wanted()) return;  // The session ended while the account was loading.
        if (!account) {
            promise.fail(std::move(account).error());
            return;
        }
        if ((*account)->find(full.resource()) != nullptr) {
            promise.fail(base::Errc::already_exists);
            return;
        }
        auto resource = std::make_unique<Resource>();
        resource->name = full.resource();
        resource->jid = full;
        resource->session_id = id;
        resource->session = &session;
        promise.resolve(&(*account)->add(std::move(resource)));
    });
    return bound;
}

void Accounts::unbind(const xmpp::Jid& bare, SessionId session) {
    Entry* entry = impl_->entry(bare.bare_view());
    if (entry == nullptr || !entry->account) return;
    entry->account->remove(session);
    impl_->age(*entry, bare);
}

void Accounts::created(const xmpp::Jid& bare) {
    impl_->absent.erase(std::string(bare.bare_view()));
}

void Accounts::removed(const xmpp::Jid& bare) {
    const auto found = impl_->entries.find(bare.bare_view());
    if (found == impl_->entries.end()) return;
    std::unique_ptr<Entry> gone = std::move(found->second);
    impl_->entries.erase(found);
    // In a step of its own: an edit of this very account may be what removed it.
    impl_->world.reactor.soon([gone = std::move(gone)] {
        for (auto& waiting : gone->waiting)
            if (Call* call = std::get_if<Call>(&waiting))
                (*call)(base::fail(base::Errc::not_found));
    });
}

std::size_t Accounts::loaded_count() const {
    return impl_->entries.size();
}

void Accounts::for_each(const std::function<void(Account&)>& visit) {
    for (auto& [name, entry] : impl_->entries)
        if (entry->account) visit(*entry->account);
}

std::size_t Accounts::add_slot() {
    CHECK(impl_->entries.empty());  // Slots are registered while the shard is built.
    return impl_->slots++;
}

}  // namespace server
