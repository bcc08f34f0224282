// Resolver: DNS for one shard, answers in Deferreds. The real one validates and caches through
// libunbound (make_unbound_resolver), the simulated one reads a table (reactor/sim/sim_resolver.h).
// Names are ASCII host names without search lists: IDNA is the caller's (xmpp::domain_to_ascii).
#pragma once

#include "reactor/base/srv_record.h"
#include "reactor/deferred.h"
#include "reactor/stream.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace reactor {

/// What DNSSEC says of an answer or of a denial. Answers that were tampered with (bogus) never
/// come as values: they are failures.
enum class Dnssec : std::uint8_t {
    insecure,  ///< Not signed, not validated here, or from the hosts file.
    secure,    ///< Signed, and the signatures are right up to the trust anchor.
};

/// Why there are no records. A denial is an answer: it carries a Dnssec state.
enum class Absence : std::uint8_t {
    none,     ///< There are records.
    no_data,  ///< The name exists, with records of other types only.
    no_name,  ///< The name does not exist (NXDOMAIN).
};

/// Addresses of a host; never empty.
struct Addresses {
    /// Numeric; IPv6 first, each family in the order of the answer.
    std::vector<std::string> addresses;
    Dnssec dnssec = Dnssec::insecure;
    std::chrono::seconds ttl{0};  ///< The least of what was used; 0 for numeric hosts.

    std::vector<Endpoint> endpoints(std::uint16_t port) const;
};

struct SrvAnswer {
    std::vector<base::SrvRecord> records;  ///< In the order of the answer, not by priority.
    Absence absence = Absence::none;
    Dnssec dnssec = Dnssec::insecure;
    std::chrono::seconds ttl{0};  ///< 0 for a denial.

    /// One record whose target is ".": the service is decidedly not offered (RFC 2782).
    bool denies_service() const noexcept;
};

struct TxtAnswer {
    std::vector<std::string> records;  ///< The strings of each record are joined.
    Absence absence = Absence::none;
    Dnssec dnssec = Dnssec::insecure;
    std::chrono::seconds ttl{0};  ///< 0 for a denial.
};

struct ResolverLimits {
    /// Queries under way; `resolve_addresses` takes two. One that was dropped counts until the
    /// library is done with it. Beyond: queue_full.
    std::uint32_t queries_max = 512;
    /// For one query, however many servers are asked meanwhile; then `timed_out`.
    base::Duration query_timeout = std::chrono::seconds(10);
};

/// All calls on the shard that made it. Failures, each with a text that names the question:
/// invalid_argument (not a host name), queue_full, timed_out, io_error (the name servers failed:
/// SERVFAIL, REFUSED, unreachable), corrupt (DNSSEC: bogus; the text says why), closed (the
/// Resolver went). Dropping or cancelling a Deferred withdraws the question.
class Resolver {
public:
    /// Of one answer; what exceeds it is ignored.
    static constexpr std::size_t kRecordsMax = 128;
    /// How long one family's addresses wait for the other's (RFC 8305 §3 in one answer).
    static constexpr base::Duration kFamilyGrace = std::chrono::seconds(1);

    /// Questions under way fail with `closed`.
    virtual ~Resolver() = default;

    /// A and AAAA. A numeric host, also an IPv6 one in brackets, is its own answer; the hosts file
    /// and "localhost" are honoured. not_found: the host does not exist or has no address (the text
    /// says which). Succeeds with one family when the other fails.
    virtual Deferred<Addresses> resolve_addresses(std::string host) = 0;
    /// `name` is whole: "_xmpp-client._tcp.example.org". A denial is a value, see `absence`.
    virtual Deferred<SrvAnswer> resolve_srv(std::string name) = 0;
    virtual Deferred<TxtAnswer> resolve_txt(std::string name) = 0;
};

}  // namespace reactor
