#include "tests/bots/workload/muc_doors.h"

#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/disco.h"
#include "xmpp/xml/writer.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <utility>

namespace bots {
namespace {

using namespace std::chrono_literals;

/// For one door; a large room tells who enters of everybody else first.
constexpr base::Duration kPatience = 60s;

// Of the bot itself (XEP-0045 §7.2.2: code 110).
bool is_own(const xmpp::Stanza& presence) {
    const xmpp::Element* x = presence.child("x", xmpp::ns::muc_user);
    if (x == nullptr) return false;
    return std::ranges::any_of(x->children(), [](const xmpp::Element& child) {
        return child.name() == "status" && child.attribute("code") == "110";
    });
}

}  // namespace

std::string MucDoors::room_of(BotNumber bot) const {
    return fmt::format("room{}-{:x}@{}", seats_.room_of(bot) + 1, crew_.plan().run_id, service_);
}

std::string MucDoors::nick_of(BotNumber bot) const {
    return fmt::format("bot {}", bot + 1);
}

reactor::Deferred<std::vector<std::string>> MucDoors::items() {
    const BotNumber bot = crew_.bots().front();
    xmpp::Stanza ask = xmpp::Stanza::iq(xmpp::IqType::get, "");
    ask.set_to(crew_.plan().names.bare(bot).domain_jid());
    ask.edit().add_child("query", xmpp::ns::disco_items);
    auto asking = crew_.request(bot, std::move(ask));
    const auto answer = co_await std::move(asking);
    if (!answer) co_return answer.error();
    std::vector<std::string> jids;
    const xmpp::Element* query = answer->child("query", xmpp::ns::disco_items);
    if (query == nullptr) co_return jids;
    const auto items = xmpp::DiscoItems::parse(*query);
    if (!items) co_return items.error();
    for (const xmpp::DiscoItem& item : items->items)
        jids.push_back(item.jid);
    co_return jids;
}

reactor::Deferred<void> MucDoors::find_service() {
    if (crew_.bots().empty()) co_return {};
    const BotNumber bot = crew_.bots().front();
    auto listing = items();
    const auto jids = co_await std::move(listing);
    if (!jids) co_return jids.error();
    for (const std::string& text : *jids) {
        const auto jid = xmpp::Jid::parse(text);
        if (!jid) continue;
        xmpp::Stanza ask = xmpp::Stanza::iq(xmpp::IqType::get, "");
        ask.set_to(*jid).edit().add_child("query", xmpp::ns::disco_info);
        auto asking = crew_.request(bot, std::move(ask));
        const auto answer = co_await std::move(asking);
        const xmpp::Element* query =
            answer ? answer->child("query", xmpp::ns::disco_info) : nullptr;
        if (query == nullptr) continue;
        const auto info = xmpp::DiscoInfo::parse(*query);
        if (!info || !info->has_feature(xmpp::ns::muc)) continue;
        service_ = jid->text();
        co_return {};
    }
    co_return base::Failure(base::Errc::unsupported, "the server has no service with rooms");
}

reactor::Deferred<void> MucDoors::make_rooms() {
    std::vector<reactor::Deferred<void>> parts;
    for (std::uint32_t room = 0; room < seats_.rooms(); ++room)
        if (crew_.is_here(seats_.founder_of(room)))
            parts.push_back(make_room(seats_.founder_of(room)));
    auto all = reactor::when_all(std::move(parts));
    const auto made = co_await std::move(all);
    co_return made;
}

reactor::Deferred<void> MucDoors::make_room(BotNumber founder) {
    auto entering = enter(founder, "");
    const auto entered = co_await std::move(entering);
    if (!entered) co_return entered;
    const auto room = xmpp::Jid::parse(room_of(founder));
    if (!room) co_return room.error();
    xmpp::Stanza submit = xmpp::Stanza::iq(xmpp::IqType::set, "");
    submit.set_to(*room)
        .edit()
        .add_child("query", xmpp::ns::muc_owner)
        .add_child("x", xmpp::ns::data_forms)
        .set_attribute("type", "submit");
    auto asking = crew_.request(founder, std::move(submit));
    const auto answer = co_await std::move(asking);
    if (!answer) co_return answer.error().with("a room cannot be made");
    co_return {};
}

reactor::Deferred<void> MucDoors::enter_all(std::size_t at_once) {
    std::vector<BotNumber> bots = crew_.bots();
    std::erase_if(bots,
                  [this](BotNumber bot) { return bot == seats_.founder_of(seats_.room_of(bot)); });
    std::size_t next = 0;
    std::vector<reactor::Deferred<void>> parts;
    for (std::size_t worker = 0; worker < std::min(at_once, bots.size()); ++worker)
        parts.push_back(enter_some(bots, next));
    auto all = reactor::when_all(std::move(parts));
    const auto entered = co_await std::move(all);
    co_return entered;
}

reactor::Deferred<void> MucDoors::enter_some(const std::vector<BotNumber>& bots,
                                             std::size_t& next) {
    while (next < bots.size()) {
        auto entering = enter(bots[next++], "join");
        const auto entered = co_await std::move(entering);
        if (!entered) co_return entered;
    }
    co_return {};
}

reactor::Deferred<void> MucDoors::enter(BotNumber bot, std::string_view figure) {
    const base::MonotonicTime began = crew_.now();
    // What was said before does not concern the bots, and may be of an earlier run.
    auto passing = pass(bot, fmt::format("<presence to='{}/{}'><x xmlns='{}'><history "
                                         "maxstanzas='0'/></x></presence>",
                                         room_of(bot), nick_of(bot), xmpp::ns::muc));
    const auto passed = co_await std::move(passing);
    if (!passed) co_return passed.error().with("a room cannot be entered");
    if (!figure.empty()) crew_.extras().latencies[std::string(figure)].record(crew_.now() - began);
    co_return {};
}

reactor::Deferred<void> MucDoors::reenter(BotNumber bot) {
    auto leaving = pass(
        bot, fmt::format("<presence to='{}/{}' type='unavailable'/>", room_of(bot), nick_of(bot)));
    const auto left = co_await std::move(leaving);
    if (!left) co_return left.error().with("a room cannot be left");
    auto entering = enter(bot, "reentry");
    const auto entered = co_await std::move(entering);
    co_return entered;
}

reactor::Deferred<void> MucDoors::pass(BotNumber bot, std::string presence) {
    if (!crew_.send_xml(bot, presence))
        co_return base::Failure(base::Errc::connection_lost, "a bot is not online");
    reactor::Promise<void>& promise = at_door_[bot];
    auto waiting = reactor::with_timeout(crew_.world().reactor, promise.deferred([] {}), kPatience);
    const auto passed = co_await std::move(waiting);
    at_door_.erase(bot);
    co_return passed;
}

void MucDoors::on_presence(BotNumber bot, const xmpp::Stanza& presence) {
    if (at_door_.empty()) return;
    const auto found = at_door_.find(bot);
    if (found == at_door_.end()) return;
    if (presence.is_error()) {
        const auto error = presence.error();
        static_cast<void>(found->second.try_resolve(base::fail(
            base::Errc::permission_denied,
            std::string(error ? name_of(error->condition()) : "refused without a reason"))));
    } else if (is_own(presence)) {
        static_cast<void>(found->second.try_resolve({}));
    }
}

}  // namespace bots
