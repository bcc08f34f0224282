// What fuzz targets of stanzas share: the stanzas of a client's stream whose text is the input, and
// the check that a payload is written as it was read.
#pragma once

#include "reactor/base/check.h"
#include "xmpp/core/element.h"
#include "xmpp/xml/parser.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

namespace fuzz {

/// Calls `take(xmpp::StanzaElement&)` for the first `most` stanzas, until it answers false or the
/// input is no XML any more.
template <class Take>
void for_each_stanza(const std::uint8_t* data, std::size_t size, int most, Take&& take) {
    xmpp::StreamParser parser;
    parser.feed(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "version='1.0'>");
    parser.next();
    parser.feed(std::string_view(reinterpret_cast<const char*>(data), size));
    for (int i = 0; i < most; ++i) {
        xmpp::ParserEvent event = parser.next();
        auto* stanza = std::get_if<xmpp::StanzaElement>(&event);
        if (stanza == nullptr || !take(*stanza)) return;
    }
}

/// What `Payload` accepts it writes so that it accepts it again, as the same.
template <class Payload>
void check_round_trip(const xmpp::Element& element) {
    const auto payload = Payload::parse(element);
    if (!payload) return;
    const xmpp::Element written = payload->to_element();
    const auto again = Payload::parse(written);
    CHECK(again.has_value());
    CHECK(again->to_element() == written);
}

}  // namespace fuzz
