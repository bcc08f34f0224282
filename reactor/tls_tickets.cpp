#include "reactor/tls_tickets.h"

#include "reactor/tls_openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>

namespace reactor {
namespace {

using base::Errc;
using base::fail;
using base::Result;

// Contexts know the tickets they use by this slot.
int context_slot() {
    static const int slot = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return slot;
}

std::string all_certificates(const TlsServerOptions& options) {
    std::string all = options.identity.certificate_chain_pem;
    for (const auto& [host, identity] : options.hosts)
        all += host + '\0' + identity.certificate_chain_pem + '\0';
    return all;
}

// Three keys of one secret, told apart by their purpose.
bool derive_part(std::string_view secret, std::string_view purpose, std::string_view certificates,
                 std::span<unsigned char> into) {
    std::string subject(purpose);
    subject += '\0';
    subject += certificates;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const bool done = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                           reinterpret_cast<const unsigned char*>(subject.data()), subject.size(),
                           digest.data(), &size) != nullptr &&
                      size >= into.size();
    if (done) std::copy_n(digest.begin(), into.size(), into.begin());
    OPENSSL_cleanse(digest.data(), digest.size());
    return done;
}

bool start_mac(EVP_MAC_CTX* mac, std::span<const unsigned char> key) {
    char digest[] = "SHA256";
    // OpenSSL's parameters have no const; it writes to none of them.
    const std::array<OSSL_PARAM, 3> parameters{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                          const_cast<unsigned char*>(key.data()), key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

}  // namespace

Result<std::unique_ptr<const TlsTickets>> TlsTickets::create(const TlsServerOptions& options) {
    ERR_clear_error();
    EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    std::unique_ptr<TlsTickets> made(new TlsTickets(cipher, options.ticket_lifetime));
    std::string own(kTicketSecretBytes, '\0');
    if (cipher == nullptr || context_slot() < 0 ||
        RAND_priv_bytes(reinterpret_cast<unsigned char*>(own.data()),
                        static_cast<int>(own.size())) != 1)
        return fail(Errc::internal, "cannot set up tickets: " + take_openssl_error("OpenSSL"));
    const std::string certificates = all_certificates(options);
    for (const std::string& secret : options.ticket_secrets) {
        if (secret.size() < kTicketSecretBytes)
            return fail(Errc::invalid_argument, "a ticket secret is too short");
        made->keys_.push_back(TRY(derive(secret, certificates)));
    }
    made->keys_.push_back(TRY(derive(own, certificates)));
    OPENSSL_cleanse(own.data(), own.size());
    return made;
}

TlsTickets::~TlsTickets() {
    for (Key& key : keys_)
        OPENSSL_cleanse(&key, sizeof key);
    EVP_CIPHER_free(cipher_);
}

Result<TlsTickets::Key> TlsTickets::derive(std::string_view secret, std::string_view certificates) {
    Key key{};
    if (derive_part(secret, "ticket name", certificates, key.name) &&
        derive_part(secret, "ticket encryption", certificates, key.encryption) &&
        derive_part(secret, "ticket authentication", certificates, key.authentication))
        return key;
    return fail(Errc::internal, "cannot derive keys: " + take_openssl_error("OpenSSL"));
}

bool TlsTickets::use_in(SSL_CTX* context) const {
    SSL_CTX_set_timeout(context,
                        std::chrono::duration_cast<std::chrono::seconds>(lifetime_).count());
    return SSL_CTX_set_ex_data(context, context_slot(), const_cast<TlsTickets*>(this)) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 &&
           SSL_CTX_set_session_ticket_cb(context, nullptr, on_decrypted, nullptr) == 1;
}

// Before TLS 1.3 a ticket is the key to all that was said; on no account may its own outlive this.
std::span<const TlsTickets::Key> TlsTickets::keys_of(const SSL* ssl) const {
    const std::span<const Key> all(keys_);
    return SSL_version(ssl) >= TLS1_3_VERSION ? all : all.last(1);
}

// SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 done, 0 no such key, -1 broken.
int TlsTickets::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int encrypting) {
    const auto& tickets =
        *static_cast<const TlsTickets*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_slot()));
    const std::span<const Key> keys = tickets.keys_of(ssl);
    if (encrypting == 1) {
        const Key& key = keys.front();
        const int iv_size = EVP_CIPHER_get_iv_length(tickets.cipher_);
        std::ranges::copy(key.name, name);
        const bool ready =
            RAND_bytes(iv, iv_size) == 1 &&
            EVP_EncryptInit_ex2(cipher, tickets.cipher_, key.encryption.data(), iv, nullptr) == 1 &&
            start_mac(mac, key.authentication);
        return ready ? 1 : -1;
    }
    const auto key = std::ranges::find_if(keys, [name](const Key& one) {
        return std::equal(one.name.begin(), one.name.end(), name);
    });
    if (key == keys.end()) return 0;
    const bool ready =
        EVP_DecryptInit_ex2(cipher, tickets.cipher_, key->encryption.data(), iv, nullptr) == 1 &&
        start_mac(mac, key->authentication);
    return ready ? 1 : -1;
}

// Who showed a certificate shows it again: that it was good yesterday, for those whom the server
// trusted then, says nothing.
SSL_TICKET_RETURN TlsTickets::on_decrypted(SSL*, SSL_SESSION* session, const unsigned char*,
                                           std::size_t, SSL_TICKET_STATUS status, void*) {
    const bool is_good = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (!is_good || SSL_SESSION_get0_peer(session) != nullptr)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace reactor
