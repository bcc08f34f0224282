// Message archive management preferences (XEP-0441): <prefs/> as a value.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xmpp {

/// For addresses in neither list.
enum class MamDefault : std::uint8_t { always, never, roster };
std::string_view name_of(MamDefault rule) noexcept;

/// Addresses in both lists together.
inline constexpr std::size_t kMamPrefsJidsMax = 1000;

struct MamPrefs {
    MamDefault otherwise = MamDefault::always;
    std::vector<Jid> always{};
    std::vector<Jid> never{};

    /// `prefs` is the <prefs/> of an iq set; a list that is missing is empty (§2.1.2, §2.1.3).
    /// Errors, to be answered as they are: bad-request without a valid 'default', for a list that
    /// is there twice, or an address in both; jid-malformed; resource-constraint past
    /// kMamPrefsJidsMax.
    static base::Result<MamPrefs, StanzaError> parse(const Element& prefs);
    /// With both lists, empty or not (§2.1).
    Element to_element() const;
};

}  // namespace xmpp
