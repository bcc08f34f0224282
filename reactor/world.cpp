#include "reactor/world.h"

#include "reactor/base/bytes.h"

namespace reactor {

// RFC 4648 §5 without padding: token(12) is 16 characters.
std::string Entropy::token(std::size_t bytes) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string random(bytes, '\0');
    secure(std::as_writable_bytes(std::span(random)));
    std::string text;
    text.reserve((bytes * 4 + 2) / 3);
    std::uint32_t bits = 0;
    int count = 0;
    for (const char byte : random) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6)
            text.push_back(kAlphabet[bits >> (count - 6) & 63]);
        bits &= (1u << count) - 1;
    }
    if (count > 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
    return text;
}

}  // namespace reactor
