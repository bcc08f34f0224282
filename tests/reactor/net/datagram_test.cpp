// D6: UDP and Unix-domain datagrams of the kernel, multicast on the loopback interface.
#include "reactor/net/datagram.h"

#include "reactor/base/bytes.h"
#include "real_loop.h"

#include <sys/stat.h>

#include <vector>

namespace reactor {
namespace {

using base::Errc;

struct Inbox final : DatagramObserver {
    struct Kept {
        std::string bytes;
        Endpoint from;
        bool truncated;
    };
    void on_message(const Message& message) override {
        kept.push_back(
            {std::string(base::as_text(message.bytes)), message.from, message.truncated});
        if (then) then();
    }
    void on_error(Errc error) override { errors.push_back(error); }

    std::vector<Kept> kept;
    std::vector<Errc> errors;
    std::function<void()> then;
};

class D6_Datagram : public test::RealLoop {
protected:
    std::unique_ptr<Datagram> open(DatagramOptions options, Inbox& into) {
        auto socket = Datagram::open(world(), std::move(options), into);
        EXPECT_TRUE(socket) << socket.error().message();
        return socket ? *std::move(socket) : nullptr;
    }
    DatagramOptions at(const std::string& address) { return {.endpoint = {address, 0}}; }

    Inbox here;
    Inbox there;
};

TEST_F(D6_Datagram, carries_messages_whole_over_ipv4_and_ipv6) {
    for (const char* address : {"127.0.0.1", "::1"}) {
        here.kept.clear();
        there.kept.clear();
        auto one = open(at(address), here);
        auto other = open(at(address), there);
        ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("first")));
        ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("")));
        ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("third")));
        ASSERT_TRUE(run_until([&] { return there.kept.size() == 3; }));
        EXPECT_EQ(there.kept[0].bytes, "first");
        EXPECT_EQ(there.kept[1].bytes, "");
        EXPECT_EQ(there.kept[2].bytes, "third");
        EXPECT_EQ(there.kept[0].from, one->local());
        ASSERT_TRUE(other->send_to(there.kept[0].from, base::as_bytes("back")));
        ASSERT_TRUE(run_until([&] { return here.kept.size() == 1; }));
        EXPECT_EQ(here.kept[0].bytes, "back");
    }
}

TEST_F(D6_Datagram, tells_a_burst_in_order_and_says_when_a_message_was_cut) {
    auto one = open(at("127.0.0.1"), here);
    auto options = at("127.0.0.1");
    options.message_bytes_max = 8;
    auto other = open(options, there);
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(one->send_to(other->local(), base::as_bytes(std::to_string(i))));
    ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("longer than eight")));
    ASSERT_TRUE(run_until([&] { return there.kept.size() == 51; }));
    for (std::size_t i = 0; i < 50; ++i)
        EXPECT_EQ(there.kept[i].bytes, std::to_string(i));
    EXPECT_FALSE(there.kept[49].truncated);
    EXPECT_TRUE(there.kept[50].truncated);
    EXPECT_EQ(there.kept[50].bytes, "longer t");
}

TEST_F(D6_Datagram, refuses_what_cannot_be_sent) {
    auto one = open(at("127.0.0.1"), here);
    const std::string huge(70'000, 'x');
    EXPECT_EQ(one->send_to({"127.0.0.1", 9}, base::as_bytes(huge)).error().code(),
              Errc::invalid_argument);
    EXPECT_EQ(one->send_to({"example.org", 9}, base::as_bytes("x")).error().code(),
              Errc::invalid_argument);
    EXPECT_EQ(one->send_to({"::1", 9}, base::as_bytes("x")).error().code(), Errc::invalid_argument);
    EXPECT_EQ(one->send(base::as_bytes("x")).error().code(), Errc::invalid_argument);
    EXPECT_EQ(one->send_to({"255.255.255.255", 9}, base::as_bytes("x")).error().code(),
              Errc::permission_denied);
    EXPECT_EQ(Datagram::open(world(), {.endpoint = one->local()}, there).error().code(),
              Errc::address_in_use);
    EXPECT_EQ(Datagram::open(world(), at("203.0.113.1"), there).error().code(),
              Errc::invalid_argument);
}

TEST_F(D6_Datagram, tells_a_connected_socket_that_nobody_listens_and_goes_on) {
    auto one = open(at("127.0.0.1"), here);
    Endpoint gone;
    {
        Inbox nobody;
        gone = open(at("127.0.0.1"), nobody)->local();
    }
    ASSERT_TRUE(one->connect(gone));
    ASSERT_TRUE(one->send(base::as_bytes("anybody?")));
    ASSERT_TRUE(run_until([&] { return !here.errors.empty(); }));
    EXPECT_EQ(here.errors.front(), Errc::connection_refused);
    auto other = open({.endpoint = gone}, there);
    ASSERT_TRUE(one->send(base::as_bytes("now?")));
    ASSERT_TRUE(run_until([&] { return there.kept.size() == 1; }));
    ASSERT_TRUE(other->send_to(one->local(), base::as_bytes("yes")));
    ASSERT_TRUE(run_until([&] { return here.kept.size() == 1; }));
    auto stranger = open(at("127.0.0.1"), there);
    ASSERT_TRUE(stranger->send_to(one->local(), base::as_bytes("me too")));
    run_turns(3);
    EXPECT_EQ(here.kept.size(), 1u);
}

TEST_F(D6_Datagram, joins_and_leaves_multicast_groups) {
    const std::string group = "239.77.1.9";
    auto options = at("0.0.0.0");
    options.reuse_address = true;
    auto receiver = open(options, here);
    auto sender = open(at("127.0.0.1"), there);
    ASSERT_TRUE(receiver->join_group(group, "lo")) << "loopback takes part";
    EXPECT_EQ(receiver->join_group(group, "lo").error().code(), Errc::address_in_use);
    ASSERT_TRUE(sender->set_multicast_interface("lo"));
    ASSERT_TRUE(sender->set_multicast_ttl(0));
    ASSERT_TRUE(sender->set_multicast_loopback(true));
    const Endpoint to{group, receiver->local().port};
    ASSERT_TRUE(sender->send_to(to, base::as_bytes("to all")));
    ASSERT_TRUE(run_until([&] { return here.kept.size() == 1; }));
    EXPECT_EQ(here.kept[0].bytes, "to all");
    ASSERT_TRUE(receiver->leave_group(group, "lo"));
    EXPECT_EQ(receiver->leave_group(group, "lo").error().code(), Errc::address_in_use);
    ASSERT_TRUE(sender->send_to(to, base::as_bytes("after leaving")));
    // What was sent to nobody does not come before what is sent directly.
    ASSERT_TRUE(sender->send_to({"127.0.0.1", to.port}, base::as_bytes("direct")));
    ASSERT_TRUE(run_until([&] { return here.kept.size() == 2; }));
    EXPECT_EQ(here.kept[1].bytes, "direct");
    EXPECT_EQ(receiver->join_group("127.0.0.1", "lo").error().code(), Errc::invalid_argument);
    EXPECT_EQ(receiver->join_group("ff02::1", "lo").error().code(), Errc::invalid_argument);
    EXPECT_EQ(receiver->join_group(group, "no-such-if").error().code(), Errc::invalid_argument);
}

TEST_F(D6_Datagram, waits_while_paused_and_may_be_destroyed_by_its_observer) {
    auto one = open(at("127.0.0.1"), here);
    auto other = open(at("127.0.0.1"), there);
    other->pause();
    ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("a")));
    ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("b")));
    run_turns(5);
    EXPECT_TRUE(there.kept.empty());
    there.then = [&] { other.reset(); };
    other->resume();
    ASSERT_TRUE(run_until([&] { return !there.kept.empty(); }));
    run_turns(3);
    EXPECT_EQ(there.kept.size(), 1u);
}

TEST_F(D6_Datagram, shares_a_port_between_sockets) {
    auto options = at("127.0.0.1");
    options.share_port = true;
    auto one = open(options, here);
    options.endpoint = one->local();
    auto other = open(options, there);
    EXPECT_EQ(one->local(), other->local());
}

TEST_F(D6_Datagram, carries_unix_messages_by_path_and_by_abstract_name) {
    const std::string path = "unix:" + temporary("dgram");
    const std::string name = "unix:@" + std::to_string(getpid()) + "-dgram";
    auto one = open(at(path), here);
    auto other = open(at(name), there);
    EXPECT_EQ(other->local().address, name);
    ASSERT_TRUE(one->send_to(other->local(), base::as_bytes("hello")));
    ASSERT_TRUE(run_until([&] { return there.kept.size() == 1; }));
    EXPECT_EQ(there.kept[0].from.address, path);
    one.reset();
    struct stat status{};
    EXPECT_NE(::lstat(path.substr(5).c_str(), &status), 0) << "the file goes with the socket";
}

}  // namespace
}  // namespace reactor
