// What text looks like (Unicode Technical Standard #39): strings of equal skeletons can be taken
// for one another, such as a Latin and a Cyrillic "a". For comparing nicks, never for display.
#pragma once

#include <string>
#include <string_view>

namespace xmpp {

/// Of UTF-8 text; the text itself when it has none (it is not UTF-8).
std::string visual_skeleton(std::string_view text);

/// Only ASCII: what looks alike in it ("l" and "1") people are used to.
bool is_ascii(std::string_view text) noexcept;

}  // namespace xmpp
