// SavedSession: a resumable session as the database keeps it over a restart (XEP-0198 §5): its
// stream management and what routing knows of its resource.
#pragma once

#include "xmpp/core/jid.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

struct SavedSession {
    std::string management;  ///< StreamManagement::save
    std::string mechanism;
    std::string lang;
    std::string presence;  ///< XML; empty: not available.
    bool interested = false;
    bool blocklist_requested = false;
    bool carbons = false;
    std::vector<xmpp::Jid> directed;

    std::string encode() const;
    /// nullopt: not what `encode` wrote.
    static std::optional<SavedSession> decode(std::string_view text);
};

}  // namespace server
