#include "xmpp/payloads/muc_requests.h"

#include "xmpp/core/namespaces.h"

#include <utility>

namespace xmpp {
namespace {

std::unexpected<StanzaError> refuse(std::string why) {
    return std::unexpected(StanzaError::bad_request(std::move(why)));
}

base::Result<Jid, StanzaError> parse_jid(std::string_view text) {
    auto jid = Jid::parse(text);
    if (!jid) return std::unexpected(StanzaError::jid_malformed(std::string(jid.error().detail())));
    return *std::move(jid);
}

std::string reason_of(const Element& element) {
    return muc_reason(element.child_text("reason"));
}

base::Result<MucChange, StanzaError> parse_change(const Element& item) {
    const bool by_affiliation = item.has_attribute("affiliation");
    if (by_affiliation == item.has_attribute("role"))
        return refuse("an item has either an affiliation or a role");
    MucChange change;
    change.reason = reason_of(item);
    if (item.has_attribute("nick")) change.nick = std::string(item.attribute("nick"));
    if (item.has_attribute("jid")) change.jid = TRY(parse_jid(item.attribute("jid")));
    if (by_affiliation) {
        change.affiliation = parse_muc_affiliation(item.attribute("affiliation"));
        if (!change.affiliation) return refuse("unknown affiliation");
        if (!change.jid) return refuse("an affiliation is that of a 'jid'");
        return change;
    }
    change.role = parse_muc_role(item.attribute("role"));
    if (!change.role) return refuse("unknown role");
    if (!change.nick || change.nick->empty()) return refuse("a role is that of a 'nick'");
    return change;
}

base::Result<MucDestroy, StanzaError> parse_destroy(const Element& element) {
    MucDestroy destroy;
    if (!element.attribute("jid").empty()) destroy.venue = TRY(parse_jid(element.attribute("jid")));
    destroy.password = element.child_text("password");
    destroy.reason = reason_of(element);
    return destroy;
}

}  // namespace

std::string muc_reason(std::string text) {
    if (text.size() <= kMucReasonBytesMax) return text;
    std::size_t end = kMucReasonBytesMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    text.resize(end);
    return text;
}

base::Result<MucList, StanzaError> parse_muc_list(const Element& query) {
    const Element* item = query.child("item");
    if (item == nullptr || query.child_count() != 1) return refuse("one item names one list");
    const bool by_affiliation = item->has_attribute("affiliation");
    if (by_affiliation == item->has_attribute("role"))
        return refuse("a list is that of an affiliation or of a role");
    if (by_affiliation) {
        const auto affiliation = parse_muc_affiliation(item->attribute("affiliation"));
        if (!affiliation || *affiliation == MucAffiliation::none)
            return refuse("there is no such list");
        return *affiliation;
    }
    const auto role = parse_muc_role(item->attribute("role"));
    if (!role || *role == MucRole::none) return refuse("there is no such list");
    return *role;
}

base::Result<std::vector<MucChange>, StanzaError> parse_muc_changes(const Element& query) {
    std::vector<MucChange> changes;
    for (const Element& item : query.children()) {
        if (!item.is("item", ns::muc_admin)) continue;
        if (changes.size() == kMucItemsMax)
            return std::unexpected(StanzaError::policy_violation("too many items"));
        changes.push_back(TRY(parse_change(item)));
    }
    if (changes.empty()) return refuse("nothing to change");
    return changes;
}

base::Result<MucOwnerSet, StanzaError> parse_muc_owner_set(const Element& query) {
    if (query.child_count() != 1) return refuse("one form, or <destroy/>");
    const Element& child = *query.first_child();
    if (child.is("destroy", ns::muc_owner)) return TRY(parse_destroy(child));
    if (!child.is("x", ns::data_forms)) return refuse("one form, or <destroy/>");
    auto form = DataForm::parse(child);
    if (!form) return refuse(std::string(form.error().detail()));
    if (form->type == FormType::cancel) return MucCancel{};
    if (form->type != FormType::submit) return refuse("the form is neither submitted nor canceled");
    return MucConfigure{*std::move(form)};
}

base::Result<std::optional<MucMediated>, StanzaError> parse_muc_mediated(const Stanza& message) {
    const Element* x = message.child("x", ns::muc_user);
    if (x == nullptr) return std::nullopt;
    MucMediated found;
    for (const Element& child : x->children()) {
        if (child.is("invite", ns::muc_user)) {
            if (found.invites.size() == kMucInvitesMax)
                return std::unexpected(StanzaError::policy_violation("too many invitations"));
            if (!child.has_attribute("to")) return refuse("an invitation without 'to'");
            MucInvite invite{.to = TRY(parse_jid(child.attribute("to"))),
                             .reason = reason_of(child)};
            if (const Element* going_on = child.child("continue")) {
                invite.continues = true;
                invite.thread = going_on->attribute("thread");
            }
            found.invites.push_back(std::move(invite));
        } else if (child.is("decline", ns::muc_user)) {
            if (found.decline) return refuse("two refusals");
            if (!child.has_attribute("to")) return refuse("a refusal without 'to'");
            found.decline =
                MucDecline{.to = TRY(parse_jid(child.attribute("to"))), .reason = reason_of(child)};
        }
    }
    if (found.invites.empty() && !found.decline) return std::nullopt;
    if (!found.invites.empty() && found.decline) return refuse("an invitation and a refusal");
    return found;
}

}  // namespace xmpp
