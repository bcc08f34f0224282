// See resolver.h and resolver_query.h.
#include "reactor/resolver.h"

#include "reactor/combine.h"
#include "reactor/resolver_query.h"
#include "reactor/world.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace reactor {

using base::Errc;
using base::fail;
using base::Failure;
using base::Result;

namespace {

/// A and AAAA of one host put together. Lives in the canceller of its own Deferred.
class AddressLookup final : private Timer {
public:
    AddressLookup(World& world, std::string host) : world_(world), host_(std::move(host)) {}

    static Deferred<Addresses> start(std::unique_ptr<AddressLookup> owner, Deferred<DnsReply> v6,
                                     Deferred<DnsReply> v4) {
        AddressLookup& it = *owner;
        it.families_[0].wait_for(it, DnsType::aaaa, std::move(v6));
        it.families_[1].wait_for(it, DnsType::a, std::move(v4));
        return it.promise_.deferred([owner = std::move(owner)]() mutable { owner.reset(); });
    }

private:
    struct Family final : ReadyItem {
        Family() = default;
        // A failure that came when the answer was given is nobody's business.
        ~Family() {
            if (reply && reply->valid() && reply->settled()) (void)reply->take();
        }
        void wait_for(AddressLookup& owner, DnsType its_type, Deferred<DnsReply> its_reply) {
            lookup = &owner;
            type = its_type;
            reply.emplace(std::move(its_reply));
            reply->notify(*this);
        }
        void run() override {
            result.emplace(reply->take());
            if (*result) read_addresses(**result);
            lookup->on_reply(*this);
        }
        void read_addresses(const DnsReply& answer) {
            for (const std::string& rdata : answer.rdata)
                if (std::string address = address_from_rdata(rdata, type); !address.empty())
                    addresses.push_back(std::move(address));
        }

        AddressLookup* lookup = nullptr;
        DnsType type = DnsType::a;
        std::optional<Deferred<DnsReply>> reply;
        std::optional<Result<DnsReply>> result;
        std::vector<std::string> addresses;
    };

    void on_reply(const Family& family) {
        const bool complete = std::ranges::all_of(
            families_, [](const Family& each) { return each.result.has_value(); });
        if (complete) return settle();
        if (!family.addresses.empty()) world_.reactor.arm(*this, Resolver::kFamilyGrace);
    }
    void on_expired() override { settle(); }

    void settle() {
        Result<Addresses> result = combined();
        // Settling destroys the canceller and with it this object.
        Promise<Addresses> promise = std::move(promise_);
        promise.resolve(std::move(result));
    }

    // Both families are there, or one that has addresses.
    Result<Addresses> combined() {
        Addresses all;
        for (Family& family : families_)
            if (!family.addresses.empty()) append(all, family);
        if (!all.addresses.empty()) return all;
        for (const Family& family : families_)
            if (!*family.result) return std::unexpected(family.result->error());
        const bool no_name = std::ranges::all_of(families_, [](const Family& family) {
            return (*family.result)->absence == Absence::no_name;
        });
        return fail(Errc::not_found, host_ + (no_name ? " does not exist" : " has no address"));
    }

    static void append(Addresses& all, Family& family) {
        const DnsReply& reply = **family.result;
        const bool first = all.addresses.empty();
        if (family.addresses.size() > Resolver::kRecordsMax)
            family.addresses.resize(Resolver::kRecordsMax);
        std::ranges::move(family.addresses, std::back_inserter(all.addresses));
        all.ttl = first ? reply.ttl : std::min(all.ttl, reply.ttl);
        if (first || reply.dnssec == Dnssec::insecure) all.dnssec = reply.dnssec;
    }

    World& world_;
    std::string host_;
    std::array<Family, 2> families_;  // IPv6 first.
    Promise<Addresses> promise_;
};

/// The records that `read(rdata)` makes of a reply; malformed ones are left out.
template <class Answer, class Read>
Result<Answer> answer_of(const DnsReply& reply, Read read) {
    Answer answer;
    for (const std::string& rdata : reply.rdata) {
        if (answer.records.size() == Resolver::kRecordsMax) break;
        if (auto record = read(rdata)) answer.records.push_back(*std::move(record));
    }
    if (answer.records.empty() && !reply.rdata.empty())
        return fail(Errc::io_error, "the answer has malformed records only");
    answer.absence = reply.absence;
    answer.dnssec = reply.dnssec;
    answer.ttl = reply.ttl;
    return answer;
}

}  // namespace

std::vector<Endpoint> Addresses::endpoints(std::uint16_t port) const {
    std::vector<Endpoint> result;
    result.reserve(addresses.size());
    for (const std::string& address : addresses)
        result.push_back({address, port});
    return result;
}

bool SrvAnswer::denies_service() const noexcept {
    return records.size() == 1 && records.front().target == ".";
}

Deferred<DnsReply> QueryingResolver::ask(const std::string& name, DnsType type) {
    auto checked = checked_name(name);
    if (!checked) return std::move(checked).error();
    std::string question = "cannot resolve " + *checked + " " + std::string(name_of(type));
    if (under_way() >= limits_.queries_max)
        return Failure(Errc::queue_full, question + ": " + std::to_string(limits_.queries_max) +
                                             " queries are under way");
    auto limited = with_timeout(world_.reactor, query(*checked, type), limits_.query_timeout);
    return std::move(limited).rescue(
        [question = std::move(question)](const Failure& failure) -> Result<DnsReply> {
            if (failure.is(Errc::cancelled)) return std::unexpected(failure);
            if (failure.is(Errc::timed_out)) return fail(Errc::timed_out, question + ": no answer");
            return std::unexpected(failure.with(question));
        });
}

Deferred<Addresses> QueryingResolver::resolve_addresses(std::string host) {
    if (std::string address = numeric_host(host); !address.empty())
        return Addresses{.addresses = {std::move(address)}};
    auto v6 = ask(host, DnsType::aaaa);
    auto v4 = ask(host, DnsType::a);
    return AddressLookup::start(std::make_unique<AddressLookup>(world_, std::move(host)),
                                std::move(v6), std::move(v4));
}

Deferred<SrvAnswer> QueryingResolver::resolve_srv(std::string name) {
    return ask(name, DnsType::srv).then([](const DnsReply& reply) {
        return answer_of<SrvAnswer>(reply, srv_from_rdata);
    });
}

Deferred<TxtAnswer> QueryingResolver::resolve_txt(std::string name) {
    return ask(name, DnsType::txt).then([](const DnsReply& reply) {
        return answer_of<TxtAnswer>(reply, txt_from_rdata);
    });
}

}  // namespace reactor
