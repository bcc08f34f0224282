// The examples, run as their readers would: as programs, over loopback.
#include "program.h"

#include <gtest/gtest.h>

#include <string>

namespace reactor {
namespace {

using test::Client;
using test::Program;

TEST(PeriodicMonitor, prints_a_line_of_json_at_each_interval_and_ends) {
    Program program("periodic_monitor", {"10", "3"});
    for (int i = 0; i < 3; ++i) {
        const std::string line = program.line();
        EXPECT_TRUE(line.starts_with("{\"time\":\"20")) << line;
        EXPECT_NE(line.find("\"event\":\"monitor\",\"load\":"), std::string::npos) << line;
        EXPECT_TRUE(line.ends_with("}\n")) << line;
    }
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(PeriodicMonitor, ends_on_a_signal) {
    Program program("periodic_monitor", {"3600000"});
    program.line();
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(), 128 + SIGTERM);
}

TEST(LineServer, answers_line_by_line) {
    Program program("line_server");
    Client client(program.port());
    EXPECT_EQ(client.line(), "220 who are you?\r\n");
    client.say("HELLO tester\r\nSET a b c\r\nGE");
    EXPECT_EQ(client.line(), "250 welcome\r\n");
    EXPECT_EQ(client.line(), "200 stored\r\n");
    client.say("T a\r\nGET x\r\nDANCE\r\nQUIT\r\n");
    EXPECT_EQ(client.line(), "200 b c\r\n");
    EXPECT_EQ(client.line(), "404 not found\r\n");
    EXPECT_EQ(client.line(), "400 bad request\r\n");
    EXPECT_EQ(client.line(), "221 bye\r\n");
    EXPECT_EQ(client.rest(), "it ended after: ");
}

// The limit is long enough for a client on a loaded machine to say hello in.
TEST(LineServer, shows_out_who_is_too_slow) {
    Program program("line_server", {"0", "4000"});
    const std::uint16_t port = program.port();
    Client silent(port);
    Client idle(port);
    idle.say("HELLO x\r\n");
    EXPECT_EQ(idle.line(), "220 who are you?\r\n");
    EXPECT_EQ(idle.line(), "250 welcome\r\n");
    EXPECT_EQ(silent.line(), "220 who are you?\r\n");
    EXPECT_EQ(silent.line(), "408 too slow\r\n");
    EXPECT_EQ(idle.rest(), "it ended after: ");
}

TEST(LineServer, shows_out_who_is_rude_or_too_long) {
    Program program("line_server");
    const std::uint16_t port = program.port();
    Client rude(port);
    rude.line();
    rude.say("GET a\r\n");
    EXPECT_EQ(rude.line(), "401 say hello first\r\n");
    Client loud(port);
    loud.line();
    loud.say("HELLO x\r\n" + std::string(5000, 'x'));
    EXPECT_EQ(loud.line(), "250 welcome\r\n");
    EXPECT_EQ(loud.line(), "413 line too long\r\n");
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(ChatServer, passes_what_one_says_to_everybody) {
    Program program("chat_server");
    const std::uint16_t port = program.port();
    Client anna(port);
    EXPECT_EQ(anna.line(), "What is your name?\r\n");
    anna.say("anna\r\n");
    EXPECT_EQ(anna.line(), "Welcome, anna. Here: nobody.\r\n");
    EXPECT_EQ(anna.line(), "* anna joined\r\n");
    {
        Client ben(port);
        ben.line();
        ben.say("anna\r\n");
        EXPECT_EQ(ben.line(), "Taken. Another name?\r\n");
        ben.say("ben\n");
        EXPECT_EQ(ben.line(), "Welcome, ben. Here: anna.\r\n");
        EXPECT_EQ(ben.line(), "* ben joined\r\n");
        EXPECT_EQ(anna.line(), "* ben joined\r\n");
        anna.say("hello\r\n");
        EXPECT_EQ(anna.line(), "<anna> hello\r\n");
        EXPECT_EQ(ben.line(), "<anna> hello\r\n");
    }
    EXPECT_EQ(anna.line(), "* ben left\r\n");
    program.signal(SIGTERM);
    EXPECT_EQ(anna.line(), "* the server is closing\r\n");
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(SimCluster, survives_a_partition_and_prints_the_same_for_the_same_seed) {
    const auto run = [](const char* seed) {
        Program program("sim_cluster", {seed});
        std::string text;
        for (int i = 0; i < 5; ++i)
            text += program.line();
        EXPECT_EQ(program.exit_code(), 0);
        return text;
    };
    const std::string text = run("1");
    EXPECT_NE(text.find("\njoined: "), std::string::npos) << text;
    EXPECT_NE(text.find("entries, the same\nseed 1 faults "), std::string::npos) << text;
    EXPECT_EQ(run("1"), text);
    EXPECT_NE(run("2"), text);
}

}  // namespace
}  // namespace reactor
