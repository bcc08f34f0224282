// toml++ is used as server/config/loader.cpp uses it: as headers, without exceptions and without
// assertions that fail on input whose error it handles right behind them.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "tests/bots/workload/definition.h"

#include "reactor/base/text.h"
#include "server/config/notation.h"
#include "server/config/syntax_traps.h"
#include "tests/bots/workload/catalog.h"

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

namespace bots {
namespace {

constexpr std::string_view kWorkloadKey = "workload";
constexpr std::size_t kShownBytesMax = 60;
constexpr std::size_t kColumnsMax = 96;

/// What stood in the file, on one line and short.
std::string shown(std::string_view text) {
    std::string line(text.substr(0, kShownBytesMax));
    while (!base::is_valid_utf8(line) && !line.empty())
        line.pop_back();
    for (char& letter : line)
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = ' ';
    return line.size() < text.size() ? line + "…" : line;
}

std::string names_of_workloads() {
    std::string names;
    for (const WorkloadSpec& spec : workload_catalog())
        names += (names.empty() ? "" : ", ") + std::string(spec.name);
    return names;
}

std::string no_such_workload(std::string_view name) {
    std::vector<std::string_view> names;
    for (const WorkloadSpec& spec : workload_catalog())
        names.push_back(spec.name);
    if (const auto nearest = base::nearest_name(name, names))
        return fmt::format("there is no workload \"{}\"; did you mean {}?", shown(name), *nearest);
    return fmt::format("there is no workload \"{}\"; there are {}", shown(name),
                       names_of_workloads());
}

class Loader {
public:
    explicit Loader(std::string_view file) : file_(file) {}

    base::Result<Settings> load(std::string_view text);

private:
    base::Failure problem(std::uint32_t line, std::string_view what) const {
        return {base::Errc::invalid_argument, line > 0 ? fmt::format("{}:{}: {}", file_, line, what)
                                                       : fmt::format("{}: {}", file_, what)};
    }
    base::Result<const WorkloadSpec*> workload_of(const toml::table& table) const;
    static base::Result<void> take(Settings& settings, std::string_view key,
                                   const toml::node& node);

    std::string_view file_;
};

base::Result<const WorkloadSpec*> Loader::workload_of(const toml::table& table) const {
    const toml::node* node = table.get(kWorkloadKey);
    if (!node)
        return std::unexpected(problem(
            0, fmt::format("it does not say which workload it is; write workload = \"chat\", or {}",
                           names_of_workloads())));
    const auto* name = node->as_string();
    if (!name)
        return std::unexpected(
            problem(node->source().begin.line,
                    fmt::format("workload: give a name: {}", names_of_workloads())));
    const WorkloadSpec* spec = find_workload(name->get());
    if (!spec)
        return std::unexpected(
            problem(node->source().begin.line, "workload: " + no_such_workload(name->get())));
    return spec;
}

base::Result<void> Loader::take(Settings& settings, std::string_view key, const toml::node& node) {
    const server::KeySpec* spec = settings.find(key);
    if (!spec) return std::unexpected(settings.unknown_key(shown(key)));
    if (const auto* number = node.as_integer()) return settings.set_number(key, number->get());
    const bool wants_flag = spec->type == server::KeyType::boolean;
    if (const auto* flag = node.as_boolean(); flag && wants_flag)
        return settings.set(key, flag->get() ? "true" : "false");
    const bool wants_text = !wants_flag && spec->type != server::KeyType::integer;
    if (const auto* text = node.as_string(); text && wants_text)
        return settings.set(key, shown(text->get()));
    return base::fail(
        base::Errc::invalid_argument,
        fmt::format("{}: that is of the wrong type; give {}", key, server::describe_range(*spec)));
}

base::Result<Settings> Loader::load(std::string_view text) {
    if (text.size() > kDefinitionBytesMax)
        return std::unexpected(
            problem(0, fmt::format("it has more than {} bytes", kDefinitionBytesMax)));
    if (const auto trap = server::find_syntax_trap(text))
        return std::unexpected(problem(trap->line, trap->what));
    const toml::parse_result parsed = toml::parse(text, file_);
    if (!parsed)
        return std::unexpected(
            problem(parsed.error().source().begin.line, shown(parsed.error().description())));
    const WorkloadSpec* spec = TRY(workload_of(parsed.table()));

    Settings settings(*spec);
    // toml++ sorts by name; people mend a file from the top.
    std::vector<std::pair<std::uint32_t, base::Failure>> problems;
    for (const auto& [key, node] : parsed.table()) {
        if (key.str() == kWorkloadKey) continue;
        if (auto taken = take(settings, key.str(), node); !taken)
            problems.emplace_back(key.source().begin.line, taken.error());
    }
    if (problems.empty()) return settings;
    const auto& first =
        *std::ranges::min_element(problems, {}, [](const auto& each) { return each.first; });
    return std::unexpected(problem(first.first, first.second.detail()));
}

void append_comment(std::string& out, std::string_view text) {
    std::size_t column = 0;
    while (!text.empty()) {
        const std::size_t space = text.find(' ');
        const std::string_view word = text.substr(0, space);
        if (column == 0 || column + 1 + word.size() > kColumnsMax) {
            out += column == 0 ? "#" : "\n#";
            column = 1;
        }
        out += ' ';
        out += word;
        column += 1 + word.size();
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    out += '\n';
}

}  // namespace

base::Result<Settings> parse_definition(std::string_view text, std::string_view file) {
    return Loader(file).load(text);
}

base::Result<Settings> load_definition(const std::string& name_or_path) {
    if (const WorkloadSpec* spec = find_workload(name_or_path)) return Settings(*spec);
    const bool is_path =
        name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".toml");
    if (!is_path)
        return base::fail(base::Errc::not_found,
                          no_such_workload(name_or_path) + " (a file's name ends in .toml)");
    std::ifstream file(name_or_path, std::ios::binary);
    std::string text(kDefinitionBytesMax + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.eof() && !file)
        return base::fail(base::Errc::io_error,
                          fmt::format("cannot read {}: {}", name_or_path, std::strerror(errno)));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return parse_definition(text, name_or_path);
}

std::string show_definition(const Settings& settings) {
    const WorkloadSpec& spec = settings.spec();
    std::string out;
    append_comment(out, fmt::format("{}: {}.", spec.name, spec.summary));
    out += "#\n";
    append_comment(out, spec.help);
    out += "#\n# Save this as a file, change what you like, and run it:\n";
    out += fmt::format("#   parley-bots workloads --show {0} > {0}.toml\n", spec.name);
    out += fmt::format("#   parley-bots run {}.toml\n\n", spec.name);
    out += fmt::format("{} = {}\n", kWorkloadKey, server::quote_toml(spec.name));
    for (const server::KeySpec* key : spec.keys) {
        out += '\n';
        append_comment(out, key->help);
        append_comment(out, server::describe_range(*key) + ".");
        out += fmt::format("{} = {}\n", key->name, settings.file_text(*key));
    }
    return out;
}

}  // namespace bots
