// What a server keeps of a password for SCRAM (RFC 5802 §3, RFC 7677): salt, iteration count,
// StoredKey and ServerKey. The password itself cannot be had back from them, and they do not
// suffice to log in. Pure functions; the ones that run PBKDF2 are slow on purpose and belong in the
// pool.
#pragma once

#include "reactor/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp::sasl {

enum class ScramHash : std::uint8_t { sha1, sha256, sha512 };
inline constexpr ScramHash kScramHashes[] = {ScramHash::sha1, ScramHash::sha256, ScramHash::sha512};

inline constexpr std::size_t kPasswordBytesMax = 1024;  ///< Before and after preparation.
inline constexpr std::size_t kSaltBytesMin = 8;
inline constexpr std::size_t kSaltBytesMax = 256;
inline constexpr std::size_t kSaltBytesDefault = 16;   ///< What to draw for a new password.
inline constexpr std::uint32_t kIterationsMin = 4096;  ///< RFC 5802 §5.1, RFC 7677 §4.
inline constexpr std::uint32_t kIterationsMax = 10'000'000;
inline constexpr std::uint32_t kIterationsDefault = 10'000;

/// "SHA-1", "SHA-256", "SHA-512": as in the mechanism's name; also what the store may keep.
std::string_view name_of(ScramHash hash) noexcept;
std::optional<ScramHash> parse_scram_hash(std::string_view name) noexcept;
std::size_t digest_bytes(ScramHash hash) noexcept;  ///< 20, 32, 64.

/// One hash's credentials of one account. All byte strings are raw, not base64.
struct ScramKeys {
    ScramHash hash = ScramHash::sha256;
    std::string salt{};
    std::uint32_t iterations = 0;
    std::string stored_key{};  ///< H(ClientKey), digest_bytes(hash) long.
    std::string server_key{};  ///< HMAC(SaltedPassword, "Server Key"), digest_bytes(hash) long.

    friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

/// SASLprep (RFC 4013), with code points that Unicode assigned after version 3.2 let through as in
/// RFC 8265 §4.2 (OpaqueString). ASCII without control characters is returned unchanged.
/// Errors: invalid_argument when empty, over-long, not UTF-8, or with a forbidden character.
base::Result<std::string> saslprep(std::string_view password);

/// SaltedPassword := PBKDF2-HMAC(hash, prepared password, salt, iterations). Slow: run in the pool.
/// Errors: invalid_argument when the password, salt or count is outside the limits above.
base::Result<std::string> salt_password(ScramHash hash, std::string_view password,
                                        std::string_view salt, std::uint32_t iterations);

/// The keys to store for a new password. Slow: run in the pool. Errors as salt_password().
base::Result<ScramKeys> derive_keys(ScramHash hash, std::string_view password,
                                    std::string_view salt, std::uint32_t iterations);

/// Whether `password` is the one `keys` were derived from. Slow (one PBKDF2): run in the pool. The
/// time depends on the iteration count only. A password outside the limits costs the same and is
/// wrong.
bool verify_password(const ScramKeys& keys, std::string_view password);

/// Keys for an account that does not exist: deterministic in (secret, username, hash), so that
/// asking twice shows the same salt, with keys that no password matches. For a PLAIN login of an
/// unknown user run verify_password() with these, so that it takes the same time. Fast. `secret`:
/// at least 16 random bytes, kept for the life of the host's accounts.
ScramKeys fake_keys(ScramHash hash, std::string_view username, std::string_view secret,
                    std::uint32_t iterations);

}  // namespace xmpp::sasl
