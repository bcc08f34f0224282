// Message processing hints (XEP-0334): what the sender would like servers to do with a message.
// What follows from them is decided in message_class.h.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/stanza.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace xmpp {

enum class Hint : std::uint8_t {
    no_permanent_store,  ///< Not into an archive; the offline store may have it.
    no_store,            ///< Not stored anywhere.
    no_copy,             ///< To nobody but the address it names.
    store,               ///< Worth storing, whatever it looks like.
};

/// The element name ("no-store").
std::string_view name_of(Hint hint) noexcept;
/// Nullopt: not a hint, or not one that is known.
std::optional<Hint> parse_hint(const Element& element) noexcept;
Element hint_element(Hint hint);

/// The hints of one message.
struct Hints {
    bool no_permanent_store = false;
    bool no_store = false;
    bool no_copy = false;
    bool store = false;

    friend bool operator==(const Hints&, const Hints&) = default;
};

/// Those in a message of type error are not meant for it and do not count (§5).
Hints hints_of(const Stanza& message);

}  // namespace xmpp
