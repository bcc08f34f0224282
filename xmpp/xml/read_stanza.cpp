#include "xmpp/xml/read_stanza.h"

#include "xmpp/xml/parser.h"

#include <utility>
#include <variant>

namespace xmpp {

std::optional<Stanza> read_stanza(std::string_view xml) {
    constexpr std::string_view kHeader =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    // What was accepted once, under limits that may have been different then, is accepted again.
    StreamParser parser(ParserLimits{.stanza_bytes_max = xml.size() + kHeader.size(),
                                     .depth_max = 10'000,
                                     .attributes_max = 10'000,
                                     .namespaces_max = 10'000,
                                     .name_bytes_max = xml.size(),
                                     .elements_max = xml.size()});
    parser.feed(kHeader);
    if (!std::holds_alternative<StreamOpen>(parser.next())) return std::nullopt;
    static_cast<void>(parser.next());
    parser.feed(xml);
    ParserEvent event = parser.next();
    StanzaElement* read = std::get_if<StanzaElement>(&event);
    if (read == nullptr || parser.pending_bytes() > 0) return std::nullopt;
    auto stanza = Stanza::from_element(std::move(read->element), std::move(read->raw_inner));
    if (!stanza) return std::nullopt;
    return std::move(*stanza);
}

}  // namespace xmpp
