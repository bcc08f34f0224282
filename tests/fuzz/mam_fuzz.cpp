// Queries, results, ends, metadata and preferences of archives (XEP-0313, XEP-0441) from arbitrary
// XML: no element crashes a parser, and what one accepted it writes so that it accepts it again, as
// the same. A message that is read can be carried in a result, and is the same there.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "reactor/base/check.h"
#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/mam.h"
#include "xmpp/payloads/mam_prefs.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/read_stanza.h"

namespace {

template <class Payload>
void check_round_trip(const xmpp::Element& element) {
    const auto payload = Payload::parse(element);
    if (!payload) return;
    const xmpp::Element written = payload->to_element();
    const auto again = Payload::parse(written);
    CHECK(again.has_value());
    CHECK(again->to_element() == written);
}

void check_element(const xmpp::Element& element) {
    check_round_trip<xmpp::MamQuery>(element);
    check_round_trip<xmpp::MamFin>(element);
    check_round_trip<xmpp::MamMetadata>(element);
    check_round_trip<xmpp::MamPrefs>(element);
}

void check_message(const xmpp::Stanza& message) {
    static_cast<void>(xmpp::parse_mam_result(message));
    const xmpp::Jid account = *xmpp::Jid::parse("romeo@example.org");
    const std::string stored = message.to_xml();
    const xmpp::Stanza result =
        xmpp::mam_result(account, account, {}, "1", {1'278'803'305'000'000}, stored);
    const auto sent = xmpp::read_stanza(result.to_xml());
    CHECK(sent.has_value());
    const auto read = xmpp::parse_mam_result(*sent);
    CHECK(read.has_value());
    CHECK(read->stanza.element() == message.element());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    xmpp::StreamParser parser;
    parser.feed(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "version='1.0'>");
    parser.next();
    parser.feed(std::string_view(reinterpret_cast<const char*>(data), size));
    for (int i = 0; i < 16; ++i) {
        xmpp::ParserEvent event = parser.next();
        auto* element = std::get_if<xmpp::StanzaElement>(&event);
        if (element == nullptr) break;
        check_element(element->element);
        for (const xmpp::Element& child : element->element.children())
            check_element(child);
        auto stanza = xmpp::Stanza::from_element(std::move(element->element),
                                                 std::move(element->raw_inner));
        if (stanza && stanza->is_message()) check_message(*stanza);
    }
    return 0;
}
