#include "tests/bots/run/runner.h"

#include "server/ctl/admin_client.h"
#include "tests/bots/measure/format.h"
#include "tests/bots/report/html_report.h"
#include "tests/bots/report/result_json.h"
#include "tests/bots/report/summary.h"
#include "tests/bots/run/conductor.h"
#include "tests/bots/run/preparation.h"
#include "tests/bots/run/probe.h"
#include "tests/bots/run/real_run.h"
#include "xmpp/payloads/date_time.h"

#include <fmt/format.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bots {
namespace {

void complain(std::string_view what) {
    fmt::print(stderr, "parley-bots: {}\n", what);
}

std::string words_of(const base::Failure& failure) {
    return failure.detail().empty() ? failure.message() : std::string(failure.detail());
}

std::string_view name_of(ClientSecurity security) {
    if (security == ClientSecurity::starttls) return "starttls";
    return security == ClientSecurity::direct_tls ? "tls" : "none";
}

/// "20260131-124500", for file names.
std::string stamp_of(base::WallTime time) {
    std::string stamp = xmpp::format_date_time(time);
    std::erase_if(stamp,
                  [](char letter) { return letter == '-' || letter == ':' || letter == 'Z'; });
    for (char& letter : stamp)
        if (letter == 'T') letter = '-';
    return stamp;
}

std::string default_socket(const RunOptions& options) {
    const char* environment = std::getenv("PARLEY_SOCKET");
    return server::ctl::find_socket(options.socket, environment ? environment : "");
}

/// What to do about a failed login, after what went wrong.
std::string with_advice(const base::Failure& failure, const Plan& plan, bool chosen_password) {
    const std::string words = words_of(failure);
    switch (failure.code()) {
        case base::Errc::tls_failed:
            if (words.find("certificate") == std::string::npos)
                return fmt::format(
                    "{}: TLS fails: {}; a port speaks either STARTTLS or TLS from "
                    "the first byte (--security)",
                    plan.server_name, words);
            return fmt::format(
                "{}: {}; name the authority of its certificate with --ca FILE, or "
                "take any certificate with --insecure",
                plan.server_name, words);
        case base::Errc::permission_denied:
            return fmt::format("{} cannot log in at {}: {}; {}", plan.names.bare(0).text(),
                               plan.server_name, words,
                               chosen_password ? "check --password, and that the account exists"
                                               : "say the accounts' password with --password, or "
                                                 "have them made with --accounts");
        case base::Errc::connection_refused:
        case base::Errc::no_route:
        case base::Errc::timed_out:
            return fmt::format("cannot reach {}: {}; name the server with --server HOST:PORT",
                               plan.server_name, words);
        case base::Errc::not_found:
            return fmt::format("{} does not serve {}: {}; name the domain with --domain",
                               plan.server_name, plan.names.domain(), words);
        case base::Errc::connection_lost:
        case base::Errc::connection_done:
            return fmt::format(
                "{}: the connection ended: {}; a port speaks either STARTTLS or TLS "
                "from the first byte (--security)",
                plan.server_name, words);
        default:
            return fmt::format("{}: {}", plan.server_name, words);
    }
}

/// One run, from its preparation to its files.
class Run {
public:
    Run(const RunOptions& options, Preparation prepared)
        : options_(options),
          plan_(std::move(prepared.plan)),
          target_(std::move(prepared.target)),
          notes_(std::move(prepared.notes)),
          real_(prepared.cores),
          progress_(STDOUT_FILENO) {}

    int go(std::vector<int> pids);
    int only_accounts(AccountChange change);

private:
    reactor::Deferred<void> whole(std::optional<ProcessWatch> server);
    reactor::Deferred<void> get_ready();
    reactor::Deferred<ServerFacts> probe(BotNumber bot);
    reactor::Deferred<bool> everybody_exists();
    reactor::Deferred<void> make_accounts(AccountChange change);
    reactor::Deferred<AccountSource> source_of_accounts();
    int finish();
    std::string path_of(const std::string& chosen, std::string_view ending) const;
    base::Result<void> save();

    /// In a terminal: how far the accounts are, on the line that say() takes away.
    void show_accounts(std::uint64_t done, std::uint64_t all) {
        if (options_.quiet || progress_.quiet() || done % 50 != 0) return;
        fmt::print("\r\x1b[K  accounts  {} of {}", format_count(done), format_count(all));
        std::fflush(stdout);
        accounts_shown_ = true;
    }
    void say(std::string_view line) {
        if (options_.quiet) return;
        if (std::exchange(accounts_shown_, false)) fmt::print("\r\x1b[K");
        progress_.clear();
        fmt::print("{}\n", line);
        std::fflush(stdout);
    }

    const RunOptions& options_;
    std::unique_ptr<Plan> plan_;
    Target target_;
    std::vector<std::string> notes_;
    RealRun real_;
    ProgressLine progress_;
    RunResult result_;
    std::optional<ServerFacts> facts_;
    base::Result<void> accounts_;
    bool accounts_shown_ = false;
};

int Run::go(std::vector<int> pids) {
    std::optional<ProcessWatch> server;
    if (!pids.empty()) {
        auto watch = ProcessWatch::open(pids);
        if (!watch) {
            complain("--pid: " + words_of(watch.error()));
            return kExitUsage;
        }
        server = *std::move(watch);
    }
    for (const std::string& note : notes_)
        say(note);
    result_.server = plan_->server_name;
    result_.security = name_of(plan_->security);
    result_.bots_version = PARLEY_VERSION;
    result_.workload = plan_->settings.spec().name;
    result_.settings = plan_->settings.texts();
    result_.users = plan_->users;
    result_.bots_shards = static_cast<std::uint32_t>(real_.shards().count());
    result_.started_at = xmpp::format_date_time(real_.world().clock.wall());
    real_.execute([this, &server] { return whole(std::move(server)); });
    return finish();
}

reactor::Deferred<void> Run::whole(std::optional<ProcessWatch> server) {
    auto preparing = get_ready();
    const auto ready = co_await std::move(preparing);
    result_.interrupted = real_.stopped();
    if (!ready && !real_.stopped()) result_.failure = words_of(ready.error());
    if (!ready || real_.stopped()) co_return {};
    result_.server_software = facts_->software;
    result_.tls = facts_->tls;
    result_.mechanism = facts_->mechanism;
    Conductor conductor({.shards = real_.shards(),
                         .plan = *plan_,
                         .server = std::move(server),
                         .show =
                             [this](const Progress& progress) {
                                 if (!options_.quiet) progress_.show(progress);
                             },
                         .own_usage = own_usage});
    real_.on_stop([this, &conductor] {
        say("Ending: what was measured is reported. Ctrl-C again ends at once.");
        conductor.interrupt();
    });
    auto running = conductor.run(std::move(result_));
    auto result = co_await std::move(running);
    real_.on_stop({});
    result_ = std::move(*result);
    co_return {};
}

reactor::Deferred<void> Run::get_ready() {
    auto making = make_accounts(AccountChange::create);
    const auto made = co_await std::move(making);
    if (!made) co_return made;
    if (!facts_) {
        auto probing = probe(0);
        auto facts = co_await std::move(probing);
        if (!facts)
            co_return base::Failure(facts.error().code(),
                                    with_advice(facts.error(), *plan_, !options_.password.empty()));
        facts_ = *std::move(facts);
    }
    co_return {};
}

reactor::Deferred<ServerFacts> Run::probe(BotNumber bot) {
    auto probing = real_.until_stopped(probe_server(real_.world(), *plan_, bot));
    auto facts = co_await std::move(probing);
    const bool other_mechanism = !facts && facts.error().is(base::Errc::unsupported) &&
                                 options_.mechanism.empty() && !plan_->mechanism.empty();
    if (!other_mechanism) co_return facts;
    plan_->mechanism.clear();
    auto again = real_.until_stopped(probe_server(real_.world(), *plan_, bot));
    facts = co_await std::move(again);
    co_return facts;
}

/// The first and the last can log in: an earlier run has made them all.
reactor::Deferred<bool> Run::everybody_exists() {
    auto probing = probe(0);
    auto first = co_await std::move(probing);
    if (!first && first.error().is(base::Errc::permission_denied)) co_return false;
    if (!first)
        co_return base::Failure(first.error().code(),
                                with_advice(first.error(), *plan_, !options_.password.empty()));
    auto trying = probe(plan_->users - 1);
    const auto last = co_await std::move(trying);
    if (!last) co_return false;
    facts_ = *std::move(first);
    co_return true;
}

reactor::Deferred<AccountSource> Run::source_of_accounts() {
    if (options_.accounts != AccountSource::automatic) co_return options_.accounts;
    if (!target_.on_this_machine) co_return AccountSource::existing;
    auto asking = parleyctl_serves(real_.world(), default_socket(options_), target_.domain);
    const auto serves = co_await std::move(asking);
    co_return serves && *serves ? AccountSource::parleyctl : AccountSource::in_band;
}

reactor::Deferred<void> Run::make_accounts(AccountChange change) {
    const bool automatic =
        options_.accounts == AccountSource::automatic && change == AccountChange::create;
    if (automatic && target_.on_this_machine) {
        auto looking = everybody_exists();
        const auto there = co_await std::move(looking);
        if (!there) co_return there.error();
        if (*there) co_return {};
    }
    auto choosing = source_of_accounts();
    const auto source = co_await std::move(choosing);
    if (!source) co_return source.error();
    if (*source == AccountSource::existing) co_return {};

    AccountOptions options;
    options.source = *source;
    options.command = options_.account_command;
    options.socket = default_socket(options_);
    options.stopped = &real_.stopped();
    options.progress = [this](std::uint64_t done, std::uint64_t all) { show_accounts(done, all); };
    const std::string_view how = *source == AccountSource::parleyctl ? "through parleyctl's socket"
                                 : *source == AccountSource::in_band ? "by in-band registration"
                                                                     : "by the command";
    const bool create = change == AccountChange::create;
    say(fmt::format("{} {} accounts {} …", create ? "Creating" : "Removing",
                    format_count(plan_->users), how));
    auto working = create ? create_accounts(real_.world(), *plan_, std::move(options))
                          : remove_accounts(real_.world(), *plan_, std::move(options));
    const auto done = co_await std::move(working);
    if (!done) {
        say(fmt::format("The accounts were not {}.", create ? "made" : "removed"));
        co_return done.error();
    }
    say(fmt::format("{} {}, {} {}.", format_count(done->changed), create ? "created" : "removed",
                    format_count(done->as_it_was), create ? "existed" : "did not exist"));
    co_return {};
}

std::string Run::path_of(const std::string& chosen, std::string_view ending) const {
    const bool any_chosen = !options_.json_file.empty() || !options_.html_file.empty();
    if (any_chosen) return chosen;
    const auto started = xmpp::parse_date_time(result_.started_at);
    return fmt::format("parley-bots-{}-{}.{}", result_.workload,
                       stamp_of(started.value_or(base::WallTime())), ending);
}

base::Result<void> Run::save() {
    const std::string json = path_of(options_.json_file, "json");
    const std::string html = path_of(options_.html_file, "html");
    if (!json.empty()) TRY(save_text(json, result_to_json(result_)));
    if (!html.empty()) TRY(save_text(html, html_report(result_)));
    if (!html.empty()) say("Report: " + html);
    if (!json.empty()) say("Result: " + json);
    return {};
}

int Run::finish() {
    progress_.clear();
    if (!options_.quiet) fmt::print("{}", text_summary(result_));
    const auto saved = save();
    const bool told = !options_.quiet && ::isatty(STDOUT_FILENO) == 1;
    if (!result_.passed() && !told) complain(reason_of(result_));
    if (!saved) complain(words_of(saved.error()));
    if (!result_.passed() || !saved) return kExitFailed;
    return result_.interrupted ? kExitInterrupted : kExitPassed;
}

int Run::only_accounts(AccountChange change) {
    real_.execute([this, change]() -> reactor::Deferred<void> {
        return make_accounts(change).both([this](base::Result<void> made) {
            accounts_ = std::move(made);
            return reactor::ready();
        });
    });
    if (accounts_) return kExitPassed;
    if (real_.stopped()) return kExitInterrupted;
    complain(words_of(accounts_.error()));
    return kExitFailed;
}

}  // namespace

int run_workload(const RunOptions& options, Settings settings) {
    auto prepared = prepare_run(options, std::move(settings));
    if (!prepared) {
        complain(words_of(prepared.error()));
        return prepared.error().is(base::Errc::invalid_argument) ? kExitUsage : kExitFailed;
    }
    return Run(options, *std::move(prepared)).go(options.pids);
}

int change_accounts(const RunOptions& options, Settings settings, AccountChange change) {
    auto prepared = prepare_run(options, std::move(settings));
    if (!prepared) {
        complain(words_of(prepared.error()));
        return prepared.error().is(base::Errc::invalid_argument) ? kExitUsage : kExitFailed;
    }
    return Run(options, *std::move(prepared)).only_accounts(change);
}

}  // namespace bots
