#include "xmpp/payloads/stanza_id.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>

namespace xmpp {
namespace {

constexpr std::string_view kStanzaId = "stanza-id";
constexpr std::string_view kOriginId = "origin-id";

// Addresses are compared prepared (§3, rule 7). The spelling that is prepared already, nearly
// always the one that is there, needs no parsing.
bool is_by(const Element& element, const Jid& by) {
    if (!element.is(kStanzaId, ns::stanza_ids)) return false;
    const std::string_view text = element.attribute("by");
    if (text == by.text()) return true;
    if (!by.may_be(text)) return false;
    const base::Result<Jid> named = Jid::parse(text);
    return named && *named == by;
}

}  // namespace

Element stanza_id_element(std::string_view id, const Jid& by) {
    Element element(kStanzaId, ns::stanza_ids);
    element.set_attribute("id", id).set_attribute("by", by.text());
    return element;
}

Element origin_id_element(std::string_view id) {
    Element element(kOriginId, ns::stanza_ids);
    element.set_attribute("id", id);
    return element;
}

base::Result<StanzaId> parse_stanza_id(const Element& element) {
    if (!element.is(kStanzaId, ns::stanza_ids))
        return base::fail(base::Errc::invalid_argument, "not a stanza-id");
    const std::string_view id = element.attribute("id");
    if (id.empty()) return base::fail(base::Errc::invalid_argument, "a stanza-id without id");
    if (!element.has_no_content())
        return base::fail(base::Errc::invalid_argument, "a stanza-id with content");
    Jid by = TRY(Jid::parse(element.attribute("by")));
    return StanzaId{std::string(id), std::move(by)};
}

std::optional<std::string> find_stanza_id(const Stanza& stanza, const Jid& by) {
    for (const Element& child : stanza.element().children())
        if (is_by(child, by)) return std::string(child.attribute("id"));
    return std::nullopt;
}

std::optional<std::string> find_origin_id(const Stanza& stanza) {
    const Element* element = stanza.child(kOriginId, ns::stanza_ids);
    if (element == nullptr || element->attribute("id").empty()) return std::nullopt;
    return std::string(element->attribute("id"));
}

std::size_t remove_stanza_ids(Stanza& stanza, const Jid& by) {
    const auto forged = [&](const Element& child) { return is_by(child, by); };
    if (std::ranges::none_of(stanza.element().children(), forged)) return 0;
    return stanza.edit().remove_children_if(forged);
}

}  // namespace xmpp
