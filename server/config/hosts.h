// Hosts: the virtual hosts this server answers for. Immutable; a reload builds a new one.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace server {

class Hosts {
public:
    /// Names are prepared domain names (xmpp::Jid::parse(name)->domain()).
    explicit Hosts(std::vector<std::string> names) : names_(std::move(names)) {
        std::ranges::sort(names_);
    }
    bool contains(std::string_view domain) const {
        return std::ranges::binary_search(names_, domain, {},
                                          [](const std::string& n) { return std::string_view(n); });
    }
    const std::vector<std::string>& names() const { return names_; }

private:
    std::vector<std::string> names_;
};

}  // namespace server
