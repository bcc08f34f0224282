// Queries, results, ends, metadata and preferences of archives (XEP-0313, XEP-0441) from arbitrary
// XML: no element crashes a parser, and what one accepted it writes so that it accepts it again, as
// the same. A message that is read can be carried in a result, and is the same there.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "reactor/base/check.h"
#include "tests/fuzz/stanzas.h"
#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/mam.h"
#include "xmpp/payloads/mam_prefs.h"
#include "xmpp/xml/read_stanza.h"

namespace {

void check_element(const xmpp::Element& element) {
    fuzz::check_round_trip<xmpp::MamQuery>(element);
    fuzz::check_round_trip<xmpp::MamFin>(element);
    fuzz::check_round_trip<xmpp::MamMetadata>(element);
    fuzz::check_round_trip<xmpp::MamPrefs>(element);
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
    fuzz::for_each_stanza(data, size, 16, [](xmpp::StanzaElement& element) {
        check_element(element.element);
        for (const xmpp::Element& child : element.element.children())
            check_element(child);
        auto stanza =
            xmpp::Stanza::from_element(std::move(element.element), std::move(element.raw_inner));
        if (stanza && stanza->is_message()) check_message(*stanza);
        return true;
    });
    return 0;
}
