// What the real and the simulated resolver share: checking names, the limits, A and AAAA in one
// answer, records out of their wire form. They differ in `query`. Private to resolver*.cpp and
// sim/sim_resolver.cpp.
#pragma once

#include "reactor/resolver.h"

#include <optional>
#include <string_view>

namespace reactor {

struct World;

/// By their numbers in DNS.
enum class DnsType : std::uint16_t { a = 1, txt = 16, aaaa = 28, srv = 33 };

std::string_view name_of(DnsType type) noexcept;

/// One answer, a denial included.
struct DnsReply {
    std::vector<std::string> rdata = {};  ///< In wire form, names in it not compressed.
    Absence absence = Absence::none;
    Dnssec dnssec = Dnssec::insecure;
    std::chrono::seconds ttl{0};
};

class QueryingResolver : public Resolver {
public:
    QueryingResolver(World& world, const ResolverLimits& limits) : world_(world), limits_(limits) {}

    Deferred<Addresses> resolve_addresses(std::string host) final;
    Deferred<SrvAnswer> resolve_srv(std::string name) final;
    Deferred<TxtAnswer> resolve_txt(std::string name) final;

protected:
    /// Asks once, without a time limit. `name` is a host name of the checked form, without final
    /// dot. Failures as of Resolver, without the question in their text.
    virtual Deferred<DnsReply> query(const std::string& name, DnsType type) = 0;
    /// Queries under way, those included that nobody waits for any more.
    virtual std::size_t under_way() const noexcept = 0;

    World& world() noexcept { return world_; }

private:
    Deferred<DnsReply> ask(const std::string& name, DnsType type);

    World& world_;
    const ResolverLimits limits_;
};

/// Numeric, IPv6 perhaps in brackets; the address without brackets, or empty.
std::string numeric_host(std::string_view host);
/// Lower case and without a final dot; invalid_argument unless it has labels of 1 to 63 letters,
/// digits, '-' and '_', and at most 253 bytes.
base::Result<std::string> checked_name(std::string_view name);

// Of rdata; empty when it is malformed or names what is no host name.
std::string address_from_rdata(std::string_view rdata, DnsType type);
std::optional<base::SrvRecord> srv_from_rdata(std::string_view rdata);
std::optional<std::string> txt_from_rdata(std::string_view rdata);

// Into rdata; preconditions: a numeric address, a checked name or ".", strings of any length.
std::string rdata_of_address(std::string_view address);
std::string rdata_of(const base::SrvRecord& record);
std::string rdata_of_text(std::string_view text);

}  // namespace reactor
