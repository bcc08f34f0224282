// KeyRegistry: every key that the file may set, of the core and of all modules. The loader, the
// reference (`parleyd --config-reference`) and the reload diff work from it; there is no other
// list.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/config/keys.h"

namespace server {

class Config;

/// A rule between keys that no single range can state. Answers the key to blame, what is wrong and
/// the mend; nothing when the configuration is fine.
struct RuleViolation {
    std::string key;
    std::string what;
    std::string mend;
};
using ConfigRule = std::optional<RuleViolation> (*)(const Config& config);

struct SectionHelp {
    std::string_view name;
    std::string_view help;
};

class KeyRegistry {
public:
    /// CHECKs that the name is new, that it has at most two parts, and that the default is in
    /// range: keys are code.
    void add(const KeySpec& spec);
    void add(std::span<const ConfigKeyRef> keys);
    /// A heading for the reference; `name` is the part before the dot. Both are literals.
    void describe_section(std::string_view name, std::string_view help);
    void add_rule(ConfigRule rule);

    const KeySpec* find(std::string_view name) const;  ///< Null: no such key.
    bool has_section(std::string_view name) const;
    std::span<const KeySpec> keys() const { return keys_; }  ///< In the order of registration.
    std::span<const std::string_view> sections() const { return sections_; }
    std::span<const ConfigRule> rules() const { return rules_; }
    std::string_view section_help(std::string_view name) const;

    /// The most likely meant key or section, for "did you mean".
    std::optional<std::string_view> nearest_key(std::string_view name) const;
    std::optional<std::string_view> nearest_section(std::string_view name) const;

private:
    std::vector<KeySpec> keys_;
    std::unordered_map<std::string_view, std::size_t> index_;
    std::vector<std::string_view> sections_;
    std::vector<SectionHelp> section_helps_;
    std::vector<ConfigRule> rules_;
};

/// An annotated TOML file with every key: help, type, range, default. Keys are commented out, so
/// that the text, as it is, loads as the default configuration.
std::string config_reference(const KeyRegistry& registry);

}  // namespace server
