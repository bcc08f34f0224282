// What clients ask of a room (XEP-0045 §7.8, §8 to §10): changes and lists of roles and
// affiliations (muc#admin), configuration and destruction (muc#owner), invitations through the
// room (muc#user). Who may is the room's to decide.
#pragma once

#include "reactor/base/result.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"
#include "xmpp/payloads/data_form.h"
#include "xmpp/payloads/muc.h"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace xmpp {

/// Items of one request; one more is refused with policy-violation.
inline constexpr std::size_t kMucItemsMax = 1000;
/// Invitations of one message.
inline constexpr std::size_t kMucInvitesMax = 20;
/// Bytes of a reason; the rest is cut.
inline constexpr std::size_t kMucReasonBytesMax = 1024;

/// `text` cut to that, between characters.
std::string muc_reason(std::string text);

/// A change of one affiliation or one role: exactly one of the two is there.
struct MucChange {
    std::optional<MucAffiliation> affiliation{};
    std::optional<MucRole> role{};
    std::optional<Jid> jid{};           ///< As sent; always there with an affiliation or `nick`.
    std::optional<std::string> nick{};  ///< With an affiliation: the nick to reserve, "": none.
    std::string reason{};
};

/// Which list is asked for.
using MucList = std::variant<MucAffiliation, MucRole>;

/// `query` is the <query/> of muc#admin in an iq get. Errors: bad-request.
base::Result<MucList, StanzaError> parse_muc_list(const Element& query);
/// The same of an iq set. Errors: bad-request (§14.3: both affiliation and role, neither, nobody
/// named, no item), jid-malformed, policy-violation past kMucItemsMax.
base::Result<std::vector<MucChange>, StanzaError> parse_muc_changes(const Element& query);

struct MucConfigure {
    DataForm form;  ///< Of type submit.
};
struct MucCancel {};
using MucOwnerSet = std::variant<MucConfigure, MucCancel, MucDestroy>;

/// `query` is the <query/> of muc#owner in an iq set. Errors: bad-request, jid-malformed.
base::Result<MucOwnerSet, StanzaError> parse_muc_owner_set(const Element& query);

struct MucInvite {
    Jid to;
    std::string reason{};
    bool continues = false;
    std::string thread{};
};
struct MucDecline {
    Jid to;
    std::string reason{};
};
struct MucMediated {
    std::vector<MucInvite> invites{};
    std::optional<MucDecline> decline{};
};

/// The invitations or the refusal in a message to a room; nullopt when it has neither. Errors:
/// jid-malformed; bad-request for both, or for one without 'to'; policy-violation past
/// kMucInvitesMax.
base::Result<std::optional<MucMediated>, StanzaError> parse_muc_mediated(const Stanza& message);

}  // namespace xmpp
