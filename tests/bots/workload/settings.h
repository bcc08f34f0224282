// Settings: the values of one workload's keys. Keys are the server's typed ones (server/config/),
// so that a value, its range and its help are stated once, beside the workload that uses it.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "server/config/keys.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace bots {

struct WorkloadSpec;

class Settings {
public:
    /// Every key at its default. `spec` is one of the catalog's: it lives for ever.
    explicit Settings(const WorkloadSpec& spec);

    const WorkloadSpec& spec() const noexcept { return *spec_; }

    // The workload must have the key (CHECKed).
    std::int64_t get(const server::IntegerKey& key) const { return number(key); }
    bool get(const server::BoolKey& key) const { return number(key) != 0; }
    base::Duration get(const server::DurationKey& key) const { return base::Duration(number(key)); }
    std::size_t get(const server::SizeKey& key) const {
        return static_cast<std::size_t>(number(key));
    }
    template <class Enum>
    Enum get(const server::ChoiceKey<Enum>& key) const {
        return static_cast<Enum>(number(key));
    }

    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// `written` as on a command line: 200, 30s, 4KiB, open. Failures: invalid_argument, one line
    /// that names the key, what it may be and, for an unknown key, the nearest right one.
    base::Result<void> set(std::string_view key, std::string_view written);
    /// A value that the loader has taken from a file, as TOML's type: the same failures.
    base::Result<void> set_number(std::string_view key, std::int64_t number);

    /// In the notation of the command line, by key: for the result.
    std::map<std::string, std::string> texts() const;
    /// The value in the notation of the file: 200, "30s", "open".
    std::string file_text(const server::KeySpec& key) const;

    /// The spec of a key, or null.
    const server::KeySpec* find(std::string_view key) const;
    /// "the workload chat has no key \"rat\"; did you mean rate?"
    base::Failure unknown_key(std::string_view key) const;

private:
    std::int64_t number(const server::KeySpec& key) const;
    base::Result<void> put(const server::KeySpec& key, std::int64_t number,
                           std::string_view written);

    const WorkloadSpec* spec_;
    std::map<std::string_view, std::int64_t> numbers_;  // Set ones; the others are defaults.
};

}  // namespace bots
