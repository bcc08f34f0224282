// SimDns: the name service of simulated worlds, a table with delays and failures on virtual time.
// Each machine's resolver (make_sim_resolver) asks it as a real one asks its name server; nothing
// is cached, so a change shows in the next answer.
#pragma once

#include "reactor/resolver.h"

#include <memory>
#include <string>
#include <string_view>

namespace reactor {

struct SimDnsOptions {
    std::uint64_t seed = 1;
    base::Duration latency_min = std::chrono::milliseconds(1);
    base::Duration latency_max = std::chrono::milliseconds(30);
    std::chrono::seconds ttl{300};
};

/// Must outlive its resolvers. Names compare without regard to case and a final dot. A name that
/// was never mentioned does not exist; "localhost" always does.
class SimDns {
public:
    explicit SimDns(SimDnsOptions options = {});
    SimDns(const SimDns&) = delete;
    SimDns& operator=(const SimDns&) = delete;
    ~SimDns();

    /// Numeric, IPv4 or IPv6. CHECKs that it is.
    void add_address(std::string_view host, std::string_view address);
    void add_srv(std::string_view name, base::SrvRecord record);
    void add_txt(std::string_view name, std::string_view text);
    /// The name exists, perhaps without records.
    void add_name(std::string_view name);
    /// The name and all that was said of it are gone.
    void remove(std::string_view name);

    void set_dnssec(std::string_view name, Dnssec state);
    /// Answers about the name are bogus from now on.
    void tamper(std::string_view name);
    /// The name server fails (SERVFAIL) for the name.
    void break_down(std::string_view name);
    /// Questions about the name are never answered.
    void silence(std::string_view name);
    /// Answers about the name take exactly this long.
    void set_latency(std::string_view name, base::Duration latency);
    /// A and AAAA separately: the AAAA of the name take this long.
    void set_ipv6_latency(std::string_view name, base::Duration latency);
    /// What silence, break_down, tamper and latencies said of the name is over.
    void heal(std::string_view name);
    /// Questions asked so far.
    std::uint64_t questions() const noexcept;

    struct Impl;
    Impl& impl() noexcept { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

std::unique_ptr<Resolver> make_sim_resolver(World& world, SimDns& dns, ResolverLimits limits = {});

}  // namespace reactor
