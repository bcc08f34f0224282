// What the bots say: text of a given size that looks like chat.
#pragma once

#include <cstddef>
#include <string>

namespace bots {

/// Exactly `bytes` bytes of ASCII that need no escaping.
std::string message_text(std::size_t bytes);

}  // namespace bots
