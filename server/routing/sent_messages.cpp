#include "server/routing/sent_messages.h"

#include "xmpp/payloads/stanza_id.h"

#include <utility>

namespace server {

std::uint64_t SentMessages::add(const Account& account, const Resource& resource,
                                const xmpp::Stanza& message, std::uint32_t taken, bool archived) {
    const std::uint64_t ticket = ++last_ticket_;
    Sent& sent = sent_[ticket];
    sent.from = resource.jid;
    sent.session = resource.session_id;
    sent.taken = taken;
    sent.archived = archived;
    if (account.resources().size() > 1) sent.message = message;
    return ticket;
}

Router::Submitted SentMessages::state_of(std::uint64_t ticket) const {
    const auto found = sent_.find(ticket);
    if (found == sent_.end()) return Router::Submitted::settled;
    return found->second.placed ? Router::Submitted::placed : Router::Submitted::pending;
}

void SentMessages::announce(std::uint64_t ticket) {
    if (const auto found = sent_.find(ticket); found != sent_.end()) found->second.announced = true;
}

// What is known before the sender has had its answer from `submit` is that answer.
void SentMessages::report(const OriginReport& about) {
    const auto found = sent_.find(about.ticket);
    if (found == sent_.end()) return;
    Account* account = accounts_.find(found->second.from);
    Resource* resource =
        account == nullptr ? nullptr : account->find(found->second.from.resource());
    if (resource != nullptr && resource->session_id != found->second.session) resource = nullptr;
    if (about.kind == OriginReport::Kind::placed) {
        found->second.placed = true;
        if (found->second.announced && resource != nullptr)
            resource->session->placed(found->second.taken);
        return;
    }
    const Sent sent = std::move(found->second);
    sent_.erase(found);
    if (sent.message) tell_copies(sent, about.id);
    if (sent.announced && resource != nullptr)
        resource->session->settled(sent.taken, about.kind == OriginReport::Kind::stored);
}

void SentMessages::tell_copies(const Sent& sent, storage::MessageId id) {
    Account* account = accounts_.find(sent.from);
    if (account == nullptr) return;
    xmpp::Stanza message = *sent.message;
    if (sent.archived && id != 0)
        message.append_child(xmpp::stanza_id_element(ids_.text(id), account->jid()));
    Resource* resource = account->find(sent.from.resource());
    if (resource != nullptr && resource->session_id != sent.session) resource = nullptr;
    MessageEvent event{*account, resource, message, {}};
    (void)hooks_.message_sent.run(event);
}

}  // namespace server
