#include "xmpp/sasl/scram_keys.h"

#include <algorithm>

#include "reactor/base/text.h"
#include "xmpp/sasl/crypto.h"

namespace xmpp::sasl {
namespace {

base::Result<void> check_limits(std::string_view salt, std::uint32_t iterations) {
    if (salt.size() < kSaltBytesMin || salt.size() > kSaltBytesMax)
        return base::fail(base::Errc::invalid_argument, "the salt is too short or too long");
    if (iterations < kIterationsMin || iterations > kIterationsMax)
        return base::fail(base::Errc::invalid_argument, "the iteration count is out of range");
    return {};
}

// RFC 5802 §3: SaltedPassword to StoredKey.
std::string stored_key_of(ScramHash hash, std::string_view salted_password) {
    return digest(hash, hmac(hash, salted_password, "Client Key"));
}

}  // namespace

std::string_view name_of(ScramHash hash) noexcept {
    switch (hash) {
        case ScramHash::sha1:
            return "SHA-1";
        case ScramHash::sha256:
            return "SHA-256";
        case ScramHash::sha512:
            return "SHA-512";
    }
    return {};
}

std::optional<ScramHash> parse_scram_hash(std::string_view name) noexcept {
    for (const ScramHash hash : kScramHashes)
        if (name_of(hash) == name) return hash;
    return std::nullopt;
}

std::size_t digest_bytes(ScramHash hash) noexcept {
    switch (hash) {
        case ScramHash::sha1:
            return 20;
        case ScramHash::sha256:
            return 32;
        case ScramHash::sha512:
            return 64;
    }
    return 0;
}

base::Result<std::string> salt_password(ScramHash hash, std::string_view password,
                                        std::string_view salt, std::uint32_t iterations) {
    TRY(check_limits(salt, iterations));
    std::string prepared = TRY(saslprep(password));
    std::string salted = pbkdf2(hash, prepared, salt, iterations);
    wipe(prepared);
    return salted;
}

base::Result<ScramKeys> derive_keys(ScramHash hash, std::string_view password,
                                    std::string_view salt, std::uint32_t iterations) {
    std::string salted = TRY(salt_password(hash, password, salt, iterations));
    ScramKeys keys{.hash = hash,
                   .salt = std::string(salt),
                   .iterations = iterations,
                   .stored_key = stored_key_of(hash, salted),
                   .server_key = hmac(hash, salted, "Server Key")};
    wipe(salted);
    return keys;
}

bool verify_password(const ScramKeys& keys, std::string_view password) {
    auto prepared = saslprep(password);
    const bool usable = prepared.has_value();
    // An unusable password is salted all the same, so that time does not tell it from a wrong one.
    std::string text = usable ? *std::move(prepared) : std::string("unusable");
    const std::uint32_t iterations = std::clamp(keys.iterations, std::uint32_t{1}, kIterationsMax);
    std::string salted = pbkdf2(keys.hash, text, keys.salt, iterations);
    const bool same = base::equal_constant_time(stored_key_of(keys.hash, salted), keys.stored_key);
    wipe(text);
    wipe(salted);
    return usable && same;
}

ScramKeys fake_keys(ScramHash hash, std::string_view username, std::string_view secret,
                    std::uint32_t iterations) {
    const auto draw = [&](ScramHash with, std::string_view purpose) {
        std::string input(purpose);
        input.append(1, '\0').append(name_of(hash)).append(1, '\0').append(username);
        return hmac(with, secret, input);
    };
    // StoredKey is drawn at random: finding a password for it means inverting the hash.
    return {.hash = hash,
            .salt = draw(ScramHash::sha256, "salt").substr(0, kSaltBytesDefault),
            .iterations = iterations,
            .stored_key = draw(hash, "stored key"),
            .server_key = draw(hash, "server key")};
}

}  // namespace xmpp::sasl
