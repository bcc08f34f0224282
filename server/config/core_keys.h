// The settings of the server itself; modules declare theirs beside their code (keys.h says how).
// Names are "section.name"; limits end in _max; a limit's help says what happens past it.
#pragma once

#include <chrono>

#include "reactor/base/units.h"
#include "server/config/keys.h"

namespace server {

class KeyRegistry;

enum class TlsVersion : std::uint8_t { tls_1_2, tls_1_3 };
enum class ResourceConflict : std::uint8_t { replace_old, refuse_new, rename };
enum class Durability : std::uint8_t { full, process, memory };
enum class LogLevelChoice : std::uint8_t { debug, info, warn, error };  // As base::LogLevel.
enum class LogFormatChoice : std::uint8_t { logfmt, json };

/// "a numeric IPv4 or IPv6 address" unless it is one.
std::string_view check_ip_address(std::string_view value);
/// "an absolute URI such as mailto:…" unless it is one.
std::string_view check_contact_uri(std::string_view value);

/// Registers every key of this file, the section headings and the rules between keys.
void register_core_keys(KeyRegistry& registry);

namespace keys {

using namespace base;
using namespace std::chrono_literals;

inline constexpr std::int64_t kPortMax = 65'535;
inline constexpr Duration kDay = 24h;

// ---- the process
inline constexpr PathKey kDataDir{"data_dir", "./parley-data",
                                  "Folder of the database, the generated certificate and the admin "
                                  "socket. Created with mode 0700.",
                                  Reload::restart};
inline constexpr IntegerKey kShards{
    "shards",       0, 0, 256, "Threads that serve clients, one event loop each. 0: one per core.",
    Reload::restart};
inline constexpr DurationKey kShutdownGrace{
    "shutdown_grace", 10s, 0s, 5min,
    "How long a stop waits for clients to take what is queued for them before it closes them."};

// ---- [listen]
inline constexpr StringListKey kListenAddresses{
    "listen.addresses",
    {"0.0.0.0", "::"},
    "Addresses to accept clients on. \"0.0.0.0\" is all of IPv4, \"::\" all of IPv6.",
    Reload::restart,
    {},
    check_ip_address};
inline constexpr IntegerKey kC2sPort{
    "listen.c2s_port",
    5222,
    0,
    kPortMax,
    "Port for clients that start in the clear and must upgrade by STARTTLS. 0: off.",
    Reload::restart};
inline constexpr IntegerKey kC2sTlsPort{
    "listen.c2s_tls_port",
    5223,
    0,
    kPortMax,
    "Port for clients that speak TLS from the first byte (XEP-0368). 0: off.",
    Reload::restart};

// ---- [tls]
inline constexpr PathKey kTlsCertificate{
    "tls.certificate", "",
    "PEM file with the certificate chain of hosts that name none of their own. Read again on "
    "reload. Empty: a self-signed one is made in data_dir, good for trying things out only."};
inline constexpr PathKey kTlsPrivateKey{"tls.private_key", "",
                                        "PEM file with the private key of tls.certificate."};
inline constexpr ChoiceKey<TlsVersion> kTlsVersionMin{
    "tls.version_min",
    TlsVersion::tls_1_2,
    {"1.2", "1.3"},
    "Oldest TLS version that clients may use. \"1.3\" locks out some older clients."};
inline constexpr BoolKey kTlsTickets{
    "tls.tickets", true,
    "Clients may resume a TLS session of the last day by a ticket, after a restart too, which "
    "spares them the certificates. The secret of the tickets is in the database and changes "
    "daily."};

// ---- [c2s]: limits on what a client may do
inline constexpr SizeKey kStanzaBytesUnauthenticatedMax{
    "c2s.stanza_bytes_unauthenticated_max", 10'000, 2'000, 1_MiB,
    "Largest element before login; more closes the stream with policy-violation."};
inline constexpr SizeKey kStanzaBytesMax{
    "c2s.stanza_bytes_max", 256_KiB, 10'000, 16_MiB,
    "Largest stanza after login; more closes the stream with policy-violation. RFC 6120 demands "
    "at least 10000."};
inline constexpr IntegerKey kDepthMax{
    "c2s.depth_max", 64, 8, 1'000,
    "Deepest nesting of elements in a stanza; more closes the stream with policy-violation."};
inline constexpr DurationKey kHandshakeTimeout{
    "c2s.handshake_timeout", 30s, 1s, 10min,
    "How long a new connection may take to open its stream and finish TLS."};
inline constexpr DurationKey kAuthenticationTimeout{
    "c2s.authentication_timeout", 1min, 1s, 10min,
    "How long a client may take from connecting to being logged in."};
inline constexpr IntegerKey kAuthAttemptsMax{
    "c2s.auth_attempts_max", 5, 1, 100,
    "Failed logins on one connection before it is closed. RFC 6120 advises 2 to 5."};
inline constexpr IntegerKey kConnectionsMax{
    "c2s.connections_max", 100'000, 10, 10'000'000,
    "Client connections altogether; more are closed at once. Mind the limit of file descriptors."};
inline constexpr IntegerKey kConnectionsPerAddressMax{
    "c2s.connections_per_address_max", 200, 1, 10'000'000,
    "Connections from one IPv4 address or one IPv6 /64. Raise it when many users share an address. "
    "This machine itself is not limited."};
inline constexpr IntegerKey kLoginsPerAddressPerMinute{
    "c2s.logins_per_address_per_minute", 60, 1, 1'000'000,
    "Login attempts that one address may make in a minute; more are refused for a while. This is "
    "what slows down guessing of passwords. This machine itself is not limited."};
inline constexpr IntegerKey kStanzasPerSecond{
    "c2s.stanzas_per_second", 1'000, 1, 1'000'000,
    "Stanzas a second that one client may send for long. A faster one is read more slowly, nothing "
    "is lost."};
inline constexpr IntegerKey kStanzasBurst{
    "c2s.stanzas_burst", 10'000, 1, 10'000'000,
    "Stanzas that a client may send at once before c2s.stanzas_per_second slows it down."};
inline constexpr SizeKey kBytesPerSecond{
    "c2s.bytes_per_second", 2_MiB, 1_KiB, 1024_MiB,
    "Bytes a second that one client may send for long; a burst of four seconds is free."};
inline constexpr SizeKey kOutboundQueueMax{
    "c2s.outbound_queue_max", 1_MiB, 16_KiB, 1024_MiB,
    "Bytes waiting for one client that reads too slowly; past it the client is disconnected and "
    "its messages go to the offline store."};
inline constexpr IntegerKey kResourcesPerAccountMax{
    "c2s.resources_per_account_max", 20, 1, 1'000,
    "Clients that one account may have logged in at a time; more get resource-constraint."};
inline constexpr ChoiceKey<ResourceConflict> kResourceConflict{
    "c2s.resource_conflict",
    ResourceConflict::replace_old,
    {"replace_old", "refuse_new", "rename"},
    "When a client asks for a resource that is in use: disconnect the old client, refuse the new "
    "one, or give the new one another resource (RFC 6120 section 7.7.2.2)."};

// ---- [keepalive]
inline constexpr DurationKey kPingAfter{
    "keepalive.ping_after", 5min, 10s, 24h,
    "A client that has been silent for so long is pinged (XEP-0199). Shorter finds dead "
    "connections sooner and costs phones battery."};
inline constexpr DurationKey kPingTimeout{
    "keepalive.ping_timeout", 1min, 1s, 1h,
    "A client that does not answer a ping for so long is taken for dead and goes offline."};

// ---- [messages]
inline constexpr ChoiceKey<Durability> kDurability{
    "messages.durability",
    Durability::full,
    {"full", "process", "memory"},
    "What a message survives once its sender has been told that it was taken. full: everything, "
    "also a power cut; each commit waits for the disk. process: a crash of the server, not of the "
    "machine; faster. memory: neither, unless its recipient is offline or archives it; what other "
    "servers do.",
    Reload::restart};

// ---- [stream_management]
inline constexpr DurationKey kResumeTimeout{
    "stream_management.resume_timeout", 10min, 0s, 24h,
    "How long a client whose connection broke may come back and go on where it was (XEP-0198). So "
    "long its contacts see it online and its messages wait for it. 0: it may not."};
inline constexpr IntegerKey kUnacknowledgedMax{
    "stream_management.unacknowledged_max", 5'000, 100, 1'000'000,
    "Stanzas that wait for one client's acknowledgement; past it the session ends and its messages "
    "go to the offline store."};
inline constexpr SizeKey kUnacknowledgedBytesMax{
    "stream_management.unacknowledged_bytes_max", 4_MiB, 64_KiB, 1024_MiB,
    "Bytes of such stanzas; past it the session ends as well."};

// ---- [client_state]
inline constexpr IntegerKey kClientStateHeldMax{
    "client_state.held_max", 200, 0, 1'000,
    "Presence and notifications that wait for a client which says it is inactive (XEP-0352), until "
    "something important comes or the client is active again; past it all of them are sent. 0: "
    "inactive clients are treated like others."};

// ---- [offline], [roster]
inline constexpr IntegerKey kOfflineMessagesMax{
    "offline.messages_max", 1'000, 0, 1'000'000,
    "Messages kept for an account that is offline; past it senders get service-unavailable. 0: "
    "keep none."};
inline constexpr DurationKey kOfflineExpiry{"offline.expiry", 90 * kDay, 1min, 3'650 * kDay,
                                            "Offline messages older than this are deleted."};
inline constexpr IntegerKey kRosterItemsMax{
    "roster.items_max", 2'000, 1, 100'000,
    "Contacts per account; adding more answers resource-constraint."};

// ---- [registration]
inline constexpr BoolKey kRegistrationEnabled{
    "registration.enabled", false,
    "Let anybody create an account from a client (XEP-0077). Open registration attracts spammers: "
    "leave it off on the open Internet."};
inline constexpr IntegerKey kRegistrationsPerAddressPerHour{
    "registration.per_address_per_hour", 5, 1, 100'000,
    "Accounts that one address may create in an hour."};
inline constexpr IntegerKey kPasswordLengthMin{
    "registration.password_length_min", 6, 1, 256,
    "Shortest password, in characters, that users may choose when they register or change it."};

// ---- [sasl]
inline constexpr StringListKey kSaslMechanisms{
    "sasl.mechanisms",
    {"SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512",
     "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"},
    "Login mechanisms, best first. None is ever offered without TLS. PLAIN is for old clients; "
    "EXTERNAL logs in by client certificate.",
    Reload::live,
    {"SCRAM-SHA-512-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-512",
     "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "EXTERNAL"}};
inline constexpr IntegerKey kScramIterations{
    "sasl.scram_iterations", 10'000, 4'096, 1'000'000,
    "PBKDF2 rounds for passwords set from now on. More makes a stolen database harder to crack and "
    "a login slower on the client."};
inline constexpr BoolKey kSaslAnonymous{
    "sasl.anonymous", false,
    "Let clients log in without an account, under a random name that lasts as long as the "
    "connection."};

// ---- [storage]
inline constexpr IntegerKey kStorageReaders{
    "storage.readers", 2, 1, 64, "Threads that read from the database.", Reload::restart};
inline constexpr IntegerKey kStorageQueueMax{
    "storage.queue_max",
    20'000,
    100,
    1'000'000,
    "Database operations that may wait; past it stanzas that need storage are refused with "
    "resource-constraint.",
    Reload::restart};

// ---- [admin], [log]
inline constexpr PathKey kAdminSocket{
    "admin.socket", "",
    "Unix-domain socket for parleyctl, mode 0600. Empty: parleyctl.sock in data_dir.",
    Reload::restart};
inline constexpr ChoiceKey<LogLevelChoice> kLogLevel{"log.level",
                                                     LogLevelChoice::info,
                                                     {"debug", "info", "warn", "error"},
                                                     "Least important events to write."};
inline constexpr ChoiceKey<LogFormatChoice> kLogFormat{
    "log.format",
    LogFormatChoice::logfmt,
    {"logfmt", "json"},
    "Form of a log line: key=value pairs or a JSON object."};
inline constexpr PathKey kLogFile{
    "log.file", "",
    "File to append the log to; SIGHUP opens it again, for logrotate. Empty: standard error."};

// ---- [contact]: XEP-0157
inline constexpr StringListKey kContactAbuse{
    "contact.abuse", {}, "URIs to report abuse to, shown to other servers and users (XEP-0157).",
    Reload::live,    {}, check_contact_uri};
inline constexpr StringListKey kContactAdmin{"contact.admin", {}, "URIs of the administrators.",
                                             Reload::live,    {}, check_contact_uri};
inline constexpr StringListKey kContactFeedback{"contact.feedback", {}, "URIs for feedback.",
                                                Reload::live,       {}, check_contact_uri};
inline constexpr StringListKey kContactSales{"contact.sales", {}, "URIs of the sales department.",
                                             Reload::live,    {}, check_contact_uri};
inline constexpr StringListKey kContactSecurity{
    "contact.security", {}, "URIs to report security problems to.",
    Reload::live,       {}, check_contact_uri};
inline constexpr StringListKey kContactSupport{"contact.support", {}, "URIs where users get help.",
                                               Reload::live,      {}, check_contact_uri};

}  // namespace keys

}  // namespace server
