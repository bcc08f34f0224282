#include "tests/sim/room_visitor.h"

#include "reactor/reactor.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

/// No other text of the simulation has it, so that an address that leaks is found.
constexpr std::string_view kHidden = "hidden";
/// Messages of the past that somebody who enters asks for.
constexpr std::uint64_t kHistoryMax = 12;

test::RoomClient::Place place_of(const Visitor::Role& role) {
    return {.number = role.number,
            .room = role.room,
            .address = xmpp::Jid::parse(fmt::format("room{}@rooms.example.org", role.room)).value(),
            .nick = Visitor::nick_of(role.number),
            .founds = role.owns,
            .config = {{"muc#roomconfig_persistentroom", "1"},
                       {"muc#roomconfig_whois", "moderators"},
                       {"muc#roomconfig_moderatedroom", role.moderated ? "1" : "0"}}};
}

std::string key_of(const Visitor::Role& role) {
    return fmt::format("10.200.{}.{}", role.number / 250, role.number % 250 + 1);
}

bots::ClientOptions options_for(Crowd& crowd, const Visitor::Role& role) {
    bots::ClientOptions options;
    options.jid = Visitor::account_of(role.number).with_resource("phone").value();
    options.password = server::test::ServerHarness::kPassword;
    options.addresses = {crowd.harness().starttls_endpoint()};
    options.source = reactor::Endpoint{key_of(role), 0};
    options.mechanism = "SCRAM-SHA-1";
    options.stream_management = role.manages_stream;
    options.connect_timeout = 10s;
    options.login_timeout = 30s;
    return options;
}

}  // namespace

xmpp::Jid Visitor::account_of(std::uint32_t number) {
    return xmpp::Jid::parse(fmt::format("{}{}@example.org", kHidden, number)).value();
}

std::string Visitor::nick_of(std::uint32_t number) {
    return fmt::format("nick {}", number);
}

Visitor::Visitor(Crowd& crowd, reactor::TaskSet& tasks, test::RoomBook& book,
                 std::function<void(std::string)> complain, Role role, Chance chance)
    : RoomClient({crowd.shared(), tasks, book, complain}, place_of(role), options_for(crowd, role)),
      crowd_(crowd),
      tasks_(tasks),
      book_(book),
      complain_(std::move(complain)),
      role_(std::move(role)),
      chance_(chance),
      timer_([this] { act(); }) {
    move_to_new_address();
    if (role_.moderated && !role_.owns) book_.silence(role_.number, role_.room);
}

void Visitor::note(const std::string& what) {
    crowd_.journal().note(nick(), what);
}

void Visitor::move_to_new_address() {
    address_ =
        fmt::format("10.{}.{}.{}", 201 + role_.number / 250, role_.number % 250, ++addresses_);
    crowd_.network().move(key_of(role_), address_);
}

void Visitor::wake_after(base::Duration least, base::Duration most) {
    crowd_.world().reactor.arm(timer_, chance_.between(least, most));
}

void Visitor::act() {
    if (home_) return;
    if (std::exchange(dawdling_, false)) client().pause_reading(false);
    if (!online()) {
        if (!connecting_) {
            connecting_ = true;
            tasks_.add("visitor connects", connect());
        }
    } else if (!is_settled()) {
        enter(chance_.percent(40) ? static_cast<std::uint32_t>(chance_.below(kHistoryMax)) : 0);
    } else if (looks_ && may_ask()) {
        looks_ = false;
        look_at_state(false);
    } else {
        do_something();
    }
    if (!timer_.armed()) wake_after(100ms, calm_ ? base::Duration(2s) : base::Duration(6s));
}

reactor::Deferred<void> Visitor::connect() {
    auto connecting = client().connect();
    const base::Result<void> done = co_await std::move(connecting).as_result();
    connecting_ = false;
    if (!done) {
        note(fmt::format("cannot connect: {}", base::name_of(done.error().code())));
        if (!home_) wake_after(500ms, 8s);
    }
    co_return {};
}

reactor::Deferred<void> Visitor::close() {
    auto closing = client().disconnect();
    static_cast<void>(co_await std::move(closing).as_result());
    co_return {};
}

void Visitor::do_something() {
    if (calm_) {
        if (role_.owns && !unsettled_.empty())
            return change(unsettled_.back(), role_.moderated ? "member" : "none");
        // Seldom enough that there are moments in which nobody waits for an answer.
        if (chance_.percent(10)) ping_self();
        return;
    }
    const std::uint64_t drawn = chance_.below(100);
    if (drawn < 62) {
        for (std::uint64_t count = 1 + chance_.below(4); count > 0; --count)
            say();
    } else if (drawn < 74) {
        if (role_.owns) rule();
    } else if (drawn < 80) {
        ping_self();
    } else if (drawn < 84) {
        note("leaves the room");
        leave();
    } else if (drawn < 90) {
        vanish(false);
    } else if (drawn < 93) {
        vanish(true);
    } else if (drawn < 95) {
        note("closes");
        tasks_.add("visitor closes", close());
    } else if (drawn < 97) {
        note("starts anew");
        connecting_ = false;
        start_anew();
    } else {
        note("does not read");
        client().pause_reading(true);
        dawdling_ = true;
        wake_after(1s, 30s);
    }
}

// The connection just breaks, or its address goes and the server is told nothing.
void Visitor::vanish(bool silently) {
    note(silently ? "roams" : "vanishes");
    const std::string old = address_;
    if (silently || chance_.percent(60)) move_to_new_address();
    if (silently) {
        reactor::SimInternet& internet = crowd_.internet();
        internet.black_hole(old);
        crowd_.harness().sim().at(
            crowd_.harness().sim().now() + chance_.between(base::Duration(1s), 120s),
            [&internet, old] { internet.heal(old); });
    }
    client().cut();
}

void Visitor::rule() {
    if (role_.others.empty()) return;
    const std::uint32_t guest = chance_.of(role_.others);
    const std::uint64_t drawn = chance_.below(100);
    if (drawn < 10) return say_subject();
    if (drawn < 20) return change_description();
    change(guest, drawn < 56 ? "member" : drawn < 84 ? "none" : "outcast");
}

// What is asked for may be in force before it is answered, and without an answer too.
void Visitor::change(std::uint32_t guest, std::string_view affiliation) {
    if (!may_ask()) return;
    const bool silences = role_.moderated && affiliation == "none";
    const bool bans = affiliation == "outcast";
    if (!bans) {
        book_.unban(guest, role_.room);
        outcasts_.erase(nick_of(guest));
    }
    if (!silences) book_.allow(guest, role_.room);
    if (bans || silences) {
        book_.doubt(guest, role_.room, true);
        if (std::ranges::find(unsettled_, guest) == unsettled_.end()) unsettled_.push_back(guest);
    }
    note(fmt::format("makes nick {} {}", guest, affiliation));
    set_affiliation(account_of(guest).text(), affiliation,
                    [this, guest, silences, bans](bool answered) {
                        if (answered) changed(guest, silences, bans);
                    });
}

void Visitor::changed(std::uint32_t guest, bool silences, bool bans) {
    note(fmt::format("has done so with nick {}", guest));
    if (bans) {
        book_.ban(guest, role_.room);
        outcasts_.insert(nick_of(guest));
    } else if (silences) {
        // Who is in the room keeps their voice without being a member.
        set_role(nick_of(guest), "visitor", [this, guest](bool answered) {
            if (answered) book_.silence(guest, role_.room);
        });
    } else {
        book_.doubt(guest, role_.room, false);
        std::erase(unsettled_, guest);
    }
}

void Visitor::calm_down() {
    calm_ = true;
    if (std::exchange(dawdling_, false)) client().pause_reading(false);
    // Whatever was asked for last may have been left unanswered.
    if (role_.owns) {
        unsettled_ = role_.others;
        looks_ = true;
    }
    wake_after(0s, 1s);
}

void Visitor::look_at_archive() {
    ++looking_;
    tasks_.add("visitor reads", watch(read_archive(), "the archive", true));
}

void Visitor::look_at_state(bool must) {
    ++looking_;
    tasks_.add("visitor compares", watch(compare_state(), "what is in force", must));
}

reactor::Deferred<void> Visitor::watch(reactor::Deferred<void> looking, std::string what,
                                       bool must) {
    const base::Result<void> looked = co_await std::move(looking).as_result();
    --looking_;
    if (!looked && !must) looks_ = true;
    if (!looked && must)
        complain_(nick() + " cannot read " + what + ": " + looked.error().message());
    co_return {};
}

void Visitor::go_home() {
    home_ = true;
    timer_.cancel();
    if (online()) tasks_.add("visitor leaves", close());
}

// --- what it is told

void Visitor::came_online(bool resumed) {
    note(fmt::format("{} from {}", resumed ? "resumed" : "online", address_));
    if (home_) return tasks_.add("visitor leaves", close());
    if (role_.owns && !resumed) looks_ = true;
}

void Visitor::went_offline() {
    note("offline");
    if (home_) return;
    if (calm_) return wake_after(200ms, 2s);
    if (chance_.percent(50)) return wake_after(50ms, 2s);
    wake_after(1s, 25s);
}

// Every stanza it is sent, whole. Who rules the room may see addresses, and no outcast inside: what
// it is answered comes in the order of what the room tells.
void Visitor::saw(const xmpp::Stanza& stanza) {
    if (role_.owns) {
        const bool enters = stanza.is_presence() && stanza.from() &&
                            stanza.from()->same_bare(place().address) &&
                            stanza.presence_type() == xmpp::PresenceType::available;
        if (enters && outcasts_.contains(std::string(stanza.from()->resource())))
            complain_(fmt::format("{} {} sees an outcast inside: {}", crowd_.journal().now(),
                                  nick(), stanza.to_xml()));
        return;
    }
    const std::string xml = stanza.to_xml();
    for (std::size_t at = xml.find(kHidden); at != std::string::npos;
         at = xml.find(kHidden, at + 1)) {
        std::uint32_t number = 0;
        const char* const digits = xml.data() + at + kHidden.size();
        const auto [end, error] = std::from_chars(digits, xml.data() + xml.size(), number);
        if (error == std::errc{} && number != role_.number)
            complain_(fmt::format("{} {} is shown whose account another is: {}",
                                  crowd_.journal().now(), nick(), xml));
    }
}

}  // namespace sim
