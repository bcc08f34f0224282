// Visitor: a phone that is in a room, with the habits of one: it talks, leaves and comes back,
// vanishes and resumes, forgets its session, does not read. The one who made the room gives and
// takes voice, and bans. Nobody else may ever see whose accounts the others are.
#pragma once

#include "reactor/timers.h"
#include "tests/sim/chance.h"
#include "tests/sim/crowd.h"
#include "tests/support/room_client.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sim {

class Visitor final : public test::RoomClient {
public:
    struct Role {
        std::uint32_t number = 0;
        std::uint32_t room = 0;
        bool owns = false;
        bool moderated = false;
        bool manages_stream = true;
        /// Numbers of the others in its room.
        std::vector<std::uint32_t> others;
    };
    Visitor(Crowd& crowd, reactor::TaskSet& tasks, test::RoomBook& book,
            std::function<void(std::string)> complain, Role role, Chance chance);

    static xmpp::Jid account_of(std::uint32_t number);
    static std::string nick_of(std::uint32_t number);

    void start() { wake_after(base::Duration(0), std::chrono::seconds(5)); }
    /// No more mischief: it comes online, goes in and stays, and lets everybody in and speak.
    void calm_down();
    void say_last_word() { say(); }
    void look_at_archive();
    /// `must`: that it cannot is a fault.
    void look_at_state(bool must);
    void go_home();
    bool offline() const { return !online() && !connecting_; }
    /// Calm, in the room, and nobody is left to be let in.
    bool at_peace() const { return at_rest() && looking_ == 0 && !looks_ && unsettled_.empty(); }
    bool owns() const { return role_.owns; }
    std::string nick() const { return nick_of(role_.number); }

private:
    void came_online(bool resumed) override;
    void went_offline() override;
    void saw(const xmpp::Stanza& stanza) override;

    void note(const std::string& what);
    void wake_after(base::Duration least, base::Duration most);
    void act();
    void do_something();
    void rule();
    void change(std::uint32_t guest, std::string_view affiliation);
    void changed(std::uint32_t guest, bool silences, bool bans);
    void vanish(bool silently);
    reactor::Deferred<void> connect();
    reactor::Deferred<void> close();
    reactor::Deferred<void> watch(reactor::Deferred<void> looking, std::string what, bool must);
    void move_to_new_address();

    Crowd& crowd_;
    reactor::TaskSet& tasks_;
    test::RoomBook& book_;
    std::function<void(std::string)> complain_;
    const Role role_;
    Chance chance_;
    std::string address_;
    unsigned addresses_ = 0;
    unsigned looking_ = 0;
    std::vector<std::uint32_t> unsettled_;  // Guests whom it may have banned or silenced.
    std::set<std::string> outcasts_;        // Nicks of those who surely are.
    bool looks_ = false;                    // It is to see what is in force, before it changes it.
    bool connecting_ = false;
    bool calm_ = false;
    bool home_ = false;
    bool dawdling_ = false;
    reactor::CallbackTimer timer_;
};

}  // namespace sim
