// A TLS client that OpenSSL drives through memory BIOs, for what our own client does not do: resume
// sessions, update keys, renegotiate, bind channels by its own reckoning.
#include "tls_pair.h"

#include <openssl/ssl.h>

namespace reactor {
namespace {

using base::Errc;
using test::StreamPeer;

struct Free {
    void operator()(SSL* object) const { SSL_free(object); }
    void operator()(SSL_CTX* object) const { SSL_CTX_free(object); }
    void operator()(SSL_SESSION* object) const { SSL_SESSION_free(object); }
};
template <class T>
using Ptr = std::unique_ptr<T, Free>;

class TlsForeignClient : public test::TlsPair {
protected:
    TlsForeignClient() : context(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_session_cache_mode(context.get(),
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
        SSL_CTX_set_ex_data(context.get(), 0, this);
        SSL_CTX_sess_set_new_cb(context.get(), [](SSL* of, SSL_SESSION* fresh) {
            auto* self =
                static_cast<TlsForeignClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(of), 0));
            self->session.reset(fresh);
            ++self->tickets;
            return 1;
        });
    }
    ~TlsForeignClient() override { ssl.reset(); }

    void start(int version = TLS1_3_VERSION) {
        SSL_CTX_set_max_proto_version(context.get(), version);
        raw = std::make_unique<StreamPeer>(raw_client());
        // OpenSSL does not resume a session whose connection ended without a close.
        if (ssl) SSL_set_shutdown(ssl.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        ssl.reset(SSL_new(context.get()));
        SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl.get());
        if (session) SSL_set_session(ssl.get(), session.get());
    }
    /// Carries bytes between OpenSSL and the server until nothing moves.
    void pump() {
        for (int i = 0; i < 20; ++i) {
            if (SSL_in_init(ssl.get()) == 1) SSL_do_handshake(ssl.get());
            std::array<char, 20'000> bytes{};
            int count = SSL_read(ssl.get(), bytes.data(), bytes.size());
            if (count > 0) heard.append(bytes.data(), static_cast<std::size_t>(count));
            count = BIO_read(SSL_get_wbio(ssl.get()), bytes.data(), bytes.size());
            if (count > 0) raw->send({bytes.data(), static_cast<std::size_t>(count)});
            ASSERT_TRUE(sim.run_ready());
            const std::string in = raw->take();
            BIO_write(SSL_get_rbio(ssl.get()), in.data(), static_cast<int>(in.size()));
        }
    }
    void start_and_pump(int version = TLS1_3_VERSION) {
        start(version);
        pump();
        ASSERT_TRUE(server_tls->established()) << text_of(server_tls->failure());
    }
    void say(std::string_view text) {
        SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
        pump();
    }

    Ptr<SSL_CTX> context;
    Ptr<SSL_SESSION> session;
    Ptr<SSL> ssl;
    std::unique_ptr<StreamPeer> raw;
    std::string heard;
    int tickets = 0;
};

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
        say("resumed");
        EXPECT_EQ(server->received(), "resumed");
    }
}

TEST_F(TlsForeignClient, keeps_the_client_certificate_and_its_verdict_over_a_resumption) {
    server_options.request_client_certificate = true;
    server_options.client_ca_file = test::file_with("authority.pem", test::kAuthorityPem);
    const std::string path = test::file_with(
        "client.pem", std::string(test::kClientPem) + std::string(test::kClientKeyPem));
    SSL_CTX_use_certificate_file(context.get(), path.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context.get(), path.c_str(), SSL_FILETYPE_PEM);
    start_and_pump();
    ASSERT_TRUE(server_tls->peer_certificate());
    start_and_pump();
    ASSERT_TRUE(server_tls->info().resumed);
    ASSERT_TRUE(server_tls->peer_certificate());
    EXPECT_TRUE(server_tls->peer_certificate()->verified);
    EXPECT_EQ(server_tls->peer_certificate()->common_name, "Juliet Capulet");
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
    for (const auto type : {ChannelBinding::tls_exporter, ChannelBinding::tls_unique})
        EXPECT_TRUE(server_tls->channel_binding(type).error().is(Errc::unsupported));
    EXPECT_TRUE(server_tls->channel_binding(ChannelBinding::tls_server_end_point));
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
