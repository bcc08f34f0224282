#include "tests/bots/run/message_text.h"

#include <string_view>

namespace bots {

std::string message_text(std::size_t bytes) {
    constexpr std::string_view kTalk =
        "Are you coming tonight? We meet at eight in front of the station and walk from there; "
        "bring a jacket, it gets cold by the river. ";
    std::string text;
    text.reserve(bytes);
    while (text.size() < bytes)
        text += kTalk.substr(0, bytes - text.size());
    if (!text.empty() && text.back() == ' ') text.back() = '.';
    return text;
}

}  // namespace bots
