#include "tests/bots/report/example_result.h"

#include <chrono>
#include <cmath>
#include <cstdint>

namespace bots {
namespace {

using namespace std::chrono_literals;

class Noise {
public:
    explicit Noise(unsigned seed) : state_(seed * 7919U + 17U) {}
    /// Between 0 and 1, both excluded.
    double next() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return (static_cast<double>(state_ >> 40) + 0.5) / static_cast<double>(1 << 24);
    }

private:
    std::uint64_t state_;
};

base::Duration milliseconds(double value) {
    return base::Duration(std::llround(value * 1e6));
}

void add_samples(RunResult& result, double slowness, Noise& noise) {
    for (int second = 1; second <= 36; ++second) {
        Sample sample;
        sample.at = std::chrono::seconds(second);
        const bool ramp = second <= 6;
        sample.online = ramp ? static_cast<std::uint32_t>(second * 2000 / 6) : 2000;
        sample.logins_per_s = ramp ? 333 + 20 * noise.next() : 0;
        if (!ramp) {
            sample.messages_per_s = 1980 + 40 * noise.next();
            sample.latency_p50 = milliseconds(slowness * (0.36 + 0.08 * noise.next()));
            sample.latency_p99 = milliseconds(slowness * (1.6 + 0.9 * noise.next()));
        }
        sample.bots_cpu_share = ramp ? 0.5 + 0.1 * noise.next() : 0.2 + 0.04 * noise.next();
        sample.server_cpu_share = slowness * (ramp ? 0.8 : 0.14) + 0.03 * noise.next();
        const double sessions = sample.online * slowness;
        sample.server_rss_bytes =
            static_cast<std::uint64_t>((24e6 + sessions * 15'000 + second * 20'000));
        if (second % 5 == 1) sample.server_pss_bytes = sample.server_rss_bytes - 6'000'000;
        result.samples.push_back(sample);
    }
}

void add_server_usage(RunResult& result, double slowness) {
    ServerUsage usage;
    usage.pids = {4711};
    usage.cpu_s = 4.08 * slowness;
    usage.rss_before_bytes = 24'000'000;
    usage.pss_before_bytes = 18'000'000;
    usage.rss_bytes = result.samples.back().server_rss_bytes;
    usage.pss_bytes = usage.rss_bytes - 6'000'000;
    usage.cpu_us_per_message = 68 * slowness;
    usage.cpu_us_per_login = 1450 * slowness;
    usage.pss_per_session_bytes =
        static_cast<double>(usage.pss_bytes - usage.pss_before_bytes) / 2000;
    result.server_usage = usage;
}

}  // namespace

RunResult example_result(double slowness, unsigned seed) {
    Noise noise(seed);
    RunResult result;
    result.workload = "chat";
    result.server = "localhost:5222";
    result.server_software = "Parley 0.1.0";
    result.security = "starttls";
    result.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384";
    result.mechanism = "SCRAM-SHA-256-PLUS";
    result.started_at = "2025-06-01T12:00:00Z";
    result.bots_version = "0.1.0";
    result.settings = {{"users", "2000"},
                       {"rate", "2000"},
                       {"duration", "30s"},
                       {"loop", "open"},
                       {"body_bytes", "100"}};
    result.duration = 30s;
    result.users = 2000;
    result.sessions_peak = 2000;
    result.logins = 2000;
    result.stanzas_sent = 66'000;
    result.stanzas_received = 68'000;
    result.messages = {.sent = 59'940, .received = 59'940};
    result.messages_per_s = 1998;
    result.logins_per_s = 333;
    for (int i = 0; i < 59'940; ++i) {
        const double tail =
            -std::log(noise.next());  // Exponential, with a longer tail now and then.
        const double stall = noise.next() < 0.002 ? 6 * noise.next() : 0;
        result.latency.record(milliseconds(slowness * (0.18 + 0.3 * tail + stall)));
    }
    for (int i = 0; i < 2000; ++i)
        result.login_latency.record(milliseconds(slowness * (8 - 9 * std::log(noise.next()))));
    result.errors = {{"service-unavailable", 3}};
    result.figures = {{"warm_up_p99_ms", 48.5 * slowness}, {"stored_per_s", 9120.5 / slowness}};
    result.bots_cpu_s = 6.6;
    result.bots_cpu_share = 0.22;
    result.bots_rss_bytes = 61'000'000;
    result.bots_shards = 2;
    add_samples(result, slowness, noise);
    add_server_usage(result, slowness);
    return result;
}

}  // namespace bots
