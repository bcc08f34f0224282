// Crew::Bot: what the crew keeps for one bot beside its client. Small: there are many. Private to
// the crew's sources.
#pragma once

#include "reactor/base/split_mix.h"
#include "tests/bots/run/crew.h"

namespace bots {

class Crew::Bot final : public ClientObserver {
public:
    Bot(Crew& crew, BotNumber its_number)
        : number(its_number), chance(crew.plan_.seed * 1'000'003 + its_number), crew_(crew) {}
    Bot(const Bot&) = delete;
    Bot& operator=(const Bot&) = delete;
    ~Bot() = default;

    std::optional<xmpp::Stanza> default_answer(const xmpp::Stanza& iq) {
        return ClientObserver::on_request(*client, iq);
    }

    const BotNumber number;
    bool online = false;
    bool leaving = false;  ///< The end of its session is no surprise.
    base::MonotonicTime online_since;
    base::SplitMix64 chance;
    std::unique_ptr<Client> client;

private:
    void on_online(Client&, bool resumed) override { crew_.bot_online(*this, resumed); }
    void on_offline(Client&, const base::Failure& why) override { crew_.bot_offline(*this, why); }
    void on_message(Client&, xmpp::Stanza message) override { crew_.bot_message(*this, message); }
    void on_presence(Client&, xmpp::Stanza presence) override {
        crew_.bot_presence(*this, presence);
    }
    std::optional<xmpp::Stanza> on_request(Client&, const xmpp::Stanza& iq) override {
        return crew_.bot_request(*this, iq);
    }

    Crew& crew_;
};

}  // namespace bots
