#include "xmpp/xml/read_stanza.h"

#include "xmpp/xml/parser.h"

#include <utility>
#include <variant>

namespace xmpp {

namespace {

std::optional<StanzaElement> read_one(std::string_view xml) {
    constexpr std::string_view kHeader =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";
    // What was accepted once, under limits that may have been different then, is accepted again.
    StreamParser parser(ParserLimits{.stanza_bytes_max = xml.size() + kHeader.size(),
                                     .depth_max = 10'000,
                                     .attributes_max = 10'000,
                                     .namespaces_max = 10'000,
                                     .name_bytes_max = xml.size() + kHeader.size(),
                                     .elements_max = xml.size() + 1});
    parser.feed(kHeader);
    if (!std::holds_alternative<StreamOpen>(parser.next())) return std::nullopt;
    static_cast<void>(parser.next());
    parser.feed(xml);
    ParserEvent event = parser.next();
    StanzaElement* read = std::get_if<StanzaElement>(&event);
    if (read == nullptr || parser.pending_bytes() > 0) return std::nullopt;
    return std::move(*read);
}

}  // namespace

std::optional<Stanza> read_stanza(std::string_view xml) {
    std::optional<StanzaElement> read = read_one(xml);
    if (!read) return std::nullopt;
    auto stanza = Stanza::from_element(std::move(read->element), std::move(read->raw_inner));
    if (!stanza) return std::nullopt;
    return std::move(*stanza);
}

std::optional<Element> read_element(std::string_view xml) {
    std::optional<StanzaElement> read = read_one(xml);
    if (!read) return std::nullopt;
    return std::move(read->element);
}

}  // namespace xmpp
