// Client, from `connect` to a connection: where to connect (RFC 6120 §3.2, XEP-0368), attempts in
// order, and staying online with growing waits.
#include "reactor/base/text.h"
#include "reactor/connect_any.h"
#include "reactor/reactor.h"
#include "reactor/resolver.h"
#include "tests/bots/client/client_impl.h"
#include "tests/bots/client/places.h"
#include "xmpp/core/idna.h"
#include "xmpp/stream/connect_targets.h"

#include <utility>

namespace bots {
namespace {

using base::Errc;
using base::Failure;

// What trying again cannot mend.
bool is_final(const Failure& why) {
    return why.is(Errc::permission_denied) || why.is(Errc::unsupported) ||
           why.is(Errc::invalid_argument) || why.is(Errc::already_exists);
}

xmpp::SrvLookup records_of(base::Result<reactor::SrvAnswer> answer) {
    if (!answer) return std::unexpected(std::move(answer).error());
    return std::move(answer->records);
}

}  // namespace

std::optional<Place> parse_place(std::string_view text) {
    Place place;
    std::string_view host = text;
    std::string_view port;
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (const std::size_t colon = text.find(':');
               colon != std::string_view::npos && colon == text.rfind(':')) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    if (!port.empty()) {
        const auto number = base::parse_integer(port.substr(1));
        if (port.front() != ':' || !number || *number < 1 || *number > 65'535) return std::nullopt;
        place.port = static_cast<std::uint16_t>(*number);
    }
    if (host.empty()) return std::nullopt;
    place.host = host;
    return place;
}

reactor::Deferred<void> Client::Impl::connect() {
    if (state_ != State::offline)
        return base::fail(Errc::busy, "the client is connecting or online already");
    if (options_.security != ClientSecurity::none && shared_.tls == nullptr)
        return base::fail(Errc::unsupported, "no TLS context to connect with");
    state_ = State::connecting;
    attempt_ = std::make_unique<Attempt>([this] {
        std::string words = "the login did not end in time; waited for ";
        words += attempt_->negotiation ? attempt_->negotiation->waiting_for() : "a connection";
        fail_attempt({Errc::timed_out, std::move(words)});
    });
    auto settled = attempt_->promise.deferred([this] { abandon(); });
    // The server may want to see a session again at another address (XEP-0198 §5).
    std::vector<Place> first;
    if (sm_ != nullptr && sm_->resumable())
        if (auto place = parse_place(sm_->location)) first.push_back(*std::move(place));
    for (Place& place : first) {
        if (place.port == 0) place.port = kClientPort;
        place.direct_tls = options_.security == ClientSecurity::direct_tls;
    }
    attempt_->work = open(std::move(first), std::string(options_.jid.domain()));
    return settled;
}

// Tries `places`, then those of `domain` (empty: none). Ends the attempt itself.
reactor::Deferred<void> Client::Impl::open(std::vector<Place> places, std::string domain) {
    co_await reactor::yield();  // So that `work` holds this before it ends the attempt.
    Failure last(Errc::not_found, "there is no address to connect to");
    for (bool looked_up = domain.empty();; looked_up = true) {
        for (Place& place : places) {
            auto dialing = dial(place);
            auto stream = co_await std::move(dialing);
            if (stream) {
                begin(*std::move(stream), std::move(place));
                co_return {};
            }
            last = std::move(stream).error();
        }
        if (looked_up) break;
        auto finding = find_places(std::move(domain));
        auto found = co_await std::move(finding);
        if (found) {
            places = *std::move(found);
        } else {
            last = std::move(found).error();
            places.clear();
        }
    }
    fail_attempt(std::move(last));
    co_return {};
}

reactor::Deferred<std::vector<Place>> Client::Impl::find_places(std::string domain) {
    const bool direct_only = options_.security == ClientSecurity::direct_tls;
    std::vector<Place> places;
    const bool is_own = domain == options_.jid.domain();
    for (const reactor::Endpoint& address : options_.addresses)
        if (is_own) places.push_back({address.address, address.port, direct_only});
    if (!places.empty()) co_return places;
    if (xmpp::is_address_literal(domain)) {
        const auto target = xmpp::fallback_target(xmpp::ConnectService::client, domain);
        places.push_back({target.host, target.port, direct_only});
        co_return places;
    }
    if (shared_.resolver == nullptr)
        co_return base::fail(Errc::invalid_argument,
                             "no address is given for " + domain + ", and no resolver");
    const auto ascii = xmpp::domain_to_ascii(domain);
    if (!ascii) co_return ascii.error();
    xmpp::SrvLookup starttls = std::vector<base::SrvRecord>();
    xmpp::SrvLookup direct = std::vector<base::SrvRecord>();
    if (!direct_only) {
        auto asking = shared_.resolver->resolve_srv(
            xmpp::srv_name(xmpp::ConnectService::client, false, *ascii));
        starttls = records_of(co_await std::move(asking).as_result());
    }
    if (options_.security != ClientSecurity::none) {
        auto asking = shared_.resolver->resolve_srv(
            xmpp::srv_name(xmpp::ConnectService::client, true, *ascii));
        direct = records_of(co_await std::move(asking).as_result());
    }
    auto targets = xmpp::order_targets(xmpp::ConnectService::client, *ascii, std::move(starttls),
                                       std::move(direct), shared_.world.entropy.jitter());
    if (!targets) co_return std::move(targets).error();
    for (const xmpp::ConnectTarget& target : *targets)
        if (target.direct_tls || !direct_only)
            places.push_back({target.host, target.port, target.direct_tls});
    if (places.empty())
        co_return base::fail(Errc::unsupported, domain + " has no service with direct TLS");
    co_return places;
}

reactor::Deferred<std::unique_ptr<reactor::ByteStream>> Client::Impl::dial(Place place) {
    std::vector<reactor::Endpoint> endpoints;
    const reactor::Endpoint endpoint{place.host, place.port};
    if (endpoint.is_unix() || xmpp::is_address_literal(place.host)) {
        endpoints.push_back(endpoint);
    } else if (shared_.resolver == nullptr) {
        co_return base::fail(Errc::invalid_argument,
                             "no resolver for the address of " + place.host);
    } else {
        auto resolving = shared_.resolver->resolve_addresses(place.host);
        auto addresses = co_await std::move(resolving);
        if (!addresses) co_return std::move(addresses).error();
        endpoints = addresses->endpoints(place.port);
    }
    reactor::ConnectOptions options;
    options.timeout = options_.connect_timeout;
    options.source = options_.source;
    auto connecting = reactor::connect_any(shared_.world, std::move(endpoints), std::move(options));
    co_return co_await std::move(connecting);
}

void Client::Impl::abandon() {
    connection_.reset();
    state_ = State::offline;
    attempt_.reset();
}

void Client::Impl::fail_attempt(Failure why) {
    const std::unique_ptr<Attempt> attempt = std::move(attempt_);
    connection_.reset();
    state_ = State::offline;
    attempt->promise.fail(std::move(why));
}

reactor::Deferred<void> Client::Impl::stay_online(reactor::Backoff backoff) {
    if (staying_ != nullptr || state_ != State::offline)
        return base::fail(Errc::busy, "the client is connecting or online already");
    staying_ = std::make_unique<Staying>();
    auto settled = staying_->promise.deferred([this] { staying_.reset(); });
    staying_->work = stay(backoff);
    return settled;
}

reactor::Deferred<void> Client::Impl::stay(reactor::Backoff backoff) {
    co_await reactor::yield();
    for (std::uint32_t failed = 0;;) {
        auto connecting = connect();
        const base::Result<void> connected = co_await std::move(connecting);
        Failure why(Errc::connection_lost);
        if (!connected) {
            why = connected.error();
        } else {
            failed = 0;
            if (online()) {
                staying_->lost.emplace();
                auto losing = staying_->lost->deferred();
                why = (co_await std::move(losing)).value_or(why);
                staying_->lost.reset();
            }
        }
        if (is_final(why) || ++failed >= backoff.attempts_max) {
            stop_staying(std::unexpected(std::move(why)));
            co_return {};
        }
        co_await reactor::sleep(shared_.world.reactor,
                                backoff.wait_after(failed, shared_.world.entropy));
    }
}

void Client::Impl::stop_staying(base::Result<void> result) {
    if (const std::unique_ptr<Staying> staying = std::move(staying_))
        staying->promise.resolve(std::move(result));
}

}  // namespace bots
