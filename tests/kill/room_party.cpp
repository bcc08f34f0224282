#include "tests/kill/room_party.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>

namespace talkers {
namespace {

constexpr std::uint32_t kGuestsPerRoom = 5;
constexpr std::uint64_t kFaultsShown = 20;

}  // namespace

RoomParty::RoomParty(bots::ClientShared& shared, reactor::TaskSet& tasks, std::uint32_t guests,
                     std::uint16_t port)
    : tasks_(tasks), book_([this](const std::string& what) { complain(what); }) {
    for (std::uint32_t i = 0; i < guests; ++i)
        guests_.push_back(std::make_unique<RoomGuest>(
            RoomGuest::Parts{shared, tasks, book_,
                             [this](const std::string& what) { complain(what); }},
            i, i / kGuestsPerRoom, i % kGuestsPerRoom == 0, port));
}

void RoomParty::complain(const std::string& what) {
    if (++faults_ <= kFaultsShown) fmt::print(stderr, "rooms: {}\n", what);
}

void RoomParty::begin() {
    for (const auto& guest : guests_)
        tasks_.add("guest staying online", guest->stay_online());
}

void RoomParty::tick() {
    for (const auto& guest : guests_)
        guest->tick();
}

void RoomParty::settle_down() {
    for (const auto& guest : guests_)
        guest->settle_down();
}

bool RoomParty::at_rest() const {
    return std::ranges::all_of(guests_, [](const auto& guest) { return guest->at_rest(); });
}

reactor::Deferred<void> RoomParty::audit() {
    for (const auto& guest : guests_)
        if (!guest->at_rest()) complain(guest->unrest());
    for (const auto& guest : guests_) {
        if (!guest->leads()) continue;
        auto reading = guest->read_archive();
        const base::Result<void> read = co_await std::move(reading);
        if (!read) complain("reading an archive: " + read.error().message());
        auto comparing = guest->compare_state();
        const base::Result<void> compared = co_await std::move(comparing);
        if (!compared) complain("reading what is in force: " + compared.error().message());
    }
    book_.check_end();
    co_return {};
}

std::string RoomParty::text() const {
    std::uint64_t resumed = 0;
    std::uint64_t logins = 0;
    std::uint64_t changes = 0;
    for (const auto& guest : guests_) {
        resumed += guest->resumed();
        logins += guest->logins();
        changes += guest->changes();
    }
    const auto& totals = book_.totals();
    return fmt::format(
        "guests {} said {} acknowledged {} sent_back {} heard {} kept {} changes {} room_faults {} "
        "guests_resumed {} guest_logins {}",
        guests_.size(), totals.said, totals.acknowledged, totals.refused, totals.heard, totals.kept,
        changes, faults_, resumed, logins);
}

}  // namespace talkers
