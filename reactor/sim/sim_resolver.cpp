// See sim_resolver.h. A question is a timer: the answer is looked up in the table when it fires.
#include "reactor/sim/sim_resolver.h"

#include "reactor/base/check.h"
#include "reactor/reactor.h"
#include "reactor/resolver_query.h"
#include "reactor/sim/sim_world.h"

#include <map>
#include <optional>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;

struct SimDns::Impl {
    struct Name {
        std::multimap<DnsType, std::string> records;  // In wire form.
        Dnssec dnssec = Dnssec::insecure;
        bool bogus = false;
        bool broken = false;
        bool silent = false;
        std::optional<base::Duration> latency;
        std::optional<base::Duration> ipv6_latency;
        bool exists = true;
    };

    explicit Impl(const SimDnsOptions& chosen) : options(chosen), chance(chosen.seed, 0) {}

    /// For what is said of a name; one that is new does not exist by that.
    Name& mention(std::string_view text) {
        auto checked = checked_name(text);
        CHECK(checked);
        const auto [place, added] = names.try_emplace(*std::move(checked));
        if (added) place->second.exists = false;
        return place->second;
    }
    Name& existing(std::string_view text) {
        Name& name = mention(text);
        name.exists = true;
        return name;
    }
    const Name* find(const std::string& text) const {
        const auto found = names.find(text);
        return found == names.end() ? nullptr : &found->second;
    }
    base::Duration latency_of(const std::string& text, DnsType type) {
        const std::uint64_t drawn = chance.jitter();
        const Name* name = find(text);
        if (name && type == DnsType::aaaa && name->ipv6_latency) return *name->ipv6_latency;
        if (name && name->latency) return *name->latency;
        const base::Duration range = options.latency_max - options.latency_min;
        return options.latency_min + base::Duration(static_cast<std::int64_t>(
                                         drawn % (static_cast<std::uint64_t>(range.count()) + 1)));
    }
    base::Result<DnsReply> answer(const std::string& text, DnsType type) const;

    SimDnsOptions options;
    SeededEntropy chance;
    std::map<std::string, Name> names;
    std::uint64_t questions = 0;
};

base::Result<DnsReply> SimDns::Impl::answer(const std::string& text, DnsType type) const {
    const Name* name = find(text);
    if (name && name->broken) return fail(Errc::io_error, "the name server failed (SERVFAIL)");
    if (name && name->bogus)
        return fail(Errc::corrupt, "DNSSEC: the answer is bogus: signature does not match");
    DnsReply reply;
    if (!name || !name->exists) {
        reply.absence = Absence::no_name;
        if (name) reply.dnssec = name->dnssec;
        return reply;
    }
    const auto [first, last] = name->records.equal_range(type);
    for (auto record = first; record != last; ++record)
        reply.rdata.push_back(record->second);
    reply.absence = reply.rdata.empty() ? Absence::no_data : Absence::none;
    reply.dnssec = name->dnssec;
    if (!reply.rdata.empty()) reply.ttl = options.ttl;
    return reply;
}

namespace {

class SimResolver;

/// One question under way. Lives in the canceller of its own Deferred.
class SimQuery final : private Timer {
public:
    SimQuery(SimDns::Impl& dns, SimResolver& resolver, std::string name, DnsType type)
        : dns_(dns),
          resolver_(resolver),
          number_(dns.questions++),
          name_(std::move(name)),
          type_(type) {}
    ~SimQuery() override;

    static Deferred<DnsReply> start(std::unique_ptr<SimQuery> owner);
    /// Destroys this object.
    void settle(base::Result<DnsReply> result) {
        Promise<DnsReply> promise = std::move(promise_);
        promise.resolve(std::move(result));
    }

private:
    void on_expired() override { settle(dns_.answer(name_, type_)); }

    SimDns::Impl& dns_;
    SimResolver& resolver_;
    const std::uint64_t number_;
    const std::string name_;
    const DnsType type_;
    Promise<DnsReply> promise_;
};

class SimResolver final : public QueryingResolver {
public:
    SimResolver(World& world, SimDns::Impl& dns, const ResolverLimits& limits)
        : QueryingResolver(world, limits), dns_(dns) {}
    ~SimResolver() override {
        while (!queries_.empty())
            queries_.begin()->second->settle(fail(Errc::closed, "the resolver was closed"));
    }

    using QueryingResolver::world;
    /// By the number of the question.
    std::map<std::uint64_t, SimQuery*>& queries() noexcept { return queries_; }

private:
    Deferred<DnsReply> query(const std::string& name, DnsType type) override {
        return SimQuery::start(std::make_unique<SimQuery>(dns_, *this, name, type));
    }
    std::size_t under_way() const noexcept override { return queries_.size(); }

    SimDns::Impl& dns_;
    std::map<std::uint64_t, SimQuery*> queries_;
};

SimQuery::~SimQuery() {
    resolver_.queries().erase(number_);
}

Deferred<DnsReply> SimQuery::start(std::unique_ptr<SimQuery> owner) {
    SimQuery& it = *owner;
    it.resolver_.queries().emplace(it.number_, &it);
    const base::Duration latency = it.dns_.latency_of(it.name_, it.type_);
    const SimDns::Impl::Name* name = it.dns_.find(it.name_);
    if (!name || !name->silent) it.resolver_.world().reactor.arm(it, latency);
    return it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); });
}

}  // namespace

SimDns::SimDns(SimDnsOptions options) : impl_(std::make_unique<Impl>(options)) {
    add_address("localhost", "127.0.0.1");
    add_address("localhost", "::1");
}
SimDns::~SimDns() = default;

void SimDns::add_address(std::string_view host, std::string_view address) {
    const DnsType type = address.contains(':') ? DnsType::aaaa : DnsType::a;
    impl_->existing(host).records.emplace(type, rdata_of_address(address));
}

void SimDns::add_srv(std::string_view name, base::SrvRecord record) {
    impl_->existing(name).records.emplace(DnsType::srv, rdata_of(record));
}

void SimDns::add_txt(std::string_view name, std::string_view text) {
    impl_->existing(name).records.emplace(DnsType::txt, rdata_of_text(text));
}

void SimDns::add_name(std::string_view name) {
    impl_->existing(name);
}

void SimDns::remove(std::string_view name) {
    Impl::Name& entry = impl_->mention(name);
    entry = Impl::Name{};
    entry.exists = false;
}

void SimDns::set_dnssec(std::string_view name, Dnssec state) {
    impl_->mention(name).dnssec = state;
}
void SimDns::tamper(std::string_view name) {
    impl_->mention(name).bogus = true;
}
void SimDns::break_down(std::string_view name) {
    impl_->mention(name).broken = true;
}
void SimDns::silence(std::string_view name) {
    impl_->mention(name).silent = true;
}
void SimDns::set_latency(std::string_view name, base::Duration latency) {
    impl_->mention(name).latency = latency;
}
void SimDns::set_ipv6_latency(std::string_view name, base::Duration latency) {
    impl_->mention(name).ipv6_latency = latency;
}

void SimDns::heal(std::string_view name) {
    Impl::Name& entry = impl_->mention(name);
    entry.bogus = entry.broken = entry.silent = false;
    entry.latency.reset();
    entry.ipv6_latency.reset();
}

std::uint64_t SimDns::questions() const noexcept {
    return impl_->questions;
}

std::unique_ptr<Resolver> make_sim_resolver(World& world, SimDns& dns, ResolverLimits limits) {
    return std::make_unique<SimResolver>(world, dns.impl(), limits);
}

}  // namespace reactor
