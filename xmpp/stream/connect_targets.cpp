// See connect_targets.h.
#include "xmpp/stream/connect_targets.h"

#include "reactor/base/split_mix.h"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

namespace xmpp {
namespace {

using base::Errc;
using base::fail;
using base::SrvRecord;

constexpr std::uint16_t kClientPort = 5222;
constexpr std::uint16_t kServerPort = 5269;

struct Candidate {
    SrvRecord record;
    bool direct_tls;
};

/// RFC 2782 "Weight": `group` has one priority; moves what was drawn to the end of `ordered`.
void draw_group(std::vector<Candidate> group, base::SplitMix64& draws,
                std::vector<Candidate>& ordered) {
    // Those without weight come in random order as well, instead of the answer's.
    for (std::size_t left = group.size(); left > 1; --left)
        std::swap(group[left - 1], group[draws.below(left)]);
    std::ranges::partition(group,
                           [](const Candidate& candidate) { return candidate.record.weight == 0; });
    std::uint64_t sum = 0;
    for (const Candidate& candidate : group)
        sum += candidate.record.weight;
    while (!group.empty()) {
        const std::uint64_t drawn = draws.below(sum + 1);
        std::uint64_t running = 0;
        const auto chosen = std::ranges::find_if(group, [&](const Candidate& candidate) {
            running += candidate.record.weight;
            return running >= drawn;
        });
        sum -= chosen->record.weight;
        ordered.push_back(std::move(*chosen));
        group.erase(chosen);
    }
}

std::vector<Candidate> ordered(std::vector<Candidate> candidates, std::uint64_t seed) {
    std::ranges::sort(candidates, {},
                      [](const Candidate& candidate) { return candidate.record.priority; });
    base::SplitMix64 draws(seed);
    std::vector<Candidate> result;
    for (auto first = candidates.begin(); first != candidates.end();) {
        const auto last = std::find_if(first, candidates.end(), [&](const Candidate& candidate) {
            return candidate.record.priority != first->record.priority;
        });
        draw_group({std::make_move_iterator(first), std::make_move_iterator(last)}, draws, result);
        first = last;
    }
    return result;
}

/// Adds the usable records; "." is none (RFC 2782).
void add_candidates(const SrvLookup& lookup, bool direct_tls, std::vector<Candidate>& candidates) {
    if (!lookup) return;
    for (const SrvRecord& record : *lookup)
        if (record.target != "." && !record.target.empty() && record.port != 0)
            candidates.push_back({record, direct_tls});
}

bool has_records(const SrvLookup& lookup) {
    return lookup && !lookup->empty();
}
bool is_bogus(const SrvLookup& lookup) {
    return !lookup && lookup.error().is(Errc::corrupt);
}

/// When no record can be used.
base::Result<std::vector<ConnectTarget>> without_records(ConnectService service,
                                                         std::string_view domain,
                                                         const SrvLookup& starttls,
                                                         const SrvLookup& direct) {
    // Forged answers must not lead to the fallback: that is what they would be forged for.
    for (const SrvLookup* lookup : {&starttls, &direct})
        if (is_bogus(*lookup)) return std::unexpected(lookup->error());
    // A domain with SRV records, be it "." alone, is not to be tried without them (RFC 6120 §3.2.1,
    // XEP-0368 §5). If one lookup failed, what it would have said is still to come.
    if (!has_records(starttls) && !has_records(direct))
        return std::vector{fallback_target(service, domain)};
    for (const SrvLookup* lookup : {&starttls, &direct})
        if (!*lookup) return std::unexpected(lookup->error());
    return fail(Errc::unsupported, std::string(domain) + " does not offer this service");
}

}  // namespace

std::string srv_name(ConnectService service, bool direct_tls, std::string_view domain) {
    std::string name = direct_tls ? "_xmpps-" : "_xmpp-";
    name += service == ConnectService::client ? "client" : "server";
    return name.append("._tcp.").append(domain);
}

std::string_view alpn_of(ConnectService service) noexcept {
    return service == ConnectService::client ? "xmpp-client" : "xmpp-server";
}

bool is_address_literal(std::string_view domain) noexcept {
    if (domain.starts_with('[')) return true;  // The Jid saw to the rest.
    const std::string text(domain);
    in_addr v4{};
    return inet_pton(AF_INET, text.c_str(), &v4) == 1;
}

ConnectTarget fallback_target(ConnectService service, std::string_view domain) {
    if (domain.starts_with('[') && domain.ends_with(']'))
        domain = domain.substr(1, domain.size() - 2);
    return {.host = std::string(domain),
            .port = service == ConnectService::client ? kClientPort : kServerPort,
            .direct_tls = false};
}

base::Result<std::vector<ConnectTarget>> order_targets(ConnectService service,
                                                       std::string_view domain, SrvLookup starttls,
                                                       SrvLookup direct, std::uint64_t seed) {
    std::vector<Candidate> candidates;
    add_candidates(starttls, false, candidates);
    add_candidates(direct, true, candidates);
    if (candidates.empty()) return without_records(service, domain, starttls, direct);
    std::vector<ConnectTarget> targets;
    for (Candidate& candidate : ordered(std::move(candidates), seed)) {
        if (targets.size() == kConnectTargetsMax) break;
        targets.push_back({.host = std::move(candidate.record.target),
                           .port = candidate.record.port,
                           .direct_tls = candidate.direct_tls});
    }
    return targets;
}

}  // namespace xmpp
