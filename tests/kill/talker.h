// Talker: an account of a pair that writes to each other; what its clients live through is its
// habit, and what they expect follows from that.
#pragma once

#include "reactor/deferred.h"
#include "reactor/task_set.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"
#include "tests/kill/archive_reader.h"
#include "tests/kill/books.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string_view>

namespace talkers {

enum class Habit : std::uint8_t {
    plain,          ///< One client, always there.
    two_devices,    ///< A laptop beside it, which reads the archive whenever its session was lost.
    reads_archive,  ///< Reads the archive before it is available, and wants nothing of it again.
    sleeps,         ///< Cuts its connection and stays away for a while, again and again.
    comes_late,     ///< The second of the pair is not there before the others have written long.
};
inline constexpr int kHabits = 5;

/// One client: counts what it gets.
class Device final : public bots::ClientObserver {
public:
    struct Parts {
        bots::ClientShared& shared;
        reactor::TaskSet& tasks;
        Books& books;
    };

    /// What it does at each login whose session is a new one, before it is available.
    enum class Login : std::uint8_t { plainly, reading_the_archive };

    /// `is_alone`: the account has no other, so that nothing may be missing here.
    Device(const Parts& parts, bots::ClientOptions options, Login login, bool is_alone);

    bots::Client& client() { return client_; }
    /// The last that came, live or from the archive.
    std::uint64_t received() const { return received_; }
    /// Sends the next message, unless too much is on its way.
    void talk(const xmpp::Jid& peer);
    std::uint64_t sent() const { return sent_; }

    /// Reads of the archive what was not read, and checks it.
    reactor::Deferred<void> audit() { return audit_.read(client_); }
    const ArchiveReader& archive() const { return audit_; }

    void on_online(bots::Client& client, bool resumed) override;
    void on_acknowledged(bots::Client&, std::uint32_t stanzas) override;
    void on_message(bots::Client&, xmpp::Stanza message) override;

private:
    reactor::Deferred<void> read_archive();
    void take(const xmpp::Stanza& message);
    void complain(std::string_view what, const xmpp::Stanza& message) const;

    Parts parts_;
    Login login_;
    bool is_alone_;
    bots::Client client_;
    ArchiveReader audit_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::set<std::uint64_t> skipped_;  // Before that; the account's other client may have them.
    std::uint32_t under_way_ = 0;
};

class Talker {
public:
    /// Its name is its number, and the one behind or before it is its peer.
    Talker(const Device::Parts& parts, Habit habit, int number, std::uint16_t port);

    /// Begins to be there as its habit is.
    void begin();
    /// From now on it is there, whatever its habit is.
    void settle_down() { restless_ = false; }
    void talk() { phone_->talk(peer_); }

    Habit habit() const { return habit_; }
    Device& phone() { return *phone_; }
    std::uint64_t devices() const { return laptop_ == nullptr ? 1 : 2; }
    /// Nothing of what `peer` sent is on its way any more.
    bool has_all_of(const Talker& peer) const;
    /// Books what `peer` sent and was not received, and what is not in the archive.
    void conclude(const Talker& peer);

private:
    reactor::Deferred<void> live();
    reactor::Deferred<void> stay_online(Device& device);

    Device::Parts parts_;
    Habit habit_;
    bool comes_late_;
    xmpp::Jid peer_;
    std::unique_ptr<Device> phone_;
    std::unique_ptr<Device> laptop_;
    bool restless_ = true;
};

}  // namespace talkers
