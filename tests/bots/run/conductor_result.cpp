// What the conductor gathers from the shards, and what it makes of it.
#include "reactor/reactor.h"
#include "tests/bots/run/conductor_marks.h"

#include <fmt/format.h>
#include <chrono>
#include <utility>

namespace bots {
namespace {

double seconds(base::Duration time) {
    return std::chrono::duration<double>(time).count();
}

double milliseconds(base::Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::optional<ProcessUsage> Conductor::server_usage(UsageDetail detail) {
    if (!parts_.server) return std::nullopt;
    auto usage = parts_.server->read(detail);
    if (usage) return *usage;
    if (server_gone_.empty()) server_gone_ = usage.error().detail();
    return std::nullopt;
}

reactor::Deferred<Conductor::Snapshot> Conductor::look() {
    Snapshot whole;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto looking = parts_.shards.run_on(id, [this, id] {
            Snapshot part;
            if (!crews_[id]) return part;
            const Crew& crew = *crews_[id];
            part.tallies = crew.tallies();
            part.latency = crew.latency();
            const Ledger& ledger = crew.ledger();
            part.messages.sent = ledger.sent();
            part.messages.received = ledger.received_count();
            part.messages.duplicated = ledger.duplicated();
            part.messages.reordered = ledger.reordered();
            part.messages.refused = ledger.refused_count();
            part.messages.stray = ledger.stray();
            return part;
        });
        const auto part = co_await std::move(looking);
        if (!part) co_return part.error();
        whole.tallies.add(part->tallies);
        whole.latency.add(part->latency);
        whole.messages.sent += part->messages.sent;
        whole.messages.received += part->messages.received;
        whole.messages.duplicated += part->messages.duplicated;
        whole.messages.reordered += part->messages.reordered;
        whole.messages.refused += part->messages.refused;
        whole.messages.stray += part->messages.stray;
    }
    result_.sessions_peak = std::max(result_.sessions_peak, whole.tallies.online);
    co_return whole;
}

reactor::Deferred<void> Conductor::tick() {
    auto looking = look();
    const auto seen = co_await std::move(looking);
    if (!seen) co_return {};  // The mailboxes are full: the next second will do.
    Counters counters{.online = seen->tallies.online,
                      .messages_received = seen->messages.received,
                      .logins = seen->tallies.logins,
                      .bots_cpu_s = parts_.own_usage(UsageDetail::quick).cpu_s,
                      .server = server_usage(UsageDetail::quick)};
    progress_.now = sampler_->take(now(), counters, seen->latency);
    progress_.elapsed = now() - phase_began_;
    progress_.remaining.reset();
    if (phase_length_ && *phase_length_ > progress_.elapsed)
        progress_.remaining = *phase_length_ - progress_.elapsed;
    if (progress_.phase == Progress::Phase::ramp)
        progress_.remaining =
            ramp_remaining(progress_.now.online, progress_.users, progress_.elapsed);
    progress_.messages = seen->messages;
    progress_.errors = 0;
    for (const auto& [what, count] : seen->tallies.errors)
        progress_.errors += count;
    if (parts_.show) parts_.show(progress_);
    co_return {};
}

reactor::Deferred<void> Conductor::collect() {
    std::vector<Report> reports;
    for (reactor::ShardId id = 0; id < parts_.shards.count(); ++id) {
        auto asking = parts_.shards.run_on(id, [this, id] {
            if (!crews_[id]) return std::unique_ptr<Report>();
            Crew& crew = *crews_[id];
            auto report = std::make_unique<Report>(Report{crew.release_ledger(), crew.latency(),
                                                          crew.login_latency(), crew.tallies(),
                                                          crew.extras()});
            crews_[id].reset();
            return report;
        });
        auto report = co_await std::move(asking);
        if (report && *report) reports.push_back(std::move(**report));
    }
    std::vector<const Ledger*> ledgers;
    Tallies tallies;
    Extras extras;
    for (const Report& report : reports) {
        ledgers.push_back(&report.ledger);
        tallies.add(report.tallies);
        extras.add(report.extras);
        result_.latency.add(report.latency);
        result_.login_latency.add(report.login_latency);
    }
    result_.messages = Ledger::balance(ledgers);
    result_.logins = tallies.logins;
    result_.logins_failed = tallies.logins_failed;
    result_.stanzas_sent = tallies.stanzas_sent;
    result_.stanzas_received = tallies.stanzas_received;
    result_.errors.insert(tallies.errors.begin(), tallies.errors.end());
    result_.samples = sampler_->release();
    sessions_lost_ = tallies.sessions_lost;
    book_rates(tallies, extras);
    book_usage(tallies);
    co_return {};
}

void Conductor::book_rates(const Tallies& tallies, const Extras& extras) {
    if (marks_->began && marks_->ended) result_.duration = *marks_->ended - *marks_->began;
    if (result_.duration > base::Duration::zero())
        result_.messages_per_s =
            static_cast<double>(tallies.arrivals_measured) / seconds(result_.duration);
    if (marks_->ramp_logins > 0 && marks_->ramp_took > base::Duration::zero())
        result_.logins_per_s =
            static_cast<double>(marks_->ramp_logins) / seconds(marks_->ramp_took);
    for (const auto& [name, stretch] : extras.stretches)
        if (stretch.count > 0) result_.figures[name + "_per_s"] = stretch.per_second();
    for (const auto& [name, latency] : extras.latencies) {
        result_.figures[name + "_p50_ms"] = milliseconds(latency.percentile(0.5));
        result_.figures[name + "_p99_ms"] = milliseconds(latency.percentile(0.99));
    }
    // Where logins are measured for their own sake: those for which the bots had their salted
    // passwords ready, or it would be their own speed.
    const auto back = extras.stretches.find("reconnect");
    if (back != extras.stretches.end()) result_.logins_per_s = back->second.per_second();
}

void Conductor::book_usage(const Tallies& tallies) {
    if (marks_->ended) {
        result_.bots_cpu_s = marks_->own_cpu_s;
        if (result_.duration > base::Duration::zero())
            result_.bots_cpu_share = marks_->own_cpu_s / seconds(result_.duration);
    }
    if (!parts_.server || !marks_->server_before) return;
    ServerUsage usage;
    usage.pids = parts_.server->pids();
    usage.note = server_gone_.empty() ? parts_.server->note() : server_gone_;
    usage.rss_before_bytes = marks_->server_before->rss_bytes;
    usage.pss_before_bytes = marks_->server_before->pss_bytes;
    if (marks_->ended) usage.cpu_s = marks_->server_cpu_s;
    if (tallies.arrivals_measured > 0)
        usage.cpu_us_per_message =
            usage.cpu_s * 1e6 / static_cast<double>(tallies.arrivals_measured);
    if (marks_->ramp_logins > 0)
        usage.cpu_us_per_login =
            marks_->ramp_server_cpu_s * 1e6 / static_cast<double>(marks_->ramp_logins);
    else if (marks_->logins > 0)
        usage.cpu_us_per_login = usage.cpu_s * 1e6 / static_cast<double>(marks_->logins);
    if (const auto& after = marks_->server_after) {
        usage.rss_bytes = after->rss_bytes;
        usage.pss_bytes = after->pss_bytes;
        const bool pss = after->pss_bytes > 0 && usage.pss_before_bytes > 0;
        const auto grown = pss ? static_cast<double>(after->pss_bytes) -
                                     static_cast<double>(usage.pss_before_bytes)
                               : static_cast<double>(after->rss_bytes) -
                                     static_cast<double>(usage.rss_before_bytes);
        if (marks_->online > 0) usage.pss_per_session_bytes = std::max(grown, 0.0) / marks_->online;
    }
    result_.server_usage = std::move(usage);
}

void Conductor::judge() {
    result_.interrupted = interrupted_;
    if (failure_) {
        const std::string_view detail = failure_->detail();
        result_.failure = detail.empty() ? failure_->message() : std::string(detail);
        return;
    }
    if (!server_gone_.empty()) {
        result_.failure = server_gone_;
    } else if (sessions_lost_ > 0) {
        result_.failure = fmt::format("{} sessions were lost", sessions_lost_);
    } else if (!interrupted_ && online_at_end_ < parts_.plan.users) {
        result_.failure = fmt::format("{} of {} users could not log in",
                                      parts_.plan.users - online_at_end_, parts_.plan.users);
    }
}

}  // namespace bots
