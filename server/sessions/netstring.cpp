#include "server/sessions/netstring.h"

#include "reactor/base/text.h"

namespace server {

void append_netstring(std::string& out, std::string_view text) {
    out += std::to_string(text.size());
    out += ':';
    out += text;
}

void append_netstring(std::string& out, std::int64_t number) {
    append_netstring(out, std::string_view(std::to_string(number)));
}

std::string_view NetstringReader::text() {
    const std::size_t colon = rest_.find(':');
    const auto length = base::parse_integer(rest_.substr(0, colon));
    if (colon == std::string_view::npos || !length || *length < 0 ||
        static_cast<std::uint64_t>(*length) > rest_.size() - colon - 1) {
        failed_ = true;
        rest_ = {};
        return {};
    }
    const std::string_view value = rest_.substr(colon + 1, static_cast<std::size_t>(*length));
    rest_.remove_prefix(colon + 1 + value.size());
    return value;
}

std::int64_t NetstringReader::number() {
    const auto value = base::parse_integer(text());
    if (!value) failed_ = true;
    return value.value_or(0);
}

}  // namespace server
