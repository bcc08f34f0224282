// E9: messages, requests and descriptors over a channel; on virtual time and on real sockets.
#include "reactor/process/channel.h"

#include "reactor/base/bytes.h"
#include "reactor/memory_pipe.h"
#include "reactor/sim/sim_world.h"
#include "tests/reactor/net/real_loop.h"

#include <sys/mman.h>

#include <array>

namespace reactor::ipc {
namespace {

using base::Errc;
using namespace std::chrono_literals;

class E9_Channel : public testing::Test {
protected:
    E9_Channel() : sim({.log = log.log()}), scope(world().reactor) { connect({}); }
    World& world() { return sim.world(); }
    void connect(ChannelOptions options, MemoryPipeOptions pipe_options = {}) {
        auto ends = memory_pipe(world(), world(), pipe_options);
        one = std::make_unique<Channel>(world(), std::move(ends.first), options);
        other = std::make_unique<Channel>(world(), std::move(ends.second), options);
        other->on_message([this](Message message) { got.push_back(std::move(message.bytes)); });
    }
    template <class T>
    base::Result<T> wait(Deferred<T> work) {
        sim.run_until([&] { return work.settled(); }, 1h);
        if (!work.settled()) return base::fail(Errc::internal, "never settled");
        return work.take();
    }
    /// A channel whose other end is written by hand.
    void feed(std::string bytes) {
        auto ends = memory_pipe(world(), world());
        one = std::make_unique<Channel>(world(), std::move(ends.first));
        one->on_message([this](Message message) { got.push_back(std::move(message.bytes)); });
        raw = std::move(ends.second);
        const ConstBuffer buffer = base::as_bytes(bytes);
        ASSERT_EQ(raw->try_writev(std::span(&buffer, 1)).bytes, bytes.size());
        sim.run_ready();
    }
    static std::string frame(std::uint32_t length, unsigned kind, unsigned fds = 0,
                             unsigned reserved = 0) {
        std::string text(16, '\0');
        for (std::size_t i = 0; i < 4; ++i)
            text[i] = static_cast<char>(length >> (8 * i) & 0xFF);
        text[4] = static_cast<char>(kind);
        text[5] = static_cast<char>(fds);
        text[6] = static_cast<char>(reserved);
        return text;
    }

    test::LogCapture log;
    SimWorld sim;
    Reactor::Scope scope;
    std::unique_ptr<Channel> one;
    std::unique_ptr<Channel> other;
    std::unique_ptr<ByteStream> raw;
    std::vector<std::string> got;
};

TEST_F(E9_Channel, carries_messages_whole_and_in_order_in_any_segmentation) {
    connect({}, {.capacity = 64, .transfer_max = 5});
    const std::string large(10'000, 'x');
    for (const std::string& text : {std::string("first"), std::string(), large})
        ASSERT_TRUE(one->send({text}));
    sim.run_ready();
    EXPECT_EQ(got, (std::vector<std::string>{"first", "", large}));
}

TEST_F(E9_Channel, answers_requests_out_of_order) {
    other->on_request([this](Message message) -> Deferred<Message> {
        const auto delay = message.bytes == "slow" ? 5s : 1s;
        return sleep(world().reactor, delay).then([text = message.bytes] {
            return Message{"re: " + text};
        });
    });
    Deferred<Message> slow = one->request({"slow"});
    Deferred<Message> fast = one->request({"fast"});
    EXPECT_EQ(wait(std::move(fast))->bytes, "re: fast");
    EXPECT_FALSE(slow.settled());
    EXPECT_EQ(wait(std::move(slow))->bytes, "re: slow");
}

TEST_F(E9_Channel, tells_why_a_request_failed) {
    EXPECT_EQ(wait(one->request({"anybody?"})).error().code(), Errc::io_error)
        << "nobody answers requests there";
    other->on_request([](Message) -> Deferred<Message> {
        return base::Failure(Errc::not_found, "no such thing");
    });
    const auto refused = wait(one->request({"thing"}));
    EXPECT_EQ(refused.error().message(), "io_error: not_found: no such thing");
}

TEST_F(E9_Channel, gives_a_request_up_after_its_time_and_drops_the_late_reply) {
    other->on_request([this](Message) {
        return sleep(world().reactor, 10s).then([] { return Message{"late"}; });
    });
    const auto began = sim.now();
    EXPECT_EQ(wait(one->request({"x"}, 2s)).error().code(), Errc::timed_out);
    EXPECT_EQ(sim.now() - began, 2s);
    sim.advance(20s);
    other->on_request([](Message message) -> Deferred<Message> { return message; });
    EXPECT_EQ(wait(one->request({"y"}))->bytes, "y") << "and not the late one";
}

TEST_F(E9_Channel, refuses_what_exceeds_its_caps_and_not_what_meets_them) {
    connect({.message_bytes_max = 10, .unsent_bytes_max = 60, .requests_max = 2}, {.capacity = 1});
    EXPECT_EQ(one->send({std::string(11, 'x')}).error().code(), Errc::invalid_argument);
    ASSERT_TRUE(one->send({std::string(10, 'x')}));
    ASSERT_TRUE(one->send({std::string(10, 'x')}));
    EXPECT_EQ(one->send({std::string(10, 'x')}).error().code(), Errc::queue_full);
    ASSERT_TRUE(one->send({std::string(8, 'x')}));
    connect({.requests_max = 2});
    other->on_request(
        [this](Message) { return sleep(world().reactor, 1h).then([] { return Message(); }); });
    Deferred<Message> first = one->request({"a"});
    Deferred<Message> second = one->request({"b"});
    EXPECT_EQ(test::failure_of(one->request({"c"})).code(), Errc::queue_full);
    {
        const Deferred<Message> dropped = std::move(second);
    }
    Deferred<Message> third = one->request({"d"});
    EXPECT_EQ(wait(std::move(third)).error().code(), Errc::io_error)
        << "the other side has two under way, whoever still waits for them";
    EXPECT_EQ(one->send({"with",
                         [] {
                             std::vector<OwnedFd> fds;
                             fds.emplace_back(::memfd_create("x", 0));
                             return fds;
                         }()})
                  .error()
                  .code(),
              Errc::unsupported);
}

TEST_F(E9_Channel, says_how_it_ended) {
    Deferred<Message> request = other->request({"x"});
    Deferred<base::Failure> ending = other->when_ended();
    ASSERT_TRUE(one->send({"last words"}));
    one->close();
    EXPECT_EQ(one->send({"more"}).error().code(), Errc::closed);
    EXPECT_EQ(wait(std::move(ending))->code(), Errc::connection_done);
    EXPECT_EQ(got, (std::vector<std::string>{"last words"}));
    EXPECT_EQ(wait(std::move(request)).error().code(), Errc::connection_done);
    EXPECT_EQ(wait(other->when_ended())->code(), Errc::connection_done);
}

TEST_F(E9_Channel, breaks_with_a_peer_that_breaks_the_rules) {
    const std::vector<std::string> bad = {frame(2'000'000, 0), frame(0, 4), frame(0, 0, 1),
                                          frame(0, 0, 0, 7), std::string(16, '\xFF')};
    for (const std::string& bytes : bad) {
        feed(bytes);
        ASSERT_TRUE(one->ended());
        EXPECT_EQ(one->ended()->code(), Errc::corrupt);
    }
    feed(frame(5, 0) + "wholexx");
    EXPECT_EQ(got, (std::vector<std::string>{"whole"})) << "what is valid so far is delivered";
    EXPECT_FALSE(one->ended());
    raw->close();
    sim.run_ready();
    EXPECT_EQ(one->ended()->code(), Errc::connection_lost) << "in the middle of a header";
    feed(frame(0, 2));
    EXPECT_FALSE(one->ended()) << "a reply that nobody waits for may be late";
}

TEST_F(E9_Channel, may_be_destroyed_by_what_it_calls) {
    other->on_message([this](Message) { other.reset(); });
    ASSERT_TRUE(one->send({"a"}) && one->send({"b"}));
    sim.run_ready();
    EXPECT_FALSE(other);
    connect({});
    other->on_request([this](Message) -> Deferred<Message> {
        other.reset();
        return Message();
    });
    EXPECT_EQ(wait(one->request({"x"})).error().code(), Errc::connection_done);
}

class E9_ChannelOfKernel : public test::RealLoop {};

TEST_F(E9_ChannelOfKernel, passes_descriptors_with_messages_requests_and_replies) {
    auto [a, b] = *unix_pair();
    Channel one(world(), *unix_stream(world(), std::move(a)));
    Channel other(world(), *unix_stream(world(), std::move(b)));
    const auto file = [](const std::string& text) {
        OwnedFd fd(::memfd_create("x", MFD_CLOEXEC));
        EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
        return fd;
    };
    const auto contents = [](const OwnedFd& fd) {
        std::array<char, 32> bytes{};
        const ssize_t count = ::pread(fd.get(), bytes.data(), bytes.size(), 0);
        return std::string(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    };
    std::vector<Message> got;
    other.on_message([&](Message message) { got.push_back(std::move(message)); });
    other.on_request([&](Message message) -> Deferred<Message> {
        Message reply{contents(message.descriptors.at(0))};
        reply.descriptors.push_back(file("reply's"));
        return reply;
    });
    Message first{std::string(300'000, 'x')};
    first.descriptors.push_back(file("one"));
    first.descriptors.push_back(file("two"));
    ASSERT_TRUE(one.send(std::move(first)));
    ASSERT_TRUE(one.send({"none"}));
    Message asking{"ask"};
    asking.descriptors.push_back(file("asked"));
    auto reply = wait(one.request(std::move(asking)));
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->bytes, "asked");
    EXPECT_EQ(contents(reply->descriptors.at(0)), "reply's");
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(contents(got[0].descriptors.at(0)), "one");
    EXPECT_EQ(contents(got[0].descriptors.at(1)), "two");
    EXPECT_TRUE(got[1].descriptors.empty());
    Message many{"x"};
    for (int i = 0; i < 17; ++i)
        many.descriptors.push_back(file("x"));
    EXPECT_EQ(one.send(std::move(many)).error().code(), Errc::invalid_argument);
}

}  // namespace
}  // namespace reactor::ipc
