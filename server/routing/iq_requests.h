// IqRequests: IQ requests that the server itself sends, with their answers. An answer counts only
// when it comes from the JID that was asked, with the id that was drawn (RFC 6120 §8.1.3).
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"
#include "xmpp/core/stanza.h"

#include <memory>
#include <string>
#include <unordered_map>

namespace server {

class Router;

class IqRequests {
public:
    /// Requests without an answer yet; one more fails with queue_full.
    static constexpr std::size_t kOpenMax = 10'000;

    IqRequests(reactor::World& world, Router& router);
    IqRequests(const IqRequests&) = delete;
    IqRequests& operator=(const IqRequests&) = delete;
    ~IqRequests();

    /// Sends `request` (an iq get or set with `from`, one of our domains, and `to`) under an id of
    /// its own. Settles with the result or error stanza; fails with timed_out, or queue_full.
    reactor::Deferred<xmpp::Stanza> send(xmpp::Stanza request, base::Duration timeout);

    /// A response for one of our domains: true when it was waited for (and was taken).
    bool accept(xmpp::Stanza& response);

private:
    struct Open;
    reactor::World& world_;
    Router& router_;
    std::unordered_map<std::string, std::unique_ptr<Open>> open_;  // By "peer id".
};

}  // namespace server
