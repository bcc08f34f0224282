#include "tests/bots/measure/ledger.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace bots {
namespace {

constexpr std::string_view kPrefix = "b1-";

std::uint64_t key_of(std::uint32_t sender, std::uint32_t receiver) {
    return (std::uint64_t{sender} << 32) | receiver;
}

void append_hex(std::string& out, std::uint64_t number) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
    out += '-';
    out.append(digits, end);
}

// Takes "-<number>" off the front. Only the form that append_hex writes: lower case, no zero in
// front; one stamp has one text.
template <class Number>
bool take_hex(std::string_view& text, Number& number) {
    if (!text.starts_with('-')) return false;
    text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc()) return false;
    const std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.data()));
    if (digits.size() > 1 && digits.front() == '0') return false;
    if (digits.find_first_of("ABCDEF-") != std::string_view::npos) return false;
    text.remove_prefix(digits.size());
    return true;
}

}  // namespace

void MessageStamp::append_to(std::string& out) const {
    out += kPrefix.substr(0, kPrefix.size() - 1);
    append_hex(out, run);
    append_hex(out, sender);
    append_hex(out, receiver);
    append_hex(out, sequence);
    append_hex(out, static_cast<std::uint64_t>(intended.nanoseconds));
}

std::optional<MessageStamp> MessageStamp::parse(std::string_view id) {
    if (!id.starts_with(kPrefix)) return std::nullopt;
    id.remove_prefix(kPrefix.size() - 1);
    MessageStamp stamp;
    std::uint64_t intended = 0;
    if (!take_hex(id, stamp.run) || !take_hex(id, stamp.sender) || !take_hex(id, stamp.receiver) ||
        !take_hex(id, stamp.sequence) || !take_hex(id, intended) || !id.empty())
        return std::nullopt;
    if (stamp.sequence == 0 || intended > std::numeric_limits<std::int64_t>::max())
        return std::nullopt;
    stamp.intended.nanoseconds = static_cast<std::int64_t>(intended);
    return stamp;
}

Ledger::Ledger(std::uint32_t run, LedgerLimits limits) : run_(run), limits_(limits) {}
Ledger::~Ledger() = default;

std::uint64_t Ledger::next(std::uint32_t sender, std::uint32_t receiver) {
    ++sent_;
    return ++conversations_[key_of(sender, receiver)].issued;
}

MessageStamp Ledger::stamp(std::uint32_t sender, std::uint32_t receiver,
                           base::MonotonicTime intended) {
    return {run_, sender, receiver, next(sender, receiver), intended};
}

// The number comes from a server as well (the id of an error): only those given out count.
void Ledger::refused(std::uint32_t sender, std::uint32_t receiver, std::uint64_t sequence) {
    const auto found = conversations_.find(key_of(sender, receiver));
    if (found == conversations_.end()) return;
    Conversation& conversation = found->second;
    if (sequence == 0 || sequence > conversation.issued) return;
    if (!conversation.refused) conversation.refused = std::make_unique<SequenceSet>();
    if (!conversation.refused->insert(sequence)) return;
    --sent_;
    ++refused_;
}

Ledger::Arrival Ledger::received(const MessageStamp& stamp, std::uint32_t receiver) {
    if (stamp.run != run_) {
        ++foreign_;
        return Arrival::foreign;
    }
    const std::uint64_t key = key_of(stamp.sender, stamp.receiver);
    auto found = conversations_.find(key);
    const bool opens = found == conversations_.end();
    if (stamp.receiver != receiver || stamp.sequence == 0 ||
        (opens && conversations_.size() >= limits_.conversations_max)) {
        ++stray_;
        return Arrival::stray;
    }
    if (opens) found = conversations_.try_emplace(key).first;
    SequenceSet& arrived = found->second.arrived;
    if (gaps_ >= limits_.gaps_max && arrived.opens_gap(stamp.sequence)) {
        ++stray_;
        return Arrival::stray;
    }
    const std::uint64_t highest = arrived.highest();
    gaps_ -= arrived.gaps();
    const bool fresh = arrived.insert(stamp.sequence);
    gaps_ += arrived.gaps();
    if (!fresh) {
        ++duplicated_;
        return Arrival::duplicate;
    }
    ++received_;
    if (stamp.sequence > highest) return Arrival::fresh;
    ++reordered_;
    return Arrival::reordered;
}

Tally Ledger::balance(std::span<const Ledger* const> ledgers) {
    Tally tally;
    std::vector<std::pair<std::uint64_t, const Conversation*>> pages;
    for (const Ledger* ledger : ledgers) {
        tally.duplicated += ledger->duplicated_;
        tally.reordered += ledger->reordered_;
        tally.stray += ledger->stray_;
        tally.foreign += ledger->foreign_;
        for (const auto& [key, conversation] : ledger->conversations_)
            pages.emplace_back(key, &conversation);
    }
    std::ranges::sort(pages, {}, [](const auto& page) { return page.first; });
    for (auto page = pages.begin(); page != pages.end();) {
        std::uint64_t issued = 0;
        SequenceSet arrived;
        SequenceSet refused;
        for (const std::uint64_t key = page->first; page != pages.end() && page->first == key;
             ++page) {
            issued = std::max(issued, page->second->issued);
            tally.duplicated += arrived.merge(page->second->arrived);
            if (page->second->refused) refused.merge(*page->second->refused);
        }
        const std::uint64_t received = arrived.count_up_to(issued);
        const std::uint64_t refused_only = refused.count_without(arrived, issued);
        tally.stray += arrived.count_up_to(std::numeric_limits<std::uint64_t>::max()) - received;
        tally.received += received;
        tally.refused += refused_only;
        tally.lost += issued - received - refused_only;
    }
    tally.sent = tally.received + tally.lost;
    return tally;
}

}  // namespace bots
