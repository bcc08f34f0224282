// The annotated reference of all settings; `parleyd --config-reference` prints it.
#include <iterator>

#include <fmt/format.h>

#include "server/config/notation.h"
#include "server/config/registry.h"

namespace server {
namespace {

constexpr std::size_t kColumnsMax = 100;

constexpr std::string_view kPreamble =
    R"(# Every setting of parleyd with its default. Nothing needs to be set to try the server.
#
# A commented key shows its default: remove the "#" in front of it to change it.
# Durations: "250ms" "30s" "5m" "1h30m" "14d". Sizes in bytes: 10000, "256KiB", "1MiB".
# Relative paths count from the folder of this file.
# parleyd --check-config --config FILE finds mistakes. parleyctl reload applies changes; it names
# those that need a restart.

)";

constexpr std::string_view kHostHelp =
    R"(# The domains that this server serves, one [[host]] table each; users are user@name.
# These tables must be the last thing in the file. Without any, the server serves localhost.
# A new or removed host needs a restart; a changed certificate needs a reload only.
#[[host]]
#name = "localhost"
## PEM file with the certificate chain of this host. Default: tls.certificate.
#certificate = "example.org.crt"
## PEM file with its private key. Default: tls.private_key.
#private_key = "example.org.key"
)";

void append_comment(std::string& out, std::string_view text) {
    std::size_t column = 0;
    while (!text.empty()) {
        const std::size_t space = text.find(' ');
        const std::string_view word = text.substr(0, space);
        if (column == 0 || column + 1 + word.size() > kColumnsMax) {
            out += column == 0 ? "##" : "\n##";
            column = 2;
        }
        out += ' ';
        out += word;
        column += 1 + word.size();
        text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    }
    out += '\n';
}

std::string_view section_of(std::string_view name) {
    const auto dot = name.find('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

void append_key(std::string& out, const KeySpec& spec) {
    append_comment(out, spec.help);
    append_comment(out, fmt::format("{}{}.", describe_range(spec),
                                    spec.reload == Reload::restart ? "; needs a restart" : ""));
    const auto dot = spec.name.find('.');
    const std::string_view name = spec.name.substr(dot == std::string_view::npos ? 0 : dot + 1);
    fmt::format_to(std::back_inserter(out), "#{} = {}\n\n", name, default_text(spec));
}

}  // namespace

std::string config_reference(const KeyRegistry& registry) {
    std::string out(kPreamble);
    // Keys without a section come first: after a [section] line they would belong to it.
    for (const KeySpec& spec : registry.keys())
        if (section_of(spec.name).empty()) append_key(out, spec);
    for (const std::string_view section : registry.sections()) {
        const std::string_view help = registry.section_help(section);
        if (!help.empty()) fmt::format_to(std::back_inserter(out), "# {}\n", help);
        fmt::format_to(std::back_inserter(out), "[{}]\n\n", section);
        for (const KeySpec& spec : registry.keys())
            if (section_of(spec.name) == section) append_key(out, spec);
    }
    out += kHostHelp;
    return out;
}

}  // namespace server
