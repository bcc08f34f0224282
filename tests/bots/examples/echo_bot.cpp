// echo_bot: says to everybody what they say to it.
#include "tests/bots/examples/run_client.h"

namespace {

class EchoBot final : public bots::Bot {
public:
    void on_online(bots::Client& client, bool resumed) override {
        if (!resumed) client.send_presence({}, "I say what you say");
    }

    void on_message(bots::Client& client, xmpp::Stanza message) override {
        if (message.is_error() || !message.has_body() || !message.from()) return;
        client.send_message(*message.from(), message.body_text());
    }

    // Whoever wants to see whether it is there may.
    void on_presence(bots::Client& client, xmpp::Stanza presence) override {
        if (presence.presence_type() != xmpp::PresenceType::subscribe || !presence.from()) return;
        client.send(
            xmpp::Stanza::presence(xmpp::PresenceType::subscribed).set_to(presence.from()->bare()));
    }
};

}  // namespace

int main(int argc, char** argv) {
    return bots::run_client(argc, argv, std::make_unique<EchoBot>());
}
