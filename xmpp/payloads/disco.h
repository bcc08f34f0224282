// Service discovery (XEP-0030) with extension forms (XEP-0128): what an entity is, can and has, as
// values and as <query/> elements. Who answers what is decided in the server.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/payloads/data_form.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

class Element;

// Caps of what parse() accepts.
inline constexpr std::size_t kDiscoIdentitiesMax = 64;
inline constexpr std::size_t kDiscoFeaturesMax = 1024;
inline constexpr std::size_t kDiscoFormsMax = 32;
inline constexpr std::size_t kDiscoItemsMax = 4096;

struct DiscoIdentity {
    std::string category{};
    std::string type{};
    std::string language{};  ///< xml:lang; empty when absent.
    std::string name{};      ///< Empty when absent.

    friend auto operator<=>(const DiscoIdentity&, const DiscoIdentity&) = default;
};

struct DiscoInfo {
    std::string node{};  ///< Mirrored from the request (§3.2); empty when absent.
    std::vector<DiscoIdentity> identities{};
    std::vector<std::string> features{};
    std::vector<DataForm> forms{};

    bool has_feature(std::string_view name) const noexcept;
    /// Adds it once; the order of addition is kept.
    void add_feature(std::string_view name);

    Element to_element() const;
    /// `query` is the <query/> of disco#info. Duplicates are kept: the caps hash must see them.
    /// Errors: invalid_argument (wrong element, identity without category or type, feature without
    /// var, malformed form); resource_exhausted past a cap above.
    static base::Result<DiscoInfo> parse(const Element& query);
};

struct DiscoItem {
    std::string jid{};   ///< As sent, not validated.
    std::string node{};  ///< Empty when absent.
    std::string name{};

    friend bool operator==(const DiscoItem&, const DiscoItem&) = default;
};

struct DiscoItems {
    std::string node{};
    std::vector<DiscoItem> items{};

    Element to_element() const;
    /// Errors as DiscoInfo::parse(): an item without jid, or with an empty node (§4.2).
    static base::Result<DiscoItems> parse(const Element& query);
};

}  // namespace xmpp
