// Message archive management (XEP-0313): the query, its form, its results and its end, as values.
// The archive itself is the server's. Preferences (XEP-0441): mam_prefs.h.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "xmpp/core/element.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/rsm.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

inline constexpr std::size_t kMamQueryIdBytesMax = 1024;
inline constexpr std::size_t kMamIdsMax = 1000;

/// <query/>: what to look for (§4.1), which page of it (§4.3), and how to send it.
struct MamQuery {
    std::optional<std::string> query_id{};  ///< Goes into every result (§4.2).
    std::optional<Jid> with{};
    std::optional<base::WallTime> start{};
    std::optional<base::WallTime> end{};
    std::optional<std::string> before_id{};
    std::optional<std::string> after_id{};
    std::optional<std::vector<std::string>> ids{};  ///< As they came; not empty.
    std::optional<bool> include_groupchat{};
    RsmRequest page{};
    bool flip_page = false;  ///< The page is sent newest first (§4.3.4).

    /// `query` is the <query/> of an iq set. Fields without a value count as absent. Errors, to be
    /// answered as they are: feature-not-implemented for a field that is not known (§4.1.5);
    /// item-not-found for a 'node', which users' archives do not have; jid-malformed for `with`;
    /// policy-violation past kMamIdsMax; bad-request for what is wrong otherwise.
    static base::Result<MamQuery, StanzaError> parse(const Element& query);
    Element to_element() const;
};

/// The answer to an iq get of <query/>: the form with all fields that `parse` knows (§4.1.5).
Element mam_form_element();

/// One result (§4.2): `stanza` is the XML of the archived message as it was stored
/// (Stanza::to_xml), which goes out byte for byte. The content can be written and not read: beside
/// an empty <result/> it is bytes only, so never edit it.
Stanza mam_result(const Jid& archive, const Jid& to, const MamQuery& query, std::string_view id,
                  base::WallTime received_at, std::string_view stanza);

/// What a client gets of one result.
struct MamResult {
    std::string query_id{};  ///< Empty when absent.
    std::string id{};
    base::WallTime received_at{};
    Stanza stanza;
};
/// Errors: invalid_argument when `message` has no <result/>, or not a whole one.
base::Result<MamResult> parse_mam_result(const Stanza& message);

/// <fin/>: the end of a page (§4.3.2).
struct MamFin {
    bool complete = false;  ///< There is no further page.
    bool stable = true;
    RsmResponse set{};

    Element to_element() const;
    /// Errors: invalid_argument when it is not a <fin/> with a valid <set/>.
    static base::Result<MamFin> parse(const Element& fin);
};

/// <metadata/>: the ends of an archive (§5); both are absent when it is empty.
struct MamMetadata {
    struct End {
        std::string id;
        base::WallTime timestamp;
    };
    std::optional<End> start{};
    std::optional<End> end{};

    Element to_element() const;
    /// Errors: invalid_argument when it is not a <metadata/> with both ends or none.
    static base::Result<MamMetadata> parse(const Element& metadata);
};

}  // namespace xmpp
