#include "server/sessions/client_metrics.h"

#include <algorithm>
#include <span>

namespace server {
namespace {

constexpr std::string_view kMechanisms[] = {"SCRAM-SHA-1",   "SCRAM-SHA-1-PLUS",
                                            "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                                            "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS",
                                            "PLAIN",         "EXTERNAL",
                                            "ANONYMOUS",     "other"};
constexpr std::string_view kRefusals[] = {"too_many", "too_many_of_address", "overloaded",
                                          "shutting_down"};
constexpr std::string_view kEnds[] = {"by_client", "connection_lost", "tls_failed", "moved",
                                      "timed_out"};

std::size_t mechanism_index(std::string_view name) {
    const auto* found = std::ranges::find(kMechanisms, name);
    return static_cast<std::size_t>(std::min(found, std::end(kMechanisms) - 1) -
                                    std::begin(kMechanisms));
}

template <std::size_t count, class NameOf>
std::array<Counter*, count> family(Metrics& metrics, std::string_view name, std::string_view help,
                                   std::string_view label, NameOf name_of_index) {
    std::array<Counter*, count> counters;
    for (std::size_t i = 0; i < count; ++i)
        counters[i] =
            &metrics.counter(name, help, {{std::string(label), std::string(name_of_index(i))}});
    return counters;
}

template <class Enum>
auto names_of() {
    return [](std::size_t index) { return name_of(static_cast<Enum>(index)); };
}

auto names_in(std::span<const std::string_view> names) {
    return [names](std::size_t index) { return names[index]; };
}

}  // namespace

ClientMetrics::ClientMetrics(Metrics& metrics)
    : connections(metrics.gauge("c2s_connections", "Client connections, logged in or not.")),
      sessions(metrics.gauge("c2s_sessions", "Clients with a bound resource.")),
      detached(metrics.gauge("c2s_sessions_detached",
                             "Clients whose connection is gone and who may resume.")),
      resumed(metrics.counter("c2s_resumed_total", "Sessions resumed by their clients.")),
      accepted(metrics.counter("c2s_accepted_total", "Client connections accepted.")),
      bytes_in(metrics.counter("c2s_bytes_in_total", "Bytes read from clients, without TLS.")),
      bytes_out(metrics.counter("c2s_bytes_out_total", "Bytes written to clients, without TLS.")),
      messages_given_back(metrics.counter(
          "c2s_messages_given_back_total",
          "Messages that could not be written to their client and were delivered otherwise.")),
      read_pauses(metrics.counter("c2s_read_pauses_total",
                                  "Times a client was read more slowly because of its rate.")),
      pings(metrics.counter("c2s_pings_total", "Pings sent to quiet clients.")),
      held(metrics.counter("c2s_stanzas_held_total",
                           "Stanzas that waited because their client was inactive.")),
      spared(metrics.counter("c2s_stanzas_spared_total",
                             "Stanzas that inactive clients never got: chat states, and presence "
                             "that newer presence replaced.")),
      refusals_(family<4>(metrics, "c2s_refused_total", "Client connections not taken.", "reason",
                          names_in(kRefusals))),
      ends_(family<5>(metrics, "c2s_ended_total", "Streams that ended without an error of ours.",
                      "how", names_in(kEnds))),
      errors_(family<xmpp::kStreamConditionCount>(metrics, "c2s_stream_errors_total",
                                                  "Streams closed with a stream error.",
                                                  "condition", names_of<xmpp::StreamCondition>())),
      in_(family<3>(metrics, "c2s_stanzas_in_total", "Stanzas read from bound clients.", "kind",
                    names_of<xmpp::StanzaKind>())),
      out_(family<3>(metrics, "c2s_stanzas_out_total", "Stanzas queued for bound clients.", "kind",
                     names_of<xmpp::StanzaKind>())),
      logins_(family<kMechanismCount>(metrics, "c2s_logins_total", "Successful logins.",
                                      "mechanism", names_in(kMechanisms))),
      failed_logins_(family<kMechanismCount>(metrics, "c2s_failed_logins_total", "Failed logins.",
                                             "mechanism", names_in(kMechanisms))),
      login_conditions_(family<11>(metrics, "c2s_login_failures_total",
                                   "Failed logins by SASL condition.", "condition",
                                   names_of<xmpp::sasl::SaslCondition>())) {}

void ClientMetrics::login(std::string_view mechanism) {
    logins_[mechanism_index(mechanism)]->add();
}

void ClientMetrics::login_failed(std::string_view mechanism, xmpp::sasl::SaslCondition condition) {
    failed_logins_[mechanism_index(mechanism)]->add();
    login_conditions_[static_cast<std::size_t>(condition)]->add();
}

}  // namespace server
