// Room: versions of its affiliations (XEP-0463): who enters may ask for what changed since they
// were last told, and gets it before anything else.
#include "server/modules/muc/room.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Jid;
using xmpp::Stanza;
using xmpp::StanzaError;

/// Affiliations in one message.
constexpr std::size_t kItemsMax = 100;

std::string version_text(std::int64_t version) {
    return version == 0 ? std::string() : std::to_string(version);
}

}  // namespace

// As for the lists of them (XEP-0463 §5.3).
bool Room::sees_all_affiliations(const Jid& user) const {
    return may_list(user, MucAffiliation::member) && may_list(user, MucAffiliation::owner);
}

// In pages, each from where the one before it ends. Who asks about a time before their own
// affiliation is told how things are now, and nothing of what was.
void Room::send_affiliations(const Jid& to, std::string_view since, Effects& effects) const {
    if (!sees_all_affiliations(to)) {
        Stanza refusal = Stanza::message(xmpp::MessageType::error);
        refusal.set_from(parts_.jid);
        refusal.edit().add(StanzaError::forbidden().with_by(parts_.jid).to_element());
        return send(std::move(refusal), to, effects);
    }
    std::int64_t start = base::parse_integer(since).value_or(0);
    const Affiliated* own = affiliations_.find(to.bare());
    const bool is_newer = own != nullptr && own->version > start;
    auto changed = is_newer ? std::nullopt : affiliations_.since(start);
    if (!changed) {
        start = 0;
        changed.emplace();
        for (const MucAffiliation kind : {MucAffiliation::owner, MucAffiliation::admin,
                                          MucAffiliation::member, MucAffiliation::outcast})
            std::ranges::copy(affiliations_.list(kind), std::back_inserter(*changed));
        std::ranges::sort(*changed, {}, [](const Affiliated* entry) { return entry->version; });
    } else if (changed->empty()) {
        return;
    }
    const bool sees_outcasts = may_list(to, MucAffiliation::outcast);
    if (!sees_outcasts)
        std::erase_if(*changed, [](const Affiliated* entry) {
            return entry->affiliation == MucAffiliation::outcast;
        });
    std::size_t next = 0;
    do {
        const std::size_t end = std::min(next + kItemsMax, changed->size());
        const std::int64_t until =
            end == changed->size() ? affiliations_.version() : (*changed)[end - 1]->version;
        Element x("x", xmpp::ns::muc_user);
        x.add(xmpp::muc_versions_element(version_text(start), version_text(until)));
        for (; next < end; ++next)
            x.add(xmpp::MucItem{.affiliation = (*changed)[next]->affiliation,
                                .jid = (*changed)[next]->jid.text()}
                      .to_element(xmpp::ns::muc_user));
        Stanza message = Stanza::message(xmpp::MessageType::normal);
        message.set_from(parts_.jid);
        message.edit().add(std::move(x));
        send(std::move(message), to, effects);
        start = until;
    } while (next < changed->size());
}

}  // namespace server::modules::muc
