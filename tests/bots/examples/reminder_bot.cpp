// reminder_bot: "remind me in 10 minutes to eat", "remind me every 30 seconds to breathe", "stop".
#include "reactor/looping_call.h"
#include "reactor/world.h"
#include "tests/bots/examples/run_client.h"

#include <list>
#include <sstream>

namespace {

struct Reminder {
    Reminder(bots::Client& client, xmpp::Jid who, std::string what, bool once)
        : to(std::move(who)), call(client.world().reactor, [this, &client, what, once] {
              client.send_message(to, "Remember to" + what);
              if (once) call.stop();
              return reactor::ready();
          }) {}

    xmpp::Jid to;
    reactor::LoopingCall call;
    reactor::Deferred<void> running = reactor::ready();
};

class ReminderBot final : public bots::Bot {
public:
    void on_online(bots::Client& client, bool resumed) override {
        if (!resumed) client.send_presence();
    }

    void on_message(bots::Client& client, xmpp::Stanza message) override {
        if (message.is_error() || !message.has_body() || !message.from()) return;
        client.send_message(*message.from(), answer(client, *message.from(), message.body_text()));
    }

private:
    std::string answer(bots::Client& client, const xmpp::Jid& who, const std::string& request) {
        std::erase_if(reminders_, [&](const Reminder& reminder) {
            return !reminder.call.running() || (request == "stop" && reminder.to.same_bare(who));
        });
        if (request == "stop") return "I stop.";
        std::istringstream words(request);
        std::string remind, me, how, unit, to, what;
        int count = 0;
        words >> remind >> me >> how >> count >> unit >> to;
        std::getline(words, what);
        const int seconds = unit[0] == 'h' ? 3600 : unit[0] == 'm' ? 60 : 1;
        if (what.empty() || count < 1 || count > 10'000)
            return "Say: remind me in 10 minutes to eat; or: every 30 seconds; or: stop";
        if (reminders_.size() == 1000) return "I have too much to remember already.";
        Reminder& reminder = reminders_.emplace_back(client, who, what, how != "every");
        reminder.running = reminder.call.start(std::chrono::seconds(count * seconds),
                                               reactor::LoopingCall::First::after_interval);
        return "I will.";
    }

    std::list<Reminder> reminders_;
};

}  // namespace

int main(int argc, char** argv) {
    return bots::run_client(argc, argv, std::make_unique<ReminderBot>());
}
