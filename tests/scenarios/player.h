// Player: plays a Script against a Venue, step by step, and stops at the first thing that is not as
// written.
#pragma once

#include "tests/scenarios/script.h"
#include "tests/scenarios/venue.h"
#include "tests/support/scripted_client.h"
#include "tests/support/stanza_pattern.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace server::test {

/// Why the script cannot be played against a server that runs in real time and does not fail on
/// request; nothing when it can. `restartable`: the server may be restarted and configured.
std::optional<std::string> needs_simulation(const Script& script, bool restartable);

class Player {
public:
    Player(const Script& script, Venue& venue) : script_(script), venue_(venue) {}
    ~Player();

    /// Throws ScriptFailure: "file:line: step: what was expected and what came".
    void play();

private:
    friend struct Verbs;

    struct Actor {
        std::string jid;  ///< As declared; empty for a bare connection.
        std::string password;
        std::unique_ptr<ScriptedClient> client;
        std::string address;
    };

    Actor& actor(const std::string& name);
    ScriptedClient& client(const std::string& name);
    void run(const Step& step);
    void check_leftovers();

    void declare(const std::string& name, const std::string& jid, const std::string& password,
                 bool account);
    void open(const std::string& name, ClientTransport transport, std::vector<std::string> alpn);
    void open_stream(const std::string& name, const std::string& host);
    void connect(const std::string& name, ClientTransport transport, const std::string& mechanism,
                 const std::string& binding);
    void authenticate(const std::string& name, const std::string& mechanism,
                      const std::string& binding);
    void refuse_authentication(const std::string& name, const std::string& mechanism,
                               const std::string& password, const Step& step);
    void bind(const std::string& name, const std::string& resource);
    void come_online(const std::string& name, const std::string& presence);
    void send(const std::string& name, const Step& step);
    void send_raw(const std::string& name, const Step& step, unsigned long times);
    void receive(const std::string& name, const Step& step);
    void receive_unordered(const std::string& name, const Step& step);
    void receive_header(const std::string& name, const Step& step);
    void receive_stream_error(const std::string& name, const std::string& condition,
                              const Step& step);
    void receive_nothing(const std::string& name, base::Duration time);
    void expect_closed(const std::string& name);
    void expect_cut_off(const std::string& name);
    void close(const std::string& name);
    void open_strangers(unsigned long count, bool one_address);
    void count_strangers(unsigned long expected);

    const Script& script_;
    Venue& venue_;
    std::map<std::string, Actor, std::less<>> actors_;
    std::set<std::string, std::less<>> accounts_;
    std::vector<std::unique_ptr<ScriptedClient>> strangers_;
    Variables variables_;
    std::string last_who_;  ///< The first word of the step before.
};

}  // namespace server::test
