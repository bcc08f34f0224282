#include "tests/bots/workload/settings.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "server/config/notation.h"
#include "tests/bots/workload/workload.h"

#include <fmt/format.h>
#include <algorithm>
#include <optional>
#include <vector>

namespace bots {
namespace {

using server::KeySpec;
using server::KeyType;

std::optional<std::int64_t> read_word(const KeySpec& key, std::string_view written) {
    switch (key.type) {
        case KeyType::integer:
            return base::parse_integer(written);
        case KeyType::boolean:
            if (written == "true") return 1;
            if (written == "false") return 0;
            return std::nullopt;
        case KeyType::duration: {
            const auto duration = server::parse_duration(written);
            if (!duration) return std::nullopt;
            return duration->count();
        }
        case KeyType::size:
            return server::parse_size(written);
        case KeyType::choice: {
            const auto found = std::ranges::find(key.choices, written);
            if (found == key.choices.end()) return std::nullopt;
            return found - key.choices.begin();
        }
        default:
            return std::nullopt;
    }
}

std::string word_of(const KeySpec& key, std::int64_t number) {
    switch (key.type) {
        case KeyType::boolean:
            return number != 0 ? "true" : "false";
        case KeyType::duration:
            return server::format_duration(base::Duration(number));
        case KeyType::size:
            return server::format_size(number);
        case KeyType::choice:
            return std::string(key.choices[static_cast<std::size_t>(number)]);
        default:
            return fmt::format("{}", number);
    }
}

}  // namespace

Settings::Settings(const WorkloadSpec& spec) : spec_(&spec) {}

const KeySpec* Settings::find(std::string_view key) const {
    const auto found = std::ranges::find(spec_->keys, key, &KeySpec::name);
    return found == spec_->keys.end() ? nullptr : *found;
}

std::int64_t Settings::number(const KeySpec& key) const {
    const KeySpec* own = find(key.name);  // Its default may be another than the caller's.
    CHECK(own && own->type == key.type);
    const auto found = numbers_.find(key.name);
    return found == numbers_.end() ? own->number : found->second;
}

base::Failure Settings::unknown_key(std::string_view key) const {
    std::vector<std::string_view> names;
    for (const KeySpec* each : spec_->keys)
        names.push_back(each->name);
    const auto nearest = base::nearest_name(key, names);
    const std::string mend =
        nearest ? fmt::format("did you mean {}?", *nearest)
                : fmt::format("parley-bots workloads --show {} lists what there is", spec_->name);
    return {base::Errc::invalid_argument,
            fmt::format("{}: the workload {} has no such key; {}", key, spec_->name, mend)};
}

base::Result<void> Settings::put(const KeySpec& key, std::int64_t number,
                                 std::string_view written) {
    if (number < key.min || number > key.max)
        return base::fail(
            base::Errc::invalid_argument,
            fmt::format("{}: {} is {} the allowed range; give {}", key.name, written,
                        number < key.min ? "below" : "above", server::describe_range(key)));
    numbers_[key.name] = number;
    return {};
}

base::Result<void> Settings::set(std::string_view key, std::string_view written) {
    const KeySpec* spec = find(key);
    if (!spec) return std::unexpected(unknown_key(key));
    const auto number = read_word(*spec, written);
    if (!number)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("{}: \"{}\" will not do; give {}", key, written,
                                      server::describe_range(*spec)));
    return put(*spec, *number, written);
}

base::Result<void> Settings::set_number(std::string_view key, std::int64_t number) {
    const KeySpec* spec = find(key);
    if (!spec) return std::unexpected(unknown_key(key));
    if (spec->type == KeyType::duration)
        return base::fail(
            base::Errc::invalid_argument,
            fmt::format("{}: {} has no unit; write \"{}s\" for seconds", key, number, number));
    if (spec->type != KeyType::integer && spec->type != KeyType::size)
        return base::fail(
            base::Errc::invalid_argument,
            fmt::format("{}: a number will not do; give {}", key, server::describe_range(*spec)));
    return put(*spec, number, fmt::format("{}", number));
}

std::map<std::string, std::string> Settings::texts() const {
    std::map<std::string, std::string> texts;
    for (const KeySpec* key : spec_->keys)
        texts.emplace(key->name, word_of(*key, number(*key)));
    return texts;
}

std::string Settings::file_text(const KeySpec& key) const {
    const std::int64_t value = number(key);
    const std::string word = word_of(key, value);
    const bool plain = key.type == KeyType::integer || key.type == KeyType::boolean ||
                       (key.type == KeyType::size && base::parse_integer(word));
    return plain ? word : server::quote_toml(word);
}

}  // namespace bots
