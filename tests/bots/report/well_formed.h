// For tests: is a page what an XML parser takes?
#pragma once

#include <string>

namespace bots {

/// Empty when `page` is well-formed and refers to nothing outside itself; else what is wrong.
std::string complaint_about(const std::string& page);

}  // namespace bots
