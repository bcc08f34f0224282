#include "tests/sim/room_crowd.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>
#include <utility>

namespace sim {
namespace {

constexpr std::uint32_t kVisitorsPerRoom = 5;
constexpr std::uint64_t kVisitorStream = 50'000;

}  // namespace

RoomCrowd::RoomCrowd(Crowd& crowd, std::uint64_t seed, unsigned rooms)
    : crowd_(crowd),
      book_([this](const std::string& what) { complain(what); },
            [this](const test::RoomBook::Word& word, const std::string& what) {
                crowd_.journal().note(test::RoomBook::text_of(word), what);
                MessageLog::Span& span = spans_.try_emplace(word, now(), now()).first->second;
                if (what == "acknowledged") span.until = now();
            },
            [this](const test::RoomBook::Word& word) {
                return crowd_.messages().storage_failed_around(spans_.at(word));
            }) {
    crowd_.harness().sim().on(crowd_.world(), [&] {
        tasks_.emplace(crowd_.world().reactor);
        for (std::uint32_t room = 0; room < rooms; ++room) {
            for (std::uint32_t i = 0; i < kVisitorsPerRoom; ++i) {
                const std::uint32_t number = room * kVisitorsPerRoom + i;
                Chance chance(seed, kVisitorStream + number);
                Visitor::Role role{.number = number,
                                   .room = room,
                                   .owns = i == 0,
                                   .moderated = room % 2 == 1,
                                   .manages_stream = i == 0 || chance.percent(85),
                                   .others = {}};
                for (std::uint32_t other = 1; role.owns && other < kVisitorsPerRoom; ++other)
                    role.others.push_back(number + other);
                visitors_.push_back(std::make_unique<Visitor>(
                    crowd_, *tasks_, book_, [this](const std::string& what) { complain(what); },
                    std::move(role), chance));
            }
        }
    });
}

RoomCrowd::~RoomCrowd() {
    crowd_.harness().sim().on(crowd_.world(), [this] {
        tasks_.reset();
        visitors_.clear();
    });
    crowd_.harness().sim().run_ready();
}

base::MonotonicTime RoomCrowd::now() const {
    return crowd_.journal().time();
}

void RoomCrowd::complain(const std::string& what) {
    crowd_.messages().violation("rooms: " + what);
}

void RoomCrowd::make_accounts() {
    std::vector<xmpp::Jid> jids;
    for (std::uint32_t number = 0; number < visitors_.size(); ++number)
        jids.push_back(Visitor::account_of(number));
    make_accounts_in(crowd_.harness(), std::move(jids));
}

template <class Function>
void RoomCrowd::each(Function function) {
    crowd_.harness().sim().on(crowd_.world(), [&] {
        for (const auto& visitor : visitors_)
            function(*visitor);
    });
}

void RoomCrowd::start() {
    each([](Visitor& visitor) { visitor.start(); });
}

void RoomCrowd::calm_down() {
    each([](Visitor& visitor) { visitor.calm_down(); });
}

bool RoomCrowd::at_peace() const {
    return std::ranges::all_of(visitors_, [](const auto& visitor) { return visitor->at_peace(); });
}

void RoomCrowd::say_last_words() {
    said_ = book_.totals().said;
    each([](Visitor& visitor) { visitor.say_last_word(); });
}

void RoomCrowd::look_around() {
    each([](Visitor& visitor) {
        visitor.ping_self();
        visitor.look_at_archive();
        if (visitor.owns()) visitor.look_at_state(true);
    });
}

void RoomCrowd::check() {
    book_.check_end();
    for (std::size_t first = 0; first < visitors_.size(); first += kVisitorsPerRoom) {
        std::set<std::string> all;
        for (std::size_t i = first; i < first + kVisitorsPerRoom; ++i)
            all.insert(visitors_[i]->nick());
        for (std::size_t i = first; i < first + kVisitorsPerRoom; ++i)
            if (visitors_[i]->occupants() != all)
                complain(fmt::format("{} sees {} of {} occupants", visitors_[i]->nick(),
                                     visitors_[i]->occupants().size(), all.size()));
    }
}

void RoomCrowd::go_home() {
    each([](Visitor& visitor) { visitor.go_home(); });
}

bool RoomCrowd::all_offline() const {
    return std::ranges::all_of(visitors_, [](const auto& visitor) { return visitor->offline(); });
}

void RoomCrowd::complain_of_unrest() {
    for (const auto& visitor : visitors_)
        if (!visitor->at_peace()) complain("no rest: " + visitor->unrest());
    if (at_peace() && !book_.all_heard_since(said_)) complain("last words are heard by nobody");
}

}  // namespace sim
