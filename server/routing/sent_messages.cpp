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
    if (account.resources().size() > 1) {
        sent.message = std::make_unique<const xmpp::Stanza>(message);
        copied_[sent.session].push_back(ticket);
    }
    return ticket;
}

Router::Submitted SentMessages::state_of(std::uint64_t ticket) const {
    const auto found = sent_.find(ticket);
    if (found == sent_.end() || found->second.known) return Router::Submitted::settled;
    return found->second.placed ? Router::Submitted::placed : Router::Submitted::pending;
}

void SentMessages::announce(std::uint64_t ticket) {
    if (const auto found = sent_.find(ticket); found != sent_.end()) found->second.announced = true;
}

// What is known before the sender has had its answer from `submit` is that answer.
void SentMessages::report(const OriginReport& about) {
    const auto found = sent_.find(about.ticket);
    if (found == sent_.end()) return;
    Resource* resource = accounts_.resource_of(found->second.from, found->second.session);
    if (about.kind == OriginReport::Kind::placed) {
        found->second.placed = true;
        if (found->second.announced && resource != nullptr)
            resource->session->placed(found->second.taken);
        return;
    }
    Sent& sent = found->second;
    sent.known = true;
    sent.id = about.id;
    const bool announced = sent.announced;
    const std::uint32_t taken = sent.taken;
    if (sent.message) {
        tell_known(sent.session);
    } else {
        sent_.erase(found);
    }
    if (announced && resource != nullptr)
        resource->session->settled(taken, about.kind == OriginReport::Kind::stored);
}

void SentMessages::tell_known(SessionId session) {
    for (;;) {
        const auto tickets = copied_.find(session);
        if (tickets == copied_.end()) return;
        const auto first = sent_.find(tickets->second.front());
        if (!first->second.known) return;
        const Sent sent = std::move(first->second);
        sent_.erase(first);
        tickets->second.pop_front();
        if (tickets->second.empty()) copied_.erase(tickets);
        tell_copies(sent);
    }
}

void SentMessages::tell_copies(const Sent& sent) {
    Account* account = accounts_.find(sent.from);
    if (account == nullptr) return;
    xmpp::Stanza message = *sent.message;
    if (sent.archived && sent.id != 0)
        message.append_child(xmpp::stanza_id_element(ids_.text(sent.id), account->jid()));
    MessageEvent event{*account, accounts_.resource_of(sent.from, sent.session), message, {}};
    (void)hooks_.message_sent.run(event);
}

}  // namespace server
