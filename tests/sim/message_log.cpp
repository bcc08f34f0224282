#include "tests/sim/message_log.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>

namespace sim {
namespace {

using namespace std::chrono_literals;

/// What a device got shortly before its connection broke may not have been acknowledged to the
/// server.
constexpr base::Duration kUnheard = 2min;
/// Until what an outage of the database did has its consequences.
constexpr base::Duration kNoticed = 5s;
/// Around a failure of the database.
constexpr base::Duration kAround = 15s;

}  // namespace

std::string_view name_of(Way way) {
    switch (way) {
        case Way::itself:
            return "itself";
        case Way::copy:
            return "as a copy";
        case Way::own_copy:
            return "as a copy of its own account's";
        case Way::archive:
            break;
    }
    return "from the archive";
}

std::string MessageLog::text_of(const MessageKey& key) {
    return fmt::format("d{}>a{}#{}", key.sender, key.to, key.number);
}

void MessageLog::violation(std::string text) {
    journal_.note("VIOLATION", text);
    if (violations_.size() < kViolationsMax) violations_.push_back(std::move(text));
}

void MessageLog::note(const MessageKey& key, Record& record, std::string text) {
    journal_.note(text_of(key), text);
    record.history.emplace_back(journal_.time(), std::move(text));
}

std::string MessageLog::history_of(const MessageKey& key) const {
    std::string text;
    const auto found = records_.find(key);
    if (found == records_.end()) return text;
    for (const auto& [at, what] : found->second.history)
        text += fmt::format("\n    {} {}", Journal::text_of(at), what);
    return text;
}

void MessageLog::blame(const MessageKey& key, std::string_view what) {
    violation(fmt::format("{} {}: {} (device {} of account {} to account {}){}", journal_.now(),
                          text_of(key), what, key.sender, devices_[key.sender].account, key.to,
                          history_of(key)));
}

// --- the sender

MessageKey MessageLog::sent(DeviceNumber sender, AccountNumber to,
                            std::optional<DeviceNumber> to_device) {
    const MessageKey key{sender, to, ++devices_[sender].numbers[to]};
    Record& record = records_[key];
    record.sent_at = journal_.time();
    record.sent_in = lineage_of(sender);
    record.to_device = to_device;
    ++totals_.sent;
    note(key, record, to_device ? fmt::format("sent to device {}", *to_device) : "sent");
    return key;
}

void MessageLog::is_for_that_device_alone(const MessageKey& key) {
    Record& record = record_of(key);
    record.for_nobody_else = true;
    note(key, record, "is for nobody else");
}

void MessageLog::sent_again(const MessageKey& key, bool in_doubt) {
    Record& record = record_of(key);
    ++record.sendings;
    record.sent_in = lineage_of(key.sender);
    if (in_doubt) ++record.submissions;
    note(key, record, in_doubt ? "sent again, in doubt" : "sent again");
}

void MessageLog::acknowledged(const MessageKey& key) {
    Record& record = record_of(key);
    if (record.acknowledged_at) return;
    record.acknowledged_at = journal_.time();
    record.lineage = lineage_of(key.sender);
    ++totals_.acknowledged;
    note(key, record, "acknowledged");
}

void MessageLog::refused(const MessageKey& key, std::string_view condition) {
    const auto found = records_.find(key);
    if (found == records_.end()) return violation("refused, but never sent: " + text_of(key));
    if (!found->second.refused) ++totals_.refused;
    found->second.refused = true;
    note(key, found->second, fmt::format("refused: {}", condition));
}

void MessageLog::given_up(const MessageKey& key) {
    note(key, record_of(key), "given up");
}

// --- the receiver

void MessageLog::arrived(const MessageKey& key, DeviceNumber device, Way way, bool delayed) {
    const auto found = records_.find(key);
    if (found == records_.end()) return violation("arrived, but never sent: " + text_of(key));
    Record& record = found->second;
    const Arrival arrival{journal_.time(), device, lineage_of(device), way, delayed};
    note(key, record,
         fmt::format("seen by device {} (account {}, session {}) {}{}", device,
                     devices_[device].account, arrival.lineage, name_of(way),
                     delayed ? ", delayed" : ""));
    if (way != Way::own_copy && devices_[device].account != key.to)
        blame(key, fmt::format("device {} is not of that account", device));
    check_blocked(key, record, arrival);
    check_repetition(key, record, arrival);
    if (way != Way::own_copy && record.arrivals.empty()) ++totals_.arrived;
    record.arrivals.push_back(arrival);
}

// A device shows a message once. Again only when its sender said it again, or when the device had
// no way to tell the server that it has it.
void MessageLog::check_repetition(const MessageKey& key, Record& record, const Arrival& arrival) {
    if (arrival.way == Way::archive) return;
    unsigned seen = 0;
    unsigned excused = 0;
    for (const Arrival& before : record.arrivals) {
        if (before.device != arrival.device) continue;
        if (before.way == Way::archive) {
            if (before.lineage == arrival.lineage && arrival.delayed &&
                !stopped_since(record.sent_at) && !storage_failed_around({before.at, arrival.at}))
                blame(key, fmt::format("device {} had fetched it from the archive and got it from "
                                       "the offline queue as well",
                                       arrival.device));
            continue;
        }
        ++seen;
        if (may_repeat(record, before, arrival)) ++excused;
    }
    if (seen == 0) return check_order(key, record, arrival);
    if (excused > 0) ++totals_.excused;
    // Other devices see what was said, whether it was taken or refused.
    const bool is_own = arrival.way == Way::own_copy;
    if (seen - std::min(seen, excused) >= (is_own ? record.sendings : record.submissions))
        blame(key, fmt::format("device {} was shown it twice", arrival.device));
}

bool MessageLog::may_repeat(const Record& record, const Arrival& first,
                            const Arrival& arrival) const {
    // What another device of the account got and did not acknowledge is for everybody again.
    const AccountNumber account = devices_[arrival.device].account;
    if (first.way != arrival.way) {
        if (!arrival.delayed) return false;
        return first.lineage == arrival.lineage ? stopped_since(record.sent_at)
                                                : session_ended_since(account, record.sent_at);
    }
    if (first.lineage == arrival.lineage) return false;
    const Lineage& lineage = devices_[first.device].lineages[first.lineage - 1];
    if (lineage.ending == Ending::running) return false;
    // Who comes later finds what it had waiting for any device.
    if (lineage.ending == Ending::told && *lineage.ended_at < lineage.heard_at + waits_ &&
        !is_forgotten(lineage, first.at))
        return false;
    return arrival.delayed && first.at + kUnheard >= lineage.heard_at;
}

// Storage refused for long to note what the device had got; or crash after crash, another device of
// the account came first and got what the lost session had not acknowledged.
bool MessageLog::is_forgotten(const Lineage& lineage, base::MonotonicTime seen_at) const {
    const base::MonotonicTime at = *lineage.ended_at;
    if (std::ranges::count_if(crashes_, [&](base::MonotonicTime crash) {
            return seen_at <= crash && crash <= at;
        }) > 1)
        return true;
    if (failing_since_ && *failing_since_ <= at) return true;
    return std::ranges::any_of(
        outages_, [&](const Span& span) { return span.from <= at && at <= span.until + kNoticed; });
}

// In the order in which they were sent; what was given to a session that ended comes late.
void MessageLog::check_order(const MessageKey& key, const Record& record, const Arrival& arrival) {
    if (arrival.way == Way::own_copy && record.sendings > 1) return;
    MessageKey& newest =
        devices_[arrival.device].newest[{key.sender, key.to, arrival.way != Way::itself}];
    if (key.number > newest.number) {
        newest = key;
        return;
    }
    const AccountNumber account = devices_[arrival.device].account;
    if (arrival.delayed && session_ended_since(account, record.sent_at)) return;
    if (arrival.delayed && storage_failed_around({record.sent_at, arrival.at})) return;
    if (is_from_former_session(record, records_.at(newest))) return;
    // What waits for whoever is available is not before what is sent to a device that is not.
    if (arrival.delayed && !record.to_device && records_.at(newest).to_device) return;
    blame(key, fmt::format("device {} had seen {} before{}", arrival.device, text_of(newest),
                           history_of(newest)));
}

// What an old connection still has on its way when the sender writes over a new one.
bool MessageLog::is_from_former_session(const Record& late, const Record& before) const {
    return late.sent_in < before.sent_in &&
           (!late.acknowledged_at || *late.acknowledged_at > before.sent_at);
}

void MessageLog::check_blocked(const MessageKey& key, const Record& record,
                               const Arrival& arrival) {
    if (arrival.way == Way::own_copy) return;
    const auto found = blocks_.find({key.to, devices_[key.sender].account});
    if (found == blocks_.end() || !found->second.since) return;
    if (*found->second.since < record.sent_at)
        blame(key, fmt::format("its sender was blocked since {}",
                               Journal::text_of(*found->second.since)));
}

// --- what the devices go through

void MessageLog::lineage_begins(DeviceNumber device, bool managed) {
    lineage_ends(device, Ending::lost);
    devices_[device].lineages.push_back({journal_.time(), std::nullopt, Ending::running, managed});
}

LineageNumber MessageLog::lineage_of(DeviceNumber device) const {
    return static_cast<LineageNumber>(devices_[device].lineages.size());
}

void MessageLog::login_begins(DeviceNumber device) {
    devices_[device].login_began_at = journal_.time();
}

void MessageLog::login_fails(DeviceNumber device) {
    DeviceState& state = devices_[device];
    state.failed_logins.push_back({state.login_began_at, journal_.time()});
}

void MessageLog::lineage_ends(DeviceNumber device, Ending ending) {
    if (devices_[device].lineages.empty()) return;
    Lineage& lineage = devices_[device].lineages.back();
    if (lineage.ending != Ending::running) return;
    lineage.ending = ending;
    lineage.ended_at = journal_.time();
}

void MessageLog::went_away(DeviceNumber device) {
    if (devices_[device].lineages.empty()) return;
    Lineage& lineage = devices_[device].lineages.back();
    if (lineage.ending == Ending::running) lineage.away = true;
}

void MessageLog::heard_from(DeviceNumber device) {
    if (devices_[device].lineages.empty()) return;
    Lineage& lineage = devices_[device].lineages.back();
    if (lineage.ending != Ending::running) return;
    lineage.away = false;
    lineage.heard_at = journal_.time();
}

void MessageLog::storage_fails() {
    if (!failing_since_) failing_since_ = journal_.time();
}

void MessageLog::storage_mended() {
    if (!failing_since_) return;
    outages_.push_back({*failing_since_, journal_.time()});
    storage_failures_.push_back(outages_.back());
    failing_since_.reset();
}

void MessageLog::blocking(AccountNumber account, AccountNumber peer) {
    Block& block = blocks_[{account, peer}];
    if (!block.possible) block.possible = journal_.time();
}

void MessageLog::blocked(AccountNumber account, AccountNumber peer) {
    Block& block = blocks_[{account, peer}];
    if (!block.since) block.since = journal_.time();
}

void MessageLog::unblocking(AccountNumber account, AccountNumber peer) {
    blocks_[{account, peer}].since.reset();
}

void MessageLog::unblocked(AccountNumber account, AccountNumber peer) {
    Block& block = blocks_[{account, peer}];
    if (block.possible) block.past.push_back({*block.possible, journal_.time()});
    block.possible.reset();
}

bool MessageLog::possibly_blocked(AccountNumber one, AccountNumber other, Span during) const {
    const auto found = blocks_.find({one, other});
    if (found == blocks_.end()) return false;
    const Block& block = found->second;
    if (block.possible && *block.possible <= during.until) return true;
    return std::ranges::any_of(block.past, [&](const Span& span) {
        return span.from <= during.until && during.from <= span.until;
    });
}

// What was written to it and not read any more is lost, and nobody knows: the server least of all,
// as long as it takes the connection to be alive.
bool MessageLog::lost_plain_session(AccountNumber account, base::MonotonicTime since) const {
    for (const DeviceState& state : devices_) {
        if (state.account != account) continue;
        for (const Lineage& lineage : state.lineages)
            if (!lineage.managed && lineage.ending == Ending::lost &&
                *lineage.ended_at + lingers_ >= since)
                return true;
    }
    return false;
}

// The same for one that the server let in, which was never told so.
bool MessageLog::lost_failed_login(const Record& record) const {
    if (!record.to_device) return false;
    return std::ranges::any_of(devices_[*record.to_device].failed_logins, [&](const Span& attempt) {
        return attempt.from <= record.sent_at && record.sent_at <= attempt.until + lingers_;
    });
}

bool MessageLog::session_ended_since(AccountNumber account, base::MonotonicTime from) const {
    for (const DeviceState& state : devices_) {
        if (state.account != account) continue;
        for (const Lineage& lineage : state.lineages) {
            if (!lineage.ended_at) {
                if (may_have_ended_since(lineage, from)) return true;
                continue;
            }
            // The server need not have heard of it, nor of a farewell.
            const bool heard = lineage.ending == Ending::told;
            if (*lineage.ended_at + (heard ? base::Duration() : lingers_) >= from) return true;
        }
    }
    return crashed_since(from);
}

// The server does not wait for ever, and keeps only so much; the device learns that when it comes
// back.
bool MessageLog::may_have_ended_since(const Lineage& lineage, base::MonotonicTime from) const {
    return lineage.away && std::max(lineage.heard_at, started_at_) + lingers_ >= from;
}

bool MessageLog::crashed_since(base::MonotonicTime from) const {
    return std::ranges::any_of(crashes_, [from](base::MonotonicTime at) { return at >= from; });
}

// The server forgets which copies a session was shown, and not the session.
bool MessageLog::stopped_since(base::MonotonicTime from) const {
    return std::ranges::any_of(stops_, [from](base::MonotonicTime at) { return at >= from; });
}

bool MessageLog::stopped_without_saving() const {
    return std::ranges::any_of(
        stops_, [this](base::MonotonicTime at) { return storage_failed_around({at, at}); });
}

// --- the end

// Answered with an error that was lost with the sender's session; or promised to nobody.
bool MessageLog::is_excused(const MessageKey& key, const Record& record) const {
    const DeviceState& sender = devices_[key.sender];
    const Span during{record.sent_at, *record.acknowledged_at};
    const Lineage& lineage = sender.lineages[std::max<std::size_t>(record.lineage, 1) - 1];
    // Without XEP-0198 an answer to a later request comes before that error, and who has it leaves.
    const bool error_lost = lineage.ending == Ending::told || lineage.ending == Ending::lost ||
                            (lineage.ending == Ending::closed && !lineage.managed);
    if (!error_lost) return false;
    if (record.for_nobody_else) return true;
    if (!lineage.managed && std::ranges::any_of(crashes_, [&](base::MonotonicTime crash) {
            return during.from <= crash && crash <= during.until + kNoticed;
        }))
        return true;
    if (possibly_blocked(key.to, sender.account, during) ||
        possibly_blocked(sender.account, key.to, during))
        return true;
    return storage_failed_around(during);
}

bool MessageLog::storage_failed_around(Span during) const {
    if (failing_since_ && *failing_since_ - kAround <= during.until) return true;
    return std::ranges::any_of(storage_failures_, [&](const Span& span) {
        return span.from - kAround <= during.until && during.from <= span.until + kAround;
    });
}

void MessageLog::check_end() {
    for (auto& [key, record] : records_) {
        const bool seen = std::ranges::any_of(
            record.arrivals, [](const Arrival& arrival) { return arrival.way != Way::own_copy; });
        // What a disk failed to sync may be there all the same after a crash.
        const bool in_doubt =
            !crashes_.empty() && storage_failed_around({record.sent_at, record.sent_at});
        if (record.refused && seen && record.sendings == 1 && !in_doubt)
            blame(key, "it was refused and arrived all the same");
        if (seen || record.refused || !record.acknowledged_at) continue;
        if (is_excused(key, record) || lost_plain_session(key.to, record.sent_at) ||
            lost_failed_login(record)) {
            ++totals_.excused;
        } else {
            blame(key, "it was acknowledged and never arrived");
        }
    }
    check_archives();
}

void MessageLog::archive_of(DeviceNumber device, std::vector<MessageKey> found) {
    archives_[device] = std::move(found);
}

// The same for all devices of an account, each message once, in the order of each sender.
void MessageLog::check_archives() {
    std::map<AccountNumber, DeviceNumber> first;
    for (const auto& [device, found] : archives_) {
        const AccountNumber account = devices_[device].account;
        const auto [other, is_first] = first.emplace(account, device);
        if (!is_first && archives_[other->second] != found)
            violation(fmt::format(
                "devices {} and {} of account {} find {} and {} messages in its "
                "archive",
                other->second, device, account, archives_[other->second].size(), found.size()));
    }
    for (const auto& [account, device] : first) {
        std::map<MessageKey, unsigned> archive;
        std::map<std::pair<DeviceNumber, AccountNumber>, std::uint32_t> last;
        for (const MessageKey& key : archives_[device]) {
            std::uint32_t& before = last[{key.sender, key.to}];
            if (++archive[key] > 1) continue;
            const bool is_late = key.number < before &&
                                 !is_from_former_session(records_.at(key),
                                                         records_.at({key.sender, key.to, before}));
            if (is_late)
                blame(key, fmt::format("the archive of account {} has number {} before it", account,
                                       before));
            before = std::max(before, key.number);
        }
        for (const auto& [key, record] : records_)
            if (key.to == account || devices_[key.sender].account == account)
                check_archived(account, key, record, archive);
    }
}

void MessageLog::check_archived(AccountNumber account, const MessageKey& key, const Record& record,
                                const std::map<MessageKey, unsigned>& archive) {
    const auto found = archive.find(key);
    const unsigned times = found == archive.end() ? 0 : found->second;
    if (times > record.submissions)
        blame(key, fmt::format("the archive of account {} has it {} times", account, times));
    if (times > 0 || record.refused || !record.acknowledged_at || is_excused(key, record)) return;
    blame(key, fmt::format("it was acknowledged and is not in the archive of account {}", account));
}

bool MessageLog::all_arrived_since(base::MonotonicTime from) const {
    return std::ranges::all_of(records_, [from](const auto& entry) {
        const Record& record = entry.second;
        return record.sent_at < from || record.refused ||
               (record.acknowledged_at && !record.arrivals.empty());
    });
}

}  // namespace sim
