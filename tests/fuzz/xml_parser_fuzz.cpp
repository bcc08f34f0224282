// A stream of any bytes, whole and in pieces: no crash, the same events either way, limits kept,
// and every stanza that is accepted survives being written and read again.
//
// The first byte of the input chooses how the rest is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "reactor/base/check.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/core/stanza.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

namespace {

constexpr std::string_view kHeader =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

xmpp::ParserLimits small_limits() {
    xmpp::ParserLimits limits;
    limits.stanza_bytes_max = 2000;
    limits.depth_max = 12;
    limits.attributes_max = 8;
    limits.namespaces_max = 8;
    limits.name_bytes_max = 64;
    limits.elements_max = 64;
    return limits;
}

// Reads one element in a fresh stream, without tight limits: escaping makes text longer.
xmpp::Element read_back(std::string_view xml) {
    xmpp::StreamParser parser;
    parser.feed(kHeader);
    CHECK(std::holds_alternative<xmpp::StreamOpen>(parser.next()));
    parser.feed(xml);
    xmpp::ParserEvent event = parser.next();
    auto* const read = std::get_if<xmpp::StanzaElement>(&event);
    CHECK(read != nullptr);
    CHECK(parser.pending_bytes() == 0);
    return std::move(read->element);
}

void check_stanza(const xmpp::StanzaElement& stanza) {
    CHECK(stanza.wire_bytes <= small_limits().stanza_bytes_max);
    CHECK(read_back(xmpp::to_xml(stanza.element, xmpp::ns::client)) == stanza.element);
    if (!xmpp::Stanza::is_stanza(stanza.element)) return;
    xmpp::Element copy = stanza.element;
    const auto parsed = xmpp::Stanza::from_element(std::move(copy), stanza.raw_inner);
    if (!parsed) {
        static_cast<void>(xmpp::Stanza::error_reply(stanza.element, parsed.error()));
        return;
    }
    CHECK(read_back(parsed->to_xml()) == parsed->element());
    if (parsed->is_iq()) static_cast<void>(parsed->check_iq());
    static_cast<void>(parsed->error());
}

std::string describe(const xmpp::ParserEvent& event) {
    if (const auto* stanza = std::get_if<xmpp::StanzaElement>(&event)) {
        return "stanza " + xmpp::to_xml(stanza->element) + "|" +
               std::string(stanza->raw_inner.view()) + "\n";
    }
    if (const auto* error = std::get_if<xmpp::ParserError>(&event)) {
        return "error " + std::string(name_of(error->error.condition())) + "\n";
    }
    if (const auto* open = std::get_if<xmpp::StreamOpen>(&event)) {
        return "open " + open->ns + "|" + open->to + "|" + open->content_ns + "\n";
    }
    return "close\n";
}

std::string read(std::string_view bytes, std::size_t piece_bytes, bool release, bool check) {
    xmpp::StreamParser parser(small_limits());
    std::string events;
    while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, piece_bytes);
        bytes.remove_prefix(piece.size());
        parser.feed(piece);
        while (true) {
            const xmpp::ParserEvent event = parser.next();
            if (std::holds_alternative<xmpp::NeedMore>(event)) break;
            events += describe(event);
            if (std::holds_alternative<xmpp::ParserError>(event)) return events;
            const auto* const stanza = std::get_if<xmpp::StanzaElement>(&event);
            if (check && stanza != nullptr) check_stanza(*stanza);
        }
        if (release) parser.release();
    }
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t choice = data[0];
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string stream;
    if (choice % 2 == 0) {
        stream = kHeader;
        stream += bytes;
        bytes = stream;
    }
    const std::string whole = read(bytes, bytes.size() + 1, false, true);
    const std::string pieces = read(bytes, 1 + choice / 4, choice % 4 >= 2, false);
    CHECK(whole == pieces);
    return 0;
}
