// Forms, RSM, disco, caps and delay from arbitrary XML: no element crashes a parser, and what one
// accepted it writes so that it accepts it again, as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "reactor/base/check.h"
#include "xmpp/core/element.h"
#include "xmpp/payloads/caps.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/disco.h"
#include "xmpp/payloads/rsm.h"
#include "xmpp/xml/parser.h"

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
    check_round_trip<xmpp::DataForm>(element);
    check_round_trip<xmpp::RsmRequest>(element);
    check_round_trip<xmpp::RsmResponse>(element);
    check_round_trip<xmpp::DiscoInfo>(element);
    check_round_trip<xmpp::DiscoItems>(element);
    check_round_trip<xmpp::Caps>(element);
    static_cast<void>(xmpp::parse_delay(element));
    if (const auto form = xmpp::DataForm::parse(element)) {
        xmpp::DataForm submission = *form;
        submission.type = xmpp::FormType::submit;
        static_cast<void>(xmpp::check_submission(*form, submission));
    }
    if (const auto info = xmpp::DiscoInfo::parse(element))
        static_cast<void>(xmpp::caps_hash(*info, "sha-1"));
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
        const xmpp::ParserEvent event = parser.next();
        const auto* stanza = std::get_if<xmpp::StanzaElement>(&event);
        if (stanza == nullptr) break;
        check_element(stanza->element);
        for (const xmpp::Element& child : stanza->element.children())
            check_element(child);
    }
    return 0;
}
