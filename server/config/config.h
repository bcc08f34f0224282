// Config: one immutable snapshot of all settings, and the loader that makes it from a TOML file.
// A snapshot holds only what the file sets; everything else answers the key's own default, so that
// `Config{}` is the complete default configuration (and handy in tests).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "server/config/keys.h"

namespace server {

class KeyRegistry;

/// One `[[host]]` table: a domain that this server serves.
struct HostConfig {
    std::string name;         ///< Prepared domain (lower case, U-labels), as in JIDs.
    std::string certificate;  ///< PEM chain; empty: tls.certificate, or a generated one.
    std::string private_key;  ///< PEM key that belongs to it.

    friend bool operator==(const HostConfig&, const HostConfig&) = default;
};

/// An immutable value: copy or move it, read it from any thread. `get` costs a few nanoseconds.
/// Views that it returns are valid as long as this Config (or for ever, when they are defaults).
class Config {
public:
    using Value = std::variant<std::int64_t, std::string, std::vector<std::string>>;

    Config();  ///< Every key at its default; one host: localhost.

    std::int64_t get(const IntegerKey& key) const { return number(key); }
    bool get(const BoolKey& key) const { return number(key) != 0; }
    base::Duration get(const DurationKey& key) const { return base::Duration(number(key)); }
    std::size_t get(const SizeKey& key) const { return static_cast<std::size_t>(number(key)); }
    std::string_view get(const StringKey& key) const { return text(key); }
    std::string_view get(const PathKey& key) const { return text(key); }
    std::vector<std::string_view> get(const StringListKey& key) const;
    template <class Enum>
    Enum get(const ChoiceKey<Enum>& key) const {
        return static_cast<Enum>(number(key));
    }

    /// Never empty.
    const std::vector<HostConfig>& hosts() const noexcept { return hosts_; }
    /// Whether the file sets the key (even to its default).
    bool is_set(const KeyBase& key) const { return find(key.hash, key.name) != nullptr; }

    /// A copy with one value changed: for tests and for command line overrides. The value must be
    /// in range (CHECKed): input comes through the loader.
    [[nodiscard]] Config with(const IntegerKey& key, std::int64_t value) const;
    [[nodiscard]] Config with(const BoolKey& key, bool value) const;
    [[nodiscard]] Config with(const DurationKey& key, base::Duration value) const;
    [[nodiscard]] Config with(const SizeKey& key, std::size_t value) const;
    [[nodiscard]] Config with(const StringKey& key, std::string value) const;
    [[nodiscard]] Config with(const PathKey& key, std::string value) const;
    [[nodiscard]] Config with(const StringListKey& key, std::vector<std::string> value) const;
    template <class Enum>
    [[nodiscard]] Config with(const ChoiceKey<Enum>& key, Enum value) const {
        return with_number(key, static_cast<std::int64_t>(value));
    }
    [[nodiscard]] Config with_hosts(std::vector<HostConfig> hosts) const;

    /// The value of any key in the notation of the file ("30s", "[\"a\", \"b\"]").
    std::string value_text(const KeySpec& spec) const;

private:
    friend class ConfigBuilder;  // The loader's way in (config_builder.h).

    struct Slot {
        std::uint32_t hash = 0;
        std::string name;  // Empty: a free slot.
        Value value;
    };

    const Value* find(std::uint32_t hash, std::string_view name) const;
    std::int64_t number(const KeyBase& key) const;
    std::string_view text(const KeyBase& key) const;
    Config with_number(const KeyBase& key, std::int64_t value) const;
    void put(std::string_view name, Value value);
    void grow();

    // Open addressing, at most half full; the size is a power of two or zero.
    std::vector<Slot> slots_;
    std::size_t used_ = 0;
    std::vector<HostConfig> hosts_;
};

/// One thing wrong with a configuration file, for a person to mend.
struct ConfigProblem {
    std::string file;
    std::uint32_t line = 0;    ///< From 1; 0 when the problem has no place (file not readable).
    std::uint32_t column = 0;  ///< From 1.
    std::string key;           ///< "c2s.stanza_bytes_max"; empty for syntax errors.
    std::string what;          ///< "5 is below the least allowed value"
    std::string mend;          ///< "give a size from 10000 to 64MiB"

    /// "parley.toml:12:1: c2s.depth_max: 0 is below …; give a number from 4 to 10000"
    std::string to_string() const;
};

template <class T>
using ConfigResult = base::Result<T, std::vector<ConfigProblem>>;

/// Reads the file whole (at most 1 MiB) and parses it. All problems are reported, not just the
/// first.
ConfigResult<Config> load_config(const std::string& path, const KeyRegistry& registry);

/// Parses `text`; `file` names it in problems and its folder is the base of relative paths.
ConfigResult<Config> parse_config(std::string_view text, std::string_view file,
                                  const KeyRegistry& registry);

struct ConfigChange {
    std::string key;
    std::string before;  ///< In the notation of the file.
    std::string after;
    bool needs_restart = false;
};

/// What a reload from `before` to `after` changes, by registered key and host, in registry order.
std::vector<ConfigChange> diff(const Config& before, const Config& after,
                               const KeyRegistry& registry);

}  // namespace server
