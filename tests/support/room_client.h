// RoomClient: a client that is in a room (XEP-0045), talks there, and keeps a RoomBook of what it
// said and heard, whatever happens to its connection and its server. When it comes and goes is its
// owner's business.
#pragma once

#include "reactor/deferred.h"
#include "reactor/task_set.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"
#include "tests/support/room_book.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

class RoomClient : private bots::ClientObserver {
public:
    struct Parts {
        bots::ClientShared& shared;
        reactor::TaskSet& tasks;
        RoomBook& book;
        /// Faults that the book cannot see.
        std::function<void(std::string)> complain;
    };
    struct Place {
        RoomBook::Guest number = 0;
        RoomBook::Room room = 0;
        xmpp::Jid address;  ///< Of the room.
        std::string nick;
        /// Makes the room; the others wait for that.
        bool founds = false;
        /// Fields of the form with which it is made.
        std::vector<std::pair<std::string, std::string>> config;
    };
    /// Words that the server has not acknowledged; no more are said.
    static constexpr std::size_t kUnderWayMax = 20;

    RoomClient(Parts parts, Place place, bots::ClientOptions options);
    virtual ~RoomClient();

    bots::Client& client() { return *client_; }
    const Place& place() const { return place_; }
    /// Forgets its session, as an app that was ended.
    void start_anew();
    bool online() const { return client_->online(); }
    bool is_in() const { return parts_.book.is_in(place_.number, place_.room); }
    /// In the room, which has been configured.
    bool is_settled() const { return is_in() && parts_.book.is_open(place_.room); }
    /// Nothing that it asked for is unanswered, and it may ask.
    bool may_ask() const { return online() && open_requests_ == 0; }
    /// Settled, and everything acknowledged and answered.
    bool at_rest() const;
    std::string unrest() const;

    /// Enters, unless it did a moment ago, and is shown so many messages of the past; who made the
    /// room configures it.
    void enter(std::uint32_t history = 0);
    void leave();
    void say() { say_as(false); }
    /// The room's subject is what it says.
    void say_subject() { say_as(true); }
    /// Whether it is still in (XEP-0410); if not, the visit is over.
    void ping_self();
    using Answered = std::function<void(bool)>;
    void set_affiliation(const std::string& user, std::string_view affiliation,
                         const Answered& answered = {});
    /// Of an occupant; who is not there has no role, which is as good.
    void set_role(const std::string& nick, std::string_view role, const Answered& answered);
    /// Another one each time.
    void change_description();

    /// Tells the book of the room's archive. The subject that is in force must be the last in it.
    reactor::Deferred<void> read_archive();
    /// What the server says of affiliations and configuration must be what it answered.
    reactor::Deferred<void> compare_state();

    /// Nicks, as presence has told them.
    const std::set<std::string>& occupants() const { return occupants_; }
    std::uint64_t resumed() const { return resumed_; }
    std::uint64_t logins() const { return logins_; }
    std::uint64_t changes() const { return changes_; }

protected:
    virtual void came_online(bool /*resumed*/) {}
    virtual void went_offline() {}
    /// Everything that comes.
    virtual void saw(const xmpp::Stanza&) {}

private:
    void on_online(bots::Client& client, bool resumed) override;
    void on_not_resumed(bots::Client& client, std::optional<std::uint32_t> taken) override;
    void on_offline(bots::Client& client, const base::Failure& why) override;
    void on_acknowledged(bots::Client& client, std::uint32_t stanzas) override;
    void on_received(bots::Client&, const xmpp::Stanza& stanza) override { saw(stanza); }
    void on_message(bots::Client& client, xmpp::Stanza message) override;
    void on_presence(bots::Client& client, xmpp::Stanza presence) override;
    std::optional<xmpp::Stanza> on_request(bots::Client& client, const xmpp::Stanza& iq) override;

    bool send(const std::string& xml, std::optional<RoomBook::Word> word);
    void say_as(bool subject);
    void hear(const xmpp::Stanza& message);
    using Fields = std::vector<std::pair<std::string, std::string>>;
    reactor::Deferred<xmpp::Stanza> submit(Fields fields);
    reactor::Deferred<void> configure();
    reactor::Deferred<void> describe(std::string description);
    reactor::Deferred<xmpp::Stanza> set_item(std::string_view by, std::string who,
                                             std::string_view of, std::string to);
    reactor::Deferred<void> change(std::string user, std::string affiliation, Answered answered);
    reactor::Deferred<void> change_role(std::string nick, std::string role, Answered answered);
    reactor::Deferred<void> compare_affiliations();
    reactor::Deferred<void> compare_config();
    reactor::Deferred<void> ask_whether_in();
    reactor::Deferred<xmpp::Stanza> ask(xmpp::Stanza iq);
    void end_visit();

    Parts parts_;
    const Place place_;
    const bots::ClientOptions options_;
    std::unique_ptr<bots::Client> client_;
    /// What the server has not acknowledged, as the client keeps it.
    std::deque<std::optional<RoomBook::Word>> outgoing_;
    std::uint32_t told_twice_ = 0;
    bool continues_ = false;  // The next session has what the former one left unacknowledged.
    std::set<std::string> occupants_;
    std::vector<RoomBook::Kept> archive_;
    std::optional<RoomBook::Word> archived_subject_;
    std::optional<RoomBook::Word> subject_;   // In force, as it has been told.
    std::set<std::string> descriptions_{""};  // As affiliations_.
    std::uint32_t last_description_ = 0;
    /// By user, what it may be: what was answered last, and what was asked for since.
    std::map<std::string, std::set<std::string>> affiliations_;
    std::set<std::string> answered_;  // Of those.
    base::MonotonicTime knocked_at_{};
    std::uint64_t resumed_ = 0;
    std::uint64_t logins_ = 0;
    std::uint64_t changes_ = 0;
    std::uint32_t open_requests_ = 0;
    bool counts_ = false;  // Stream management is on.
    bool reading_ = false;
    bool entered_ = false;  // Nothing has been said since the room said that it is in.
};

}  // namespace test
