#include "server/modules/muc/history.h"

#include "server/modules/muc/occupant_ids.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/stanza_id.h"
#include "xmpp/xml/read_stanza.h"

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
    bytes_ -= messages_.front().xml.size();
    messages_.pop_front();
}

void History::add(const xmpp::Stanza& message, base::WallTime at, std::uint32_t messages_max) {
    if (messages_max == 0) return;
    std::string xml = message.to_xml();
    if (xml.size() > kBytesMax) return;
    bytes_ += xml.size();
    messages_.push_back({.xml = std::move(xml), .at = at});
    trim(messages_max);
    while (bytes_ > kBytesMax)
        drop_oldest();
}

bool History::add_older(const xmpp::Stanza& message, base::WallTime at,
                        std::uint32_t messages_max) {
    std::string xml = message.to_xml();
    if (messages_.size() >= messages_max || bytes_ + xml.size() > kBytesMax) return false;
    bytes_ += xml.size();
    messages_.push_front({.xml = std::move(xml), .at = at});
    return true;
}

void History::trim(std::uint32_t messages_max) {
    while (messages_.size() > messages_max)
        drop_oldest();
}

void History::clear() {
    messages_.clear();
    bytes_ = 0;
}

void History::remove(const xmpp::Jid& room, std::string_view stanza_id,
                     std::string_view occupant_id) {
    for (auto message = messages_.begin(); message != messages_.end(); ++message) {
        if (message->xml.find(stanza_id) == std::string::npos) continue;
        const auto stanza = xmpp::read_stanza(message->xml);
        if (!stanza || xmpp::find_stanza_id(*stanza, room) != stanza_id) continue;
        if (!occupant_id.empty() && occupant_id_of(*stanza) != occupant_id) return;
        bytes_ -= message->xml.size();
        messages_.erase(message);
        return;
    }
}

std::vector<xmpp::Stanza> History::replay(const xmpp::Jid& room, const xmpp::Jid& to,
                                          const xmpp::MucHistoryLimits& wanted,
                                          base::WallTime now) const {
    constexpr std::int64_t kMicroseconds = 1'000'000;
    std::vector<xmpp::Stanza> chosen;
    std::size_t characters = 0;
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
        if (wanted.stanzas && chosen.size() >= *wanted.stanzas) break;
        const std::int64_t age = now.microseconds - message->at.microseconds;
        if (wanted.seconds && age > std::int64_t{*wanted.seconds} * kMicroseconds) break;
        if (wanted.since && message->at < *wanted.since) break;
        auto copy = xmpp::read_stanza(message->xml);
        if (!copy) continue;
        copy->append_child(xmpp::delay_element(room.text(), message->at));
        copy->set_to(to);
        if (wanted.characters) {
            characters += characters_in(copy->to_xml());
            if (characters > *wanted.characters) break;
        }
        chosen.push_back(*std::move(copy));
    }
    std::ranges::reverse(chosen);
    return chosen;
}

}  // namespace server::modules::muc
