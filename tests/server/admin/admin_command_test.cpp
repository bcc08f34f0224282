#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/sim/sim_world.h"
#include "server/admin/admin_command.h"
#include "tests/server/admin/fake_backend.h"

namespace server::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class AdminCommand : public testing::Test {
protected:
    AdminCommand() { add_standard_commands(commands_, backend_); }
    ~AdminCommand() override {
        world_.on(world_.world(), [&] { backend_.stopping.reset(); });
    }

    AdminReply reply(std::string request) {
        return world_.on(world_.world(), [&] {
            auto answer = commands_.answer(std::move(request));
            world_.run_ready();
            EXPECT_TRUE(answer.settled());
            return *answer.take();
        });
    }
    AdminValue parsed(const AdminReply& reply) {
        EXPECT_TRUE(reply.line.ends_with('\n'));
        const auto value =
            parse_json(std::string_view(reply.line).substr(0, reply.line.size() - 1));
        EXPECT_TRUE(value) << reply.line;
        return value ? *value : AdminValue();
    }
    AdminValue result(std::string request) {
        const AdminValue value = parsed(reply(std::move(request)));
        EXPECT_TRUE(value.flag_of("ok")) << to_json(value);
        return value.find("result") ? *value.find("result") : AdminValue();
    }
    /// "code: message; mend"
    std::string error(std::string request) {
        const AdminValue value = parsed(reply(std::move(request)));
        EXPECT_TRUE(value.find("ok") && !value.flag_of("ok"));
        const AdminValue* error = value.find("error");
        if (!error) return "no error";
        return std::string(error->text_of("code")) + ": " + std::string(error->text_of("message")) +
               "; " + std::string(error->text_of("mend"));
    }

    reactor::SimWorld world_{reactor::SimOptions{}};
    FakeBackend backend_;
    AdminCommands commands_;
};

constexpr const char* kAddAlice =
    R"({"command":"add-user","arguments":{"jid":"Alice@Example.org","password":"s3cret"}})";

TEST_F(AdminCommand, adds_a_user_under_the_prepared_address) {
    EXPECT_EQ(result(kAddAlice).text_of("jid"), "alice@example.org");
    EXPECT_EQ(backend_.users["alice@example.org"], "s3cret");
}

TEST_F(AdminCommand, tells_what_to_do_about_a_refusal) {
    result(kAddAlice);
    EXPECT_THAT(error(kAddAlice), HasSubstr("already_exists: alice@example.org exists already; "
                                            "set-password changes the password"));
    EXPECT_THAT(error(R"({"command":"add-user","arguments":{"jid":"a@b.example","password":"x"}})"),
                HasSubstr("[[host]]"));
    EXPECT_THAT(error(R"({"command":"remove-user","arguments":{"jid":"x@example.org"}})"),
                HasSubstr("list-users"));
    backend_.failure = base::Failure(base::Errc::no_space);
    EXPECT_THAT(
        error(R"({"command":"add-user","arguments":{"jid":"b@example.org","password":"x"}})"),
        HasSubstr("no_space: add-user failed: no_space; free space on the disk"));
}

TEST_F(AdminCommand, reports_what_is_worth_logging_and_never_the_password) {
    const AdminReply added = reply(kAddAlice);
    EXPECT_EQ(added.command, "add-user");
    EXPECT_EQ(added.subject, "alice@example.org");
    EXPECT_EQ(added.failure, "");
    EXPECT_TRUE(added.changes);
    EXPECT_FALSE(reply(R"({"command":"status"})").changes);
    const AdminReply refused = reply(kAddAlice);
    EXPECT_EQ(refused.failure, "already_exists");
    EXPECT_THAT(added.line + refused.line, Not(HasSubstr("s3cret")));
    EXPECT_EQ(reply("x").failure, "invalid_request");
    EXPECT_EQ(reply("x").command, "");
}

TEST_F(AdminCommand, refuses_what_is_no_request) {
    EXPECT_THAT(error("garbage"), HasSubstr("invalid_request: the request is not JSON"));
    EXPECT_THAT(error(""), HasSubstr("not JSON"));
    EXPECT_THAT(error("[]"), HasSubstr("not a JSON object"));
    EXPECT_THAT(error("{}"), HasSubstr("unknown_command"));
    EXPECT_THAT(error(R"({"command":5})"), HasSubstr("unknown_command"));
    EXPECT_THAT(error(std::string(5000, '[')), HasSubstr("not JSON"));
    EXPECT_THAT(error("\xff\xfe"), HasSubstr("not JSON"));
}

TEST_F(AdminCommand, suggests_the_nearest_command) {
    EXPECT_THAT(error(R"({"command":"add-usr"})"), HasSubstr("did you mean add-user?"));
    EXPECT_THAT(error(R"({"command":"zzzzzzzzz"})"), HasSubstr("\"help\" lists"));
    EXPECT_LT(error(R"({"command":")" + std::string(5000, 'x') + "\"}").size(), 200U);
}

TEST_F(AdminCommand, checks_arguments_before_it_runs_anything) {
    EXPECT_THAT(error(R"({"command":"add-user"})"), HasSubstr("needs the argument jid"));
    EXPECT_THAT(error(R"({"command":"add-user","arguments":{"jid":"a@example.org"}})"),
                HasSubstr("needs the argument password"));
    EXPECT_THAT(error(R"({"command":"add-user","arguments":[]})"),
                HasSubstr("it takes jid, password"));
    EXPECT_THAT(error(R"({"command":"stop","arguments":{"jid":"x"}})"),
                HasSubstr("stop has no argument \"jid\"; it takes no arguments"));
    EXPECT_THAT(error(R"({"command":"kick","arguments":{"jid":5}})"),
                HasSubstr("wrong type; give a jid"));
    EXPECT_THAT(error(R"({"command":"kick","arguments":{"jid":"a@example.org","reason":5}})"),
                HasSubstr("give a text"));
    EXPECT_THAT(error(R"({"command":"list-users","arguments":{"limit":"5"}})"),
                HasSubstr("give a integer"));
    EXPECT_THAT(error(R"({"command":"stats","arguments":{"openmetrics":1}})"),
                HasSubstr("give a boolean"));
    EXPECT_THAT(error(R"({"command":"kick","arguments":{"jid":"@"}})"),
                HasSubstr("\"@\" is not an address"));
    EXPECT_TRUE(backend_.users.empty());
}

TEST_F(AdminCommand, wants_a_user_where_a_user_is_meant) {
    for (const char* jid : {"example.org", "a@example.org/x", "example.org/x"})
        EXPECT_THAT(
            error(std::string(R"({"command":"remove-user","arguments":{"jid":")") + jid + "\"}}"),
            HasSubstr("is not a user: write name@domain"))
            << jid;
    EXPECT_THAT(error(R"({"command":"kick","arguments":{"jid":"example.org"}})"),
                HasSubstr("is not a user or session"));
    EXPECT_THAT(error(R"({"command":"list-users","arguments":{"host":"a@example.org"}})"),
                HasSubstr("is not a host name"));
}

TEST_F(AdminCommand, bounds_passwords_reasons_and_pages) {
    const auto add = [](std::size_t length) {
        return R"({"command":"add-user","arguments":{"jid":"a@example.org","password":")" +
               std::string(length, 'x') + "\"}}";
    };
    EXPECT_THAT(error(add(0)), HasSubstr("the password is empty; choose another"));
    EXPECT_THAT(error(add(1025)), HasSubstr("more than 1024 bytes"));
    result(add(1024));
    const auto kick = [](std::size_t length) {
        return R"({"command":"kick","arguments":{"jid":"a@example.org","reason":")" +
               std::string(length, 'x') + "\"}}";
    };
    EXPECT_THAT(error(kick(1025)), HasSubstr("the reason has more than"));
    result(kick(1024));
    EXPECT_THAT(error(R"({"command":"list-users","arguments":{"limit":0}})"),
                HasSubstr("1 to 1000"));
    EXPECT_THAT(error(R"({"command":"list-users","arguments":{"limit":1001}})"),
                HasSubstr("1 to 1000"));
    result(R"({"command":"list-users","arguments":{"limit":1000}})");
}

TEST_F(AdminCommand, lists_users_page_by_page) {
    for (const char* user : {"a", "b", "c"})
        backend_.users[std::string(user) + "@example.org"] = "";
    const AdminValue first = result(R"({"command":"list-users","arguments":{"limit":2}})");
    EXPECT_EQ(to_json(first),
              R"({"users":["a@example.org","b@example.org"],"next":"b@example.org"})");
    EXPECT_EQ(to_json(result(
                  R"({"command":"list-users","arguments":{"limit":2,"after":"b@example.org"}})")),
              R"({"users":["c@example.org"],"next":""})");
    EXPECT_EQ(to_json(result(R"({"command":"list-users","arguments":{"host":"B.example"}})")),
              R"({"users":[],"next":""})");
}

TEST_F(AdminCommand, lists_sessions_and_kicks_them) {
    backend_.sessions = {session_of("a@example.org/x"), session_of("a@example.org/y"),
                         session_of("b@example.org/z")};
    EXPECT_EQ(to_json(result(R"({"command":"list-sessions","arguments":{"jid":"b@example.org"}})")),
              R"({"sessions":[{"jid":"b@example.org/z","address":"192.0.2.1:40000",)"
              R"("connected":1795197600,"tls":"TLSv1.3","mechanism":"SCRAM-SHA-256-PLUS",)"
              R"("available":true,"priority":5}],"next":""})");
    EXPECT_EQ(
        result(R"({"command":"kick","arguments":{"jid":"a@example.org/x"}})").integer_of("closed"),
        1);
    EXPECT_EQ(result(R"({"command":"kick","arguments":{"jid":"a@example.org","reason":"bye"}})")
                  .integer_of("closed"),
              1);
    EXPECT_EQ(backend_.kick_reason, "bye");
    EXPECT_EQ(result(R"({"command":"list-sessions"})").find("sessions")->as_array()->size(), 1U);
}

TEST_F(AdminCommand, answers_metrics_as_values_and_as_text) {
    const std::string values = to_json(result(R"({"command":"stats"})"));
    EXPECT_THAT(values, HasSubstr(R"({"name":"logins_total","help":"Logins.",)"
                                  R"("labels":{"how":"scram"},"value":3})"));
    EXPECT_THAT(values, HasSubstr(R"("count":1,"sum":0.5)"));
    EXPECT_THAT(result(R"({"command":"stats","arguments":{"openmetrics":true}})").text_of("text"),
                testing::EndsWith("# EOF\n"));
}

TEST_F(AdminCommand, tells_status_and_problems) {
    EXPECT_TRUE(result(R"({"command":"status"})").flag_of("healthy"));
    backend_.problems = {"the disk is full"};
    const AdminValue status = result(R"({"command":"status"})");
    EXPECT_FALSE(status.flag_of("healthy"));
    EXPECT_EQ(status.integer_of("uptime_s"), 93'784);
    EXPECT_EQ(to_json(*status.find("hosts")), R"(["example.org","b.example"])");
    EXPECT_EQ(to_json(*status.find("problems")), R"(["the disk is full"])");
}

TEST_F(AdminCommand, reports_the_changes_of_a_reload_or_why_there_is_none) {
    backend_.changes = {{"shards", "0", "4", true}};
    EXPECT_EQ(to_json(result(R"({"command":"reload"})")),
              R"({"changes":[{"key":"shards","before":"0","after":"4","needs_restart":true}]})");
    backend_.failure = base::Failure(base::Errc::invalid_argument, "parley.toml:1:1: x\ny");
    EXPECT_THAT(error(R"({"command":"reload"})"), HasSubstr("x\ny; nothing was changed"));
}

TEST_F(AdminCommand, help_lists_every_command_with_its_arguments) {
    const AdminValue help = result(R"({"command":"help"})");
    ASSERT_EQ(help.find("commands")->as_array()->size(), commands_.all().size());
    EXPECT_THAT(to_json(help), HasSubstr(R"({"name":"kick","help":"Disconnects)"));
    for (const server::AdminCommand& command : commands_.all()) {
        EXPECT_TRUE(command.help.ends_with('.')) << command.name;
        for (const AdminArgument& argument : command.arguments)
            EXPECT_TRUE(argument.help.ends_with('.')) << command.name << " " << argument.name;
    }
}

TEST_F(AdminCommand, other_parts_can_add_commands) {
    commands_.add({.name = "echo",
                   .help = "Answers its argument.",
                   .arguments = {{"text", ArgumentType::text, true, "Anything."}},
                   .mends = {},
                   .changes = false,
                   .run = [](AdminArguments arguments) -> reactor::Deferred<AdminValue> {
                       return AdminValue(arguments.text("text"));
                   }});
    EXPECT_EQ(to_json(result(R"({"command":"echo","arguments":{"text":"x"}})")), "\"x\"");
}

TEST_F(AdminCommand, a_dropped_promise_becomes_an_error_reply) {
    const std::string line = world_.on(world_.world(), [&] {
        auto answer = commands_.answer(R"({"command":"stop"})");
        EXPECT_FALSE(answer.settled());
        backend_.stopping.reset();
        world_.run_ready();
        return answer.take()->line;
    });
    EXPECT_THAT(line, HasSubstr("broken_promise"));
}

}  // namespace
}  // namespace server::test
