#include "server/modules/archive_expiry.h"

#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "server/modules/archive_keys.h"
#include "storage/database.h"

#include <utility>

namespace server::modules {
namespace {

/// Messages that one write deletes: small enough that others get their turns.
constexpr std::uint32_t kStepMessages = 200;

}  // namespace

ArchiveExpiry::ArchiveExpiry(reactor::World& world, storage::Database& database, Metrics& metrics,
                             const Config& config)
    : world_(world),
      database_(database),
      removed_(metrics.counter("module_archive_expired_total",
                               "Messages that archives did not keep any longer.")),
      loop_(world.reactor, [this] { return run(); }),
      tasks_(world.reactor) {
    reload(config);
    if (world.shards.current() == 0) tasks_.add("archive expiry", loop_.start(kInterval));
}

void ArchiveExpiry::reload(const Config& config) {
    keep_ = config.get(keys::kArchiveKeep);
    messages_max_ = config.get(keys::kArchiveMessagesMax);
}

storage::ArchiveRetention ArchiveExpiry::limits() const {
    storage::ArchiveRetention limits;
    if (keep_.count() > 0) limits.not_before = world_.clock.wall() + -keep_;
    if (messages_max_ > 0) limits.messages_max = messages_max_;
    return limits;
}

void ArchiveExpiry::note(const base::Failure& why) {
    world_.log.warn("archive.expire_failed", {{"why", why.message()}});
}

reactor::Deferred<void> ArchiveExpiry::run() {
    auto purging = purge();
    static_cast<void>(co_await std::move(purging));
    auto expiring = expire(limits());
    static_cast<void>(co_await std::move(expiring));
    co_return {};
}

// Removing an account leaves most of a large archive to this.
reactor::Deferred<void> ArchiveExpiry::purge() {
    for (std::int64_t last = kStepMessages; last == kStepMessages;) {
        auto writing = database_.write([](storage::Transaction& transaction) {
            return storage::Messages(transaction).purge_removed_accounts(kStepMessages);
        });
        const base::Result<std::int64_t> purged = co_await std::move(writing);
        if (!purged) {
            note(purged.error());
            co_return {};
        }
        last = *purged;
    }
    co_return {};
}

reactor::Deferred<void> ArchiveExpiry::expire(storage::ArchiveRetention retention) {
    if (!retention.not_before && !retention.messages_max) co_return {};
    for (std::int64_t from = 0;;) {
        auto reading = database_.read([retention, from](storage::Transaction& transaction) {
            return storage::Archive(transaction).excess(retention, from);
        });
        const base::Result<storage::ArchiveExcessPage> page = co_await std::move(reading);
        if (!page) {
            note(page.error());
            co_return {};
        }
        for (const storage::ArchiveExcess& excess : page->excess) {
            auto removing = remove(excess);
            const base::Result<bool> removed = co_await std::move(removing);
            if (!removed || !*removed) co_return {};
        }
        from = page->next;
        if (from == 0) co_return {};
    }
}

reactor::Deferred<bool> ArchiveExpiry::remove(storage::ArchiveExcess excess) {
    for (std::int64_t last = kStepMessages; last == kStepMessages;) {
        auto writing = database_.write([excess](storage::Transaction& transaction) {
            return storage::Archive(transaction)
                .remove_through(excess.archive, excess.through, kStepMessages);
        });
        const base::Result<std::int64_t> removed = co_await std::move(writing);
        if (!removed) {
            note(removed.error());
            co_return false;
        }
        removed_.add(static_cast<std::uint64_t>(*removed));
        last = *removed;
    }
    co_return true;
}

}  // namespace server::modules
