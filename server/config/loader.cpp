// The loader: TOML text in, a Config or all problems with their places and mends out. Only syntax
// errors end the search early, since toml++ stops at the first.
// toml++ is used as headers: the packaged library throws. Its assertions fail on some malformed
// input whose error it handles right behind them, so they are off (in a release they would be
// promises to the optimiser, which is worse).
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include <fmt/format.h>

#include "reactor/base/text.h"
#include "server/config/config.h"
#include "server/config/config_builder.h"
#include "server/config/notation.h"
#include "server/config/registry.h"
#include "server/config/syntax_traps.h"
#include "xmpp/core/jid.h"

namespace server {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;
constexpr std::size_t kProblemsMax = 100;
constexpr std::size_t kHostsMax = 1000;
constexpr std::size_t kShownBytesMax = 60;
constexpr std::size_t kLineBytesMax = 300;
constexpr std::string_view kForm = "the file is TOML: key = value lines under [section] lines";
constexpr std::string_view kHostKeys[] = {"name", "certificate", "private_key"};

/// A value as it stands in a problem: quoted and short.
std::string shown(std::string_view text) {
    if (text.size() <= kShownBytesMax) return quote_toml(text);
    std::size_t end = kShownBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;  // UTF-8.
    return quote_toml(std::string(text.substr(0, end)) + "…");
}

/// What comes from the file without quotes (key names, what toml++ quotes): on one line, and short.
std::string one_line(std::string_view text) {
    std::string line(text.substr(0, text.size() > kLineBytesMax ? kLineBytesMax : text.size()));
    while (line.size() < text.size() && !base::is_valid_utf8(line))
        line.pop_back();
    for (char& letter : line)
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = ' ';
    return line.size() < text.size() ? line + "…" : line;
}

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
        case toml::node_type::table:
            return "a table";
        case toml::node_type::array:
            return "a list";
        case toml::node_type::string:
            return "a text";
        case toml::node_type::integer:
            return "a number";
        case toml::node_type::floating_point:
            return "a number with a fraction";
        case toml::node_type::boolean:
            return "true or false";
        default:
            return "a date or time";
    }
}

bool has_control_character(std::string_view text) {
    return std::ranges::any_of(text, [](char letter) {
        const auto code = static_cast<unsigned char>(letter);
        return code < 0x20 || code == 0x7f;
    });
}

std::string did_you_mean(std::optional<std::string_view> nearest) {
    if (nearest) return fmt::format("did you mean {}?", *nearest);
    return "parleyd --config-reference lists what there is";
}

class Loader {
public:
    Loader(std::string_view file, const KeyRegistry& registry)
        : file_(file), folder_(std::filesystem::path(file).parent_path()), registry_(registry) {}

    ConfigResult<Config> load(std::string_view text);

private:
    void visit_root(const toml::table& root);
    void visit_section(std::string_view section, const toml::table& table);
    void visit_value(const KeySpec& spec, const toml::node& node);
    void unknown_section(std::string_view name, const toml::key& key);
    void visit_number(const KeySpec& spec, const toml::node& node, std::string_view written,
                      std::optional<std::int64_t> number);
    void visit_duration(const KeySpec& spec, const toml::node& node);
    void visit_size(const KeySpec& spec, const toml::node& node);
    void visit_choice(const KeySpec& spec, const toml::node& node);
    void visit_text(const KeySpec& spec, const toml::node& node);
    void visit_list(const KeySpec& spec, const toml::node& node);
    bool accept_element(const KeySpec& spec, const toml::node& node, std::string_view element);
    void visit_hosts(const toml::node& node);
    void visit_host(const toml::table& table);
    /// Empty when it is missing; nothing when a problem was reported.
    std::optional<std::string> host_field(const toml::table& table, std::string_view field);
    void check_rules();

    std::string resolve(std::string_view path) const;
    void wrong_type(const KeySpec& spec, const toml::node& node);
    void problem(const toml::source_region& place, std::string_view key, std::string_view what,
                 std::string mend);

    std::string file_;
    std::filesystem::path folder_;
    const KeyRegistry& registry_;
    ConfigBuilder builder_;
    std::vector<HostConfig> hosts_;
    std::unordered_map<std::string, toml::source_region> places_;
    std::vector<ConfigProblem> problems_;
};

ConfigResult<Config> Loader::load(std::string_view text) {
    if (const auto trap = find_syntax_trap(text)) {
        const toml::source_position place{trap->line, trap->column};
        problem({place, place, nullptr}, "", std::string(trap->what), std::string(kForm));
        return std::unexpected(std::move(problems_));
    }
    const toml::parse_result parsed = toml::parse(text, file_);
    if (!parsed) {
        const toml::parse_error& error = parsed.error();
        problem(error.source(), "", std::string(error.description()), std::string(kForm));
        return std::unexpected(std::move(problems_));
    }
    visit_root(parsed.table());
    if (problems_.empty()) check_rules();
    if (!problems_.empty()) {
        std::ranges::stable_sort(problems_, {}, [](const ConfigProblem& found) {
            return std::pair(found.line, found.column);
        });
        return std::unexpected(std::move(problems_));
    }
    if (!hosts_.empty()) builder_.set_hosts(std::move(hosts_));
    return std::move(builder_).build();
}

void Loader::visit_root(const toml::table& root) {
    for (const auto& [key, node] : root) {
        const std::string_view name = key.str();
        if (name == "host") {
            visit_hosts(node);
        } else if (const KeySpec* spec = registry_.find(name);
                   spec && name.find('.') == std::string_view::npos) {
            visit_value(*spec, node);
        } else if (const toml::table* table = node.as_table()) {
            if (registry_.has_section(name))
                visit_section(name, *table);
            else
                unknown_section(name, key);
        } else if (node.is_array_of_tables()) {
            unknown_section(name, key);
        } else if (registry_.has_section(name)) {
            problem(key.source(), name, "it is a section, not a key",
                    fmt::format("write [{}] on a line of its own and the keys below it", name));
        } else {
            problem(key.source(), name, "there is no such key",
                    did_you_mean(registry_.nearest_key(name)));
        }
    }
}

void Loader::unknown_section(std::string_view name, const toml::key& key) {
    const auto nearest = registry_.nearest_section(name);
    problem(key.source(), name, "there is no such section",
            did_you_mean(nearest ? std::optional<std::string_view>(*nearest == "host" ? "[[host]]"
                                                                                      : *nearest)
                                 : std::nullopt));
}

void Loader::visit_section(std::string_view section, const toml::table& table) {
    for (const auto& [key, node] : table) {
        const std::string name = fmt::format("{}.{}", section, key.str());
        const bool dotted = key.str().find('.') != std::string_view::npos;
        if (const KeySpec* spec = dotted ? nullptr : registry_.find(name))
            visit_value(*spec, node);
        else
            problem(key.source(), name, "there is no such key",
                    did_you_mean(registry_.nearest_key(name)));
    }
}

void Loader::visit_value(const KeySpec& spec, const toml::node& node) {
    places_.emplace(spec.name, node.source());
    switch (spec.type) {
        case KeyType::integer:
            if (const auto* number = node.as_integer())
                return visit_number(spec, node, fmt::format("{}", number->get()), number->get());
            return wrong_type(spec, node);
        case KeyType::boolean:
            if (const auto* flag = node.as_boolean())
                return builder_.set(spec.name, std::int64_t{flag->get() ? 1 : 0});
            return wrong_type(spec, node);
        case KeyType::duration:
            return visit_duration(spec, node);
        case KeyType::size:
            return visit_size(spec, node);
        case KeyType::choice:
            return visit_choice(spec, node);
        case KeyType::string:
        case KeyType::path:
            return visit_text(spec, node);
        case KeyType::string_list:
            return visit_list(spec, node);
    }
}

void Loader::visit_number(const KeySpec& spec, const toml::node& node, std::string_view written,
                          std::optional<std::int64_t> number) {
    if (number && spec.min <= *number && *number <= spec.max)
        return builder_.set(spec.name, *number);
    std::string what = fmt::format("{} is not of the form that is needed", written);
    if (number)
        what = fmt::format("{} is {} the allowed range", written,
                           *number < spec.min ? "below" : "above");
    problem(node.source(), spec.name, what, "give " + describe_range(spec));
}

void Loader::visit_duration(const KeySpec& spec, const toml::node& node) {
    if (const auto* text = node.as_string()) {
        const auto parsed = parse_duration(text->get());
        return visit_number(spec, node, shown(text->get()),
                            parsed ? std::optional<std::int64_t>(parsed->count()) : std::nullopt);
    }
    if (const auto* number = node.as_integer())
        return problem(node.source(), spec.name, fmt::format("{} has no unit", number->get()),
                       fmt::format("write \"{}s\" for seconds", number->get()));
    wrong_type(spec, node);
}

void Loader::visit_size(const KeySpec& spec, const toml::node& node) {
    if (const auto* text = node.as_string())
        return visit_number(spec, node, shown(text->get()), parse_size(text->get()));
    if (const auto* number = node.as_integer())
        return visit_number(spec, node, fmt::format("{}", number->get()), number->get());
    wrong_type(spec, node);
}

void Loader::visit_choice(const KeySpec& spec, const toml::node& node) {
    const auto* text = node.as_string();
    if (!text) return wrong_type(spec, node);
    const auto found = std::ranges::find(spec.choices, text->get());
    if (found != spec.choices.end())
        return builder_.set(spec.name, std::int64_t{found - spec.choices.begin()});
    problem(node.source(), spec.name, fmt::format("{} is not a choice", shown(text->get())),
            "give " + describe_range(spec));
}

void Loader::visit_text(const KeySpec& spec, const toml::node& node) {
    const auto* text = node.as_string();
    if (!text) return wrong_type(spec, node);
    const std::string& value = text->get();
    if (has_control_character(value))
        return problem(node.source(), spec.name, "it has a control character in it",
                       "write it on one line, without \\n, \\t and the like");
    if (spec.check && !spec.check(value).empty())
        return problem(node.source(), spec.name,
                       fmt::format("{} is not what is needed", shown(value)),
                       fmt::format("give {}", spec.check(value)));
    builder_.set(spec.name, spec.type == KeyType::path ? resolve(value) : value);
}

void Loader::visit_list(const KeySpec& spec, const toml::node& node) {
    if (const auto* text = node.as_string())
        return problem(node.source(), spec.name, "it is a text, but must be a list",
                       fmt::format("put it in brackets: [{}]", shown(text->get())));
    const auto* array = node.as_array();
    if (!array) return wrong_type(spec, node);
    if (array->size() > StringListKey::kElementsMax)
        return problem(node.source(), spec.name, fmt::format("it has {} elements", array->size()),
                       fmt::format("give at most {}", StringListKey::kElementsMax));
    std::vector<std::string> elements;
    for (const toml::node& element : *array) {
        const auto* text = element.as_string();
        if (!text) {
            wrong_type(spec, element);
        } else if (std::ranges::find(elements, text->get()) != elements.end()) {
            problem(element.source(), spec.name,
                    fmt::format("{} is listed twice", shown(text->get())), "remove one of them");
        } else if (accept_element(spec, element, text->get())) {
            elements.push_back(text->get());
        }
    }
    builder_.set(spec.name, std::move(elements));
}

bool Loader::accept_element(const KeySpec& spec, const toml::node& node, std::string_view element) {
    if (has_control_character(element)) {
        problem(node.source(), spec.name, "it has a control character in it",
                "write it on one line, without \\n, \\t and the like");
        return false;
    }
    if (spec.choices.size() > 0 && std::ranges::find(spec.choices, element) == spec.choices.end()) {
        const auto nearest =
            base::nearest_name(element, std::span(spec.choices.begin(), spec.choices.size()));
        problem(node.source(), spec.name, fmt::format("{} is not known here", shown(element)),
                nearest ? did_you_mean(nearest) : "give " + describe_range(spec));
        return false;
    }
    const std::string_view wanted = spec.check ? spec.check(element) : std::string_view();
    if (wanted.empty()) return true;
    problem(node.source(), spec.name, fmt::format("{} is not what is needed", shown(element)),
            fmt::format("give {}", wanted));
    return false;
}

void Loader::visit_hosts(const toml::node& node) {
    const auto* array = node.as_array();
    if (!array || array->empty() || !array->is_array_of_tables())
        return problem(node.source(), "host", "it is not a list of tables",
                       "write [[host]] with two brackets and name = \"…\" below it, once a host");
    if (array->size() > kHostsMax)
        return problem(node.source(), "host", fmt::format("there are {} hosts", array->size()),
                       fmt::format("serve at most {} from one server", kHostsMax));
    for (const toml::node& element : *array)
        visit_host(*element.as_table());
}

void Loader::visit_host(const toml::table& table) {
    for (const auto& [key, node] : table) {
        if (std::ranges::find(kHostKeys, key.str()) != std::end(kHostKeys)) continue;
        problem(key.source(), fmt::format("host.{}", key.str()), "there is no such key",
                did_you_mean(base::nearest_name(key.str(), kHostKeys)));
    }
    const auto written = host_field(table, "name");
    const auto certificate = host_field(table, "certificate");
    const auto private_key = host_field(table, "private_key");
    if (!written || !certificate || !private_key) return;
    if (!table.contains("name"))
        return problem(table.source(), "host.name", "this host has no name",
                       "add name = \"example.org\"");
    const toml::source_region& place = table.get("name")->source();
    const auto prepared = xmpp::Jid::parse(*written);
    if (!prepared || !prepared->is_domain())
        return problem(place, "host.name", fmt::format("{} is not a domain name", shown(*written)),
                       "give the part after the @ of your users' addresses");
    HostConfig host{.name = prepared->text(),
                    .certificate = resolve(*certificate),
                    .private_key = resolve(*private_key)};
    if (std::ranges::find(hosts_, host.name, &HostConfig::name) != hosts_.end())
        return problem(place, "host.name", fmt::format("{} is there twice", shown(*written)),
                       "remove one of the two [[host]] tables");
    if (host.certificate.empty() != host.private_key.empty())
        return problem(
            place, "host.name",
            fmt::format("host {} has only one of certificate and private_key", shown(*written)),
            "give both or none");
    hosts_.push_back(std::move(host));
}

std::optional<std::string> Loader::host_field(const toml::table& table, std::string_view field) {
    const toml::node* node = table.get(field);
    if (!node) return "";
    const std::string key = fmt::format("host.{}", field);
    const auto* text = node->as_string();
    if (text && !has_control_character(text->get())) return text->get();
    problem(node->source(), key,
            text ? "it has a control character in it"
                 : fmt::format("it is {}, but must be a text", type_name(*node)),
            "give a text in quotes");
    return std::nullopt;
}

void Loader::check_rules() {
    for (const ConfigRule rule : registry_.rules()) {
        auto violation = rule(builder_.config());
        if (!violation) continue;
        const auto place = places_.find(violation->key);
        problem(place == places_.end() ? toml::source_region{} : place->second, violation->key,
                violation->what, std::move(violation->mend));
    }
}

std::string Loader::resolve(std::string_view path) const {
    if (path.empty()) return {};
    return (folder_ / path).lexically_normal().string();
}

void Loader::wrong_type(const KeySpec& spec, const toml::node& node) {
    std::string mend = "give " + describe_range(spec);
    const bool plain = spec.type == KeyType::integer || spec.type == KeyType::boolean;
    if (plain && node.is_string()) mend += ", without quotes";
    problem(node.source(), spec.name, fmt::format("{} stands here", type_name(node)),
            std::move(mend));
}

void Loader::problem(const toml::source_region& place, std::string_view key, std::string_view what,
                     std::string mend) {
    if (problems_.size() == kProblemsMax) return;
    problems_.push_back({.file = file_,
                         .line = place.begin.line,
                         .column = place.begin.column,
                         .key = one_line(key),
                         .what = one_line(what),
                         .mend = std::move(mend)});
}

std::unexpected<std::vector<ConfigProblem>> unreadable(const std::string& path, std::string what,
                                                       std::string mend) {
    ConfigProblem problem;
    problem.file = path;
    problem.what = std::move(what);
    problem.mend = std::move(mend);
    return std::unexpected(std::vector{std::move(problem)});
}

}  // namespace

ConfigResult<Config> parse_config(std::string_view text, std::string_view file,
                                  const KeyRegistry& registry) {
    return Loader(file, registry).load(text);
}

ConfigResult<Config> load_config(const std::string& path, const KeyRegistry& registry) {
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    std::string text(kFileBytesMax + 1, '\0');
    if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad())
        return unreadable(path, fmt::format("cannot be read: {}", std::strerror(errno)),
                          "check the path and that the user of the server may read it");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kFileBytesMax)
        return unreadable(path, "is larger than 1 MiB", "a configuration has a few hundred lines");
    return parse_config(text, path, registry);
}

}  // namespace server
