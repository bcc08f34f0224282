// Phone: sessions and connections, and what the client tells.
#include "tests/sim/phone.h"

#include "reactor/reactor.h"
#include "tests/sim/crowd.h"
#include "xmpp/client/failures.h"
#include "xmpp/core/namespaces.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

/// Of attempts to connect, growing with the failures in a row.
constexpr base::Duration kRetryMin = 500ms;
constexpr base::Duration kRetryMax = 15s;

}  // namespace

Phone::Phone(Crowd& crowd, DeviceNumber number, AccountNumber account, Habits habits, Chance chance)
    : crowd_(crowd),
      number_(number),
      account_(account),
      habits_(habits),
      chance_(chance),
      name_(fmt::format("d{}", number)),
      key_(fmt::format("10.1.{}.{}", number / 250, number % 250 + 1)),
      timer_([this] { act(); }),
      tasks_(crowd.world().reactor) {
    move_to_new_address();
    make_client();
}

Phone::~Phone() = default;

void Phone::note(std::string_view what) {
    crowd_.journal().note(name_, what);
}

void Phone::make_client() {
    bots::ClientOptions options;
    options.jid = crowd_.account(account_).jid;
    if (habits_.has_own_resource)
        options.jid = options.jid.with_resource(fmt::format("phone{}", number_)).value();
    options.password = server::test::ServerHarness::kPassword;
    options.addresses = {habits_.direct_tls ? crowd_.harness().tls_endpoint()
                                            : crowd_.harness().starttls_endpoint()};
    options.source = reactor::Endpoint{key_, 0};
    if (habits_.direct_tls) options.security = bots::ClientSecurity::direct_tls;
    options.mechanism = "SCRAM-SHA-1";
    options.stream_management = habits_.manages_stream;
    options.connect_timeout = 10s;
    options.login_timeout = 30s;
    client_ = std::make_unique<bots::Client>(crowd_.shared(), std::move(options),
                                             static_cast<bots::ClientObserver&>(*this));
}

// Two more bytes of a number that no other phone has.
void Phone::move_to_new_address() {
    address_ = fmt::format("10.{}.{}.{}", 2 + number_ / 250, number_ % 250, ++addresses_);
    crowd_.network().move(key_, address_);
}

void Phone::start() {
    wake_after(0s, 5s);
}

void Phone::wake_after(base::Duration least, base::Duration most) {
    crowd_.world().reactor.arm(timer_, chance_.between(least, most));
}

void Phone::act() {
    if (leaving_) return;
    if (dawdling_) {
        dawdling_ = false;
        client_->pause_reading(false);
    }
    if (online()) {
        do_something();
    } else if (!connecting_) {
        come_online();
    }
    if (!timer_.armed()) wake_after(100ms, habits_.pause_max);
}

void Phone::come_online() {
    connecting_ = true;
    tasks_.add("connect", connect());
}

reactor::Deferred<void> Phone::connect() {
    crowd_.messages().login_begins(number_);
    auto connecting = client_->connect();
    const base::Result<void> done = co_await std::move(connecting).as_result();
    connecting_ = false;
    if (done) {
        failures_ = 0;
    } else {
        note(fmt::format("cannot connect: {}", base::name_of(done.error().code())));
        crowd_.messages().login_fails(number_);
        ++failures_;
        const base::Duration most =
            std::min(kRetryMax, kRetryMin * (1U << std::min(failures_, 6U)));
        wake_after(kRetryMin, most);
    }
    co_return {};
}

// The app starts anew: it knows what it has shown, and nothing of its session.
void Phone::forget_session() {
    note("starts anew");
    give_up_outgoing();
    counts_ = false;
    unanswered_.clear();
    skipped_ = 0;
    crowd_.messages().lineage_ends(number_, Ending::lost);
    client_.reset();
    make_client();
}

// Of a session that was closed, or is forgotten: nobody will hear what became of it.
void Phone::give_up_outgoing() {
    for (const Outgoing& stanza : std::exchange(outgoing_, {}))
        if (stanza.key) crowd_.messages().given_up(*stanza.key);
}

void Phone::stay_away() {
    if (calm_) return wake_after(200ms, 2s);
    const auto for_long = std::chrono::duration_cast<base::Duration>(crowd_.resume_timeout());
    if (chance_.percent(12)) return wake_after(for_long, for_long + 20s);
    if (chance_.percent(50)) return wake_after(50ms, 2s);
    wake_after(1s, 25s);
}

void Phone::lose_connection() {
    crowd_.internet().cut(address_);
}

void Phone::calm_down() {
    calm_ = true;
    if (dawdling_) client_->pause_reading(false);
    dawdling_ = false;
    wake_after(0s, 1s);
}

// The server says goodbye to each, or the phone goes without.
void Phone::leave() {
    leaving_ = true;
    timer_.cancel();
    if (!online()) return;
    note("leaves");
    tasks_.add("leave", client_->disconnect());
}

// Its pings may be under way: of many phones there is always one.
bool Phone::at_rest() const {
    return online() && std::ranges::none_of(outgoing_, &Outgoing::is_message) &&
           unanswered_.empty() && open_requests_ == open_looks_ && maybe_blocked_.empty() &&
           available_ && priority_ >= 0 && !asleep_;
}

std::string Phone::unrest() const {
    return fmt::format("{} ({}): {}, {} stanzas unacknowledged, {} unanswered, {} requests open{}",
                       name_, jid_,
                       online()      ? "online"
                       : connecting_ ? "connecting"
                                     : "offline",
                       outgoing_.size(), unanswered_.size(), open_requests_ - open_looks_,
                       maybe_blocked_.empty() ? "" : ", blocks somebody");
}

// --- from the client

void Phone::on_not_resumed(bots::Client&, std::optional<std::uint32_t> taken) {
    for (std::uint32_t i = 0; i < taken.value_or(0) && !outgoing_.empty(); ++i) {
        if (outgoing_.front().key) crowd_.messages().acknowledged(*outgoing_.front().key);
        outgoing_.pop_front();
    }
    skipped_ = taken.value_or(0);
    former_.assign(outgoing_.begin(), outgoing_.end());
    former_in_doubt_ = !taken;
    outgoing_.clear();
    if (former_in_doubt_)
        crowd_.messages().violation(fmt::format("{} {} is not told what of its session was taken",
                                                crowd_.journal().now(), name_));
    crowd_.messages().lineage_ends(number_, taken ? Ending::told : Ending::lost);
    note(taken ? fmt::format("could not resume; {} had been taken", *taken)
               : std::string("could not resume"));
}

// As the client does: what the server did not take, and once what it may have taken.
void Phone::take_former() {
    for (Outgoing& stanza : std::exchange(former_, {})) {
        if (!stanza.is_message) continue;
        if (stanza.again && former_in_doubt_) {
            if (stanza.key) crowd_.messages().given_up(*stanza.key);
            continue;
        }
        if (stanza.key) crowd_.messages().sent_again(*stanza.key, former_in_doubt_);
        stanza.again = true;
        if (counts_) outgoing_.push_back(stanza);
    }
}

void Phone::on_online(bots::Client& client, bool resumed) {
    jid_ = client.jid().text();
    if (resumed) {
        note("resumed from " + address_);
        for (const Outgoing& stanza : outgoing_)
            if (stanza.key) crowd_.messages().sent_again(*stanza.key, false);
        crowd_.messages().heard_from(number_);
        return;
    }
    note(fmt::format("online as {} from {}", jid_, address_));
    counts_ = client.stream_management();
    give_up_outgoing();
    crowd_.messages().lineage_begins(number_, counts_);
    take_former();
    seen_online_.clear();
    begin_session();
}

void Phone::begin_session() {
    asleep_ = false;
    available_ = false;
    look_at_roster();
    set_copies();
    if (!habits_.syncs) return send_presence();
    sync_archive([this] {
        if (online() && !available_) send_presence();
    });
}

void Phone::on_offline(bots::Client&, const base::Failure& why) {
    note(fmt::format("offline: {}", base::name_of(why.code())));
    unanswered_.clear();
    if (counts_) {
        crowd_.messages().went_away(number_);
    } else {
        crowd_.messages().lineage_ends(number_, Ending::lost);
    }
    if (!leaving_) stay_away();
}

void Phone::on_acknowledged(bots::Client&, std::uint32_t stanzas) {
    if (skipped_ > 0) {
        skipped_ = 0;
        return;
    }
    for (std::uint32_t i = 0; i < stanzas; ++i) {
        if (outgoing_.empty())
            return crowd_.messages().violation(fmt::format(
                "{} {}: more is acknowledged than was sent", crowd_.journal().now(), name_));
        if (outgoing_.front().key) crowd_.messages().acknowledged(*outgoing_.front().key);
        outgoing_.pop_front();
    }
}

}  // namespace sim
