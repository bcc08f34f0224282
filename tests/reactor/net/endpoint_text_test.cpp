// D2: endpoints as text, and connecting to and listening on them.
#include "reactor/net/endpoint_text.h"

#include "reactor/net/connection.h"
#include "reactor/sim/sim_network.h"
#include "reactor/sim/sim_resolver.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"
#include "tests/reactor/tls_pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reactor {
namespace {

using base::Errc;
using testing::HasSubstr;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<ByteStream>;

TEST(D2_ClientEndpoint, is_read_from_text) {
    auto endpoint = parse_client_endpoint("tcp:example.org:5222");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->kind, EndpointKind::tcp);
    EXPECT_EQ(endpoint->host, "example.org");
    EXPECT_EQ(endpoint->port, 5222);
    EXPECT_EQ(endpoint->timeout, 30s);
    endpoint = parse_client_endpoint("tls:[2001:db8::1]:5223:timeout=5:bind=[::]:name=example.org");
    ASSERT_TRUE(endpoint) << endpoint.error().message();
    EXPECT_EQ(endpoint->kind, EndpointKind::tls);
    EXPECT_EQ(endpoint->host, "2001:db8::1");
    EXPECT_EQ(endpoint->timeout, 5s);
    EXPECT_EQ(endpoint->source->address, "::");
    EXPECT_EQ(endpoint->tls_name, "example.org");
    EXPECT_EQ(parse_client_endpoint("tls:host:1")->tls_name, "host");
    EXPECT_EQ(parse_client_endpoint("tcp:2001\\:db8\\:\\:1:80")->host, "2001:db8::1");
    EXPECT_EQ(parse_client_endpoint("unix:/run/a\\:b=c")->host, "/run/a:b=c");
    EXPECT_EQ(parse_client_endpoint("unix:@name:timeout=1")->host, "@name");
}

TEST(D2_ClientEndpoint, is_refused_with_a_sentence_that_helps) {
    const auto why = [](std::string_view text) {
        const auto endpoint = parse_client_endpoint(text);
        EXPECT_FALSE(endpoint) << text;
        if (endpoint) return std::string();
        EXPECT_EQ(endpoint.error().code(), Errc::invalid_argument);
        return endpoint.error().message();
    };
    EXPECT_THAT(why("tlss:host:1"), HasSubstr("did you mean tls?"));
    EXPECT_THAT(why(""), HasSubstr("none of tcp, tls, unix"));
    EXPECT_THAT(why("tcp"), HasSubstr("no host"));
    EXPECT_THAT(why("tcp::1"), HasSubstr("no host"));
    EXPECT_THAT(why("tcp:host"), HasSubstr("no port"));
    EXPECT_THAT(why("tcp:host:0"), HasSubstr("no port number"));
    EXPECT_THAT(why("tcp:host:65536"), HasSubstr("no port number"));
    EXPECT_THAT(why("tcp:host:http"), HasSubstr("no port number"));
    EXPECT_THAT(why("tcp:host:1:timeuot=5"), HasSubstr("did you mean timeout?"));
    EXPECT_THAT(why("tcp:host:1:timeout=0"), HasSubstr("from 1 to 3600"));
    EXPECT_THAT(why("tcp:host:1:timeout=5:timeout=6"), HasSubstr("given twice"));
    EXPECT_THAT(why("tcp:host:1:name=x"), HasSubstr("unknown option")) << "only of tls";
    EXPECT_THAT(why("tcp:[::1:1"), HasSubstr("not closed"));
    EXPECT_THAT(why("tcp:host:1\\"), HasSubstr("backslash"));
    EXPECT_THAT(why("tcp:" + std::string(2000, 'x') + ":1"), HasSubstr("too long"));
}

TEST(D2_ServerEndpoint, is_read_from_text) {
    auto endpoint = parse_server_endpoint("tcp:5222");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->listen.endpoint, (Endpoint{"0.0.0.0", 5222}));
    EXPECT_EQ(endpoint->listen.backlog, 1024);
    EXPECT_FALSE(endpoint->listen.share_port);
    endpoint = parse_server_endpoint("tls:0:interface=[::1]:backlog=5:shared");
    ASSERT_TRUE(endpoint) << endpoint.error().message();
    EXPECT_EQ(endpoint->kind, EndpointKind::tls);
    EXPECT_EQ(endpoint->listen.endpoint, (Endpoint{"::1", 0}));
    EXPECT_EQ(endpoint->listen.backlog, 5);
    EXPECT_TRUE(endpoint->listen.share_port);
    endpoint = parse_server_endpoint("unix:/run/x:mode=660");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->listen.endpoint.address, "unix:/run/x");
    EXPECT_EQ(endpoint->listen.unix_mode, 0660u);
    EXPECT_EQ(parse_server_endpoint("fd:3")->descriptor, 3);
    for (const char* text : {"tcp:x", "tcp:1:shraed", "unix:", "unix:/x:mode=999", "unix:/x:mode=",
                             "unix:/x:mode=1777", "fd:-1", "fd:x", "udp:1", "tcp:1:backlog=0"})
        EXPECT_EQ(parse_server_endpoint(text).error().code(), Errc::invalid_argument) << text;
}

class D2_Connect : public testing::Test {
protected:
    D2_Connect()
        : sim({.log = log.log()},
              [this](World& world) { return make_sim_network(world, internet, "192.0.2.1"); }),
          scope(world().reactor),
          resolver(make_sim_resolver(world(), dns)) {
        dns.add_address("both.example", "192.0.2.1");
        dns.add_address("both.example", "2001:db8::1");
    }
    ~D2_Connect() override { accepted.clear(); }
    World& world() { return sim.world(); }
    base::Result<StreamPtr> connect(std::string_view text,
                                    std::shared_ptr<const TlsClientContext> context = nullptr) {
        auto endpoint = parse_client_endpoint(text);
        EXPECT_TRUE(endpoint);
        auto connecting = connect_to(world(), *resolver, *endpoint, std::move(context));
        sim.run_until([&] { return connecting.settled(); }, 1h);
        if (!connecting.settled()) return base::fail(Errc::internal, "never settled");
        return connecting.take();
    }
    void listen(std::string_view text, std::shared_ptr<const TlsServerContext> context = nullptr) {
        auto endpoint = parse_server_endpoint(text);
        ASSERT_TRUE(endpoint) << endpoint.error().message();
        auto listening = listen_on(
            world(), *endpoint, [this](StreamPtr stream) { accepted.push_back(std::move(stream)); },
            std::move(context));
        ASSERT_TRUE(listening) << listening.error().message();
        listener = *std::move(listening);
    }

    test::LogCapture log;
    SimInternet internet;
    SimDns dns;
    SimWorld sim;
    Reactor::Scope scope;
    std::unique_ptr<Resolver> resolver;
    std::unique_ptr<Listener> listener;
    std::vector<StreamPtr> accepted;
};

TEST_F(D2_Connect, resolves_and_takes_the_address_that_answers) {
    listen("tcp:80:interface=192.0.2.1");
    auto stream = connect("tcp:both.example:80");
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ((*stream)->peer().address, "192.0.2.1") << "though IPv6 comes first";
    EXPECT_TRUE(connect("tcp:192.0.2.1:80"));
}

TEST_F(D2_Connect, says_why_it_failed) {
    EXPECT_EQ(connect("tcp:nowhere.example:80").error().code(), Errc::not_found);
    EXPECT_EQ(connect("tcp:both.example:81").error().code(), Errc::connection_refused);
    EXPECT_EQ(connect("tls:both.example:80").error().code(), Errc::invalid_argument)
        << "without a TLS context";
    dns.silence("mute.example");
    const auto began = sim.now();
    EXPECT_EQ(connect("tcp:mute.example:80:timeout=3").error().code(), Errc::timed_out);
    EXPECT_EQ(sim.now() - began, 3s) << "the limit is for everything together";
}

TEST_F(D2_Connect, can_be_given_up) {
    dns.silence("mute.example");
    auto connecting = connect_to(world(), *resolver, *parse_client_endpoint("tcp:mute.example:80"));
    connecting.cancel();
    EXPECT_EQ(test::failure_of(connecting).code(), Errc::cancelled);
}

class D5_Tls : public D2_Connect {
protected:
    D5_Tls() {
        TlsServerOptions server_options;
        server_options.identity = test::identity_for("both.example");
        server_options.alpn = {"xmpp-client"};
        server_context = TlsServerContext::create(server_options).value();
    }
    static std::shared_ptr<const TlsClientContext> client(TlsVerify verify) {
        TlsClientOptions options;
        options.verify = verify;
        options.alpn = {"other", "xmpp-client"};
        return TlsClientContext::create(options).value();
    }
    /// Echoes whatever the first accepted connection says.
    Deferred<void> echo_once() {
        Deferred<bool> accepting = accepted_one();
        (void)co_await std::move(accepting);
        Connection server(world(), std::move(accepted.back()));
        base::Result<std::string> bytes = co_await server.read();
        if (bytes) (void)server.write(*bytes);
        Deferred<void> closing = server.close();
        (void)co_await std::move(closing);
        co_return {};
    }
    Deferred<bool> accepted_one() {
        while (accepted.empty())
            co_await sleep(world().reactor, 1ms);
        co_return true;
    }

    std::shared_ptr<const TlsServerContext> server_context;
};

TEST_F(D5_Tls, an_endpoint_string_brings_a_secured_stream) {
    listen("tls:443:interface=192.0.2.1", server_context);
    Deferred<void> serving = echo_once();
    auto stream = connect("tls:both.example:443", client(TlsVerify::none));
    ASSERT_TRUE(stream) << stream.error().message();
    Connection connection(world(), *std::move(stream));
    ASSERT_TRUE(connection.write("secret"));
    Deferred<std::string> reading = connection.read();
    sim.run_until([&] { return reading.settled(); }, 1min);
    EXPECT_EQ(*reading.take(), "secret");
    serving.cancel();
}

TEST_F(D5_Tls, an_untrusted_certificate_fails_with_a_reason) {
    listen("tls:443:interface=192.0.2.1", server_context);
    Deferred<void> serving = echo_once();
    const auto refused = connect("tls:both.example:443", client(TlsVerify::chain_and_name));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::tls_failed);
    EXPECT_THAT(refused.error().message(), HasSubstr("certificate"));
    serving.cancel();
}

TEST_F(D5_Tls, starts_on_a_live_connection_and_agrees_on_a_protocol) {
    auto ends = memory_pipe(world(), world());
    Connection server(world(), std::move(ends.first));
    Connection client_side(world(), std::move(ends.second));
    ASSERT_TRUE(client_side.write("starttls\n"));
    Deferred<std::string> asked = server.read_until("\n");
    sim.run_until([&] { return asked.settled(); }, 1min);
    EXPECT_EQ(*asked.take(), "starttls");
    TlsStream* client_tls = nullptr;
    ASSERT_TRUE(server.upgrade([&](StreamPtr lower) -> StreamPtr {
        return TlsStream::server(std::move(lower), server_context);
    }));
    ASSERT_TRUE(client_side.upgrade([&](StreamPtr lower) -> StreamPtr {
        auto tls = TlsStream::client(std::move(lower), client(TlsVerify::none), "both.example");
        client_tls = tls.get();
        return tls;
    }));
    ASSERT_TRUE(client_side.write("before the handshake is done"));
    Deferred<std::string> reading = server.read();
    sim.run_until([&] { return reading.settled(); }, 1min);
    EXPECT_EQ(*reading.take(), "before the handshake is done") << "writes queue";
    EXPECT_EQ(client_tls->info().alpn, "xmpp-client");
}

}  // namespace
}  // namespace reactor
