#include "tests/support/room_book.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

namespace test {
namespace {

std::string guest_name(RoomBook::Guest guest) {
    return "guest " + std::to_string(guest);
}

}  // namespace

std::string RoomBook::text_of(const Word& word) {
    return "r" + std::to_string(word.speaker) + " " + std::to_string(word.room) + " " +
           std::to_string(word.number);
}

bool RoomBook::parse(std::string_view text, Word& word) {
    if (!text.starts_with('r')) return false;
    text.remove_prefix(1);
    std::uint32_t numbers[3] = {};
    for (std::uint32_t& number : numbers) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{}) return false;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        if (!text.empty()) text.remove_prefix(1);
    }
    word = {numbers[0], numbers[1], numbers[2]};
    return word.number != 0;
}

// --- who speaks

RoomBook::Word RoomBook::say(Guest speaker, Room room) {
    const Word word{speaker, room, ++numbers_[{speaker, room}]};
    Record& record = records_[word];
    record.silenced = silenced_[{speaker, room}];
    record.doubtful = record.silenced || doubted_[{speaker, room}] || !is_in(speaker, room);
    record.place = ++totals_.said;
    note(word, "said");
    return word;
}

void RoomBook::acknowledged(const Word& word) {
    Record& record = records_.at(word);
    if (std::exchange(record.acknowledged, true)) return;
    ++totals_.acknowledged;
    note(word, "acknowledged");
}

void RoomBook::sent_again(const Word& word) {
    records_.at(word).doubtful = true;
    note(word, "sent again");
}

void RoomBook::session_lost(Guest speaker) {
    for (auto& [word, record] : records_)
        if (word.speaker == speaker && record.acknowledged) record.lost = true;
}

void RoomBook::refused(const Word& word) {
    const auto found = records_.find(word);
    if (found == records_.end()) return complain_(text_of(word) + " was refused and never said");
    if (!std::exchange(found->second.refused, true)) ++totals_.refused;
    note(word, "refused");
}

void RoomBook::silence(Guest speaker, Room room) {
    silenced_[{speaker, room}] = true;
    doubt(speaker, room, true);
}

void RoomBook::doubt(Guest speaker, Room room, bool doubted) {
    doubted_[{speaker, room}] = doubted;
    for (auto& [word, record] : records_)
        if (doubted && word.speaker == speaker && word.room == room && !record.acknowledged)
            record.doubtful = true;
}

void RoomBook::allow(Guest speaker, Room room) {
    for (auto& [word, record] : records_)
        if (word.speaker == speaker && word.room == room && !record.acknowledged)
            record.silenced = false;
    silenced_[{speaker, room}] = false;
}

// --- who listens

RoomBook::Visit* RoomBook::visit_of(Guest guest, Room room) {
    const auto found = current_.find({guest, room});
    return found == current_.end() ? nullptr : &visits_[found->second];
}

const RoomBook::Visit* RoomBook::visit_of(Guest guest, Room room) const {
    const auto found = current_.find({guest, room});
    return found == current_.end() ? nullptr : &visits_[found->second];
}

void RoomBook::enters(Guest guest, Room room) {
    if (visit_of(guest, room) != nullptr) return;
    current_[{guest, room}] = visits_.size();
    visits_.push_back({.guest = guest, .room = room});
    gaps_[guest] = false;
}

void RoomBook::leaves(Guest guest, Room room) {
    Visit* visit = visit_of(guest, room);
    if (visit == nullptr) return;
    doubt(guest, room, true);
    doubted_[{guest, room}] = silenced_[{guest, room}];
    visit->over = true;
    current_.erase({guest, room});
}

bool RoomBook::is_in(Guest guest, Room room) const {
    return visit_of(guest, room) != nullptr;
}

void RoomBook::may_miss(Guest guest) {
    gaps_[guest] = true;
}

RoomBook::Record* RoomBook::record_of_heard(Guest guest, const Word& word) {
    const auto record = records_.find(word);
    if (record == records_.end()) {
        complain_(guest_name(guest) + " hears " + text_of(word) + ", which nobody said");
        return nullptr;
    }
    if (visit_of(guest, word.room) != nullptr) return &record->second;
    if (record->second.place > anew_[guest])
        complain_(guest_name(guest) + " hears " + text_of(word) + " outside of the room");
    return nullptr;
}

void RoomBook::hears(Guest guest, const Word& word, const std::string& stanza_id) {
    note(word, "heard by " + guest_name(guest));
    Record* record = record_of_heard(guest, word);
    if (record == nullptr) return;
    if (record->silenced)
        complain_(guest_name(guest) + " hears " + text_of(word) + " of one without voice");
    const auto ban = banned_.find({guest, word.room});
    if (ban != banned_.end() && record->place > ban->second)
        complain_(guest_name(guest) + " hears " + text_of(word) + " although it is an outcast");
    if (stanza_id.empty())
        complain_(guest_name(guest) + " hears " + text_of(word) + " without an id of the room");
    ++record->heard;
    ++totals_.heard;
    visit_of(guest, word.room)
        ->heard.push_back({word, stanza_id, std::exchange(gaps_[guest], false)});
}

void RoomBook::shown(Guest guest, const Word& word, const std::string& stanza_id, bool first) {
    note(word, "shown to " + guest_name(guest));
    Record* record = record_of_heard(guest, word);
    if (record == nullptr) return;
    Visit* visit = visit_of(guest, word.room);
    if (first && !visit->heard.empty()) {
        visit->over = true;
        current_.erase({guest, word.room});
        enters(guest, word.room);
        visit = visit_of(guest, word.room);
    }
    ++record->heard;
    ++totals_.shown;
    visit->heard.push_back({.word = word, .stanza_id = stanza_id, .shown = true});
}

// --- in the end

void RoomBook::archive_of(Room room, std::vector<Kept> kept) {
    const auto known = archives_.find(room);
    if (known == archives_.end()) {
        totals_.kept += kept.size();
        archives_.emplace(room, std::move(kept));
    } else if (known->second != kept) {
        complain_("two readers of the archive of room " + std::to_string(room) +
                  " do not find the same");
    }
}

bool RoomBook::all_heard_since(std::uint64_t said) const {
    for (const auto& [word, record] : records_)
        if (record.place > said && record.acknowledged && !record.refused && record.heard == 0)
            return false;
    return true;
}

// The refusal was lost with the session that it was for.
bool RoomBook::may_be_refused(const Word& word, const Record& record) const {
    if (record.refused) return true;
    return record.lost && record.heard == 0 && (record.doubtful || (excuses_ && excuses_(word)));
}

bool RoomBook::may_be_refused(const Word& word) const {
    const auto found = records_.find(word);
    return found != records_.end() && may_be_refused(word, found->second);
}

void RoomBook::check_archive(Room room, const std::vector<Kept>& kept) {
    std::map<Guest, std::uint32_t> last;
    std::set<Word> there;
    for (const Kept& one : kept) {
        if (!records_.contains(one.word)) {
            complain_("the archive has " + text_of(one.word) + ", which nobody said");
            continue;
        }
        if (!there.insert(one.word).second)
            complain_("the archive has " + text_of(one.word) + " twice");
        std::uint32_t& before = last[one.word.speaker];
        if (one.word.number < before)
            complain_("the archive has " + text_of(one.word) + " behind number " +
                      std::to_string(before));
        before = std::max(before, one.word.number);
        if (records_.at(one.word).silenced)
            complain_("the archive has " + text_of(one.word) + " of one without voice");
    }
    for (const auto& [word, record] : records_) {
        if (word.room != room) continue;
        if (record.acknowledged && !record.refused && !there.contains(word)) {
            if (may_be_refused(word, record)) {
                ++totals_.excused;
            } else {
                complain_(text_of(word) + " was acknowledged and is not in the archive");
            }
        }
        if (record.heard > 0 && !there.contains(word))
            complain_(text_of(word) + " was heard and is not in the archive");
    }
}

void RoomBook::check_visit(const Visit& visit, const std::vector<Kept>& kept,
                           const std::map<std::string, std::size_t>& places) {
    const std::string who = guest_name(visit.guest);
    std::size_t expected = 0;
    bool first = true;
    bool after_history = false;
    const auto may_be_missed = [&](const Kept& one) {
        return may_be_refused(one.word) || (after_history && one.subject);
    };
    for (const Heard& heard : visit.heard) {
        const auto place = places.find(heard.stanza_id);
        if (place == places.end()) {
            complain_(who + " heard " + text_of(heard.word) + " with an id that the archive lacks");
            continue;
        }
        if (kept[place->second].word != heard.word)
            complain_(who + " heard " + text_of(heard.word) + " with the id of another");
        while (!first && expected < place->second && may_be_missed(kept[expected]))
            ++expected;
        if (!first && place->second < expected)
            complain_(who + " heard " + text_of(heard.word) + " again, or too late");
        if (!first && place->second > expected && !heard.after_gap)
            complain_(who + " heard " + text_of(heard.word) + " and missed " +
                      text_of(kept[expected].word) + " before it");
        expected = place->second + 1;
        first = false;
        after_history = heard.shown;
    }
    while (!visit.heard.empty() && expected < kept.size() && may_be_missed(kept[expected]))
        ++expected;
    // Who is still there has heard what was said last.
    if (!visit.over && !visit.heard.empty() && expected < kept.size())
        complain_(who + " is in and missed " + text_of(kept[expected].word) + " at the end");
}

void RoomBook::check_end() {
    for (const auto& [room, kept] : archives_) {
        check_archive(room, kept);
        std::map<std::string, std::size_t> places;
        for (std::size_t i = 0; i < kept.size(); ++i)
            places.emplace(kept[i].stanza_id, i);
        for (const Visit& visit : visits_)
            if (visit.room == room) check_visit(visit, kept, places);
    }
}

}  // namespace test
