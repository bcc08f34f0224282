// The three primitives of SCRAM over OpenSSL, which stays out of the headers. Internal to xmpp.
#pragma once

#include "xmpp/sasl/scram_keys.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace xmpp::sasl {

std::string digest(ScramHash hash, std::string_view data);
std::string hmac(ScramHash hash, std::string_view key, std::string_view data);
std::string pbkdf2(ScramHash hash, std::string_view password, std::string_view salt,
                   std::uint32_t iterations);
/// Byte by byte; both of the same length.
std::string exclusive_or(std::string left, std::string_view right);
/// Overwrites the bytes, so that a password does not stay in freed memory.
void wipe(std::string& secret) noexcept;

}  // namespace xmpp::sasl
