#include "tests/bots/report/result_json.h"

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "server/admin/admin_value.h"
#include "tests/bots/report/json_reader.h"

namespace bots {
namespace {

using server::AdminValue;

constexpr std::string_view kFormat = "parley-bots result";
// Longer than any run; beyond it nanoseconds do not fit.
constexpr double kSecondsMax = 1e9;

double seconds_of(base::Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

double milliseconds_of(base::Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

// To a millionth: what is behind that is noise, and readers do not agree on the last bit.
AdminValue figure(double value) {
    return std::abs(value) < 1e12 ? std::round(value * 1e6) / 1e6 : value;
}

AdminValue latency_value(const Histogram& histogram) {
    AdminValue::Array buckets;
    for (const Histogram::Bucket& bucket : histogram.buckets())
        buckets.push_back(AdminValue::Array{bucket.up_to.count(), bucket.count});
    const auto percentile = [&](double share) {
        return milliseconds_of(histogram.percentile(share));
    };
    return AdminValue::Object{{"count", histogram.count()},
                              {"min", milliseconds_of(histogram.min())},
                              {"mean", milliseconds_of(histogram.mean())},
                              {"p50", percentile(0.5)},
                              {"p90", percentile(0.9)},
                              {"p99", percentile(0.99)},
                              {"p99_9", percentile(0.999)},
                              {"max", milliseconds_of(histogram.max())},
                              {"buckets_ns", std::move(buckets)}};
}

AdminValue tally_value(const Tally& tally) {
    return AdminValue::Object{{"sent", tally.sent},           {"received", tally.received},
                              {"lost", tally.lost},           {"duplicated", tally.duplicated},
                              {"reordered", tally.reordered}, {"refused", tally.refused},
                              {"stray", tally.stray},         {"foreign", tally.foreign}};
}

AdminValue usage_value(const std::optional<ServerUsage>& usage) {
    if (!usage) return {};
    AdminValue::Array pids(usage->pids.begin(), usage->pids.end());
    return AdminValue::Object{{"pids", std::move(pids)},
                              {"cpu_s", figure(usage->cpu_s)},
                              {"rss_before_bytes", usage->rss_before_bytes},
                              {"pss_before_bytes", usage->pss_before_bytes},
                              {"rss_bytes", usage->rss_bytes},
                              {"pss_bytes", usage->pss_bytes},
                              {"pss_per_session_bytes", figure(usage->pss_per_session_bytes)},
                              {"cpu_us_per_message", figure(usage->cpu_us_per_message)},
                              {"cpu_us_per_login", figure(usage->cpu_us_per_login)},
                              {"note", usage->note}};
}

AdminValue sample_value(const Sample& sample) {
    return AdminValue::Object{{"at_s", seconds_of(sample.at)},
                              {"online", sample.online},
                              {"messages_per_s", figure(sample.messages_per_s)},
                              {"logins_per_s", figure(sample.logins_per_s)},
                              {"p50_ms", milliseconds_of(sample.latency_p50)},
                              {"p99_ms", milliseconds_of(sample.latency_p99)},
                              {"bots_cpu_share", figure(sample.bots_cpu_share)},
                              {"server_cpu_share", figure(sample.server_cpu_share)},
                              {"server_rss_bytes", sample.server_rss_bytes},
                              {"server_pss_bytes", sample.server_pss_bytes}};
}

template <class Map>
AdminValue map_value(const Map& map) {
    AdminValue::Object members;
    for (const auto& [name, value] : map)
        members.emplace_back(name, AdminValue(value));
    return members;
}

AdminValue figures_value(const std::map<std::string, double>& figures) {
    AdminValue::Object members;
    for (const auto& [name, value] : figures)
        members.emplace_back(name, figure(value));
    return members;
}

AdminValue::Object members_of(const RunResult& result) {
    AdminValue::Array samples;
    for (const Sample& sample : result.samples)
        samples.push_back(sample_value(sample));
    return {{"format", kFormat},
            {"version", kResultVersion},
            {"workload", result.workload},
            {"server", result.server},
            {"server_software", result.server_software},
            {"security", result.security},
            {"tls", result.tls},
            {"mechanism", result.mechanism},
            {"started_at", result.started_at},
            {"bots_version", result.bots_version},
            {"passed", result.passed()},
            {"failure", result.failure},
            {"interrupted", result.interrupted},
            {"duration_s", seconds_of(result.duration)},
            {"users", result.users},
            {"sessions_peak", result.sessions_peak},
            {"logins", result.logins},
            {"logins_failed", result.logins_failed},
            {"stanzas", AdminValue::Object{{"sent", result.stanzas_sent},
                                           {"received", result.stanzas_received}}},
            {"messages", tally_value(result.messages)},
            {"rates", AdminValue::Object{{"messages_per_s", figure(result.messages_per_s)},
                                         {"logins_per_s", figure(result.logins_per_s)}}},
            {"latency_ms", latency_value(result.latency)},
            {"login_latency_ms", latency_value(result.login_latency)},
            {"errors", map_value(result.errors)},
            {"figures", figures_value(result.figures)},
            {"bots", AdminValue::Object{{"cpu_s", figure(result.bots_cpu_s)},
                                        {"cpu_share", figure(result.bots_cpu_share)},
                                        {"rss_bytes", result.bots_rss_bytes},
                                        {"shards", result.bots_shards}}},
            {"server_usage", usage_value(result.server_usage)},
            {"settings", map_value(result.settings)},
            {"samples", std::move(samples)}};
}

base::Duration duration_at(JsonReader& reader, std::string_view name, double seconds_each) {
    const double seconds = reader.number(name) * seconds_each;
    if (seconds >= 0 && seconds <= kSecondsMax) return base::Duration(std::llround(seconds * 1e9));
    reader.complain(name, "a duration");
    return {};
}

Histogram latency_at(JsonReader& parent, std::string_view name) {
    JsonReader reader = parent.object(name);
    std::vector<Histogram::Bucket> buckets;
    for (const AdminValue& element : reader.array("buckets_ns")) {
        const AdminValue::Array* pair = element.as_array();
        if (pair == nullptr || pair->size() != 2 || (*pair)[0].as_integer() == nullptr ||
            (*pair)[1].as_integer() == nullptr || *(*pair)[1].as_integer() < 0) {
            reader.complain("buckets_ns", "a list of pairs of integers");
            return {};
        }
        buckets.push_back({base::Duration(*(*pair)[0].as_integer()),
                           static_cast<std::uint64_t>(*(*pair)[1].as_integer())});
    }
    Histogram histogram;
    if (!histogram.restore(buckets, duration_at(reader, "min", 1e-3),
                           duration_at(reader, "max", 1e-3), duration_at(reader, "mean", 1e-3)))
        reader.complain("buckets_ns", "a histogram with this min, max and mean");
    return histogram;
}

Tally tally_from(JsonReader reader) {
    return {.sent = reader.count("sent"),
            .received = reader.count("received"),
            .lost = reader.count("lost"),
            .duplicated = reader.count("duplicated"),
            .reordered = reader.count("reordered"),
            .refused = reader.count("refused"),
            .stray = reader.count("stray"),
            .foreign = reader.count("foreign")};
}

ServerUsage usage_from(JsonReader reader) {
    ServerUsage usage;
    for (const AdminValue& pid : reader.array("pids")) {
        if (pid.as_integer() == nullptr || !std::in_range<int>(*pid.as_integer())) {
            reader.complain("pids", "a list of pids");
            break;
        }
        usage.pids.push_back(static_cast<int>(*pid.as_integer()));
    }
    usage.cpu_s = reader.number("cpu_s");
    usage.rss_before_bytes = reader.count("rss_before_bytes");
    usage.pss_before_bytes = reader.count("pss_before_bytes");
    usage.rss_bytes = reader.count("rss_bytes");
    usage.pss_bytes = reader.count("pss_bytes");
    usage.pss_per_session_bytes = reader.number("pss_per_session_bytes");
    usage.cpu_us_per_message = reader.number("cpu_us_per_message");
    usage.cpu_us_per_login = reader.number("cpu_us_per_login");
    usage.note = reader.text("note");
    return usage;
}

Sample sample_from(JsonReader reader) {
    return {.at = duration_at(reader, "at_s", 1),
            .online = reader.count32("online"),
            .messages_per_s = reader.number("messages_per_s"),
            .logins_per_s = reader.number("logins_per_s"),
            .latency_p50 = duration_at(reader, "p50_ms", 1e-3),
            .latency_p99 = duration_at(reader, "p99_ms", 1e-3),
            .bots_cpu_share = reader.number("bots_cpu_share"),
            .server_cpu_share = reader.number("server_cpu_share"),
            .server_rss_bytes = reader.count("server_rss_bytes"),
            .server_pss_bytes = reader.count("server_pss_bytes")};
}

void read_identity(JsonReader& reader, RunResult& result) {
    result.workload = reader.text("workload");
    result.server = reader.text("server");
    result.server_software = reader.text("server_software");
    result.security = reader.text("security");
    result.tls = reader.text("tls");
    result.mechanism = reader.text("mechanism");
    result.started_at = reader.text("started_at");
    result.bots_version = reader.text("bots_version");
    JsonReader settings = reader.object("settings");
    for (const auto& [name, value] : settings.members())
        result.settings[name] = settings.text(name);
}

void read_figures(JsonReader& reader, RunResult& result) {
    result.failure = reader.text("failure");
    result.interrupted = reader.flag("interrupted");
    result.duration = duration_at(reader, "duration_s", 1);
    result.users = reader.count32("users");
    result.sessions_peak = reader.count32("sessions_peak");
    result.logins = reader.count("logins");
    result.logins_failed = reader.count("logins_failed");
    JsonReader stanzas = reader.object("stanzas");
    result.stanzas_sent = stanzas.count("sent");
    result.stanzas_received = stanzas.count("received");
    result.messages = tally_from(reader.object("messages"));
    JsonReader rates = reader.object("rates");
    result.messages_per_s = rates.number("messages_per_s");
    result.logins_per_s = rates.number("logins_per_s");
    result.latency = latency_at(reader, "latency_ms");
    result.login_latency = latency_at(reader, "login_latency_ms");
    JsonReader errors = reader.object("errors");
    for (const auto& [name, value] : errors.members())
        result.errors[name] = errors.count(name);
    JsonReader figures = reader.object("figures");
    for (const auto& [name, value] : figures.members())
        result.figures[name] = figures.number(name);
    JsonReader bots = reader.object("bots");
    result.bots_cpu_s = bots.number("cpu_s");
    result.bots_cpu_share = bots.number("cpu_share");
    result.bots_rss_bytes = bots.count("rss_bytes");
    result.bots_shards = bots.count32("shards");
    if (auto usage = reader.optional_object("server_usage"))
        result.server_usage = usage_from(std::move(*usage));
}

}  // namespace

std::string result_to_json(const RunResult& result) {
    std::string json;
    std::string_view separator = "{\n";
    for (const auto& [name, value] : members_of(result)) {
        json += fmt::format("{}{}: {}", separator, server::to_json(name), server::to_json(value));
        separator = ",\n";
    }
    return json + "\n}\n";
}

base::Result<RunResult> result_from_json(std::string_view json) {
    const auto value = server::parse_json(json);
    if (!value)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("not JSON: {}", value.error().detail()));
    if (value->text_of("format") != kFormat)
        return base::fail(base::Errc::invalid_argument, "no result of parley-bots");
    std::optional<base::Failure> failure;
    JsonReader reader(*value, "", failure);
    const std::uint64_t version = reader.count("version");
    if (!failure && version > kResultVersion)
        return base::fail(base::Errc::too_new,
                          fmt::format("a result of version {}, written by a newer parley-bots; "
                                      "this one reads version {}",
                                      version, kResultVersion));
    if (!failure && version != kResultVersion) reader.complain("version", "a known version");
    RunResult result;
    read_identity(reader, result);
    read_figures(reader, result);
    const AdminValue::Array& samples = reader.array("samples");
    for (std::size_t index = 0; index < samples.size() && !failure; ++index)
        result.samples.push_back(
            sample_from({samples[index], fmt::format("samples[{}]", index), failure}));
    if (failure) return std::unexpected(*std::move(failure));
    return result;
}

}  // namespace bots
