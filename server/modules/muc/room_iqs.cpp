// Room: requests to it, and requests from occupant to occupant, which go through it so that neither
// learns the other's address (XEP-0045 §14.3). A ping of oneself is answered here (XEP-0410).
#include "server/modules/muc/room.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::IqType;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::string_view kRelayPrefix = "relay-";

}  // namespace

bool Room::on_iq(const Stanza& iq, Effects& effects, Outcome& outcome) {
    if (iq.is_response()) {
        relay_response(iq, effects);
        return true;
    }
    if (iq.to()->is_full()) {
        relay(iq, effects);
        return true;
    }
    const Element& payload = *iq.payload();
    const Jid& user = *iq.from();
    const bool is_get = iq.iq_type() == IqType::get;
    const auto answer = [&](base::Result<Element, StanzaError> result) {
        if (result) {
            send(iq.reply_result(*std::move(result)), user, effects);
        } else {
            refuse(iq, result.error(), effects);
        }
        return true;
    };
    const auto take = [&](base::Result<RoomChange, StanzaError> change) {
        if (change) {
            outcome = *std::move(change);
        } else {
            refuse(iq, change.error(), effects);
        }
        return true;
    };
    if (payload.is("query", xmpp::ns::muc_admin)) {
        if (is_get) return answer(list(user, payload));
        auto changes = xmpp::parse_muc_changes(payload);
        if (!changes) return answer(std::unexpected(changes.error()));
        return take(judge(iq, *std::move(changes)));
    }
    if (payload.is("query", xmpp::ns::muc_owner)) {
        if (!is_get) return take(judge_owner(iq));
        if (affiliations_.of(user) != MucAffiliation::owner)
            return answer(std::unexpected(StanzaError::forbidden()));
        return answer(owner_form());
    }
    if (payload.is("command", xmpp::ns::commands) && !is_get) return take(judge_command(iq));
    if (payload.is("moderate", xmpp::ns::moderation) && !is_get) return take(judge_moderation(iq));
    if (payload.is("vCard", xmpp::ns::vcard) && !is_get) return take(judge_vcard(iq));
    if (payload.is("query", xmpp::ns::registration))
        return is_get ? answer(registration(user)) : take(judge_registration(iq));
    return false;
}

// XEP-0054 §3.2: what is a user's and not a client's is asked of the bare address.
void Room::relay(const Stanza& request, Effects& effects) {
    const Occupant* asker = occupant_of(*request.from());
    const Element& payload = *request.payload();
    if (asker == nullptr) {
        // §6.6; for everything else what a ping needs (XEP-0410 §3.3).
        const bool discovers =
            payload.ns() == xmpp::ns::disco_info || payload.ns() == xmpp::ns::disco_items;
        return refuse(request,
                      discovers ? StanzaError::bad_request("you are not in the room")
                                : StanzaError::not_acceptable("you are not in the room"),
                      effects);
    }
    const Occupant* target = find_nick(request.to()->resource());
    if (target == nullptr)
        return refuse(request, StanzaError::item_not_found("nobody here has that nick"), effects);
    if (target == asker && payload.is("ping", xmpp::ns::ping))
        return send(request.reply_result(), *request.from(), effects);
    if (!may(asker->role, RolePrivilege::send_private_messages))
        return refuse(request, StanzaError::forbidden(), effects);
    const bool of_user = payload.ns() == xmpp::ns::vcard || payload.ns() == xmpp::ns::pubsub;
    Relay one{.number = ++last_relay_,
              .asked = of_user ? target->user().bare() : target->sessions.back().jid,
              .asker = *request.from(),
              .nick = target->nick,
              .id = std::string(request.id())};
    Stanza passed = request;
    passed.set_from(occupant_jid(asker->nick));
    passed.set_id(std::string(kRelayPrefix) + std::to_string(one.number));
    passed.clear_to();
    send(std::move(passed), one.asked, effects);
    relays_.push_back(std::move(one));
    if (relays_.size() > kRelaysMax) relays_.pop_front();
}

void Room::relay_response(const Stanza& response, Effects& effects) {
    const auto found = std::ranges::find_if(relays_, [&](const Relay& one) {
        return one.asked == *response.from() &&
               response.id() == std::string(kRelayPrefix) + std::to_string(one.number);
    });
    if (found == relays_.end()) return;
    const Relay one = std::move(*found);
    relays_.erase(found);
    if (occupant_of(one.asker) == nullptr) return;
    Stanza passed = response;
    passed.set_from(occupant_jid(one.nick));
    passed.set_id(one.id);
    passed.clear_to();
    send(std::move(passed), one.asker, effects);
}

}  // namespace server::modules::muc
