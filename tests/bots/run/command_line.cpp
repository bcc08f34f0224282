#include "tests/bots/run/command_line.h"

#include "tests/bots/report/compare.h"
#include "tests/bots/report/result_json.h"
#include "tests/bots/run/runner.h"
#include "tests/bots/workload/catalog.h"
#include "tests/bots/workload/common_keys.h"
#include "tests/bots/workload/definition.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <optional>

namespace bots {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  parley-bots run chat\n"
    "      100 users write 1,000 messages a second at the server on this machine, for 30 s\n"
    "  parley-bots run chat --users 2000 --rate 2000 --duration 30s\n"
    "  parley-bots run idle --users 10000 --pid $(pidof parleyd)\n"
    "      what an online user costs the server in memory\n"
    "  parley-bots run chat --window 4 --security none\n"
    "      closed loop: as fast as the server can\n"
    "  parley-bots run chat --server chat.example.org --domain example.org \\\n"
    "      --user-pattern load{n} --password SECRET --accounts existing\n"
    "  parley-bots run chat --domain localhost \\\n"
    "      --accounts \"prosodyctl register {user} {domain} {password}\"\n"
    "  parley-bots workloads --show chat > mine.toml && parley-bots run mine.toml\n"
    "  parley-bots compare before.json after.json --html compared.html\n"
    "\n"
    "Exit codes: 0 passed; 1 failed (messages lost, duplicated or reordered, sessions lost, no\n"
    "server …); 2 wrong arguments; 130 ended by Ctrl-C.";

void complain(std::string_view what) {
    fmt::print(stderr, "parley-bots: {}\n", what);
}

/// What `run` and `accounts` share: how to reach the server, and who the users are.
struct Connection {
    RunOptions options;
    std::string accounts = "auto";
    std::string security = "starttls";

    void add_to(CLI::App& app) {
        app.add_option("-s,--server", options.server, "Server; the port is 5222, with tls 5223")
            ->type_name("HOST[:PORT]")
            ->capture_default_str();
        app.add_option("--domain", options.domain, "Domain of the accounts (the server's name)");
        app.add_option("--security", security,
                       "starttls; tls: from the first byte; none: plain text")
            ->check(CLI::IsMember({"starttls", "tls", "none"}))
            ->type_name("HOW")
            ->capture_default_str();
        app.add_option("--ca", options.ca_file,
                       "PEM file of the authorities that the server's certificate must come from")
            ->type_name("FILE");
        app.add_flag("--insecure", options.insecure, "Take any certificate");
        app.add_option(
            "--mechanism", options.mechanism,
            "SASL mechanism (SCRAM-SHA-1, which costs the bots least, or what there is)");
        app.add_flag("!--no-sm", options.stream_management,
                     "Sessions without stream management (XEP-0198), which is otherwise used where "
                     "the server has it");
        app.add_flag("!--no-tickets", options.tls_tickets,
                     "Full TLS handshakes only; reconnects otherwise resume the TLS session where "
                     "the server gives tickets");
        app.add_option("--user-pattern", options.user_pattern, "User names; {n} is the number")
            ->capture_default_str();
        app.add_option("--password", options.password,
                       "Password of all users (on this machine: parley-bots)");
        app.add_option("--accounts", accounts,
                       "How accounts are made: auto, parleyctl, ibr (in-band registration), "
                       "existing, or a command with {user} {domain} {password}")
            ->capture_default_str();
        app.add_option("--socket", options.socket, "Admin socket of parleyd")->type_name("PATH");
        app.add_flag("-q,--quiet", options.quiet, "Say nothing but what is wrong");
    }

    /// False: --accounts is neither a word nor a command.
    bool read_words() {
        if (security == "tls") options.security = ClientSecurity::direct_tls;
        if (security == "none") options.security = ClientSecurity::none;
        const std::map<std::string, AccountSource> words{{"auto", AccountSource::automatic},
                                                         {"parleyctl", AccountSource::parleyctl},
                                                         {"ibr", AccountSource::in_band},
                                                         {"existing", AccountSource::existing}};
        const auto word = words.find(accounts);
        if (word != words.end()) {
            options.accounts = word->second;
            return true;
        }
        options.accounts = AccountSource::command;
        options.account_command = accounts;
        return accounts.find("{user}") != std::string::npos;
    }
};

int wrong_accounts(const std::string& written) {
    complain(
        fmt::format("--accounts \"{}\": give auto, parleyctl, ibr, existing, or a command "
                    "with {{user}}, {{domain}} and {{password}} in it",
                    written));
    return kExitUsage;
}

/// "250/s" is 250.
std::string without_per_second(std::string text) {
    if (text.ends_with("/s")) text.resize(text.size() - 2);
    return text;
}

class RunCommand {
public:
    explicit RunCommand(CLI::App& app) : app_(*app.add_subcommand("run", "Run a workload")) {
        app_.add_option("workload", workload_, "Name of a workload, or a TOML file")->required();
        for (const auto& [option, key, help] : kShortcuts)
            app_.add_option(std::string(option), values_[std::string(key)], std::string(help))
                ->type_name("");
        app_.add_option("--set", settings_, "Any other key of the workload (may be repeated)")
            ->type_name("KEY=VALUE")
            ->allow_extra_args(false);
        connection_.add_to(app_);
        RunOptions& options = connection_.options;
        app_.add_option("--pid", options.pids, "Process of the server to watch (may be repeated)")
            ->allow_extra_args(false);
        app_.add_option("--json", options.json_file, "Write the result there")->type_name("FILE");
        app_.add_option("--html", options.html_file, "Write the report there")->type_name("FILE");
        app_.add_option("--cores", options.cores, "Cores to use (all)")->check(CLI::Range(1, 1024));
        app_.add_option("--seed", options.seed, "Of what the bots do by chance")
            ->capture_default_str();
        app_.footer(
            "A workload has more settings than have options: parley-bots workloads --show NAME.\n"
            "Without --json and --html both files are written here, named after the workload and "
            "the time.");
    }

    bool chosen() const { return app_.parsed(); }

    int act() {
        auto settings = load_definition(workload_);
        if (!settings) {
            complain(settings.error().detail());
            return kExitUsage;
        }
        if (!connection_.read_words()) return wrong_accounts(connection_.accounts);
        if (auto applied = apply(*settings); !applied) {
            complain(applied.error().detail());
            return kExitUsage;
        }
        return run_workload(connection_.options, *std::move(settings));
    }

private:
    struct Shortcut {
        std::string_view option;
        std::string_view key;
        std::string_view help;
    };
    static constexpr Shortcut kShortcuts[] = {
        {"-n,--users", "users", "How many users"},
        {"-r,--rate", "rate", "Open loop: so many messages a second, all users together"},
        {"-w,--window", "window", "Closed loop: so many messages under way per pair"},
        {"-d,--duration", "duration", "Length of the measured phase: 30s, 5m"},
        {"--warmup", "warmup", "Time before it that is not measured"},
        {"--ramp", "ramp", "Logins started per second: 100/s"},
        {"--logins-at-once", "logins_at_once", "Logins under way at a time"}};

    base::Result<void> apply(Settings& settings) {
        for (const auto& [key, value] : values_) {
            if (value.empty()) continue;
            TRY(settings.set(key, without_per_second(value)));
            const bool loop = settings.has(keys::kLoop.name);
            if (loop && key == "rate") TRY(settings.set(keys::kLoop.name, "open"));
            if (loop && key == "window") TRY(settings.set(keys::kLoop.name, "closed"));
        }
        for (const std::string& setting : settings_) {
            const std::size_t equals = setting.find('=');
            if (equals == std::string::npos)
                return base::fail(base::Errc::invalid_argument,
                                  fmt::format("--set {}: write KEY=VALUE", setting));
            TRY(settings.set(setting.substr(0, equals), setting.substr(equals + 1)));
        }
        return {};
    }

    CLI::App& app_;
    Connection connection_;
    std::string workload_;
    std::map<std::string, std::string> values_;
    std::vector<std::string> settings_;
};

class WorkloadsCommand {
public:
    explicit WorkloadsCommand(CLI::App& app)
        : app_(*app.add_subcommand("workloads", "List the workloads, or show one as a file")) {
        app_.add_option("--show", show_, "Print that one as a TOML file, to be edited and run")
            ->type_name("NAME");
    }
    bool chosen() const { return app_.parsed(); }

    int act() const {
        if (show_.empty()) {
            for (const WorkloadSpec& spec : workload_catalog())
                fmt::print("{:<10}{}\n", spec.name, spec.summary);
            return kExitPassed;
        }
        const auto settings = load_definition(show_);
        if (!settings) {
            complain(settings.error().detail());
            return kExitUsage;
        }
        fmt::print("{}", show_definition(*settings));
        return kExitPassed;
    }

private:
    CLI::App& app_;
    std::string show_;
};

class AccountsCommand {
public:
    explicit AccountsCommand(CLI::App& app)
        : app_(*app.add_subcommand("accounts", "Make or remove the bots' accounts")),
          create_(*app_.add_subcommand("create", "Make them; those that exist stay")),
          remove_(*app_.add_subcommand("remove", "Remove them with all they have")) {
        app_.require_subcommand(1);
        for (auto& [command, connection] :
             {std::pair<CLI::App*, Connection*>{&create_, &to_create_}, {&remove_, &to_remove_}}) {
            command->add_option("-n,--users", users_, "How many")->required();
            connection->add_to(*command);
        }
    }
    bool chosen() const { return app_.parsed(); }

    int act() {
        const bool create = create_.parsed();
        Connection& connection = create ? to_create_ : to_remove_;
        if (!connection.read_words()) return wrong_accounts(connection.accounts);
        Settings settings(*find_workload("idle"));
        if (auto set = settings.set("users", users_); !set) {
            complain(set.error().detail());
            return kExitUsage;
        }
        return change_accounts(connection.options, std::move(settings),
                               create ? AccountChange::create : AccountChange::remove);
    }

private:
    CLI::App& app_;
    CLI::App& create_;
    CLI::App& remove_;
    Connection to_create_;
    Connection to_remove_;
    std::string users_;
};

class CompareCommand {
public:
    explicit CompareCommand(CLI::App& app)
        : app_(*app.add_subcommand("compare", "Compare results; the first is the measure")) {
        app_.add_option("results", files_,
                        "Results of runs (JSON); several files with commas between them are runs "
                        "of the same, and a name may stand before: before=a.json,b.json")
            ->type_name("[LABEL=]FILE[,FILE…]")
            ->required()
            ->expected(2, 100);
        app_.add_option("--html", html_, "Write the comparison as a page as well")
            ->type_name("FILE");
    }
    bool chosen() const { return app_.parsed(); }

    int act() const {
        const auto contenders = load_contenders(files_);
        if (!contenders) {
            complain(contenders.error().detail());
            return kExitUsage;
        }
        fmt::print("{}", compare_text(*contenders));
        if (html_.empty()) return kExitPassed;
        if (auto saved = save_text(html_, compare_html(*contenders)); !saved) {
            complain(saved.error().detail());
            return kExitFailed;
        }
        return kExitPassed;
    }

private:
    CLI::App& app_;
    std::vector<std::string> files_;
    std::string html_;
};

}  // namespace

int command_line(int argc, const char* const* argv) {
    CLI::App app{
        "parley-bots: a swarm of XMPP clients that measures any XMPP server.\n\n"
        "It logs users in, lets them do what a workload says, and reports latency, rates, what the "
        "server used\nand whether every message came, once and in order. Without options it "
        "measures the server on this\nmachine and makes the accounts that it needs."};
    app.set_version_flag("--version", "parley-bots " PARLEY_VERSION);
    app.require_subcommand(1);
    app.footer(kFooter);
    RunCommand run(app);
    CompareCommand compare(app);
    WorkloadsCommand workloads(app);
    AccountsCommand accounts(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        complain(fmt::format("{} (--help says what there is)", error.what()));
        return kExitUsage;
    }
    if (run.chosen()) return run.act();
    if (compare.chosen()) return compare.act();
    if (workloads.chosen()) return workloads.act();
    return accounts.act();
}

}  // namespace bots
