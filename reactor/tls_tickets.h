// TlsTickets: the keys that a server's tickets are enciphered with (RFC 5077 §4, RFC 8446 §4.6.1),
// and which tickets are taken. A ticket holds the session, so that the server keeps nothing.
//
// Keys depend on the certificates as well: who resumes is shown none, and would go on binding
// channels (RFC 5929 §4) to one that the server does not have any more. Private to tls*.cpp.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/tls.h"

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

class TlsTickets {
public:
    /// Errors: invalid_argument (a secret that is too short), internal (OpenSSL).
    static base::Result<std::unique_ptr<const TlsTickets>> create(const TlsServerOptions& options);
    TlsTickets(const TlsTickets&) = delete;
    TlsTickets& operator=(const TlsTickets&) = delete;
    ~TlsTickets();

    /// `context` issues and takes tickets by this, which it must not outlive.
    bool use_in(SSL_CTX* context) const;

private:
    struct Key {
        std::array<unsigned char, 16> name;
        std::array<unsigned char, 32> encryption;
        std::array<unsigned char, 32> authentication;
    };

    TlsTickets(EVP_CIPHER* cipher, base::Duration lifetime)
        : cipher_(cipher), lifetime_(lifetime) {}

    static base::Result<Key> derive(std::string_view secret, std::string_view certificates);
    static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int encrypting);
    static SSL_TICKET_RETURN on_decrypted(SSL* ssl, SSL_SESSION* session, const unsigned char* name,
                                          std::size_t name_size, SSL_TICKET_STATUS status, void*);
    std::span<const Key> keys_of(const SSL* ssl) const;

    EVP_CIPHER* cipher_;
    base::Duration lifetime_;
    std::vector<Key> keys_;  // The last is of this object alone, and all that TLS 1.2 has.
};

}  // namespace reactor
