// KeptRoles: roles that outlast a visit of a moderated room, where who has a voice is what matters
// (XEP-0045 §5.1). Only those that differ from what an affiliation brings. A value; saving it is
// not its business.
#pragma once

#include "xmpp/core/jid.h"
#include "xmpp/payloads/muc.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace server::modules::muc {

struct KeptRole {
    xmpp::Jid jid;                             ///< Bare.
    xmpp::MucRole role = xmpp::MucRole::none;  ///< None: nothing is kept any more.
};

class KeptRoles {
public:
    /// With one more the oldest is forgotten.
    static constexpr std::size_t kMax = 1000;

    /// Of somebody's bare address; nullopt: what their affiliation brings.
    std::optional<xmpp::MucRole> of(const xmpp::Jid& jid) const;
    void put(const KeptRole& kept);
    void clear() { kept_.clear(); }
    std::size_t size() const { return kept_.size(); }

private:
    struct Kept {
        xmpp::MucRole role;
        std::uint64_t number;
    };
    std::unordered_map<std::string, Kept> kept_;  // By bare address.
    std::uint64_t last_number_ = 0;
};

}  // namespace server::modules::muc
