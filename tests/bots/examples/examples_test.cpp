// The example programs against a real parleyd: what they answer, how they end.
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"
#include "tests/scenarios/live_venue.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <string>
#include <vector>

namespace bots {
namespace {

using namespace std::chrono_literals;
using server::test::OwnServerVenue;
using server::test::Script;

constexpr const char* kPassword = "correct horse";

// A program of this build; killed at the end if it did not end itself.
class Process {
public:
    explicit Process(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        id_ = ::fork();
        if (id_ != 0) return;
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (id_ <= 0) return;
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }
    void terminate() const { ::kill(id_, SIGTERM); }
    /// The exit code, or -1 while it runs.
    int exit_code() {
        if (id_ <= 0) return code_;
        int status = 0;
        if (::waitpid(id_, &status, WNOHANG) != id_) return -1;
        id_ = 0;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        return code_;
    }

private:
    pid_t id_ = -1;
    int code_ = -1;
};

class Peer final : public ClientObserver {
public:
    void on_message(Client&, xmpp::Stanza message) override {
        said.push_back(message.is_error() ? "an error" : message.body_text());
    }
    std::vector<std::string> said;
};

class BotsExamples : public testing::Test {
protected:
    ~BotsExamples() override {
        venue.stage().on([this] { client.reset(); });
    }

    std::string server() { return venue.endpoint(server::ClientTransport::starttls).to_string(); }
    Process start(const std::string& program, const std::string& password = kPassword) {
        venue.add_user("bot@example.org", kPassword);
        return Process({std::string(PARLEY_EXAMPLES) + "/" + program, "bot@example.org/bot",
                        password, "--server", server(), "--insecure"});
    }
    bool until(const std::function<bool()>& done) { return venue.stage().run_until(done, 60s); }
    /// Somebody online who talks to the bot.
    void come() {
        venue.add_user("peer@example.org", kPassword);
        ClientOptions options;
        options.jid = *xmpp::Jid::parse("peer@example.org");
        options.password = kPassword;
        options.addresses = {venue.endpoint(server::ClientTransport::starttls)};
        client = std::make_unique<Client>(shared, std::move(options), peer);
        auto connecting = venue.stage().on([&] { return client->connect(); });
        ASSERT_TRUE(until([&] { return connecting.settled(); }));
        const auto connected = connecting.take();
        ASSERT_TRUE(connected) << connected.error().message();
        venue.stage().on([&] { client->send_presence(); });
    }
    /// Says it once; a bot that is not there yet gets it when it comes.
    std::string ask(const std::string& text) {
        const xmpp::Jid bot = *xmpp::Jid::parse("bot@example.org/bot");
        const std::size_t before = peer.said.size();
        venue.stage().on([&] { client->send_message(bot, text); });
        return until([&] { return peer.said.size() > before; }) ? peer.said[before] : "no answer";
    }

    OwnServerVenue venue{PARLEY_SERVER, Script{}};
    ClientShared shared{
        {.world = venue.stage().world(),
         .resolver = nullptr,
         .tls = *reactor::TlsClientContext::create({.verify = reactor::TlsVerify::none})}};
    Peer peer;
    std::unique_ptr<Client> client;
};

TEST_F(BotsExamples, echo_bot_says_what_it_hears) {
    Process bot = start("echo_bot");
    come();
    EXPECT_EQ(ask("Is there <anybody> out there?"), "Is there <anybody> out there?");
    bot.terminate();
    ASSERT_TRUE(until([&] { return bot.exit_code() >= 0; }));
    EXPECT_EQ(bot.exit_code(), 0);
}

TEST_F(BotsExamples, reminder_bot_reminds) {
    Process bot = start("reminder_bot");
    come();
    EXPECT_TRUE(ask("hello").starts_with("Say: "));
    EXPECT_EQ(ask("remind me in 1 second to breathe"), "I will.");
    ASSERT_TRUE(until([this] { return peer.said.size() >= 3; }));
    EXPECT_EQ(peer.said.back(), "Remember to breathe");
    EXPECT_EQ(ask("remind me every 1 hour to eat"), "I will.");
    bot.terminate();
    ASSERT_TRUE(until([&] { return bot.exit_code() >= 0; }));
    EXPECT_EQ(bot.exit_code(), 0) << "with a reminder under way";
}

TEST_F(BotsExamples, say_why_they_cannot_go_on) {
    Process refused = start("echo_bot", "wrong");
    ASSERT_TRUE(until([&] { return refused.exit_code() >= 0; }));
    EXPECT_EQ(refused.exit_code(), 1);
    Process confused({std::string(PARLEY_EXAMPLES) + "/echo_bot", "bot@example.org"});
    ASSERT_TRUE(until([&] { return confused.exit_code() >= 0; }));
    EXPECT_EQ(confused.exit_code(), 2);
}

}  // namespace
}  // namespace bots
