// Phone: what it does when it has time.
#include "reactor/reactor.h"
#include "tests/sim/crowd.h"
#include "tests/sim/phone.h"
#include "xmpp/core/namespaces.h"

#include <fmt/format.h>
#include <chrono>
#include <utility>

namespace sim {
namespace {

using namespace std::chrono_literals;

}  // namespace

void Phone::do_something() {
    ask_what_arrived();
    if (calm_) {
        unblock_all();
        if (asleep_) change_sleep();
        if (!available_ || priority_ < 0) send_presence();
        wake_after(5s, 20s);
        return look();
    }
    const std::pair<unsigned, void (Phone::*)()> doings[] = {
        {habits_.writes, &Phone::write_some},
        {habits_.changes_presence, &Phone::send_presence},
        {habits_.sleeps, &Phone::change_sleep},
        {habits_.is_first ? habits_.blocks : 0, &Phone::change_block},
        {habits_.subscribes, &Phone::change_subscription},
        {habits_.looks, &Phone::look},
        {habits_.vanishes, &Phone::vanish},
        {habits_.roams, &Phone::roam},
        {habits_.closes, &Phone::close},
        {habits_.forgets, &Phone::forget_session},
        {habits_.dawdles, &Phone::dawdle},
    };
    unsigned all = 0;
    for (const auto& [share, doing] : doings)
        all += share;
    auto drawn = static_cast<unsigned>(chance_.below(all));
    for (const auto& [share, doing] : doings) {
        if (drawn < share) return (this->*doing)();
        drawn -= share;
    }
}

void Phone::write_some() {
    const Account& own = crowd_.account(account_);
    if (own.contacts.empty()) return;
    const AccountNumber to = chance_.of(own.contacts);
    std::optional<DeviceNumber> device;
    if (chance_.percent(30)) device = chance_.of(crowd_.account(to).devices);
    for (std::uint64_t count = 1 + chance_.below(4); count > 0; --count)
        write_to(to, device);
    if (chance_.percent(20))
        send(fmt::format("<message to='{}' type='chat'><composing "
                         "xmlns='http://jabber.org/protocol/chatstates'/></message>",
                         crowd_.account(to).jid.text()),
             true);
    ask_what_arrived();
}

void Phone::say_last_words() {
    for (const AccountNumber to : crowd_.account(account_).contacts) {
        write_to(to, std::nullopt);
        for (const DeviceNumber device : crowd_.account(to).devices)
            write_to(to, device);
    }
    ask_what_arrived();
}

void Phone::send_presence() {
    if (!calm_ && available_ && chance_.percent(15)) {
        available_ = false;
        note("goes unavailable");
        seen_online_.clear();
        send("<presence type='unavailable'/>", false);
        return;
    }
    // Who went while it was not available, it is not told; who is there, it is.
    if (!available_) seen_online_.clear();
    available_ = true;
    priority_ = calm_ ? 1 : static_cast<int>(chance_.between(-1, 5));
    const std::string_view show = chance_.percent(50) ? "<show>away</show>" : "";
    note(fmt::format("is available, priority {}", priority_));
    send(fmt::format("<presence>{}<priority>{}</priority></presence>", show, priority_), false);
}

void Phone::change_sleep() {
    asleep_ = !asleep_;
    note(asleep_ ? "sleeps" : "wakes");
    client_->send_element(asleep_ ? "<inactive xmlns='urn:xmpp:csi:0'/>"
                                  : "<active xmlns='urn:xmpp:csi:0'/>");
}

void Phone::set_copies() {
    if (!habits_.wants_copies) return;
    request(xmpp::IqType::set, xmpp::Element("enable", xmpp::ns::carbons), [](bool) {});
}

// One request at a time for each, so that their order is that of the answers.
void Phone::change_block() {
    const Account& own = crowd_.account(account_);
    if (own.contacts.empty()) return;
    if (!maybe_blocked_.empty()) return unblock_all();
    const AccountNumber peer = chance_.of(own.contacts);
    xmpp::Element block("block", "urn:xmpp:blocking");
    block.add(xmpp::Element("item", "urn:xmpp:blocking"))
        .set_attribute("jid", crowd_.account(peer).jid.text());
    note(fmt::format("blocks a{}", peer));
    maybe_blocked_.insert(peer);
    crowd_.messages().blocking(account_, peer);
    request(xmpp::IqType::set, std::move(block), [this, peer, round = ++block_round_](bool done) {
        if (!done || round != block_round_) return;
        note(fmt::format("has blocked a{}", peer));
        crowd_.messages().blocked(account_, peer);
    });
}

void Phone::unblock_all() {
    if (maybe_blocked_.empty()) return;
    for (const AccountNumber peer : maybe_blocked_)
        crowd_.messages().unblocking(account_, peer);
    note("unblocks all");
    ++block_round_;
    request(xmpp::IqType::set, xmpp::Element("unblock", "urn:xmpp:blocking"), [this](bool done) {
        if (!done) return;
        note("has unblocked all");
        for (const AccountNumber peer : std::exchange(maybe_blocked_, {}))
            crowd_.messages().unblocked(account_, peer);
        if (available_) send_presence();
    });
}

void Phone::change_subscription() {
    const Account& own = crowd_.account(account_);
    if (own.contacts.empty()) return;
    const AccountNumber peer = chance_.of(own.contacts);
    const std::string_view type = chance_.percent(70)   ? "subscribe"
                                  : chance_.percent(60) ? "unsubscribe"
                                                        : "unsubscribed";
    note(fmt::format("{}: a{}", type, peer));
    send(fmt::format("<presence to='{}' type='{}'/>", crowd_.account(peer).jid.text(), type),
         false);
}

// A connection that does not answer is as good as none.
void Phone::look() {
    if (!online()) return;
    ++open_looks_;
    request(xmpp::IqType::get, xmpp::Element("ping", xmpp::ns::ping),
            [this, asked = client_.get()](bool answered) {
                --open_looks_;
                if (answered || asked != client_.get() || !online()) return;
                note("hears nothing");
                client_->cut();
            });
}

void Phone::vanish() {
    note("vanishes");
    client_->cut();
    if (chance_.percent(60)) move_to_new_address();
}

// The old address is gone without a word; the server finds out when somebody else has it.
void Phone::roam() {
    note("roams");
    const std::string old = address_;
    move_to_new_address();
    crowd_.internet().black_hole(old);
    client_->cut();
    reactor::SimInternet& internet = crowd_.internet();
    crowd_.harness().sim().at(crowd_.harness().sim().now() + chance_.between(1s, 120s),
                              [&internet, old] { internet.heal(old); });
}

void Phone::close() {
    note("closes");
    crowd_.messages().lineage_ends(number_, Ending::closed);
    tasks_.add("close", client_->disconnect());
}

void Phone::dawdle() {
    note("does not read");
    client_->pause_reading(true);
    dawdling_ = true;
    wake_after(1s, 40s);
}

}  // namespace sim
