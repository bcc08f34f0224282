// Lists of texts for a database column, each with its length in front, so that nothing in them need
// be escaped: "5:hello2:42".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace server {

void append_netstring(std::string& out, std::string_view text);
void append_netstring(std::string& out, std::int64_t number);

/// Reads what append_netstring wrote; after a mistake everything is empty and `failed`.
class NetstringReader {
public:
    explicit NetstringReader(std::string_view text) : rest_(text) {}

    std::string_view text();
    std::int64_t number();
    bool failed() const { return failed_; }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace server
