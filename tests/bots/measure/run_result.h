// RunResult: everything one run measured. Filled by the runner, written as JSON and HTML by
// tests/bots/report/, read back for comparisons.
#pragma once

#include "reactor/base/clock.h"
#include "tests/bots/measure/histogram.h"
#include "tests/bots/measure/ledger.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bots {

/// One point of the plots; taken every `sample_interval` of the run.
struct Sample {
    base::Duration at{};  ///< Since the start of the run.
    std::uint32_t online = 0;
    double messages_per_s = 0;  ///< Received, since the sample before.
    double logins_per_s = 0;
    base::Duration latency_p50{};
    base::Duration latency_p99{};
    double bots_cpu_share = 0;  ///< Of one core.
    double server_cpu_share = 0;
    std::uint64_t server_rss_bytes = 0;
    std::uint64_t server_pss_bytes = 0;  ///< 0 where it was not read: that disturbs a server.
};

/// Of the server's process, when its pid was given.
struct ServerUsage {
    std::vector<int> pids;
    double cpu_s = 0;                    ///< User and system, during the measured phase.
    std::uint64_t rss_before_bytes = 0;  ///< Before the first login.
    std::uint64_t pss_before_bytes = 0;
    std::uint64_t rss_bytes = 0;  ///< With everybody online (idle, login) or at the end.
    std::uint64_t pss_bytes = 0;
    double cpu_us_per_message = 0;  ///< 0 when the run had no messages.
    double cpu_us_per_login = 0;
    double pss_per_session_bytes = 0;  ///< Growth divided by sessions; RSS where PSS is not ours.
    std::string note;                  ///< What could not be read; empty when nothing.
};

struct RunResult {
    std::string workload;
    std::string server;           ///< host:port
    std::string server_software;  ///< XEP-0092 answer, "name version"; empty if refused.
    std::string security;         ///< "starttls", "tls", "none"
    std::string tls;              ///< "TLSv1.3 TLS_AES_256_GCM_SHA384"
    std::string mechanism;
    std::string started_at;  ///< ISO 8601, UTC.
    std::string bots_version;
    std::map<std::string, std::string> settings;  ///< The workload's keys as they were in force.

    bool interrupted = false;   ///< Ctrl-C, or a limit: what was measured up to then.
    std::string failure;        ///< Why it failed, apart from what `messages` tells; else empty.
    base::Duration duration{};  ///< Of the measured phase.
    std::uint32_t users = 0;
    std::uint32_t sessions_peak = 0;
    std::uint64_t logins = 0;
    std::uint64_t logins_failed = 0;
    std::uint64_t stanzas_sent = 0;
    std::uint64_t stanzas_received = 0;
    Tally messages;
    double messages_per_s = 0;  ///< Received in the measured phase.
    double logins_per_s = 0;
    Histogram latency;        ///< Of messages (or of answers, for `iq`; presence, for `presence`).
    Histogram login_latency;  ///< Connection attempt to online.
    std::map<std::string, std::uint64_t> errors;  ///< By condition, or by text of the failure.
    /// What only this workload measures, by name with its unit: "stored_per_s" (offline),
    /// "reconnect_logins_per_s" (login). Shown as they are.
    std::map<std::string, double> figures;
    double bots_cpu_s = 0;
    double bots_cpu_share = 0;  ///< Of one core, in the measured phase.
    std::uint64_t bots_rss_bytes = 0;
    std::uint32_t bots_shards = 0;  ///< Loops, each on a core of its own; 0: not known.
    std::optional<ServerUsage> server_usage;
    std::vector<Sample> samples;

    /// No message lost, duplicated, reordered or stray, and the run came to its end.
    bool passed() const { return messages.clean() && failure.empty(); }
};

}  // namespace bots
