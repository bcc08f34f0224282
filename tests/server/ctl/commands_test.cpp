#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/ctl/commands.h"
#include "server/ctl/output.h"

namespace server::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FakeConsole final : public Console {
public:
    void out(std::string_view text) override { output += text; }
    void err(std::string_view text) override { errors += text; }
    bool is_interactive() const override { return interactive; }
    std::optional<std::string> read_secret(std::string_view prompt) override {
        prompts += prompt;
        return next();
    }
    std::optional<std::string> read_line(std::string_view prompt) override {
        prompts += prompt;
        return next();
    }

    std::string output;
    std::string errors;
    std::string prompts;
    bool interactive = false;
    std::deque<std::string> lines;

private:
    std::optional<std::string> next() {
        if (lines.empty()) return std::nullopt;
        std::string line = lines.front();
        lines.pop_front();
        return line;
    }
};

struct Script {
    std::deque<base::Result<AdminValue, CallError>> replies;
    std::vector<std::string> requests;
    std::string socket;
};

class FakeClient final : public AdminClient {
public:
    explicit FakeClient(Script& script) : script_(script) {}
    base::Result<AdminValue, CallError> call(std::string_view command,
                                             AdminValue::Object arguments) override {
        script_.requests.push_back(std::string(command) + " " + to_json(std::move(arguments)));
        if (script_.replies.empty()) return AdminValue(AdminValue::Object{});
        auto reply = std::move(script_.replies.front());
        script_.replies.pop_front();
        return reply;
    }

private:
    Script& script_;
};

class Parleyctl : public testing::Test {
protected:
    int run(std::vector<std::string> arguments) {
        console.output.clear();
        console.errors.clear();
        return ctl::run(std::move(arguments), console, [this](const std::string& socket) {
            script.socket = socket;
            return std::make_unique<FakeClient>(script);
        });
    }
    void reply(std::string_view json) { script.replies.push_back(*parse_json(json)); }

    FakeConsole console;
    Script script;
};

TEST_F(Parleyctl, help_teaches_with_examples_and_exit_codes) {
    EXPECT_EQ(run({"--help"}), 0);
    for (const char* part :
         {"add-user", "list-sessions", "Examples:", "Exit codes:", "PARLEY_SOCKET"})
        EXPECT_THAT(console.output, HasSubstr(part));
    EXPECT_EQ(run({"add-user", "--help"}), 0);
    EXPECT_THAT(console.output, HasSubstr("Usage: parleyctl add-user"));
    EXPECT_THAT(console.output, HasSubstr("never an argument"));
    EXPECT_TRUE(script.requests.empty());
}

TEST_F(Parleyctl, wrong_use_is_exit_code_2_and_asks_nobody) {
    EXPECT_EQ(run({}), kExitUsage);
    EXPECT_EQ(run({"add-usr"}), kExitUsage);
    EXPECT_THAT(console.errors, HasSubstr("did you mean add-user?"));
    EXPECT_EQ(run({"--socket", "/x", "stauts"}), kExitUsage);
    EXPECT_EQ(run({"add-user"}), kExitUsage);
    EXPECT_EQ(run({"kick"}), kExitUsage);
    EXPECT_EQ(run({"status", "--nonsense"}), kExitUsage);
    EXPECT_EQ(run({"add-user", "a@example.org", "password"}), kExitUsage);
    EXPECT_TRUE(script.requests.empty());
}

TEST_F(Parleyctl, reads_a_piped_password_once) {
    console.lines = {"s3cret"};
    reply(R"({"jid":"a@example.org"})");
    EXPECT_EQ(run({"add-user", "A@example.org"}), 0);
    EXPECT_EQ(script.requests,
              std::vector<std::string>{R"(add-user {"jid":"A@example.org","password":"s3cret"})"});
    EXPECT_EQ(console.output, "a@example.org was created.\n");
}

TEST_F(Parleyctl, asks_a_person_twice) {
    console.interactive = true;
    console.lines = {"s3cret", "s3cret"};
    reply("{}");
    reply(R"({"jid":"a@example.org"})");
    EXPECT_EQ(run({"set-password", "a@example.org"}), 0);
    EXPECT_EQ(console.prompts, "New password for a@example.org: The same again: ");
    EXPECT_EQ(console.output, "a@example.org has a new password.\n");
}

TEST_F(Parleyctl, changes_nothing_when_the_passwords_differ_or_are_missing) {
    console.interactive = true;
    console.lines = {"s3cret", "secret"};
    EXPECT_EQ(run({"add-user", "a@example.org"}), kExitUsage);
    EXPECT_THAT(console.errors, HasSubstr("differ"));
    EXPECT_THAT(console.errors, Not(HasSubstr("cret;")));
    console.interactive = false;
    EXPECT_EQ(run({"add-user", "a@example.org"}), kExitUsage);
    EXPECT_THAT(console.errors, HasSubstr("no password was given"));
    for (const std::string& request : script.requests)
        EXPECT_THAT(request, HasSubstr("status"));
}

TEST_F(Parleyctl, does_not_ask_for_a_password_when_the_server_is_away) {
    console.interactive = true;
    script.replies.push_back(std::unexpected(CallError{false, "unreachable", "gone", "start it"}));
    EXPECT_EQ(run({"add-user", "a@example.org"}), kExitUnreachable);
    EXPECT_EQ(console.prompts, "");
    EXPECT_EQ(console.errors, "parleyctl: gone\nstart it\n");
}

TEST_F(Parleyctl, removes_a_user_only_after_a_yes) {
    EXPECT_EQ(run({"remove-user", "a@example.org"}), kExitUsage);
    EXPECT_THAT(console.errors, HasSubstr("--yes"));
    console.interactive = true;
    console.lines = {"n", ""};
    EXPECT_EQ(run({"remove-user", "a@example.org"}), kExitUsage);
    EXPECT_EQ(run({"remove-user", "a@example.org"}), kExitUsage);
    EXPECT_TRUE(script.requests.empty());
    console.lines = {"y"};
    reply(R"({"jid":"a@example.org"})");
    EXPECT_EQ(run({"remove-user", "a@example.org"}), 0);
    console.interactive = false;
    EXPECT_EQ(run({"remove-user", "a@example.org", "--yes"}), 0);
    EXPECT_EQ(script.requests.size(), 2U);
}

TEST_F(Parleyctl, a_refusal_is_exit_code_1_with_its_mend) {
    script.replies.push_back(std::unexpected(CallError{true, "not_found", "no such user", "look"}));
    EXPECT_EQ(run({"remove-user", "-y", "a@example.org"}), kExitRefused);
    EXPECT_EQ(console.errors, "parleyctl: no such user\nlook\n");
    EXPECT_EQ(console.output, "");
}

TEST_F(Parleyctl, json_is_one_line_on_standard_output_for_results_and_errors) {
    reply(R"({"closed":2})");
    EXPECT_EQ(run({"--json", "kick", "a@example.org"}), 0);
    EXPECT_EQ(console.output, "{\"ok\":true,\"result\":{\"closed\":2}}\n");
    script.replies.push_back(std::unexpected(CallError{true, "c", "m", ""}));
    EXPECT_EQ(run({"kick", "a@example.org", "--json"}), kExitRefused);
    EXPECT_EQ(console.output,
              "{\"ok\":false,\"error\":{\"code\":\"c\",\"message\":\"m\",\"mend\":\"\"}}\n");
    EXPECT_EQ(console.errors, "");
}

TEST_F(Parleyctl, collects_all_pages_of_a_listing) {
    reply(R"({"users":["a@x","b@x"],"next":"b@x"})");
    reply(R"({"users":["c@x"],"next":""})");
    EXPECT_EQ(run({"list-users", "--host", "x"}), 0);
    EXPECT_EQ(console.output, "a@x\nb@x\nc@x\n");
    EXPECT_EQ(script.requests[0], R"(list-users {"host":"x","limit":1000})");
    EXPECT_EQ(script.requests[1], R"(list-users {"host":"x","limit":1000,"after":"b@x"})");
}

TEST_F(Parleyctl, does_not_follow_a_listing_that_goes_in_circles) {
    for (int page = 0; page < 3; ++page)
        reply(R"({"users":["a@x"],"next":"a@x"})");
    EXPECT_EQ(run({"list-users"}), 0);
    EXPECT_EQ(script.requests.size(), 2U);
}

TEST_F(Parleyctl, shows_sessions_as_a_table) {
    reply(R"({"sessions":[{"jid":"ü@x/r","address":"[::1]:1","connected":1795197600,)"
          R"("tls":"TLSv1.3","mechanism":"PLAIN","available":true,"priority":-1},)"
          R"({"jid":"b@x/long","address":"[::1]:2","connected":0}],"next":""})");
    EXPECT_EQ(run({"list-sessions"}), 0);
    EXPECT_EQ(console.output,
              "JID       ADDRESS  CONNECTED             TLS      LOGIN  PRESENCE\n"
              "ü@x/r     [::1]:1  2026-11-20 18:00:00Z  TLSv1.3  PLAIN  priority -1\n"
              "b@x/long  [::1]:2  1970-01-01 00:00:00Z                  unavailable\n");
    EXPECT_EQ(run({"list-sessions", "b@x"}), 0);
    EXPECT_EQ(console.output, "Nobody is connected.\n");
    EXPECT_THAT(script.requests.back(), HasSubstr(R"("jid":"b@x")"));
}

TEST_F(Parleyctl, kick_counts_sessions) {
    reply(R"({"closed":1})");
    EXPECT_EQ(run({"kick", "a@x", "--reason", "bye bye"}), 0);
    EXPECT_EQ(console.output, "1 session was disconnected.\n");
    EXPECT_EQ(script.requests[0], R"(kick {"jid":"a@x","reason":"bye bye"})");
    reply(R"({"closed":3})");
    run({"kick", "a@x"});
    EXPECT_EQ(console.output, "3 sessions were disconnected.\n");
    run({"kick", "a@x"});
    EXPECT_EQ(console.output, "a@x is not connected.\n");
}

TEST_F(Parleyctl, shows_stats_for_people_and_for_prometheus) {
    reply(R"({"metrics":[{"name":"logins_total","help":"Logins.",)"
          R"("labels":{"how":"scram"},"value":3},)"
          R"({"name":"seconds","help":"Time.","count":4,"sum":2.0},)"
          R"({"name":"none","help":"None.","count":0,"sum":0.0}]})");
    EXPECT_EQ(run({"stats"}), 0);
    EXPECT_THAT(console.output, HasSubstr("logins_total{how=scram}  3 "));
    EXPECT_THAT(console.output, HasSubstr("4 observations, 0.5 on average"));
    EXPECT_THAT(console.output, Not(HasSubstr("None.")));
    EXPECT_THAT(console.output, HasSubstr("1 more are zero"));
    reply(R"({"metrics":[{"name":"none","help":"None.","count":0,"sum":0.0}]})");
    EXPECT_EQ(run({"stats", "--all"}), 0);
    EXPECT_THAT(console.output, HasSubstr("0 observations  None."));
    reply(R"({"text":"# EOF\n"})");
    EXPECT_EQ(run({"stats", "--openmetrics"}), 0);
    EXPECT_EQ(console.output, "# EOF\n");
    EXPECT_EQ(script.requests.back(), R"(stats {"openmetrics":true})");
}

TEST_F(Parleyctl, status_is_exit_code_1_when_something_is_wrong) {
    reply(R"({"version":"1","healthy":true,"uptime_s":93784,"hosts":["x","y"],)"
          R"("shards":2,"sessions":5})");
    EXPECT_EQ(run({"status"}), 0);
    EXPECT_THAT(console.output, HasSubstr("up        1 d 2 h\n"));
    EXPECT_THAT(console.output, HasSubstr("hosts     x, y\n"));
    EXPECT_THAT(console.output, HasSubstr("health    good\n"));
    reply(R"({"healthy":false,"problems":["the disk is full"],"uptime_s":59})");
    EXPECT_EQ(run({"status"}), kExitRefused);
    EXPECT_THAT(console.output, HasSubstr("NOT GOOD\n  - the disk is full\n"));
}

TEST_F(Parleyctl, version_shows_both_and_does_without_a_server) {
    reply(R"({"version":"7.7"})");
    EXPECT_EQ(run({"version"}), 0);
    EXPECT_EQ(console.output, "parleyctl " PARLEY_VERSION "\nparleyd 7.7\n");
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(console.output, "parleyctl " PARLEY_VERSION "\n");
}

TEST_F(Parleyctl, reload_names_what_needs_a_restart) {
    reply(R"({"changes":[{"key":"shards","before":"0","after":"4","needs_restart":true},)"
          R"({"key":"log.level","before":"\"info\"","after":"\"debug\"","needs_restart":false}]})");
    EXPECT_EQ(run({"reload"}), 0);
    EXPECT_THAT(console.output, HasSubstr("shards     0       4        needs a restart\n"));
    EXPECT_THAT(console.output, HasSubstr("log.level  \"info\"  \"debug\"  \n"));
    EXPECT_EQ(run({"reload"}), 0);
    EXPECT_THAT(console.output, HasSubstr("no setting changed"));
}

TEST_F(Parleyctl, passes_the_socket_on) {
    run({"--socket", "/run/x", "stop"});
    EXPECT_EQ(script.socket, "/run/x");
    EXPECT_EQ(console.output, "The server is stopping.\n");
    run({"stop", "--socket=/run/y"});
    EXPECT_EQ(script.socket, "/run/y");
}

TEST(FindSocket, prefers_the_argument_then_the_environment) {
    EXPECT_EQ(find_socket("/a", "/b"), "/a");
    EXPECT_EQ(find_socket("", "/b"), "/b");
    EXPECT_EQ(find_socket("", ""), "/run/parleyd/parleyctl.sock");
}

TEST_F(Parleyctl, lists_rooms_page_by_page) {
    reply(R"({"rooms":[{"room":"a@rooms.x","name":"A"}],"next":"a@rooms.x"})");
    reply(R"({"rooms":[{"room":"b@rooms.x","name":""}],"next":""})");
    EXPECT_EQ(run({"rooms", "list", "--service", "rooms.x"}), 0);
    EXPECT_THAT(console.output, HasSubstr("a@rooms.x  A"));
    EXPECT_THAT(console.output, HasSubstr("b@rooms.x"));
    ASSERT_EQ(script.requests.size(), 2U);
    EXPECT_EQ(script.requests[1],
              R"(list-rooms {"service":"rooms.x","limit":1000,"after":"a@rooms.x"})");
}

TEST_F(Parleyctl, shows_a_room) {
    reply(R"({"room":"a@rooms.x","created":0,"subject":"Spells",
              "settings":{"muc#roomconfig_roomname":"A"},
              "affiliations":[{"affiliation":"owner","jid":"crone@x","nick":"","reason":""}],
              "occupants":[{"nick":"firstwitch","jid":"crone@x/pda","role":"moderator"}]})");
    EXPECT_EQ(run({"rooms", "show", "a@rooms.x"}), 0);
    for (const auto* text : {"Spells", "muc#roomconfig_roomname", "owner", "firstwitch"})
        EXPECT_THAT(console.output, HasSubstr(text));
}

TEST_F(Parleyctl, makes_and_changes_rooms) {
    EXPECT_EQ(run({"rooms", "create", "a@rooms.x", "crone@x", "--name", "A"}), 0);
    EXPECT_EQ(run({"rooms", "set-affiliation", "a@rooms.x", "hag@x", "outcast", "--reason", "no"}),
              0);
    EXPECT_EQ(script.requests,
              (std::vector<std::string>{
                  R"(create-room {"room":"a@rooms.x","owner":"crone@x","name":"A"})",
                  R"(set-room-affiliation {"room":"a@rooms.x","jid":"hag@x",)"
                  R"("affiliation":"outcast","reason":"no"})"}));
}

TEST_F(Parleyctl, destroys_a_room_only_when_told_to) {
    EXPECT_EQ(run({"rooms", "destroy", "a@rooms.x"}), kExitUsage);
    console.interactive = true;
    console.lines = {"n"};
    EXPECT_EQ(run({"rooms", "destroy", "a@rooms.x"}), kExitUsage);
    EXPECT_TRUE(script.requests.empty());
    console.lines = {"y"};
    EXPECT_EQ(run({"rooms", "destroy", "a@rooms.x", "--venue", "b@rooms.x"}), 0);
    EXPECT_EQ(
        script.requests,
        (std::vector<std::string>{R"(destroy-room {"room":"a@rooms.x","venue":"b@rooms.x"})"}));
}

TEST_F(Parleyctl, exports_a_room_line_by_line) {
    reply(R"({"room":"a@rooms.x"})");
    reply(R"({"messages":[{"id":"1","time":1,"xml":"<message/>"}],"next":"1"})");
    reply(R"({"messages":[{"id":"2","time":2,"xml":"<message/>"}],"next":""})");
    EXPECT_EQ(run({"rooms", "export", "a@rooms.x"}), 0);
    EXPECT_EQ(console.output,
              "{\"room\":\"a@rooms.x\"}\n"
              "{\"id\":\"1\",\"time\":1,\"xml\":\"<message/>\"}\n"
              "{\"id\":\"2\",\"time\":2,\"xml\":\"<message/>\"}\n");
}

}  // namespace
}  // namespace server::ctl
