#include "xmpp/payloads/forwarded.h"

#include "xmpp/core/namespaces.h"

#include <string>
#include <utility>

namespace xmpp {
namespace {

base::Failure invalid(std::string why) {
    return {base::Errc::invalid_argument, std::move(why)};
}

}  // namespace

Element forwarded_element(const Stanza& stanza, std::optional<base::WallTime> received_at) {
    Element forwarded("forwarded", ns::forward);
    if (received_at) forwarded.add(delay_element({}, *received_at));
    forwarded.add(stanza.element().shared_copy());
    return forwarded;
}

base::Result<Forwarded> parse_forwarded(const Element& element) {
    if (!element.is("forwarded", ns::forward)) return std::unexpected(invalid("not forwarded"));
    std::optional<Delay> delay;
    const Element* inner = nullptr;
    for (const Element& child : element.children()) {
        if (child.is("delay", ns::delay)) {
            if (delay) return std::unexpected(invalid("two delays"));
            delay = TRY(parse_delay(child));
        } else if (Stanza::is_stanza(child)) {
            if (inner != nullptr) return std::unexpected(invalid("two stanzas"));
            inner = &child;
        }
    }
    if (inner == nullptr) return std::unexpected(invalid("no stanza"));
    Element copy = *inner;
    auto stanza = Stanza::from_element(std::move(copy));
    if (!stanza) return std::unexpected(invalid(stanza.error().text()));
    return Forwarded{std::move(delay), *std::move(stanza)};
}

const Element* forwarded_stanza(const Element& forwarded) noexcept {
    if (!forwarded.is("forwarded", ns::forward)) return nullptr;
    for (const Element& child : forwarded.children())
        if (Stanza::is_stanza(child)) return &child;
    return nullptr;
}

}  // namespace xmpp
