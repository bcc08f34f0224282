// ConfigBuilder: how the loader fills a Config. Private to server/config/.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "server/config/config.h"

namespace server {

class ConfigBuilder {
public:
    /// The value has been validated against the key's spec.
    void set(std::string_view name, Config::Value value) { config_.put(name, std::move(value)); }
    void set_hosts(std::vector<HostConfig> hosts) { config_.hosts_ = std::move(hosts); }
    const Config& config() const { return config_; }
    Config build() && { return std::move(config_); }

private:
    Config config_;
};

}  // namespace server
