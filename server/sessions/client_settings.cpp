#include "server/sessions/client_settings.h"

#include "server/config/config.h"

#include <algorithm>

namespace server {
namespace {

// Bytes may run ahead of their rate for so long.
constexpr std::uint64_t kByteBurstSeconds = 4;

std::uint64_t positive(std::int64_t value) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(1, value));
}

}  // namespace

ClientSettings::ClientSettings(const Config& config)
    : limits_before_login(xmpp::ParserLimits::before_authentication()),
      handshake_timeout(config.get(keys::kHandshakeTimeout)),
      authentication_timeout(config.get(keys::kAuthenticationTimeout)),
      ping_after(config.get(keys::kPingAfter)),
      ping_timeout(config.get(keys::kPingTimeout)),
      auth_attempts_max(static_cast<unsigned>(config.get(keys::kAuthAttemptsMax))),
      stanzas{positive(config.get(keys::kStanzasPerSecond)),
              positive(config.get(keys::kStanzasBurst))},
      bytes{config.get(keys::kBytesPerSecond),
            kByteBurstSeconds * config.get(keys::kBytesPerSecond)},
      outbound_queue_max(config.get(keys::kOutboundQueueMax)),
      resume_timeout(config.get(keys::kResumeTimeout)),
      unacknowledged_max(static_cast<std::size_t>(config.get(keys::kUnacknowledgedMax))),
      unacknowledged_bytes_max(config.get(keys::kUnacknowledgedBytesMax)),
      resources_per_account_max(
          static_cast<std::size_t>(config.get(keys::kResourcesPerAccountMax))),
      held_stanzas_max(static_cast<std::size_t>(config.get(keys::kClientStateHeldMax))),
      resource_conflict(config.get(keys::kResourceConflict)),
      anonymous(config.get(keys::kSaslAnonymous)),
      scram_iterations(static_cast<std::uint32_t>(config.get(keys::kScramIterations))),
      addresses{
          .connections_max = static_cast<std::size_t>(config.get(keys::kConnectionsMax)),
          .connections_per_address_max =
              static_cast<std::size_t>(config.get(keys::kConnectionsPerAddressMax)),
          .logins_per_minute = positive(config.get(keys::kLoginsPerAddressPerMinute)),
      } {
    limits.stanza_bytes_max = config.get(keys::kStanzaBytesMax);
    limits.depth_max = static_cast<std::size_t>(config.get(keys::kDepthMax));
    limits_before_login.stanza_bytes_max = config.get(keys::kStanzaBytesUnauthenticatedMax);
    limits_before_login.depth_max = std::min(limits_before_login.depth_max, limits.depth_max);
    for (const std::string_view name : config.get(keys::kSaslMechanisms)) {
        mechanisms.emplace_back(name);
        external = external || name == "EXTERNAL";
    }
    if (anonymous) mechanisms.emplace_back("ANONYMOUS");
}

}  // namespace server
