// The crew's logins and logouts: bounded, paced, counted.
#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "tests/bots/run/crew_bot.h"
#include "tests/bots/workload/schedule.h"
#include "xmpp/core/namespaces.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>

namespace bots {
namespace {

using namespace std::chrono_literals;

constexpr int kAttemptsMax = 3;
constexpr base::Duration kRetryAfter = 1s;
/// So many failures for the same reason, without a success, and the rest is not tried.
constexpr std::uint64_t kHopelessAfter = 20;
constexpr std::size_t kLogoutsAtOnce = 500;

bool may_work_later(const base::Failure& failure) {
    switch (failure.code()) {
        case base::Errc::timed_out:
        case base::Errc::connection_done:
        case base::Errc::connection_lost:
        case base::Errc::connection_refused:
        case base::Errc::no_route:
        case base::Errc::resource_exhausted:
        case base::Errc::busy:
            return true;
        default:
            return false;
    }
}

}  // namespace

struct Crew::Login {
    Login(std::vector<BotNumber> who, OpenLoop when) : bots(std::move(who)), pace(when) {}

    std::vector<BotNumber> bots;
    std::size_t next = 0;
    OpenLoop pace;
    bool paced = false;
    std::uint64_t succeeded = 0;  // Attempts.
    std::uint64_t failed = 0;
    std::optional<base::Failure> first_failure;
    bool same_failure = true;

    bool hopeless() const {
        return succeeded == 0 && same_failure &&
               failed >= std::min<std::uint64_t>(kHopelessAfter, bots.size());
    }
    void count(const base::Result<void>& result) {
        if (result) {
            ++succeeded;
            return;
        }
        if (failed++ == 0) first_failure = result.error();
        same_failure = same_failure && first_failure->message() == result.error().message();
    }
};

ClientOptions Crew::options_for(BotNumber bot) const {
    ClientOptions options;
    options.jid = plan_.names.full(bot);
    options.password = plan_.password;
    options.addresses = plan_.addresses;
    if (!plan_.sources.empty()) {
        const std::size_t source = bot / plan_.connections_per_source % plan_.sources.size();
        options.source = reactor::Endpoint{plan_.sources[source], 0};
    }
    options.security = plan_.security;
    options.mechanism = plan_.mechanism;
    options.stream_management = plan_.stream_management;
    options.tls_tickets = plan_.tls_tickets;
    return options;
}

reactor::Deferred<void> Crew::attempt(BotNumber bot) {
    Client& here = client(bot);
    const base::MonotonicTime started = now();
    auto connecting = here.connect();
    const auto connected = co_await std::move(connecting);
    if (connected) {
        ++tallies_.logins;
        login_latency_.record(now() - started);
        co_return {};
    }
    ++tallies_.logins_failed;
    count_error("login: " + connected.error().message());
    co_return connected;
}

reactor::Deferred<void> Crew::log_in(BotNumber bot) {
    auto acquiring = logins_at_once_.acquire();
    const auto permit = co_await std::move(acquiring);
    if (!permit) co_return permit.error();
    auto work = attempt(bot);
    const auto result = co_await std::move(work);
    co_return result;
}

reactor::Deferred<void> Crew::log_in_all(std::vector<BotNumber> bots, BotNumber at_once,
                                         BotNumber per_second) {
    Login login(std::move(bots), OpenLoop(now(), std::max(per_second, 1U)));
    login.paced = per_second > 0;
    const std::size_t share = at_once / shards_ + (at_once % shards_ > shard_ ? 1 : 0);
    const std::size_t workers = std::min(std::max<std::size_t>(share, 1), login.bots.size());
    std::vector<reactor::Deferred<void>> parts;
    for (std::size_t worker = 0; worker < workers; ++worker)
        parts.push_back(log_in_some(login));
    auto all = reactor::when_all(std::move(parts));
    const auto done = co_await std::move(all);
    if (!done) co_return done;
    if (!login.bots.empty() && login.hopeless()) co_return *login.first_failure;
    co_return {};
}

reactor::Deferred<void> Crew::log_in_some(Login& login) {
    while (login.next < login.bots.size() && !login.hopeless()) {
        const std::size_t index = login.next++;
        if (login.paced) {
            const base::MonotonicTime due = login.pace.due(index * shards_ + shard_);
            const base::Duration wait = due - now();
            if (wait > 0s) co_await reactor::sleep(world_.reactor, wait);
        }
        auto work = attempt_often(login.bots[index], login);
        co_await std::move(work);
    }
    co_return {};
}

reactor::Deferred<bool> Crew::attempt_often(BotNumber bot, Login& login) {
    for (int count = 1;; ++count) {
        auto work = attempt(bot);
        const auto result = co_await std::move(work);
        login.count(result);
        if (result || count == kAttemptsMax || !may_work_later(result.error()) || login.hopeless())
            co_return result.has_value();
        co_await reactor::sleep(world_.reactor, kRetryAfter);
    }
}

reactor::Deferred<void> Crew::log_out(BotNumber bot) {
    Bot& here = at(bot);
    if (!here.client || !here.online) co_return {};
    // What comes after the last acknowledgement of XEP-0198 is stored for the next login, although
    // it was read: so first nothing may come any more.
    if (here.client->stream_management() && !closing_) {
        send_xml(bot, "<presence type='unavailable'/>");
        xmpp::Stanza ping = xmpp::Stanza::iq(xmpp::IqType::get, "");
        ping.set_to(plan_.names.bare(bot).domain_jid());
        ping.edit().add_child("ping", xmpp::ns::ping);
        auto asking = request(bot, std::move(ping));
        co_await std::move(asking);  // An error is as good an answer.
        if (!here.online) co_return {};
    }
    here.leaving = true;
    auto leaving = here.client->disconnect();
    const auto left = co_await std::move(leaving);
    if (!left) count_error("logout: " + left.error().message());
    co_return {};
}

reactor::Deferred<void> Crew::log_out_some(std::vector<BotNumber>& bots) {
    while (!bots.empty()) {
        const BotNumber bot = bots.back();
        bots.pop_back();
        auto leaving = log_out(bot);
        co_await std::move(leaving);
    }
    co_return {};
}

reactor::Deferred<void> Crew::log_out_all() {
    std::vector<BotNumber> all = bots();
    const std::size_t workers = std::min(kLogoutsAtOnce, all.size());
    std::vector<reactor::Deferred<void>> parts;
    for (std::size_t worker = 0; worker < workers; ++worker)
        parts.push_back(log_out_some(all));
    auto work = reactor::when_all(std::move(parts));
    const auto done = co_await std::move(work);
    co_return done;
}

void Crew::expect_end(BotNumber bot) {
    at(bot).leaving = true;
}

void Crew::cut(BotNumber bot) {
    Bot& here = at(bot);
    if (!here.client || !here.online) return;
    here.leaving = true;
    here.client->cut();
}

}  // namespace bots
