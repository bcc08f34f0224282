#include "server/routing/iq_requests.h"

#include "reactor/combine.h"
#include "reactor/reactor.h"
#include "server/routing/router.h"

#include <utility>

namespace server {
namespace {

// JIDs hold no spaces outside the resource and ids are ours, so the id goes first.
std::string key_of(const xmpp::Jid& peer, std::string_view id) {
    return std::string(id) + ' ' + peer.text();
}

}  // namespace

struct IqRequests::Open {
    reactor::Promise<xmpp::Stanza> promise;
};

IqRequests::IqRequests(reactor::World& world, Router& router) : world_(world), router_(router) {}
IqRequests::~IqRequests() = default;

reactor::Deferred<xmpp::Stanza> IqRequests::send(xmpp::Stanza request, base::Duration timeout) {
    if (open_.size() >= kOpenMax) return base::Failure(base::Errc::queue_full);
    const std::string id = world_.entropy.token();
    request.set_id(id);
    std::string key = key_of(*request.to(), id);
    auto open = std::make_unique<Open>();
    reactor::Deferred<xmpp::Stanza> answer =
        open->promise.deferred([this, key] { open_.erase(key); });
    open_.emplace(std::move(key), std::move(open));
    router_.route(std::move(request));
    return reactor::with_timeout(world_.reactor, std::move(answer), timeout);
}

bool IqRequests::accept(xmpp::Stanza& response) {
    if (!response.from()) return false;
    const auto found = open_.find(key_of(*response.from(), response.id()));
    if (found == open_.end()) return false;
    const std::unique_ptr<Open> open = std::move(found->second);
    open_.erase(found);
    static_cast<void>(open->promise.try_resolve(std::move(response)));
    return true;
}

}  // namespace server
