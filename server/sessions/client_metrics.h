// What the client-to-server side counts. One per shard; the references live as long as Metrics.
#pragma once

#include "server/observe/metrics.h"
#include "xmpp/core/error.h"
#include "xmpp/core/stanza.h"
#include "xmpp/sasl/step.h"

#include <array>
#include <string_view>

namespace server {

/// Why a connection was not taken.
enum class Refusal : std::uint8_t { too_many, too_many_of_address, overloaded, shutting_down };
/// How a stream ended that no stream error of ours ended.
enum class StreamEnd : std::uint8_t { by_client, connection_lost, tls_failed, moved, timed_out };

class ClientMetrics {
public:
    explicit ClientMetrics(Metrics& metrics);

    Gauge& connections;
    Gauge& sessions;
    Gauge& detached;
    Counter& resumed;
    Counter& accepted;
    Counter& bytes_in;
    Counter& bytes_out;
    Counter& messages_given_back;
    Counter& read_pauses;
    Counter& pings;
    Counter& held;
    Counter& spared;

    void refused(Refusal why) { refusals_[static_cast<std::size_t>(why)]->add(); }
    void ended(StreamEnd how) { ends_[static_cast<std::size_t>(how)]->add(); }
    void ended(xmpp::StreamCondition condition) {
        errors_[static_cast<std::size_t>(condition)]->add();
    }
    void stanza_in(xmpp::StanzaKind kind) { in_[static_cast<std::size_t>(kind)]->add(); }
    void stanza_out(xmpp::StanzaKind kind) { out_[static_cast<std::size_t>(kind)]->add(); }
    /// `mechanism`: as the client named it; unknown ones count as "other".
    void login(std::string_view mechanism);
    void login_failed(std::string_view mechanism, xmpp::sasl::SaslCondition condition);

private:
    static constexpr std::size_t kMechanismCount = 10;
    std::array<Counter*, 4> refusals_;
    std::array<Counter*, 5> ends_;
    std::array<Counter*, xmpp::kStreamConditionCount> errors_;
    std::array<Counter*, 3> in_;
    std::array<Counter*, 3> out_;
    std::array<Counter*, kMechanismCount> logins_;
    std::array<Counter*, kMechanismCount> failed_logins_;
    std::array<Counter*, 11> login_conditions_;
};

}  // namespace server
