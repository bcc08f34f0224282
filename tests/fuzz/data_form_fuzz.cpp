// Forms, RSM, disco, caps, delay, forwarded stanzas and stanza ids from arbitrary XML: no element
// crashes a parser, and what one accepted it writes so that it accepts it again, as the same. What
// kind of message a message is never depends on what was done to it before.
#include <cstddef>
#include <cstdint>
#include <utility>

#include "reactor/base/check.h"
#include "tests/fuzz/stanzas.h"
#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/caps.h"
#include "xmpp/payloads/carbon.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/delay.h"
#include "xmpp/payloads/disco.h"
#include "xmpp/payloads/forwarded.h"
#include "xmpp/payloads/message_class.h"
#include "xmpp/payloads/rsm.h"
#include "xmpp/payloads/stanza_id.h"

namespace {

void check_element(const xmpp::Element& element) {
    fuzz::check_round_trip<xmpp::DataForm>(element);
    fuzz::check_round_trip<xmpp::RsmRequest>(element);
    fuzz::check_round_trip<xmpp::RsmResponse>(element);
    fuzz::check_round_trip<xmpp::DiscoInfo>(element);
    fuzz::check_round_trip<xmpp::DiscoItems>(element);
    fuzz::check_round_trip<xmpp::Caps>(element);
    static_cast<void>(xmpp::parse_delay(element));
    if (const auto form = xmpp::DataForm::parse(element)) {
        xmpp::DataForm submission = *form;
        submission.type = xmpp::FormType::submit;
        static_cast<void>(xmpp::check_submission(*form, submission));
    }
    if (const auto info = xmpp::DiscoInfo::parse(element))
        static_cast<void>(xmpp::caps_hash(*info, "sha-1"));
    if (const auto forwarded = xmpp::parse_forwarded(element)) {
        const auto again = xmpp::parse_forwarded(xmpp::forwarded_element(forwarded->stanza));
        CHECK(again.has_value() && again->stanza.element() == forwarded->stanza.element());
    }
    if (const auto id = xmpp::parse_stanza_id(element))
        CHECK(xmpp::parse_stanza_id(xmpp::stanza_id_element(id->id, id->by)) == *id);
}

void check_message(xmpp::Stanza message) {
    const bool archived = xmpp::is_worth_archiving(message);
    static_cast<void>(xmpp::is_worth_keeping_offline(message));
    static_cast<void>(xmpp::urgency_of(message));
    const bool copied = xmpp::carbon_rule(message, true) == xmpp::CarbonRule::yes;
    const xmpp::Jid account = *xmpp::Jid::parse("romeo@example.org");
    const xmpp::Stanza copy = xmpp::carbon_copy(xmpp::CarbonDirection::received, message, account);
    CHECK(xmpp::copied_message(copy) != nullptr);
    CHECK(xmpp::carbon_rule(copy, true) == xmpp::CarbonRule::no);
    static_cast<void>(xmpp::remove_stanza_ids(message, account));
    CHECK(!xmpp::find_stanza_id(message, account));
    CHECK(xmpp::is_worth_archiving(message) == archived);
    CHECK((xmpp::carbon_rule(message, true) == xmpp::CarbonRule::yes) == copied);
}

void check_stanza(const xmpp::Element& element) {
    xmpp::Element copy = element;
    auto stanza = xmpp::Stanza::from_element(std::move(copy));
    if (stanza && stanza->is_message()) check_message(*std::move(stanza));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::for_each_stanza(data, size, 16, [](const xmpp::StanzaElement& stanza) {
        check_stanza(stanza.element);
        check_element(stanza.element);
        for (const xmpp::Element& child : stanza.element.children())
            check_element(child);
        return true;
    });
    return 0;
}
