#include "tests/sim/final_checks.h"

#include <fmt/format.h>
#include <utility>

namespace sim {
namespace {

using Contact = Phone::Contact;

bool sees(const Contact& contact) {
    return contact.subscription == "to" || contact.subscription == "both";
}
bool is_seen_by(const Contact& contact) {
    return contact.subscription == "from" || contact.subscription == "both";
}

Contact contact_of(const Crowd& crowd, AccountNumber account, AccountNumber peer) {
    const Phone& phone = *crowd.phones()[crowd.account(account).devices.front()];
    const auto found = phone.roster().find(crowd.account(peer).jid.text());
    return found == phone.roster().end() ? Contact{"none", false} : found->second;
}

struct Count {
    std::string_view what;
    std::string_view sql;
};

// Rows that nothing leads to, or that should have gone.
constexpr Count kCounts[] = {
    {"deliveries", "SELECT COUNT(*) FROM deliveries"},
    {"resumable sessions", "SELECT COUNT(*) FROM sm_sessions"},
    {"counts of sessions", "SELECT COUNT(*) FROM sm_session_counts"},
    {"states of sessions", "SELECT COUNT(*) FROM sm_session_states"},
    {"messages that nobody is to have",
     "SELECT COUNT(*) FROM messages WHERE id NOT IN (SELECT id FROM archive_recent) AND id NOT IN "
     "(SELECT id FROM archive_messages)"},
};

constexpr std::string_view kGauges[] = {"c2s_connections", "c2s_sessions", "c2s_sessions_detached"};

// Nobody tells a device that somebody it blocks has gone, nor one that resumes after a restart that
// another's session could not be saved.
bool is_gone(const Crowd& crowd, const Phone& watcher, const std::string& jid,
             const MessageLog& messages) {
    if (messages.stopped_without_saving()) return false;
    const std::string bare = jid.substr(0, jid.find('/'));
    for (const auto& phone : crowd.phones()) {
        if (phone->jid() == jid) return false;
        if (crowd.account(phone->account()).jid.text() == bare &&
            messages.ever_blocked(watcher.account(), phone->account()))
            return false;
    }
    return true;
}

}  // namespace

void check_rosters(const Crowd& crowd, MessageLog& messages) {
    for (const auto& phone : crowd.phones()) {
        const Account& account = crowd.account(phone->account());
        const Phone& first = *crowd.phones()[account.devices.front()];
        for (const auto& [jid, contact] : phone->roster()) {
            const auto other = first.roster().find(jid);
            if (other == first.roster().end() || other->second.subscription != contact.subscription)
                messages.violation(fmt::format("rosters of {} differ between its devices: {}",
                                               account.jid.text(), jid));
        }
    }
    // Two accounts are saved one after the other.
    if (!messages.undisturbed()) return;
    const auto count = static_cast<AccountNumber>(crowd.accounts().size());
    for (AccountNumber one = 0; one < count; ++one)
        for (AccountNumber other = 0; other < count; ++other) {
            const Contact here = contact_of(crowd, one, other);
            const Contact there = contact_of(crowd, other, one);
            // XEP-0191 §3.3: what an account answers is not heard by somebody who blocks it.
            if (messages.ever_blocked(one, other) || messages.ever_blocked(other, one)) continue;
            if (sees(here) != is_seen_by(there))
                messages.violation(fmt::format("a{} has a{} as '{}', who has it as '{}'", one,
                                               other, here.subscription, there.subscription));
        }
}

void check_presence(const Crowd& crowd, MessageLog& messages) {
    for (const auto& watcher : crowd.phones())
        for (const auto& phone : crowd.phones()) {
            if (watcher->account() == phone->account()) continue;
            const Contact here = contact_of(crowd, watcher->account(), phone->account());
            const Contact there = contact_of(crowd, phone->account(), watcher->account());
            const bool sees_it = watcher->seen_online().contains(phone->jid());
            if (sees(here) && is_seen_by(there) && !sees_it)
                messages.violation(fmt::format("{} does not see that {} ({}) is online",
                                               watcher->name(), phone->name(), phone->jid()));
        }
    for (const auto& watcher : crowd.phones())
        for (const std::string& jid : watcher->seen_online())
            if (is_gone(crowd, *watcher, jid, messages))
                messages.violation(
                    fmt::format("{} still sees {}, who is gone", watcher->name(), jid));
}

void check_server(server::test::ServerHarness& harness, MessageLog& messages) {
    for (const std::string_view gauge : kGauges)
        if (const std::int64_t value = harness.metric(gauge); value != 0)
            messages.violation(fmt::format("{} is {} when everybody has left", gauge, value));
    auto reading = harness.on_server([&] {
        return harness.database().read(
            [](storage::Transaction& transaction) -> base::Result<std::vector<std::int64_t>> {
                std::vector<std::int64_t> found;
                for (const Count& count : kCounts) {
                    auto rows = transaction.first(
                        count.sql, {}, [](const storage::Row& row) { return row.int64(0); });
                    if (!rows) return std::unexpected(std::move(rows).error());
                    found.push_back(rows->value_or(0));
                }
                return found;
            });
    });
    const auto counts = harness.wait(std::move(reading));
    if (!counts)
        return messages.violation("cannot look into the database: " + counts.error().message());
    for (std::size_t i = 0; i < counts->size(); ++i)
        if ((*counts)[i] != 0)
            messages.violation(
                fmt::format("the database keeps {} {}", (*counts)[i], kCounts[i].what));
}

}  // namespace sim
