// MessageLog: what became of every message of a simulated run, and what must not become of one:
// lost after it was acknowledged, shown twice by one device, out of order, or from somebody who was
// blocked. What is no fault of the server is told by what the devices went through; README.md lists
// these excuses.
#pragma once

#include "reactor/base/clock.h"
#include "tests/sim/journal.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sim {

using AccountNumber = std::uint32_t;
using DeviceNumber = std::uint32_t;
/// A device's session with all that resume it; counted per device.
using LineageNumber = std::uint32_t;

/// Numbers count from 1 for each sending device and receiving account.
struct MessageKey {
    DeviceNumber sender = 0;
    AccountNumber to = 0;
    std::uint32_t number = 0;
    friend auto operator<=>(const MessageKey&, const MessageKey&) = default;
};

/// How a device got to see a message.
enum class Way : std::uint8_t {
    itself,
    copy,      ///< A carbon of what another device of its account got.
    own_copy,  ///< A carbon of what another device of its account sent.
    archive,
};
std::string_view name_of(Way way);

/// How a lineage ended.
enum class Ending : std::uint8_t {
    running,
    closed,  ///< By the device, politely.
    told,    ///< The server took note of what the device had got when that tried to resume.
    lost,    ///< Without a word on what the device had got.
};

class MessageLog {
public:
    /// `lingers`: how long at most the server keeps a session whose device has forgotten it;
    /// `waits`: how long it waits for a device to resume.
    explicit MessageLog(Journal& journal, base::Duration lingers = {},
                        base::Duration waits = std::chrono::minutes(10))
        : journal_(journal), lingers_(lingers), waits_(waits) {}

    void add_device(AccountNumber account) { devices_.push_back({.account = account}); }
    static std::string text_of(const MessageKey& key);

    // --- the sender

    /// `to_device`: to its full address, else to the account's.
    MessageKey sent(DeviceNumber sender, AccountNumber to, std::optional<DeviceNumber> to_device);
    /// It is to be refused when that device is not there (RFC 6121 §8.5.3.2.1).
    void is_for_that_device_alone(const MessageKey& key);
    /// Once more, by a new session. `in_doubt`: the server did not say that it had not taken it.
    void sent_again(const MessageKey& key, bool in_doubt);
    void acknowledged(const MessageKey& key);
    /// It came back as an error.
    void refused(const MessageKey& key, std::string_view condition);
    /// Nobody will try again.
    void given_up(const MessageKey& key);

    // --- the receiver

    /// `delayed`: it says that it was kept for a client that was not there.
    void arrived(const MessageKey& key, DeviceNumber device, Way way, bool delayed);

    /// All that `device` finds in the archive of its account in the end, in order.
    void archive_of(DeviceNumber device, std::vector<MessageKey> found);

    // --- what the devices go through

    /// `managed`: with XEP-0198, which not every device asks for, and which a server whose database
    /// refuses to write does not grant. Without it nothing is promised to a receiver.
    void lineage_begins(DeviceNumber device, bool managed);
    /// The device logs in; in vain for all it knows, but the server may take it to be there. Then
    /// it is without XEP-0198, and somebody may write to its full address.
    void login_begins(DeviceNumber device);
    void login_fails(DeviceNumber device);
    void lineage_ends(DeviceNumber device, Ending ending);
    /// The connection broke; the device may come back to resume.
    void went_away(DeviceNumber device);
    /// Something came over its connection, or that was made again.
    void heard_from(DeviceNumber device);
    /// `account` asked to block `peer` (and was answered), or to let it through again.
    void blocking(AccountNumber account, AccountNumber peer);
    void blocked(AccountNumber account, AccountNumber peer);
    void unblocking(AccountNumber account, AccountNumber peer);
    void unblocked(AccountNumber account, AccountNumber peer);
    /// At any time, perhaps.
    bool ever_blocked(AccountNumber account, AccountNumber peer) const {
        return blocks_.contains({account, peer});
    }
    /// All sessions of the server ended, and were not saved.
    void server_crashed() { crashes_.push_back(journal_.time()); }
    /// Nothing kept the server from saving what belongs together.
    struct Span {
        base::MonotonicTime from;
        base::MonotonicTime until;
    };
    /// Or shortly before or after it.
    bool storage_failed_around(Span during) const;
    bool undisturbed() const { return crashes_.empty() && storage_failures_.empty(); }
    /// The server stopped in order and saved its sessions.
    void server_stopped() { stops_.push_back(journal_.time()); }
    /// Perhaps, of some sessions at least.
    bool stopped_without_saving() const;
    void server_started() { started_at_ = journal_.time(); }
    /// The database refuses once, now or soon.
    void storage_failed() { storage_failures_.push_back({journal_.time(), journal_.time()}); }
    /// It refuses until it is mended.
    void storage_fails();
    void storage_mended();

    /// Judges what must have happened by the end of the run.
    void check_end();
    /// Sentences, with the history of the message; at most kViolationsMax are kept.
    const std::vector<std::string>& violations() const { return violations_; }
    void violation(std::string text);

    struct Totals {
        std::uint64_t sent = 0;
        std::uint64_t acknowledged = 0;
        std::uint64_t refused = 0;
        std::uint64_t arrived = 0;
        std::uint64_t excused = 0;  ///< Losses and repetitions that are no fault.
    };
    const Totals& totals() const { return totals_; }
    /// Sent since `from`, acknowledged, and seen by nobody.
    bool all_arrived_since(base::MonotonicTime from) const;

private:
    static constexpr std::size_t kViolationsMax = 20;

    struct Lineage {
        base::MonotonicTime heard_at;
        std::optional<base::MonotonicTime> ended_at;
        Ending ending = Ending::running;
        bool managed = true;
        bool away = false;
    };
    struct Arrival {
        base::MonotonicTime at;
        DeviceNumber device = 0;
        LineageNumber lineage = 0;
        Way way = Way::itself;
        bool delayed = false;
    };
    struct Record {
        base::MonotonicTime sent_at;
        std::optional<DeviceNumber> to_device;
        bool for_nobody_else = false;
        LineageNumber sent_in = 0;  ///< The sender's, the last time.
        LineageNumber lineage = 0;  ///< The sender's, when it was acknowledged.
        unsigned submissions = 1;   ///< That may have been taken.
        unsigned sendings = 1;
        std::optional<base::MonotonicTime> acknowledged_at;
        bool refused = false;
        std::vector<Arrival> arrivals;
        std::vector<std::pair<base::MonotonicTime, std::string>> history;
    };
    /// An order in which a device sees messages: of one sender to one account, and apart from those
    /// that were sent to it the copies of those that another device was sent.
    struct Conversation {
        DeviceNumber sender = 0;
        AccountNumber to = 0;
        bool copies = false;
        friend auto operator<=>(const Conversation&, const Conversation&) = default;
    };
    struct DeviceState {
        AccountNumber account = 0;
        std::vector<Lineage> lineages{};
        base::MonotonicTime login_began_at{};
        std::vector<Span> failed_logins{};
        std::map<AccountNumber, std::uint32_t> numbers{};  ///< Last sent, by receiving account.
        std::map<Conversation, MessageKey> newest{};
    };
    struct Block {
        std::optional<base::MonotonicTime> since;     ///< Answered, and in force.
        std::optional<base::MonotonicTime> possible;  ///< Asked for, and not known to be lifted.
        std::vector<Span> past;
    };

    Record& record_of(const MessageKey& key) { return records_.at(key); }
    void note(const MessageKey& key, Record& record, std::string text);
    std::string history_of(const MessageKey& key) const;
    void blame(const MessageKey& key, std::string_view what);
    void check_repetition(const MessageKey& key, Record& record, const Arrival& arrival);
    void check_order(const MessageKey& key, const Record& record, const Arrival& arrival);
    void check_blocked(const MessageKey& key, const Record& record, const Arrival& arrival);
    bool stopped_since(base::MonotonicTime from) const;
    bool crashed_since(base::MonotonicTime from) const;
    LineageNumber lineage_of(DeviceNumber device) const;
    bool is_forgotten(const Lineage& lineage, base::MonotonicTime seen_at) const;
    bool may_have_ended_since(const Lineage& lineage, base::MonotonicTime from) const;
    bool is_from_former_session(const Record& late, const Record& before) const;
    bool may_repeat(const Record& record, const Arrival& first, const Arrival& arrival) const;
    bool session_ended_since(AccountNumber account, base::MonotonicTime from) const;
    bool is_excused(const MessageKey& key, const Record& record) const;
    void check_archives();
    void check_archived(AccountNumber account, const MessageKey& key, const Record& record,
                        const std::map<MessageKey, unsigned>& archive);
    bool possibly_blocked(AccountNumber one, AccountNumber other, Span during) const;
    bool lost_plain_session(AccountNumber account, base::MonotonicTime since) const;
    bool lost_failed_login(const Record& record) const;

    Journal& journal_;
    base::Duration lingers_;
    base::Duration waits_;
    std::vector<DeviceState> devices_;
    std::map<MessageKey, Record> records_;
    std::map<std::pair<AccountNumber, AccountNumber>, Block> blocks_;
    std::vector<base::MonotonicTime> crashes_;
    std::vector<base::MonotonicTime> stops_;
    std::vector<Span> storage_failures_;
    std::vector<Span> outages_;  ///< Those of them that lasted.
    std::optional<base::MonotonicTime> failing_since_;
    base::MonotonicTime started_at_;
    std::map<DeviceNumber, std::vector<MessageKey>> archives_;
    std::vector<std::string> violations_;
    Totals totals_;
};

}  // namespace sim
