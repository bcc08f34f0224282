// Shared by tests: streams through the parser, events as short text that tests can compare.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace xmpp {

inline constexpr std::string_view kHeader =
    "<stream:stream to='example.com' version='1.0' xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'>";

/// "open", "stanza …", "close", "error condition", nothing for NeedMore.
inline std::string describe(const ParserEvent& event) {
    if (const auto* stanza = std::get_if<StanzaElement>(&event)) {
        return "stanza " + to_xml(stanza->element, "jabber:client") + " raw[" +
               std::string(stanza->raw_inner.view()) + "] " + std::to_string(stanza->wire_bytes);
    }
    if (const auto* error = std::get_if<ParserError>(&event)) {
        return "error " + std::string(name_of(error->error.condition()));
    }
    if (const auto* open = std::get_if<StreamOpen>(&event)) return "open " + open->to;
    return std::holds_alternative<StreamClose>(event) ? "close" : "";
}

/// Feeds `bytes` and collects all events until NeedMore or an error.
inline void drain(StreamParser& parser, std::string_view bytes, std::vector<std::string>& events) {
    parser.feed(bytes);
    while (true) {
        const ParserEvent event = parser.next();
        if (std::holds_alternative<NeedMore>(event)) return;
        events.push_back(describe(event));
        if (std::holds_alternative<ParserError>(event)) return;
    }
}

inline std::vector<std::string> read_all(std::string_view bytes, const ParserLimits& limits = {}) {
    StreamParser parser(limits);
    std::vector<std::string> events;
    drain(parser, bytes, events);
    return events;
}

/// The first element after a usual stream header.
inline StanzaElement element_after_header(std::string_view xml) {
    StreamParser parser;
    parser.feed(kHeader);
    EXPECT_TRUE(std::holds_alternative<StreamOpen>(parser.next()));
    parser.feed(xml);
    ParserEvent event = parser.next();
    EXPECT_TRUE(std::holds_alternative<StanzaElement>(event)) << xml << ": " << describe(event);
    if (auto* element = std::get_if<StanzaElement>(&event)) return std::move(*element);
    return {};
}

/// The condition of the error that `xml` causes after a usual stream header; "none" for none.
inline std::string error_after_header(std::string_view xml, const ParserLimits& limits = {}) {
    const auto events = read_all(std::string(kHeader) + std::string(xml), limits);
    if (events.empty() || !events.back().starts_with("error ")) return "none";
    return events.back().substr(6);
}

}  // namespace xmpp
