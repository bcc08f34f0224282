// The echo server and the worker pool, run as their readers would.
#include "program.h"

#include <gtest/gtest.h>

#include <string>

namespace reactor {
namespace {

using test::Client;
using test::Program;

TEST(EchoServer, sends_back_what_it_is_sent_to_each_alone) {
    Program program("echo_server");
    const std::uint16_t port = program.port();
    Client one(port);
    Client other(port);
    one.say("first\r\n");
    other.say("second\r\n");
    EXPECT_EQ(one.line(), "first\r\n");
    EXPECT_EQ(other.line(), "second\r\n");
    const std::string large(300'000, 'x');
    one.say(large + "\r\n");
    EXPECT_EQ(one.line(), large + "\r\n");
    program.signal(SIGTERM);
    EXPECT_EQ(program.line(), "served 2\n");
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(EchoServer, says_what_is_wrong_with_its_endpoint) {
    Program program("echo_server", {"tcpp:1"});
    EXPECT_EQ(program.exit_code(), 1);
}

TEST(WorkerPool, counts_primes_with_several_processes) {
    Program program("worker_pool", {"3", "100000"});
    EXPECT_TRUE(program.line().starts_with("workers "));
    EXPECT_EQ(program.line(), "9592 primes\n");
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(WorkerPool, survives_the_death_of_a_worker) {
    Program program("worker_pool", {"2", "200000"});
    const std::string workers = program.line();
    kill(std::stoi(workers.substr(8)), SIGKILL);
    EXPECT_EQ(program.line(), "17984 primes\n");
    EXPECT_EQ(program.exit_code(), 0);
}

TEST(WorkerPool, ends_with_its_workers_on_a_signal) {
    Program program("worker_pool", {"2", "2000000000"});
    const std::string workers = program.line();
    const int worker = std::stoi(workers.substr(8));
    program.signal(SIGTERM);
    EXPECT_EQ(program.exit_code(), 128 + SIGTERM);
    for (int i = 0; i < 20'000 && kill(worker, 0) == 0; ++i)
        poll(nullptr, 0, 1);
    EXPECT_NE(kill(worker, 0), 0);
}

}  // namespace
}  // namespace reactor
