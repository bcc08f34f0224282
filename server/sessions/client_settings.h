// ClientSettings: what the configuration says about clients, ready for use.
#pragma once

#include "server/config/core_keys.h"
#include "reactor/net/pace.h"
#include "server/sessions/address_limits.h"
#include "xmpp/xml/parser.h"

#include <cstdint>
#include <string>
#include <vector>

namespace server {

class Config;

/// How long a stream that we closed may take to empty its queue and close its side.
inline constexpr base::Duration kCloseTimeout = std::chrono::seconds(5);
/// Attempts to bind a resource on one stream (RFC 6120 §7.7.3 advises 5 to 10).
inline constexpr unsigned kBindAttemptsMax = 10;
/// Elements of stream management (XEP-0198) before a resource is bound, none of which led anywhere.
inline constexpr unsigned kManagementAttemptsMax = 10;
/// Messages for a client that is being closed, kept until it is known what it got.
inline constexpr std::size_t kReturnedMax = 1'000;
/// A longer xml:lang of a stream header is ignored (RFC 5646 §4.4.1 needs 35).
inline constexpr std::size_t kLangBytesMax = 64;

struct ClientSettings {
    explicit ClientSettings(const Config& config);

    xmpp::ParserLimits limits_before_login;
    xmpp::ParserLimits limits;
    base::Duration handshake_timeout;
    base::Duration authentication_timeout;
    base::Duration ping_after;
    base::Duration ping_timeout;
    unsigned auth_attempts_max;
    reactor::PaceLimit stanzas;
    reactor::PaceLimit bytes;
    std::size_t outbound_queue_max;
    base::Duration resume_timeout;
    std::size_t unacknowledged_max;
    std::size_t unacknowledged_bytes_max;
    std::size_t resources_per_account_max;
    std::size_t held_stanzas_max;
    ResourceConflict resource_conflict;
    std::vector<std::string> mechanisms;  ///< In the order in which they are offered.
    bool external = false;
    bool anonymous = false;
    std::uint32_t scram_iterations;
    AddressLimitOptions addresses;  ///< For the whole process.
};

}  // namespace server
