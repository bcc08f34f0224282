// Handshakes: versions, names, protocols, certificates, channel bindings, and what hostile or
// broken peers send instead.
#include "reactor/tls.h"

#include "reactor/test_kit.h"
#include "tls_pair.h"

#include <random>

namespace reactor {
namespace {

using base::Errc;
using test::identity_for;
using test::identity_of;
using test::StreamPeer;
using TlsHandshake = test::TlsPair;

std::string peer_name(const TlsStream& stream) {
    const auto certificate = stream.peer_certificate();
    return certificate && !certificate->dns_names.empty() ? certificate->dns_names.front() : "";
}

TEST_F(TlsHandshake, negotiates_tls_1_3_and_carries_bytes) {
    connect_and_run();
    EXPECT_EQ(server_tls->info().version, "TLSv1.3");
    EXPECT_EQ(client_tls->info().cipher, server_tls->info().cipher);
    EXPECT_FALSE(server_tls->info().resumed);
    client->send("ping");
    server->send("pong");
    run();
    EXPECT_EQ(server->received(), "ping");
    EXPECT_EQ(client->received(), "pong");
}

TEST_F(TlsHandshake, serves_a_client_that_knows_tls_1_2_only) {
    client_options.version_max = TlsVersion::tls_1_2;
    connect_and_run();
    EXPECT_EQ(server_tls->info().version, "TLSv1.2");
    EXPECT_TRUE(server_tls->info().cipher.starts_with("ECDHE-")) << server_tls->info().cipher;
    client->send("ping");
    run();
    EXPECT_EQ(server->received(), "ping");
}

TEST_F(TlsHandshake, refuses_versions_below_its_minimum) {
    server_options.version_min = TlsVersion::tls_1_3;
    client_options.version_max = TlsVersion::tls_1_2;
    connect();
    auto handshake = server_tls->handshake();
    run();
    ASSERT_TRUE(handshake.settled());
    EXPECT_TRUE(handshake.take().error().is(Errc::tls_failed));
    EXPECT_EQ(client->failed(), Errc::tls_failed);
    EXPECT_NE(text_of(client_tls->failure()).find("protocol version"), std::string::npos);
}

TEST_F(TlsHandshake, settles_its_deferred_on_both_sides) {
    connect();
    auto at_server = server_tls->handshake();
    auto at_client = client_tls->handshake();
    EXPECT_FALSE(at_server.settled());
    run();
    ASSERT_TRUE(at_server.settled() && at_client.settled());
    EXPECT_TRUE(at_server.take());
    EXPECT_TRUE(at_client.take());
    auto again = server_tls->handshake();
    EXPECT_TRUE(again.settled() && again.take());
}

TEST_F(TlsHandshake, goes_on_when_its_deferred_is_dropped) {
    connect();
    {
        auto dropped = server_tls->handshake();
    }
    run();
    EXPECT_TRUE(server_tls->established());
}

TEST_F(TlsHandshake, fails_its_deferred_when_the_stream_is_closed_or_destroyed) {
    auto raw = raw_client();
    auto handshake = server_tls->handshake();
    server_tls->close();
    ASSERT_TRUE(handshake.settled());
    EXPECT_TRUE(handshake.take().error().is(Errc::closed));
    raw = raw_client();
    auto another = server_tls->handshake();
    server.reset();
    ASSERT_TRUE(another.settled());
    EXPECT_TRUE(another.take().error().is(Errc::closed));
}

TEST_F(TlsHandshake, works_byte_by_byte) {
    pipe_options = {.capacity = 1, .transfer_max = 1};
    connect_and_run();
    client->send("slow");
    run();
    EXPECT_EQ(server->received(), "slow");
}

TEST_F(TlsHandshake, agrees_on_a_protocol) {
    server_options.alpn = {"xmpp-client", "other"};
    client_options.alpn = {"h2", "xmpp-client"};
    connect_and_run();
    EXPECT_EQ(server_tls->info().alpn, "xmpp-client");
    EXPECT_EQ(client_tls->info().alpn, "xmpp-client");
}

TEST_F(TlsHandshake, refuses_a_client_that_offers_other_protocols_only) {
    server_options.alpn = {"xmpp-client"};
    client_options.alpn = {"h2"};
    connect();
    run();
    EXPECT_EQ(server->failed(), Errc::tls_failed);
    EXPECT_NE(text_of(client_tls->failure()).find("no application protocol"), std::string::npos)
        << text_of(client_tls->failure());
}

TEST_F(TlsHandshake, accepts_a_client_that_offers_no_protocol) {
    server_options.alpn = {"xmpp-client"};
    connect_and_run();
    EXPECT_EQ(server_tls->info().alpn, "");
}

TEST_F(TlsHandshake, chooses_the_certificate_by_server_name) {
    server_options.hosts = {{"one.example", identity_for("one.example")},
                            {"*.two.example", identity_for("*.two.example")},
                            {"exact.two.example", identity_for("exact.two.example")}};
    const std::pair<const char*, const char*> expectations[] = {
        {"one.example", "one.example"},         {"ONE.example", "one.example"},
        {"any.two.example", "*.two.example"},   {"exact.two.example", "exact.two.example"},
        {"a.b.two.example", "default.example"}, {"two.example", "default.example"},
        {"unknown.example", "default.example"}, {"", "default.example"},
        {"192.0.2.1", "default.example"},
    };
    for (const auto& [asked, expected] : expectations) {
        connect_and_run(asked);
        EXPECT_EQ(peer_name(*client_tls), expected) << asked;
    }
    connect_and_run("ONE.example");
    EXPECT_EQ(server_tls->info().server_name, "one.example");
}

TEST_F(TlsHandshake, keeps_its_context_over_a_reload) {
    connect_and_run();
    auto old_server = std::move(server);
    auto old_client = std::move(client);
    TlsStream* old_client_tls = client_tls;
    server_options.identity = identity_for("reloaded.example");
    server_context = TlsServerContext::create(server_options).value();
    connect_and_run("reloaded.example");
    EXPECT_EQ(peer_name(*client_tls), "reloaded.example");
    EXPECT_EQ(peer_name(*old_client_tls), "default.example");
    old_client->send("still here");
    run();
    EXPECT_EQ(old_server->received(), "still here");
}

TEST_F(TlsHandshake, reports_broken_identities_by_host) {
    server_options.hosts = {{"bad.example",
                             {server_options.identity.certificate_chain_pem,
                              identity_for("x.example").private_key_pem}}};
    auto context = TlsServerContext::create(server_options);
    ASSERT_FALSE(context);
    EXPECT_TRUE(context.error().is(Errc::invalid_argument));
    EXPECT_NE(context.error().message().find("bad.example: the private key does not belong"),
              std::string::npos)
        << context.error().message();
    server_options.hosts = {{"twice.example", server_options.identity},
                            {"Twice.example", server_options.identity}};
    EXPECT_FALSE(TlsServerContext::create(server_options));
}

TEST_F(TlsHandshake, verifies_the_server_for_clients_that_ask) {
    client_options.verify = TlsVerify::chain_and_name;
    connect();
    run();
    EXPECT_EQ(client->failed(), Errc::tls_failed);
    EXPECT_NE(text_of(client_tls->failure()).find("self-signed"), std::string::npos)
        << text_of(client_tls->failure());
    EXPECT_EQ(server->failed(), Errc::tls_failed);

    client_options.ca_file =
        test::file_with("authority.pem", server_options.identity.certificate_chain_pem);
    connect_and_run();
    EXPECT_TRUE(client_tls->peer_certificate()->verified);
    connect("wrong.example");
    run();
    EXPECT_NE(text_of(client_tls->failure()).find("hostname mismatch"), std::string::npos)
        << text_of(client_tls->failure());
    client_options.verify = TlsVerify::chain;
    connect_and_run("wrong.example");
}

TEST_F(TlsHandshake, verifies_the_server_by_address) {
    server_options.identity = identity_of(test::kRsaPem, test::kRsaKeyPem);
    client_options.verify = TlsVerify::chain_and_name;
    client_options.ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    connect_and_run("192.0.2.7");
    connect_and_run("2001:db8::7");
    connect("192.0.2.8");
    run();
    EXPECT_EQ(client->failed(), Errc::tls_failed);
}

TEST_F(TlsHandshake, asks_for_a_client_certificate_without_requiring_one) {
    server_options.request_client_certificate = true;
    server_options.client_ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    connect_and_run();
    EXPECT_FALSE(server_tls->peer_certificate());

    client_options.identity = identity_of(test::kClientPem, test::kClientKeyPem);
    connect_and_run();
    const auto peer = server_tls->peer_certificate();
    ASSERT_TRUE(peer);
    EXPECT_TRUE(peer->verified) << peer->verify_error;
    EXPECT_EQ(peer->common_name, "Juliet Capulet");
    EXPECT_EQ(peer->xmpp_addresses, std::vector<std::string>{"juliet@capulet.example"});
    EXPECT_EQ(peer->srv_names, std::vector<std::string>{"_xmpp-server.capulet.example"});
    EXPECT_EQ(peer->emails, std::vector<std::string>{"juliet@mail.example"});
    EXPECT_EQ(peer->dns_names, std::vector<std::string>{"capulet.example"});
    EXPECT_EQ(peer->not_after.seconds(), 4'859'740'800);
    EXPECT_EQ(peer->fingerprint_sha256.size(), 64U);
}

TEST_F(TlsHandshake, records_why_a_client_certificate_is_not_trusted) {
    server_options.request_client_certificate = true;
    server_options.client_ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    for (const TlsVersion version : {TlsVersion::tls_1_2, TlsVersion::tls_1_3}) {
        client_options.version_max = version;
        client_options.identity = identity_for("self.example");
        connect_and_run();
        EXPECT_FALSE(server_tls->peer_certificate()->verified);
        EXPECT_NE(server_tls->peer_certificate()->verify_error.find("self-signed"),
                  std::string::npos);
        client_options.identity = identity_of(test::kExpiredPem, test::kClientKeyPem);
        connect_and_run();
        EXPECT_FALSE(server_tls->peer_certificate()->verified);
        EXPECT_NE(server_tls->peer_certificate()->verify_error.find("expired"), std::string::npos);
    }
}

TEST_F(TlsHandshake, does_not_ask_for_client_certificates_by_default) {
    client_options.identity = identity_of(test::kClientPem, test::kClientKeyPem);
    connect_and_run();
    EXPECT_FALSE(server_tls->peer_certificate());
}

TEST_F(TlsHandshake, binds_channels_equally_on_both_sides) {
    struct Case {
        TlsVersion version;
        ChannelBinding type;
        std::size_t size;
    };
    const Case cases[] = {{TlsVersion::tls_1_3, ChannelBinding::tls_exporter, 32},
                          {TlsVersion::tls_1_3, ChannelBinding::tls_server_end_point, 32},
                          {TlsVersion::tls_1_2, ChannelBinding::tls_exporter, 32},
                          {TlsVersion::tls_1_2, ChannelBinding::tls_server_end_point, 32},
                          {TlsVersion::tls_1_2, ChannelBinding::tls_unique, 12}};
    for (const Case& c : cases) {
        client_options.version_max = c.version;
        connect_and_run();
        const auto at_server = server_tls->channel_binding(c.type);
        const auto at_client = client_tls->channel_binding(c.type);
        ASSERT_TRUE(at_server && at_client);
        EXPECT_EQ(*at_server, *at_client);
        EXPECT_EQ(at_server->size(), c.size);
        if (c.type == ChannelBinding::tls_server_end_point) continue;
        connect_and_run();
        EXPECT_NE(*at_server, *server_tls->channel_binding(c.type)) << "another connection";
    }
}

TEST_F(TlsHandshake, has_no_tls_unique_on_tls_1_3) {
    connect_and_run();
    EXPECT_TRUE(
        server_tls->channel_binding(ChannelBinding::tls_unique).error().is(Errc::unsupported));
}

TEST_F(TlsHandshake, has_no_binding_before_it_is_done) {
    connect();
    EXPECT_FALSE(server_tls->channel_binding(ChannelBinding::tls_exporter));
}

TEST_F(TlsHandshake, hashes_the_end_point_as_its_certificate_is_signed) {
    server_options.identity = identity_of(test::kRsaPem, test::kRsaKeyPem);
    connect_and_run();
    const auto binding = client_tls->channel_binding(ChannelBinding::tls_server_end_point);
    ASSERT_TRUE(binding);
    EXPECT_EQ(binding->size(), 64U) << "SHA-512";
    EXPECT_EQ(*binding, *server_tls->channel_binding(ChannelBinding::tls_server_end_point));

    server_context.reset();
    server_options.identity = identity_of(test::kEd25519Pem, test::kEd25519KeyPem);
    connect_and_run();
    const auto none = server_tls->channel_binding(ChannelBinding::tls_server_end_point);
    EXPECT_TRUE(none.error().is(Errc::unsupported));
    EXPECT_TRUE(server_tls->channel_binding(ChannelBinding::tls_exporter));
}

TEST_F(TlsHandshake, fails_on_plaintext) {
    for (const char* text : {"<?xml version='1.0'?><stream:stream to='default.example'>",
                             "GET / HTTP/1.1\r\n\r\n", "\r\n", "\x80\x2e\x01\x00\x02"}) {
        StreamPeer raw(raw_client());
        auto handshake = server_tls->handshake();
        raw.send(text);
        raw.send(std::string(100, '\0'));
        run();
        ASSERT_TRUE(handshake.settled()) << text;
        EXPECT_TRUE(handshake.take().error().is(Errc::tls_failed)) << text;
        std::byte byte{};
        EXPECT_EQ(server_tls->try_read({&byte, 1}).status, IoStatus::failed);
        const ConstBuffer buffer(&byte, 1);
        EXPECT_EQ(server_tls->try_writev({&buffer, 1}).error, Errc::tls_failed);
        EXPECT_NE(text_of(server_tls->failure()), "tls_failed: unknown error");
    }
}

TEST_F(TlsHandshake, survives_random_garbage) {
    std::mt19937 random(3);
    for (int round = 0; round < 200; ++round) {
        StreamPeer raw(raw_client());
        // Half of them look like a handshake record at first.
        std::string garbage = round % 2 == 0 ? "" : std::string("\x16\x03\x01\x01\x00\x01", 6);
        for (int i = 0; i < 600; ++i)
            garbage += static_cast<char>(random());
        raw.send(garbage);
        run();
        raw.stream().close();
        run();
        EXPECT_TRUE(server->failed()) << round;
        EXPECT_FALSE(server_tls->established());
    }
}

TEST_F(TlsHandshake, fails_when_the_peer_leaves_in_the_middle) {
    StreamPeer raw(raw_client());
    auto handshake = server_tls->handshake();
    raw.send(std::string("\x16\x03\x01", 3));
    raw.stream().close();
    run();
    ASSERT_TRUE(handshake.settled());
    const base::Failure failure = handshake.take().error();
    EXPECT_TRUE(failure.is(Errc::connection_lost)) << failure.message();
    EXPECT_NE(failure.message().find("handshake"), std::string::npos);
}

TEST_F(TlsHandshake, survives_every_single_flipped_byte_of_a_client_hello) {
    auto [lower, tap] = memory_pipe(sim.world(), sim.world());
    auto context = TlsClientContext::create(client_options).value();
    StreamPeer hello_maker(TlsStream::client(std::move(lower), context, "default.example"));
    StreamPeer tapped(std::move(tap));
    run();
    const std::string hello = tapped.received();
    ASSERT_GT(hello.size(), 100U);
    for (std::size_t at = 0; at < hello.size(); ++at) {
        std::string changed = hello;
        changed[at] = static_cast<char>(changed[at] ^ 0x55);
        StreamPeer raw(raw_client());
        raw.send(changed);
        run();
        raw.stream().close();
        run();
        EXPECT_FALSE(server_tls->established());
        EXPECT_TRUE(server->failed()) << at;
    }
}

}  // namespace
}  // namespace reactor
