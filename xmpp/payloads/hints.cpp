#include "xmpp/payloads/hints.h"

#include "xmpp/core/namespaces.h"

#include <array>
#include <cstddef>

namespace xmpp {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"no-permanent-store", "no-store", "no-copy",
                                                    "store"};

}  // namespace

std::string_view name_of(Hint hint) noexcept {
    return kNames[static_cast<std::size_t>(hint)];
}

std::optional<Hint> parse_hint(const Element& element) noexcept {
    if (element.ns() != ns::hints) return std::nullopt;
    for (std::size_t i = 0; i < kNames.size(); ++i)
        if (element.name() == kNames[i]) return static_cast<Hint>(i);
    return std::nullopt;
}

Element hint_element(Hint hint) {
    return {name_of(hint), ns::hints};
}

Hints hints_of(const Stanza& message) {
    Hints hints;
    if (message.is_error()) return hints;
    for (const Element& child : message.element().children()) {
        const std::optional<Hint> hint = parse_hint(child);
        if (!hint) continue;
        switch (*hint) {
            case Hint::no_permanent_store:
                hints.no_permanent_store = true;
                break;
            case Hint::no_store:
                hints.no_store = true;
                break;
            case Hint::no_copy:
                hints.no_copy = true;
                break;
            case Hint::store:
                hints.store = true;
                break;
        }
    }
    return hints;
}

}  // namespace xmpp
