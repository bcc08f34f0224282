// Crowd: the accounts of a simulated run, who knows whom, and their phones, on one shard of a
// machine of their own.
#pragma once

#include "tests/bots/client/client_shared.h"
#include "tests/sim/phone.h"
#include "tests/sim/roaming_network.h"
#include "tests/support/server_harness.h"

#include <memory>
#include <string>
#include <vector>

namespace sim {

struct Account {
    xmpp::Jid jid;
    std::vector<DeviceNumber> devices;
    std::vector<AccountNumber> contacts;
};

/// In the server's database, with the password of all.
void make_accounts_in(server::test::ServerHarness& harness, std::vector<xmpp::Jid> jids);

class Crowd {
public:
    struct Parts {
        server::test::ServerHarness& harness;
        Journal& journal;
        MessageLog& messages;
        std::uint64_t seed = 1;
        unsigned accounts = 8;
        /// How long sessions may be resumed.
        base::Duration resume_timeout;
    };

    explicit Crowd(Parts parts);
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd();

    /// In the server's database.
    void make_accounts();
    void start();
    void calm_down();
    void say_last_words();
    void look_at_rosters();
    void look_at_archives();
    void leave();
    bool all_at_rest() const;
    bool all_offline() const;

    const std::vector<std::unique_ptr<Phone>>& phones() const { return phones_; }
    const std::vector<Account>& accounts() const { return accounts_; }
    const Account& account(AccountNumber number) const { return accounts_[number]; }

    // --- for phones

    bots::ClientShared& shared() { return *shared_; }
    reactor::World& world();
    RoamingNetwork& network() { return *network_; }
    Journal& journal() { return parts_.journal; }
    MessageLog& messages() { return parts_.messages; }
    reactor::SimInternet& internet() { return parts_.harness.internet(); }
    server::test::ServerHarness& harness() { return parts_.harness; }
    base::Duration resume_timeout() const { return parts_.resume_timeout; }

private:
    Habits habits_of(Chance& chance, bool is_first) const;
    template <class Function>
    void each(Function function);

    Parts parts_;
    RoamingNetwork* network_ = nullptr;  // The world has it.
    std::size_t node_;
    std::unique_ptr<bots::ClientShared> shared_;
    std::vector<Account> accounts_;
    std::vector<std::unique_ptr<Phone>> phones_;
};

}  // namespace sim
