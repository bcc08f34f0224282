#include "server/config/core_keys.h"

#include <arpa/inet.h>

#include <algorithm>

#include "server/config/config.h"
#include "server/config/registry.h"

namespace server {
namespace {

constexpr ConfigKeyRef kAllKeys[] = {keys::kDataDir,
                                     keys::kShards,
                                     keys::kShutdownGrace,
                                     keys::kListenAddresses,
                                     keys::kC2sPort,
                                     keys::kC2sTlsPort,
                                     keys::kTlsCertificate,
                                     keys::kTlsPrivateKey,
                                     keys::kTlsVersionMin,
                                     keys::kTlsTickets,
                                     keys::kStanzaBytesUnauthenticatedMax,
                                     keys::kStanzaBytesMax,
                                     keys::kDepthMax,
                                     keys::kHandshakeTimeout,
                                     keys::kAuthenticationTimeout,
                                     keys::kAuthAttemptsMax,
                                     keys::kConnectionsMax,
                                     keys::kConnectionsPerAddressMax,
                                     keys::kLoginsPerAddressPerMinute,
                                     keys::kStanzasPerSecond,
                                     keys::kStanzasBurst,
                                     keys::kBytesPerSecond,
                                     keys::kOutboundQueueMax,
                                     keys::kResourcesPerAccountMax,
                                     keys::kResourceConflict,
                                     keys::kPingAfter,
                                     keys::kPingTimeout,
                                     keys::kDurability,
                                     keys::kResumeTimeout,
                                     keys::kUnacknowledgedMax,
                                     keys::kUnacknowledgedBytesMax,
                                     keys::kClientStateHeldMax,
                                     keys::kOfflineMessagesMax,
                                     keys::kOfflineExpiry,
                                     keys::kRosterItemsMax,
                                     keys::kRegistrationEnabled,
                                     keys::kRegistrationsPerAddressPerHour,
                                     keys::kPasswordLengthMin,
                                     keys::kSaslMechanisms,
                                     keys::kScramIterations,
                                     keys::kSaslAnonymous,
                                     keys::kStorageReaders,
                                     keys::kStorageQueueMax,
                                     keys::kAdminSocket,
                                     keys::kLogLevel,
                                     keys::kLogFormat,
                                     keys::kLogFile,
                                     keys::kContactAbuse,
                                     keys::kContactAdmin,
                                     keys::kContactFeedback,
                                     keys::kContactSales,
                                     keys::kContactSecurity,
                                     keys::kContactSupport};

constexpr SectionHelp kSections[] = {
    {"listen", "Where clients connect."},
    {"tls", "Encryption: every client connection uses it, logins without it do not exist."},
    {"c2s", "What one client, account or address may do. The defaults suit the open Internet."},
    {"keepalive", "Finding connections that died without a word."},
    {"messages", "How safe messages are on their way."},
    {"stream_management",
     "Clients that lose their connection and come back (XEP-0198): nothing is lost."},
    {"offline", "Messages for accounts that are not online (XEP-0160)."},
    {"archive", "The history of each account, for all its clients (XEP-0313)."},
    {"roster", "Contact lists."},
    {"blocking", "Addresses that accounts block (XEP-0191)."},
    {"client_state", "What clients that say they are inactive need not hear at once (XEP-0352)."},
    {"registration", "Accounts made and passwords changed from clients (XEP-0077)."},
    {"sasl", "How clients prove who they are."},
    {"storage", "The database."},
    {"admin", "The operator's way in: parleyctl."},
    {"log", "The event log. It never holds message bodies or secrets."},
    {"contact", "Whom to turn to, as URIs (\"mailto:…\", \"xmpp:…\", \"https://…\")."}};

std::optional<RuleViolation> somebody_can_connect(const Config& config) {
    if (config.get(keys::kListenAddresses).empty())
        return RuleViolation{"listen.addresses", "no address is left to listen on",
                             "name at least one, such as \"0.0.0.0\""};
    const auto port = config.get(keys::kC2sPort);
    const auto tls_port = config.get(keys::kC2sTlsPort);
    if (port == 0 && tls_port == 0)
        return RuleViolation{"listen.c2s_port", "both client ports are off",
                             "set listen.c2s_port or listen.c2s_tls_port to a port"};
    if (port == tls_port)
        return RuleViolation{"listen.c2s_tls_port", "it is the same port as listen.c2s_port",
                             "give the two different ports, or switch one off with 0"};
    return std::nullopt;
}

std::optional<RuleViolation> certificate_has_its_key(const Config& config) {
    if (config.get(keys::kTlsCertificate).empty() == config.get(keys::kTlsPrivateKey).empty())
        return std::nullopt;
    if (config.get(keys::kTlsPrivateKey).empty())
        return RuleViolation{"tls.certificate", "it has no private key",
                             "set tls.private_key to the file with its key"};
    return RuleViolation{"tls.private_key", "it has no certificate",
                         "set tls.certificate to the file with its certificate chain"};
}

std::optional<RuleViolation> authenticated_may_send_more(const Config& config) {
    if (config.get(keys::kStanzaBytesUnauthenticatedMax) <= config.get(keys::kStanzaBytesMax))
        return std::nullopt;
    return RuleViolation{"c2s.stanza_bytes_unauthenticated_max",
                         "it is larger than c2s.stanza_bytes_max",
                         "allow strangers less than users, or as much"};
}

// With what the server puts around it: a result of the archive (XEP-0313), a copy (XEP-0280).
bool holds_a_stanza(const Config& config, const SizeKey& queue) {
    constexpr std::size_t kWrapperBytesMax = 6'000;
    return config.get(keys::kStanzaBytesMax) + kWrapperBytesMax <= config.get(queue);
}

std::optional<RuleViolation> queue_holds_a_stanza(const Config& config) {
    if (holds_a_stanza(config, keys::kOutboundQueueMax)) return std::nullopt;
    return RuleViolation{"c2s.outbound_queue_max", "it cannot hold the largest stanza",
                         "make it at least c2s.stanza_bytes_max and 6000 more"};
}

// Or a client that is sent one loses its session again and again.
std::optional<RuleViolation> unacknowledged_holds_a_stanza(const Config& config) {
    if (holds_a_stanza(config, keys::kUnacknowledgedBytesMax)) return std::nullopt;
    return RuleViolation{"stream_management.unacknowledged_bytes_max",
                         "it cannot hold the largest stanza",
                         "make it at least c2s.stanza_bytes_max and 6000 more"};
}

std::optional<RuleViolation> somebody_can_log_in(const Config& config) {
    if (!config.get(keys::kSaslMechanisms).empty() || config.get(keys::kSaslAnonymous))
        return std::nullopt;
    return RuleViolation{"sasl.mechanisms", "no mechanism is left to log in with",
                         "name at least one, such as \"SCRAM-SHA-256\""};
}

}  // namespace

std::string_view check_ip_address(std::string_view value) {
    const std::string address(value);
    in6_addr parsed;  // The larger of the two.
    const bool valid =
        value.size() <= INET6_ADDRSTRLEN && (inet_pton(AF_INET, address.c_str(), &parsed) == 1 ||
                                             inet_pton(AF_INET6, address.c_str(), &parsed) == 1);
    return valid ? "" : "a numeric IPv4 or IPv6 address such as \"192.0.2.1\" or \"::\"";
}

std::string_view check_contact_uri(std::string_view value) {
    constexpr std::string_view kWanted = "a URI such as \"mailto:admin@example.org\"";
    const auto colon = value.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == value.size()) return kWanted;
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_scheme = [&](char c) {  // RFC 3986 §3.1
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    };
    if (!is_letter(value[0]) || !std::ranges::all_of(value.substr(0, colon), is_scheme))
        return kWanted;
    const bool plain = std::ranges::none_of(
        value, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '<' || c == '>'; });
    return plain ? "" : kWanted;
}

void register_core_keys(KeyRegistry& registry) {
    registry.add(kAllKeys);
    for (const SectionHelp& section : kSections)
        registry.describe_section(section.name, section.help);
    registry.add_rule(somebody_can_connect);
    registry.add_rule(certificate_has_its_key);
    registry.add_rule(authenticated_may_send_more);
    registry.add_rule(queue_holds_a_stanza);
    registry.add_rule(unacknowledged_holds_a_stanza);
    registry.add_rule(somebody_can_log_in);
}

}  // namespace server
