// Resumption of TLS sessions: which tickets a server takes, and our own client's side of it. The
// client that OpenSSL drives through memory BIOs can do what ours does not.
#include "foreign_tls_client.h"
#include "tls_pair.h"

namespace reactor {
namespace {

using test::TlsForeignClient;

std::string secret(char filling) {
    return std::string(kTicketSecretBytes, filling);
}

class TlsResumption : public TlsForeignClient {
protected:
    /// Another process, as far as TLS knows.
    void restart_with(std::vector<std::string> secrets) {
        server_options.ticket_secrets = std::move(secrets);
        server_context = TlsServerContext::create(server_options).value();
    }
    bool resumes(int version = TLS1_3_VERSION) {
        start_and_pump(version);
        EXPECT_EQ(SSL_session_reused(ssl.get()) == 1, server_tls->info().resumed);
        say("hello");
        EXPECT_EQ(server->received(), "hello");
        return server_tls->info().resumed;
    }
};

TEST_F(TlsResumption, goes_on_after_a_restart_with_the_same_secrets) {
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    restart_with({secret('a')});
    EXPECT_TRUE(resumes());
    restart_with({secret('b'), secret('a')});
    EXPECT_TRUE(resumes()) << "the old one is understood";
    restart_with({secret('b')});
    EXPECT_TRUE(resumes()) << "the new one was used";
}

TEST_F(TlsResumption, handshakes_in_full_by_a_ticket_of_a_secret_that_is_gone) {
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    restart_with({secret('b')});
    EXPECT_FALSE(resumes());
    restart_with({});
    EXPECT_FALSE(resumes());
    restart_with({});
    EXPECT_FALSE(resumes()) << "each context has one of its own";
}

TEST_F(TlsResumption, handshakes_in_full_by_a_ticket_that_was_changed) {
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
    for (const std::size_t place : {std::size_t{0}, std::size_t{20}, size / 2, size - 1}) {
        const std::string whole(reinterpret_cast<const char*>(ticket), size);
        unsigned char* encoded = nullptr;
        const int encoded_size = i2d_SSL_SESSION(session.get(), &encoded);
        std::string bytes(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(encoded_size));
        OPENSSL_free(encoded);
        bytes[bytes.find(whole) + place] ^= 1;
        const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
        test::OpenSslObject<SSL_SESSION> kept = std::move(session);
        session.reset(d2i_SSL_SESSION(nullptr, &from, encoded_size));
        EXPECT_FALSE(resumes()) << place;
        session = std::move(kept);
    }
    EXPECT_TRUE(resumes());
}

// Who resumes is not shown the new certificate and would bind the channel to the old one.
TEST_F(TlsResumption, handshakes_in_full_when_a_certificate_has_changed) {
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    server_options.hosts = {{"other.example", test::identity_for("other.example")}};
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    server_options.hosts[0].second = test::identity_for("other.example");
    restart_with({secret('a')});
    EXPECT_FALSE(resumes());
    restart_with({secret('a')});
    EXPECT_TRUE(resumes());
}

// With its ticket's key all that was said in a session of TLS 1.2 could be read.
TEST_F(TlsResumption, takes_no_secret_that_lasts_for_tls_1_2) {
    restart_with({secret('a')});
    EXPECT_FALSE(resumes(TLS1_2_VERSION));
    EXPECT_TRUE(resumes(TLS1_2_VERSION));
    restart_with({secret('a')});
    EXPECT_FALSE(resumes(TLS1_2_VERSION));
}

TEST_F(TlsResumption, refuses_a_secret_that_is_too_short) {
    server_options.ticket_secrets = {"short"};
    const auto made = TlsServerContext::create(server_options);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().is(base::Errc::invalid_argument));
}

TEST_F(TlsResumption, says_how_long_a_ticket_is_good) {
    server_options.ticket_lifetime = std::chrono::hours(3);
    EXPECT_FALSE(resumes());
    EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(session.get()), 3UL * 3600);
}

// RFC 8446 §8: whoever heard it could play it again.
TEST_F(TlsResumption, takes_no_early_data) {
    EXPECT_FALSE(resumes());
    EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0U);
    SSL_SESSION_set_max_early_data(session.get(), 1000);
    start();
    std::size_t written = 0;
    EXPECT_EQ(SSL_write_early_data(ssl.get(), "early", 5, &written), 1);
    pump();
    ASSERT_TRUE(server_tls->established()) << text_of(server_tls->failure());
    EXPECT_EQ(SSL_get_early_data_status(ssl.get()), SSL_EARLY_DATA_REJECTED);
    say("late");
    EXPECT_EQ(server->received(), "late");
}

TEST_F(TlsResumption, shares_no_keys_with_the_session_before) {
    std::string before;
    for (const bool resumed : {false, true, true}) {
        EXPECT_EQ(resumes(), resumed);
        std::string exported(32, '\0');
        const std::string_view label = "EXPORTER-Channel-Binding";
        SSL_export_keying_material(ssl.get(), reinterpret_cast<unsigned char*>(exported.data()),
                                   exported.size(), label.data(), label.size(), nullptr, 0, 0);
        EXPECT_EQ(*server_tls->channel_binding(ChannelBinding::tls_exporter), exported);
        EXPECT_NE(exported, std::exchange(before, exported));
        EXPECT_NE(SSL_get0_peer_certificate(ssl.get()), nullptr);
    }
}

// A secret that leaked decrypts nothing: every resumption agrees on fresh keys (psk_dhe_ke).
TEST_F(TlsResumption, agrees_on_fresh_keys) {
    EXPECT_FALSE(resumes());
    EXPECT_TRUE(resumes());
    EXPECT_NE(SSL_get_negotiated_group(ssl.get()), 0);
}

TEST_F(TlsResumption, verifies_a_client_certificate_anew_each_time) {
    server_options.request_client_certificate = true;
    server_options.client_ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    const std::string path = test::file_with(
        "client.pem", std::string(test::kClientPem) + std::string(test::kClientKeyPem));
    SSL_CTX_use_certificate_file(context.get(), path.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), path.c_str(), SSL_FILETYPE_PEM);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (int round = 0; round < 2; ++round) {
            EXPECT_FALSE(resumes(version));
            ASSERT_TRUE(server_tls->peer_certificate());
            EXPECT_TRUE(server_tls->peer_certificate()->verified);
            EXPECT_EQ(server_tls->peer_certificate()->common_name, "Juliet Capulet");
        }
}

TEST_F(TlsResumption, of_clients_without_a_certificate_needs_none) {
    server_options.request_client_certificate = true;
    server_options.client_ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    EXPECT_FALSE(resumes());
    EXPECT_TRUE(resumes());
    EXPECT_FALSE(server_tls->peer_certificate());
}

TEST_F(TlsResumption, is_done_by_our_client) {
    client_options.verify = TlsVerify::chain_and_name;
    client_options.ca_file =
        test::file_with("authority.pem", server_options.identity.certificate_chain_pem);
    connect();
    EXPECT_EQ(client_tls->session(), nullptr);
    run();
    std::unique_ptr<TlsSession> kept = client_tls->session();
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(server_tls->session(), nullptr);
    for (int round = 0; round < 2; ++round) {
        connect_and_run("default.example", std::move(kept));
        EXPECT_TRUE(server_tls->info().resumed);
        EXPECT_TRUE(client_tls->info().resumed);
        EXPECT_TRUE(client_tls->peer_certificate()->verified);
        for (const auto type : {ChannelBinding::tls_exporter, ChannelBinding::tls_server_end_point,
                                ChannelBinding::first_finished}) {
            EXPECT_TRUE(server_tls->has_channel_binding(type));
            EXPECT_EQ(*client_tls->channel_binding(type), *server_tls->channel_binding(type));
        }
        client->send("from the client");
        run();
        EXPECT_EQ(server->received(), "from the client");
        kept = client_tls->session();
        ASSERT_NE(kept, nullptr);
    }
    server_context = TlsServerContext::create(server_options).value();
    connect_and_run("default.example", std::move(kept));
    EXPECT_FALSE(client_tls->info().resumed);
}

TEST_F(TlsResumption, is_possible_when_the_connection_was_lost) {
    connect_and_run();
    server->stream().close();
    run();
    std::unique_ptr<TlsSession> kept = client_tls->session();
    ASSERT_NE(kept, nullptr);
    connect_and_run("default.example", std::move(kept));
    EXPECT_TRUE(client_tls->info().resumed);
}

TEST_F(TlsResumption, is_left_off_without_tickets) {
    server_options.session_tickets = 0;
    connect_and_run();
    EXPECT_EQ(client_tls->session(), nullptr);
}

}  // namespace
}  // namespace reactor
