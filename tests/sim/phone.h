// Phone: one device of an account, with the habits of one: it writes, vanishes and comes back from
// another address, resumes its session, forgets it, sleeps, blocks, and keeps book of all that it
// sent and saw. The XMPP is the client's of tests/bots/client.
#pragma once

#include "reactor/task_set.h"
#include "reactor/timers.h"
#include "tests/bots/client/client.h"
#include "tests/sim/chance.h"
#include "tests/sim/message_log.h"

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

class Crowd;

struct Habits {
    bool manages_stream = true;  ///< XEP-0198.
    bool wants_copies = true;    ///< XEP-0280.
    bool has_own_resource = true;
    bool direct_tls = false;
    bool syncs = true;      ///< With the archive (XEP-0313), before it is available.
    bool is_first = false;  ///< Of its account: it alone blocks.
    base::Duration pause_max = std::chrono::seconds(6);  ///< Between two doings.
    /// What it does, as shares of all that it does.
    unsigned writes = 60;
    unsigned changes_presence = 5;
    unsigned sleeps = 4;  ///< XEP-0352.
    unsigned blocks = 3;
    unsigned subscribes = 5;
    unsigned looks = 5;  ///< Whether the server is there.
    unsigned vanishes = 6;
    unsigned roams = 4;  ///< Its address goes, and nobody tells the server.
    unsigned closes = 2;
    unsigned forgets = 1;  ///< The app starts anew.
    unsigned dawdles = 2;  ///< Does not read.
};

class Phone final : private bots::ClientObserver {
public:
    Phone(Crowd& crowd, DeviceNumber number, AccountNumber account, Habits habits, Chance chance);
    Phone(const Phone&) = delete;
    Phone& operator=(const Phone&) = delete;
    ~Phone();

    void start();
    /// No more mischief: it comes online, stays, and lets everybody through.
    void calm_down();
    /// To every contact, and to each device of theirs that is online.
    void say_last_words();
    void leave();

    DeviceNumber number() const { return number_; }
    AccountNumber account() const { return account_; }
    const Habits& habits() const { return habits_; }
    const std::string& name() const { return name_; }
    const std::string& address() const { return address_; }
    bool online() const { return client_ != nullptr && client_->online(); }
    bool offline() const { return !online() && !connecting_; }
    /// Online, and everything it asked is answered and every message acknowledged.
    bool at_rest() const;
    /// Why it is not.
    std::string unrest() const;
    /// Of the current or last session; empty before the first.
    const std::string& jid() const { return jid_; }
    /// Full addresses that it has seen available.
    const std::set<std::string>& seen_online() const { return seen_online_; }
    /// Of the own account, as far as this device could tell.
    struct Contact {
        std::string subscription;
        bool asks = false;
    };
    /// Asks the server for the roster; `roster()` has the answer later.
    void look_at_roster();
    const std::map<std::string, Contact>& roster() const { return roster_; }
    /// Asks for all of the archive, from its beginning; MessageLog::archive_of has it later.
    void look_at_archive();
    /// The network breaks all its connections.
    void lose_connection();

private:
    /// A stanza that the server has not acknowledged.
    struct Outgoing {
        bool is_message = false;
        bool again = false;
        std::optional<MessageKey> key;
    };

    // bots::ClientObserver
    void on_online(bots::Client& client, bool resumed) override;
    void on_not_resumed(bots::Client& client, std::optional<std::uint32_t> taken) override;
    void on_offline(bots::Client& client, const base::Failure& why) override;
    void on_message(bots::Client& client, xmpp::Stanza message) override;
    void on_presence(bots::Client& client, xmpp::Stanza presence) override;
    std::optional<xmpp::Stanza> on_request(bots::Client& client, const xmpp::Stanza& iq) override;
    void on_acknowledged(bots::Client& client, std::uint32_t stanzas) override;

    // Coming and going (phone.cpp).
    void make_client();
    void wake_after(base::Duration least, base::Duration most);
    void act();
    void come_online();
    reactor::Deferred<void> connect();
    void begin_session();
    void stay_away();
    void move_to_new_address();
    void forget_session();
    void give_up_outgoing();
    void take_former();

    // Saying (phone_talk.cpp).
    bool send(std::string_view xml, bool is_message, std::optional<MessageKey> key = {});
    void write_to(AccountNumber to, std::optional<DeviceNumber> device);
    void ask_what_arrived();
    static std::optional<MessageKey> read_key(const xmpp::Element& message);
    void see(const xmpp::Element& message, Way way);
    void see_archived(const xmpp::Element& result);
    /// Pages on until it knows all; then `done`.
    void sync_archive(base::UniqueFunction<void()> done);
    using Answered = base::UniqueFunction<void(bool)>;
    void request(xmpp::IqType type, std::optional<xmpp::Element> payload, Answered answered);
    reactor::Deferred<void> wait_for_answer(reactor::Deferred<xmpp::Stanza> asking,
                                            Answered answered);
    reactor::Deferred<void> fetch_pages(base::UniqueFunction<void()> done);

    // Doings (phone_habits.cpp).
    void do_something();
    void write_some();
    void send_presence();
    void change_sleep();
    void change_block();
    void change_subscription();
    void look();
    void vanish();
    void roam();
    void close();
    void dawdle();
    void set_copies();
    void unblock_all();

    void note(std::string_view what);

    Crowd& crowd_;
    const DeviceNumber number_;
    const AccountNumber account_;
    const Habits habits_;
    Chance chance_;
    const std::string name_;
    const std::string key_;  // By which the network knows it.
    std::string address_;
    unsigned addresses_ = 0;
    std::unique_ptr<bots::Client> client_;
    std::string jid_;
    std::deque<Outgoing> outgoing_;  // As the client keeps it.
    bool counts_ = false;            // Stream management is on.
    std::vector<Outgoing> former_;   // What the session before left.
    bool former_in_doubt_ = false;
    std::uint32_t skipped_ = 0;           // Acknowledgements told twice.
    std::vector<MessageKey> unanswered_;  // Without stream management.
    std::set<AccountNumber> maybe_blocked_;
    unsigned block_round_ = 0;  // Of changes to the blocklist; a late answer means nothing.
    std::set<std::string> seen_online_;
    std::map<std::string, Contact> roster_;
    std::string archived_through_;  // Id of the last message that it has from the archive.
    std::optional<std::vector<MessageKey>> archive_;  // While it looks at all of it.
    std::size_t open_requests_ = 0;
    std::size_t open_looks_ = 0;  // Of these, those that only look whether somebody is there.
    unsigned failures_ = 0;       // To connect, in a row.
    bool connecting_ = false;
    bool calm_ = false;
    bool leaving_ = false;
    bool dawdling_ = false;
    bool asleep_ = false;
    int priority_ = 0;
    bool available_ = false;
    reactor::CallbackTimer timer_;
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

}  // namespace sim
