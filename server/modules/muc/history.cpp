#include "server/modules/muc/history.h"

#include "server/modules/muc/occupant_ids.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/stanza_id.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

// Bytes that begin a character.
std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

}  // namespace

void History::drop_oldest() {
    bytes_ -= messages_.front().bytes;
    messages_.pop_front();
}

void History::add(const xmpp::Jid& room, xmpp::Stanza message, base::WallTime at,
                  std::uint32_t messages_max) {
    if (messages_max == 0) return;
    message.append_child(xmpp::delay_element(room.text(), at));
    message.share_content();
    const std::size_t bytes = message.raw_inner().view().size();
    if (bytes > kBytesMax) return;
    bytes_ += bytes;
    messages_.push_back({.stanza = std::move(message), .at = at, .bytes = bytes});
    trim(messages_max);
    while (bytes_ > kBytesMax)
        drop_oldest();
}

void History::trim(std::uint32_t messages_max) {
    while (messages_.size() > messages_max)
        drop_oldest();
}

void History::remove(const xmpp::Jid& room, std::string_view stanza_id,
                     std::string_view occupant_id) {
    for (auto message = messages_.begin(); message != messages_.end(); ++message) {
        if (xmpp::find_stanza_id(message->stanza, room) != stanza_id) continue;
        if (!occupant_id.empty() && occupant_id_of(message->stanza) != occupant_id) return;
        bytes_ -= message->bytes;
        messages_.erase(message);
        return;
    }
}

std::vector<xmpp::Stanza> History::replay(const xmpp::Jid& to, const xmpp::MucHistoryLimits& wanted,
                                          base::WallTime now) const {
    constexpr std::int64_t kMicroseconds = 1'000'000;
    std::vector<xmpp::Stanza> chosen;
    std::size_t characters = 0;
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
        if (wanted.stanzas && chosen.size() >= *wanted.stanzas) break;
        const std::int64_t age = now.microseconds - message->at.microseconds;
        if (wanted.seconds && age > std::int64_t{*wanted.seconds} * kMicroseconds) break;
        if (wanted.since && message->at < *wanted.since) break;
        xmpp::Stanza copy = message->stanza;
        copy.set_to(to);
        if (wanted.characters) {
            characters += characters_in(copy.to_xml());
            if (characters > *wanted.characters) break;
        }
        chosen.push_back(std::move(copy));
    }
    std::ranges::reverse(chosen);
    return chosen;
}

}  // namespace server::modules::muc
