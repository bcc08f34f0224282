#include "server/config/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "reactor/base/check.h"
#include "server/config/notation.h"
#include "server/config/registry.h"

namespace server {
namespace {

std::string list_text(const auto& elements) {
    std::string text = "[";
    for (const auto& element : elements)
        text += (text.size() > 1 ? ", " : "") + quote_toml(element);
    return text + "]";
}

std::string host_text(const HostConfig& host) {
    return fmt::format("{{certificate = {}, private_key = {}}}", quote_toml(host.certificate),
                       quote_toml(host.private_key));
}

const HostConfig* find_host(const Config& config, std::string_view name) {
    const auto found = std::ranges::find(config.hosts(), name, &HostConfig::name);
    return found == config.hosts().end() ? nullptr : &*found;
}

}  // namespace

Config::Config() : hosts_{{.name = "localhost", .certificate = {}, .private_key = {}}} {}

const Config::Value* Config::find(std::uint32_t hash, std::string_view name) const {
    if (slots_.empty()) return nullptr;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t index = hash & mask; !slots_[index].name.empty(); index = (index + 1) & mask)
        if (slots_[index].hash == hash && slots_[index].name == name) return &slots_[index].value;
    return nullptr;
}

std::int64_t Config::number(const KeyBase& key) const {
    const Value* value = find(key.hash, key.name);
    return value ? std::get<std::int64_t>(*value) : key.number;
}

std::string_view Config::text(const KeyBase& key) const {
    const Value* value = find(key.hash, key.name);
    return value ? std::string_view(std::get<std::string>(*value)) : key.text;
}

std::vector<std::string_view> Config::get(const StringListKey& key) const {
    const Value* value = find(key.hash, key.name);
    if (!value) return {key.names.begin(), key.names.end()};
    const auto& elements = std::get<std::vector<std::string>>(*value);
    return {elements.begin(), elements.end()};
}

void Config::put(std::string_view name, Value value) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    const std::uint32_t hash = KeyBase::hash_of(name);
    const std::size_t mask = slots_.size() - 1;
    std::size_t index = hash & mask;
    while (!slots_[index].name.empty() && slots_[index].name != name)
        index = (index + 1) & mask;
    if (slots_[index].name.empty()) ++used_;
    slots_[index] = {.hash = hash, .name = std::string(name), .value = std::move(value)};
}

void Config::grow() {
    std::vector<Slot> old = std::exchange(slots_, {});
    slots_.resize(std::max<std::size_t>(16, old.size() * 2));
    used_ = 0;
    for (Slot& slot : old)
        if (!slot.name.empty()) put(slot.name, std::move(slot.value));
}

Config Config::with_number(const KeyBase& key, std::int64_t value) const {
    CHECK(key.min <= value && value <= key.max);
    Config copy = *this;
    copy.put(key.name, value);
    return copy;
}

Config Config::with(const IntegerKey& key, std::int64_t value) const {
    return with_number(key, value);
}
Config Config::with(const BoolKey& key, bool value) const {
    return with_number(key, value ? 1 : 0);
}
Config Config::with(const DurationKey& key, base::Duration value) const {
    return with_number(key, value.count());
}
Config Config::with(const SizeKey& key, std::size_t value) const {
    return with_number(key, static_cast<std::int64_t>(value));
}

Config Config::with(const StringKey& key, std::string value) const {
    CHECK(!key.check || key.check(value).empty());
    Config copy = *this;
    copy.put(key.name, std::move(value));
    return copy;
}

Config Config::with(const PathKey& key, std::string value) const {
    Config copy = *this;
    copy.put(key.name, std::move(value));
    return copy;
}

Config Config::with(const StringListKey& key, std::vector<std::string> value) const {
    Config copy = *this;
    copy.put(key.name, std::move(value));
    return copy;
}

Config Config::with_hosts(std::vector<HostConfig> hosts) const {
    CHECK(!hosts.empty());
    Config copy = *this;
    copy.hosts_ = std::move(hosts);
    return copy;
}

std::string Config::value_text(const KeySpec& spec) const {
    const Value* value = find(KeyBase::hash_of(spec.name), spec.name);
    if (!value) return default_text(spec);
    if (const auto* elements = std::get_if<std::vector<std::string>>(value))
        return list_text(*elements);
    KeySpec copy = spec;  // With the value in the place of the default.
    if (const auto* number = std::get_if<std::int64_t>(value)) copy.number = *number;
    if (const auto* text = std::get_if<std::string>(value)) copy.text = *text;
    return default_text(copy);
}

std::string ConfigProblem::to_string() const {
    std::string text = file;
    if (line > 0) text += fmt::format(":{}:{}", line, column);
    if (!key.empty()) text += fmt::format(": {}", key);
    text += fmt::format(": {}", what);
    if (!mend.empty()) text += fmt::format("; {}", mend);
    return text;
}

std::vector<ConfigChange> diff(const Config& before, const Config& after,
                               const KeyRegistry& registry) {
    std::vector<ConfigChange> changes;
    for (const KeySpec& spec : registry.keys()) {
        std::string old_text = before.value_text(spec);
        std::string new_text = after.value_text(spec);
        if (old_text != new_text)
            changes.push_back({std::string(spec.name), std::move(old_text), std::move(new_text),
                               spec.reload == Reload::restart});
    }
    for (const HostConfig& host : before.hosts()) {
        const HostConfig* now = find_host(after, host.name);
        const std::string key = fmt::format("host {}", quote_toml(host.name));
        if (!now)
            changes.push_back({key, host_text(host), "", true});
        else if (*now != host)
            changes.push_back({key, host_text(host), host_text(*now), false});
    }
    for (const HostConfig& host : after.hosts())
        if (!find_host(before, host.name))
            changes.push_back(
                {fmt::format("host {}", quote_toml(host.name)), "", host_text(host), true});
    return changes;
}

}  // namespace server
