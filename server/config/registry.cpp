#include "server/config/registry.h"

#include <algorithm>

#include "reactor/base/check.h"
#include "reactor/base/text.h"

namespace server {
namespace {

std::string_view section_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

bool has_valid_default(const KeySpec& spec) {
    if (spec.type == KeyType::string_list)
        return std::ranges::all_of(spec.names, [&](std::string_view name) {
            const bool chosen = spec.choices.size() == 0 ||
                                std::ranges::find(spec.choices, name) != spec.choices.end();
            return chosen && (!spec.check || spec.check(name).empty());
        });
    if (spec.type == KeyType::string) return !spec.check || spec.check(spec.text).empty();
    if (spec.type == KeyType::path) return true;
    return spec.min <= spec.number && spec.number <= spec.max;
}

}  // namespace

void KeyRegistry::add(const KeySpec& spec) {
    CHECK(!spec.name.empty() && !spec.help.empty());
    CHECK(std::ranges::count(spec.name, '.') <= 1);
    CHECK(spec.name != "host" && section_of(spec.name) != "host");  // The [[host]] tables.
    CHECK(has_valid_default(spec));
    CHECK(index_.emplace(spec.name, keys_.size()).second);
    keys_.push_back(spec);
    const std::string_view section = section_of(spec.name);
    if (!section.empty() && !has_section(section)) sections_.push_back(section);
}

void KeyRegistry::add(std::span<const ConfigKeyRef> keys) {
    for (const ConfigKeyRef& key : keys)
        add(*key);
}

void KeyRegistry::describe_section(std::string_view name, std::string_view help) {
    section_helps_.push_back({name, help});
}

void KeyRegistry::add_rule(ConfigRule rule) {
    rules_.push_back(rule);
}

const KeySpec* KeyRegistry::find(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &keys_[found->second];
}

bool KeyRegistry::has_section(std::string_view name) const {
    return std::ranges::find(sections_, name) != sections_.end();
}

std::string_view KeyRegistry::section_help(std::string_view name) const {
    const auto found = std::ranges::find(section_helps_, name, &SectionHelp::name);
    return found == section_helps_.end() ? std::string_view() : found->help;
}

std::optional<std::string_view> KeyRegistry::nearest_key(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const KeySpec& key : keys_)
        names.push_back(key.name);
    if (const auto nearest = base::nearest_name(name, names)) return nearest;
    // The right name in the wrong section is a common slip, so compare the last parts too.
    const std::string_view last = name.substr(name.rfind('.') + 1);
    const auto same = std::ranges::find_if(names, [&](std::string_view candidate) {
        return candidate.substr(candidate.rfind('.') + 1) == last;
    });
    if (same == names.end()) return std::nullopt;
    return *same;
}

std::optional<std::string_view> KeyRegistry::nearest_section(std::string_view name) const {
    std::vector<std::string_view> names = sections_;
    names.push_back("host");
    return base::nearest_name(name, names);
}

}  // namespace server
