// For the tests of TLS: a client that OpenSSL drives through memory BIOs, to do what ours does not.
#pragma once

#include "tls_pair.h"

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace reactor::test {

struct OpenSslObjectFree {
    void operator()(SSL* object) const { SSL_free(object); }
    void operator()(SSL_CTX* object) const { SSL_CTX_free(object); }
    void operator()(SSL_SESSION* object) const { SSL_SESSION_free(object); }
};
template <class T>
using OpenSslObject = std::unique_ptr<T, OpenSslObjectFree>;

class TlsForeignClient : public TlsPair {
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

    OpenSslObject<SSL_CTX> context;
    OpenSslObject<SSL_SESSION> session;
    OpenSslObject<SSL> ssl;
    std::unique_ptr<StreamPeer> raw;
    std::string heard;
    int tickets = 0;
};

}  // namespace reactor::test
