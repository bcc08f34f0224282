// The configuration loader: any text gives a configuration or problems that can be shown; a
// configuration that loads holds values in range, which survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/config/config.h"
#include "server/config/core_keys.h"
#include "server/config/registry.h"

namespace {

server::KeyRegistry make_registry() {
    server::KeyRegistry registry;
    server::register_core_keys(registry);
    return registry;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const server::KeyRegistry registry = make_registry();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = server::parse_config(text, "fuzz.toml", registry);
    if (!config) {
        if (config.error().empty()) std::abort();
        for (const auto& problem : config.error())
            if (problem.to_string().find('\n') != std::string::npos) std::abort();
        return 0;
    }
    std::string written;
    for (const server::KeySpec& key : registry.keys())
        written += std::string(key.name) + " = " + config->value_text(key) + "\n";
    const auto again = server::parse_config(written, "fuzz.toml", registry);
    if (!again) std::abort();
    for (const server::KeySpec& key : registry.keys()) {
        // Paths become normal ("./x" is "x") when they are read.
        if (key.type == server::KeyType::path) continue;
        if (again->value_text(key) != config->value_text(key)) std::abort();
    }
    return 0;
}
