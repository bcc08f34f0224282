// parleyd: the server's command line. Everything it does is in server/app/.
#include "reactor/tls_memory.h"
#include "server/app/application.h"
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

server::KeyRegistry make_registry(const std::vector<server::modules::ModuleDescriptor>& catalog) {
    server::KeyRegistry registry;
    server::register_core_keys(registry);
    for (const auto& module : catalog)
        registry.add(module.config);
    return registry;
}

void print_xeps(const std::vector<server::modules::ModuleDescriptor>& catalog) {
    for (const std::string& line : server::modules::xep_table(catalog))
        fmt::print("{}\n", line);
}

int load(const std::string& path, const server::KeyRegistry& registry, server::Config& config) {
    if (path.empty()) return EXIT_SUCCESS;
    auto loaded = server::load_config(path, registry);
    if (loaded) {
        config = std::move(*loaded);
        return EXIT_SUCCESS;
    }
    for (const server::ConfigProblem& problem : loaded.error())
        fmt::print(stderr, "parleyd: {}\n", problem.to_string());
    return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
    reactor::stock_tls_buffers();
    CLI::App app{
        "Parley, an XMPP chat server.\n\n"
        "Without options it serves the domain localhost from ./parley-data, made on first start.\n"
        "Signals: HUP reads the configuration and certificates again, TERM and INT stop."};
    app.set_version_flag("--version", "parleyd " PARLEY_VERSION);
    std::string config_path;
    bool check = false;
    bool reference = false;
    bool xeps = false;
    bool quiet = false;
    app.add_option("-c,--config", config_path, "Configuration file (TOML)")->type_name("FILE");
    app.add_flag("--check-config", check, "Check the configuration, say what is wrong, and exit");
    app.add_flag("--config-reference", reference,
                 "Print a configuration file with every setting explained, and exit");
    app.add_flag("--list-xeps", xeps, "Print the specifications that are implemented, and exit");
    app.add_flag("-q,--quiet", quiet, "Do not print how to connect");
    app.footer(
        "Examples:\n"
        "  parleyd                                try it out on this machine\n"
        "  parleyd --config-reference > parley.toml\n"
        "  parleyd --check-config --config parley.toml\n"
        "  parleyd --config parley.toml");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? EXIT_SUCCESS : kExitUsage;
    }

    const auto catalog = server::modules::catalog();
    const server::KeyRegistry registry = make_registry(catalog);
    if (reference) {
        fmt::print("{}", server::config_reference(registry));
        return EXIT_SUCCESS;
    }
    if (xeps) {
        print_xeps(catalog);
        return EXIT_SUCCESS;
    }
    server::Config config;
    if (const int failed = load(config_path, registry, config); failed != EXIT_SUCCESS)
        return failed;
    if (check) {
        fmt::print("{} is fine\n",
                   config_path.empty() ? "the built-in configuration" : config_path);
        return EXIT_SUCCESS;
    }
    const bool under_supervision = std::getenv("NOTIFY_SOCKET") != nullptr;
    server::Application server({.config_path = config_path,
                                .config = std::move(config),
                                .registry = &registry,
                                .welcome = !quiet && !under_supervision});
    if (auto served = server.run(); !served) {
        fmt::print(stderr, "parleyd: {}\n",
                   served.error().detail().empty() ? served.error().message()
                                                   : std::string(served.error().detail()));
        return kExitFailure;
    }
    return EXIT_SUCCESS;
}
