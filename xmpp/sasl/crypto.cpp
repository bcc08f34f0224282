#include "xmpp/sasl/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "reactor/base/check.h"

namespace xmpp::sasl {
namespace {

const EVP_MD* algorithm(ScramHash hash) {
    switch (hash) {
        case ScramHash::sha1:
            return EVP_sha1();
        case ScramHash::sha256:
            return EVP_sha256();
        case ScramHash::sha512:
            return EVP_sha512();
    }
    CHECK(false);
}

const unsigned char* octets(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

std::string digest(ScramHash hash, std::string_view data) {
    std::string result(digest_bytes(hash), '\0');
    CHECK(EVP_Digest(data.data(), data.size(), octets(result), nullptr, algorithm(hash), nullptr) ==
          1);
    return result;
}

std::string hmac(ScramHash hash, std::string_view key, std::string_view data) {
    std::string result(digest_bytes(hash), '\0');
    unsigned int length = 0;
    CHECK(HMAC(algorithm(hash), key.data(), static_cast<int>(key.size()), octets(data), data.size(),
               octets(result), &length) != nullptr);
    CHECK(length == result.size());
    return result;
}

std::string pbkdf2(ScramHash hash, std::string_view password, std::string_view salt,
                   std::uint32_t iterations) {
    std::string result(digest_bytes(hash), '\0');
    CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), octets(salt),
                            static_cast<int>(salt.size()), static_cast<int>(iterations),
                            algorithm(hash), static_cast<int>(result.size()), octets(result)) == 1);
    return result;
}

std::string exclusive_or(std::string left, std::string_view right) {
    CHECK(left.size() == right.size());
    for (std::size_t i = 0; i < left.size(); ++i)
        left[i] = static_cast<char>(static_cast<unsigned char>(left[i]) ^
                                    static_cast<unsigned char>(right[i]));
    return left;
}

void wipe(std::string& secret) noexcept {
    OPENSSL_cleanse(secret.data(), secret.size());
}

}  // namespace xmpp::sasl
