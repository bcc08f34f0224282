// Hats: the titles that a room gives beside roles and affiliations (XEP-0317), and who wears them.
// A value; saving it is not its business.
#pragma once

#include "xmpp/core/element.h"
#include "xmpp/core/jid.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::modules::muc {

struct Hat {
    std::string uri{};  ///< What it is.
    std::string title{};
    std::string hue{};  ///< An angle (XEP-0392) as text; empty: none.

    friend bool operator==(const Hat&, const Hat&) = default;
};

class Hats {
public:
    static constexpr std::size_t kHatsMax = 100;  ///< Of a room.
    static constexpr std::size_t kWornMax = 10;   ///< By one person.
    static constexpr std::size_t kWearersMax = 1000;
    static constexpr std::size_t kUriBytesMax = 1024;
    static constexpr std::size_t kTitleBytesMax = 256;
    static constexpr std::size_t kHueBytesMax = 32;

    const std::vector<Hat>& all() const { return hats_; }
    const Hat* find(std::string_view uri) const;
    /// Adds it or gives it another title and hue. False: there are too many.
    bool put(Hat hat);
    /// Nobody wears it any more. False: there is none.
    bool remove(std::string_view uri);

    /// False: there is no such hat, or too much is worn.
    bool wear(const xmpp::Jid& user, std::string_view uri);
    /// False: they do not wear it.
    bool take_off(const xmpp::Jid& user, std::string_view uri);
    void take_all_off(const xmpp::Jid& user);
    bool wears(const xmpp::Jid& user, std::string_view uri) const;
    /// By bare address; URIs in the order in which they were put on.
    const std::map<std::string, std::vector<std::string>>& worn() const { return worn_; }

    /// <hats/> for the presence of `user`; nullopt: they wear none.
    std::optional<xmpp::Element> element_of(const xmpp::Jid& user) const;
    /// Of all hats (§2); empty: there are none.
    std::string hash() const;

    friend bool operator==(const Hats&, const Hats&) = default;

private:
    std::vector<Hat> hats_;
    std::map<std::string, std::vector<std::string>> worn_;
};

inline constexpr std::string_view kHatsNamespace = "urn:xmpp:hats:0";

}  // namespace server::modules::muc
