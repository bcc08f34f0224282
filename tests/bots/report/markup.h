// Text made fit for XHTML. Everything that is not markup of ours goes through here: software names,
// error conditions and settings are strangers' text.
#pragma once

#include <string>
#include <string_view>

namespace bots {

/// For element content and attribute values in either quotes. What XML cannot hold (control
/// characters, invalid UTF-8) and overrides of the writing direction become U+FFFD; past 2,000
/// characters the text is cut with "…".
std::string escape_markup(std::string_view text);

}  // namespace bots
