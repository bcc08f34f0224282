// What our own client does not do: update keys, renegotiate, bind channels by its own reckoning.
#include "foreign_tls_client.h"

namespace reactor {
namespace {

using base::Errc;
using test::TlsForeignClient;

TEST_F(TlsForeignClient, resumes_a_session) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        session.reset();
        tickets = 0;
        start_and_pump(version);
        EXPECT_FALSE(server_tls->info().resumed);
        EXPECT_EQ(tickets, 1);
        start_and_pump(version);
        EXPECT_TRUE(server_tls->info().resumed);
        EXPECT_EQ(SSL_session_reused(ssl.get()), 1);
        EXPECT_EQ(tickets, version == TLS1_3_VERSION ? 2 : 1) << "each is good once";
        say("resumed");
        EXPECT_EQ(server->received(), "resumed");
    }
}

TEST_F(TlsForeignClient, gives_no_tickets_when_told_so) {
    server_options.session_tickets = 0;
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        start_and_pump(version);
        start_and_pump(version);
        EXPECT_FALSE(server_tls->info().resumed);
    }
}

TEST_F(TlsForeignClient, handshakes_in_full_after_a_reload) {
    start_and_pump();
    ASSERT_EQ(tickets, 1);
    server_context = TlsServerContext::create(server_options).value();
    start_and_pump();
    EXPECT_FALSE(server_tls->info().resumed);
}

TEST_F(TlsForeignClient, computes_the_bindings_that_openssl_computes) {
    for (const bool resumed : {false, true}) {
        start_and_pump(TLS1_2_VERSION);
        ASSERT_EQ(server_tls->info().resumed, resumed);
        std::array<char, 64> bytes{};
        // RFC 5929 §3: the first Finished message, the server's when it resumed.
        const std::size_t size = resumed
                                     ? SSL_get_peer_finished(ssl.get(), bytes.data(), bytes.size())
                                     : SSL_get_finished(ssl.get(), bytes.data(), bytes.size());
        EXPECT_EQ(*server_tls->channel_binding(ChannelBinding::tls_unique),
                  std::string(bytes.data(), size));
    }
    session.reset();
    start_and_pump();
    std::array<unsigned char, 32> exported{};
    const std::string_view label = "EXPORTER-Channel-Binding";
    SSL_export_keying_material(ssl.get(), exported.data(), exported.size(), label.data(),
                               label.size(), nullptr, 0, 0);
    EXPECT_EQ(*server_tls->channel_binding(ChannelBinding::tls_exporter),
              std::string(reinterpret_cast<char*>(exported.data()), exported.size()));
}

TEST_F(TlsForeignClient, has_no_binding_without_the_extended_master_secret) {
    SSL_CTX_set_options(context.get(), SSL_OP_NO_EXTENDED_MASTER_SECRET);
    start_and_pump(TLS1_2_VERSION);
    for (const auto type : {ChannelBinding::tls_exporter, ChannelBinding::tls_unique}) {
        EXPECT_TRUE(server_tls->channel_binding(type).error().is(Errc::unsupported));
        EXPECT_FALSE(server_tls->has_channel_binding(type));
    }
    EXPECT_TRUE(server_tls->channel_binding(ChannelBinding::tls_server_end_point));
    EXPECT_TRUE(server_tls->has_channel_binding(ChannelBinding::tls_server_end_point));
}

TEST_F(TlsForeignClient, follows_key_updates) {
    start_and_pump();
    for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(SSL_key_update(ssl.get(), SSL_KEY_UPDATE_REQUESTED), 1);
        say("up");
        server->send("down");
        pump();
    }
    EXPECT_EQ(server->received(), "upupupupup");
    EXPECT_EQ(heard, "downdowndowndowndown");
}

TEST_F(TlsForeignClient, refuses_to_renegotiate) {
    start_and_pump(TLS1_2_VERSION);
    ASSERT_EQ(SSL_renegotiate(ssl.get()), 1);
    pump();
    EXPECT_NE(SSL_do_handshake(ssl.get()), 1);
    EXPECT_EQ(SSL_num_renegotiations(ssl.get()), 1) << "asked for, and not granted";
}

TEST_F(TlsForeignClient, respects_a_smaller_record_size) {
    SSL_CTX_set_tlsext_max_fragment_length(context.get(), TLSEXT_max_fragment_length_512);
    start_and_pump();
    const std::string text(100'000, 'm');
    server->send(text);
    pump();
    pump();
    for (int i = 0; i < 20 && heard.size() < text.size(); ++i)
        pump();
    EXPECT_EQ(heard, text);
}

}  // namespace
}  // namespace reactor
