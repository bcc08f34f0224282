// Typed configuration keys. One constexpr object carries everything there is to say about a
// setting: its name in the file, type, default, range or choices, help, and whether a reload
// applies it. Core keys live in core_keys.h; a module declares its own beside its code and lists
// them in its descriptor (`.config = {kJidsMax}`: each key converts to the KeySpec that the
// registry collects).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string_view>

#include "reactor/base/clock.h"

namespace server {

enum class KeyType : std::uint8_t {
    integer,
    boolean,
    string,
    path,  ///< Relative to the folder of the configuration file.
    string_list,
    duration,  ///< "30s", "5m", "1h30m", "250ms", "14d"
    size,      ///< "256KiB", "10000", "1MiB"
    choice,
};

/// What it takes for a changed value to apply.
enum class Reload : std::uint8_t {
    live,     ///< SIGHUP or `parleyctl reload`.
    restart,  ///< Only a restart of the server.
};

/// A list of literals that is itself a literal, so that keys can be constexpr.
class NameList {
public:
    static constexpr std::size_t kCountMax = 12;

    constexpr NameList() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): keys read as `{"a", "b"}`.
    constexpr NameList(std::initializer_list<std::string_view> names) {
        for (const std::string_view name : names)
            names_.at(count_++) = name;
    }
    constexpr const std::string_view* begin() const { return names_.data(); }
    constexpr const std::string_view* end() const { return names_.data() + count_; }
    constexpr std::size_t size() const { return count_; }
    constexpr std::string_view operator[](std::size_t index) const { return names_[index]; }

private:
    std::array<std::string_view, kCountMax> names_{};
    std::size_t count_ = 0;
};

/// Extra validation of a string, or of each string of a list: empty when it is fine, else what the
/// value must be ("a numeric IPv4 or IPv6 address").
using TextCheck = std::string_view (*)(std::string_view value);

/// The type-erased form of a key. Numbers hold integers, booleans (0/1), durations (nanoseconds),
/// sizes (bytes) and the index of a choice. The texts are literals and live for ever.
struct KeySpec {
    std::string_view name;
    KeyType type = KeyType::integer;
    std::string_view help;
    Reload reload = Reload::live;
    std::int64_t number = 0;  ///< Default of the numeric types and of choices.
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::string_view text;  ///< Default of string and path.
    NameList names;         ///< Default of string_list.
    NameList choices;       ///< Of choice; of string_list when the elements are restricted.
    TextCheck check = nullptr;
};

/// A key in a module's list (`.config = {kJidsMax}`). Keys are constants of static storage, so a
/// reference to one is always valid; temporaries are refused.
class ConfigKeyRef {
public:
    constexpr ConfigKeyRef(const KeySpec& key)
        : key_(&key) {}  // NOLINT(google-explicit-constructor)
    ConfigKeyRef(KeySpec&&) = delete;
    constexpr const KeySpec& operator*() const { return *key_; }
    constexpr const KeySpec* operator->() const { return key_; }

private:
    const KeySpec* key_;
};

/// What all keys share; `hash` is computed by the compiler so that Config::get is one probe.
struct KeyBase : KeySpec {
    std::uint32_t hash = 0;

    static constexpr std::uint32_t hash_of(std::string_view name) {
        std::uint32_t value = 2166136261U;  // FNV-1a
        for (const char letter : name)
            value = (value ^ static_cast<unsigned char>(letter)) * 16777619U;
        return value;
    }

protected:
    constexpr KeyBase(std::string_view key_name, KeyType key_type, std::string_view key_help,
                      Reload key_reload)
        : hash(hash_of(key_name)) {
        name = key_name;
        type = key_type;
        help = key_help;
        reload = key_reload;
    }
};

struct IntegerKey : KeyBase {
    constexpr IntegerKey(std::string_view key_name, std::int64_t standard, std::int64_t least,
                         std::int64_t most, std::string_view key_help,
                         Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::integer, key_help, key_reload) {
        number = standard;
        min = least;
        max = most;
    }
};

struct BoolKey : KeyBase {
    constexpr BoolKey(std::string_view key_name, bool standard, std::string_view key_help,
                      Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::boolean, key_help, key_reload) {
        number = standard ? 1 : 0;
        max = 1;
    }
};

/// The empty string stands for "not set" unless the check refuses it.
struct StringKey : KeyBase {
    constexpr StringKey(std::string_view key_name, std::string_view standard,
                        std::string_view key_help, Reload key_reload = Reload::live,
                        TextCheck text_check = nullptr)
        : KeyBase(key_name, KeyType::string, key_help, key_reload) {
        text = standard;
        check = text_check;
    }
};

/// A file or folder. A relative one in the file counts from that file's folder; a relative default
/// from the working directory. Empty: not set.
struct PathKey : KeyBase {
    constexpr PathKey(std::string_view key_name, std::string_view standard,
                      std::string_view key_help, Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::path, key_help, key_reload) {
        text = standard;
    }
};

struct StringListKey : KeyBase {
    /// The most elements that a list in the file may have.
    static constexpr std::size_t kElementsMax = 256;

    constexpr StringListKey(std::string_view key_name, NameList standard, std::string_view key_help,
                            Reload key_reload = Reload::live, NameList element_choices = {},
                            TextCheck text_check = nullptr)
        : KeyBase(key_name, KeyType::string_list, key_help, key_reload) {
        names = standard;
        choices = element_choices;
        check = text_check;
    }
};

struct DurationKey : KeyBase {
    constexpr DurationKey(std::string_view key_name, base::Duration standard, base::Duration least,
                          base::Duration most, std::string_view key_help,
                          Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::duration, key_help, key_reload) {
        number = standard.count();
        min = least.count();
        max = most.count();
    }
};

struct SizeKey : KeyBase {
    constexpr SizeKey(std::string_view key_name, std::size_t standard, std::size_t least,
                      std::size_t most, std::string_view key_help, Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::size, key_help, key_reload) {
        number = static_cast<std::int64_t>(standard);
        min = static_cast<std::int64_t>(least);
        max = static_cast<std::int64_t>(most);
    }
};

/// One of a few words. `Enum` has the values 0, 1, 2 … in the order of the words.
template <class Enum>
struct ChoiceKey : KeyBase {
    constexpr ChoiceKey(std::string_view key_name, Enum standard, NameList words,
                        std::string_view key_help, Reload key_reload = Reload::live)
        : KeyBase(key_name, KeyType::choice, key_help, key_reload) {
        number = static_cast<std::int64_t>(standard);
        max = static_cast<std::int64_t>(words.size()) - 1;
        choices = words;
    }
};

}  // namespace server
