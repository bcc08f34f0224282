// RegistrationRequests: who waits for a room's admins to let them register, and the nicks they ask
// for (XEP-0045 §7.10, §9.9). A value; saving it is not its business.
#pragma once

#include "xmpp/core/jid.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace server::modules::muc {

/// The form with which somebody registers, or asks to, and in it their nick (§15.5.1).
inline constexpr std::string_view kRegisterForm = "http://jabber.org/protocol/muc#register";
inline constexpr std::string_view kRegisterNickField = "muc#register_roomnick";

struct RegistrationRequest {
    xmpp::Jid jid;       ///< Bare.
    std::string nick{};  ///< Prepared; empty: nothing is asked for any more.

    friend bool operator==(const RegistrationRequest&, const RegistrationRequest&) = default;
};

class RegistrationRequests {
public:
    /// Requests that wait in one room; one more is refused.
    static constexpr std::size_t kMax = 50;

    /// Of somebody's bare address; null: none.
    const RegistrationRequest* of(const xmpp::Jid& jid) const;
    /// By whom that nick, or one that looks the same, is asked for; null: by nobody.
    const RegistrationRequest* for_nick(std::string_view nick) const;
    /// As the newest, in the place of what they asked for before.
    void put(RegistrationRequest request);
    void forget(const xmpp::Jid& jid);

    /// Oldest first.
    const std::vector<RegistrationRequest>& all() const { return waiting_; }
    bool full() const { return waiting_.size() >= kMax; }

private:
    std::vector<RegistrationRequest> waiting_;
};

}  // namespace server::modules::muc
