// <stream:features/>: what the server offers at each step of negotiation (RFC 6120 §4.3.2).
#pragma once

#include "xmpp/core/element.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

/// XEP-0115 entity capabilities of the server itself.
struct CapsFeature {
    std::string hash;  ///< "sha-1"
    std::string node;
    std::string ver;
};

/// XEP-0478 stream limits.
struct LimitsFeature {
    std::uint64_t bytes_max = 0;
    std::uint64_t idle_seconds = 0;  ///< 0: not advertised.
};

/// What to offer; everything unset is not offered. Order on the wire is the order here.
struct StreamFeatures {
    enum class StartTls : std::uint8_t { none, optional, required };

    StartTls starttls = StartTls::none;
    std::vector<std::string> mechanisms;        ///< SASL, best first; empty: no <mechanisms/>.
    std::vector<std::string> channel_bindings;  ///< XEP-0440 types, with mechanisms only.
    bool registration = false;                  ///< XEP-0077.
    bool bind = false;
    bool session = false;  ///< Legacy session, advertised as <optional/>.
    bool roster_versions = false;
    bool pre_approval = false;  ///< RFC 6121 §3.4.
    std::optional<CapsFeature> caps;
    std::optional<LimitsFeature> limits;
    std::vector<Element> others;  ///< Offered by modules, as they are.

    /// <features/> in the stream namespace.
    Element to_element() const;
    /// `<stream:features>…</stream:features>` for a stream that binds the prefix "stream".
    std::string to_xml() const;
};

}  // namespace xmpp
