#include "server/routing/iq_service.h"

#include "reactor/reactor.h"
#include "server/routing/router.h"

#include <utility>

namespace server {

IqService::IqService(reactor::World& world, IqRoutes& routes, Router& router)
    : world_(world), routes_(routes), router_(router), tasks_(world.reactor) {}

void IqService::answer_for_server(xmpp::Stanza stanza) {
    xmpp::Jid domain = *stanza.to();
    dispatch(IqRequest(std::move(stanza), std::move(domain), false), IqTarget::server);
}

void IqService::answer_for_account(const xmpp::Jid& account, xmpp::Stanza stanza) {
    const bool own = stanza.from()->same_bare(account);
    dispatch(IqRequest(std::move(stanza), account, own), IqTarget::account);
}

void IqService::answer_for_nobody(xmpp::Stanza stanza) {
    xmpp::Jid addressee = *stanza.to();
    dispatch(IqRequest(std::move(stanza), std::move(addressee), false), IqTarget::nobody);
}

void IqService::dispatch(IqRequest request, IqTarget target) {
    bool refused = false;
    const IqRoutes::Handler* handler = routes_.find(request, target, refused);
    if (handler == nullptr) {
        // RFC 6121 §8.5.2.1.3: what only the owner may ask is forbidden to others only where the
        // protocol says so; service-unavailable tells a stranger nothing about the account.
        router_.bounce(request.stanza(), refused ? xmpp::StanzaError::forbidden()
                                                 : xmpp::StanzaError::service_unavailable());
        return;
    }
    const std::string requester(request.requester().bare_view());
    const std::size_t bytes = memory_of(request.stanza());
    if (!under_way_.take(requester, bytes)) {
        router_.bounce(request.stanza(), xmpp::StanzaError::resource_constraint());
        return;
    }
    Work work{std::move(request), handler, bytes};
    if (work.request.stanza().iq_type() == xmpp::IqType::get || target == IqTarget::server ||
        routes_.is_query(work.request.payload())) {
        tasks_.add("iq", run(std::move(work)));
        return;
    }
    const std::string queue(work.request.addressee().bare_view());
    const auto running = sets_.find(queue);
    if (running == sets_.end()) {
        start_set(queue, std::move(work));
    } else if (running->second.size() >= kWaitingSetsMax) {
        under_way_.give_back(requester, bytes);
        router_.bounce(work.request.stanza(), xmpp::StanzaError::resource_constraint());
    } else {
        running->second.push_back(std::move(work));
    }
}

void IqService::start_set(std::string queue, Work work) {
    sets_.try_emplace(queue);
    tasks_.add("iq set", run_set(std::move(queue), std::move(work)));
}

reactor::Deferred<void> IqService::run(Work work) {
    // The handler owns its request; what the reply needs of it is kept here.
    const xmpp::Stanza request = work.request.stanza();
    const std::size_t bytes = work.bytes;
    base::Result<IqReply> answer = co_await (*work.handler)(std::move(work.request));
    under_way_.give_back(request.from()->bare_view(), bytes);
    if (answer) {
        reply(request, std::move(*answer));
    } else {
        world_.log.error("iq.failed",
                         {{"payload", request.payload()->ns()}, {"why", answer.error().message()}});
        router_.bounce(request, xmpp::StanzaError::internal_server_error());
    }
    co_return {};
}

reactor::Deferred<void> IqService::run_set(std::string queue, Work work) {
    for (;;) {
        static_cast<void>(co_await run(std::move(work)));
        const auto waiting = sets_.find(queue);
        if (waiting->second.empty()) {
            sets_.erase(waiting);
            co_return {};
        }
        work = std::move(waiting->second.front());
        waiting->second.pop_front();
    }
}

void IqService::reply(const xmpp::Stanza& request, IqReply answer) {
    if (answer.error()) {
        router_.bounce(request, *answer.error());
        return;
    }
    xmpp::Stanza result = request.reply_result(std::move(answer).take_payload());
    if (result.to()) router_.route(std::move(result));
}

}  // namespace server
