// IqService: runs the handlers of IqRoutes for requests that the server answers itself, for a
// domain or on behalf of an account (RFC 6120 §8.2.3, RFC 6121 §8.5.2.1.3), and sends their
// replies. Sets of one addressee run one at a time, in the order of arrival.
#pragma once

#include "reactor/base/units.h"
#include "reactor/task_set.h"
#include "reactor/world.h"
#include "server/routing/iq_routes.h"
#include "server/routing/shares.h"

#include <deque>
#include <string>
#include <unordered_map>

namespace server {

class Router;

class IqService {
public:
    /// Requests under way, waiting ones included, of one requester (bare JID) and of all; one more
    /// gets resource-constraint.
    static constexpr Shares::Limits kUnderWay{.each_count_max = 1000,
                                              .each_bytes_max = base::operator""_MiB(16),
                                              .all_count_max = 20'000,
                                              .all_bytes_max = base::operator""_MiB(128)};
    /// Sets waiting behind one that runs, per account.
    static constexpr std::size_t kWaitingSetsMax = 100;

    IqService(reactor::World& world, IqRoutes& routes, Router& router);

    /// A get or set whose `to` is one of our domains.
    void answer_for_server(xmpp::Stanza stanza);
    /// A get or set for the bare JID `account`, or without `to` from one of its resources.
    void answer_for_account(const xmpp::Jid& account, xmpp::Stanza stanza);
    /// A get or set for a bare JID that is no account: refused, except where the protocol wants
    /// something else (XEP-0030 §8).
    void answer_for_nobody(xmpp::Stanza stanza);

private:
    struct Work {
        IqRequest request;
        const IqRoutes::Handler* handler;
        std::size_t bytes = 0;  ///< As under_way_ counts them.
    };

    void dispatch(IqRequest request, IqTarget target);
    void start_set(std::string queue, Work work);
    reactor::Deferred<void> run(Work work);
    reactor::Deferred<void> run_set(std::string queue, Work work);
    void reply(const xmpp::Stanza& request, IqReply answer);

    reactor::World& world_;
    IqRoutes& routes_;
    Router& router_;
    std::unordered_map<std::string, std::deque<Work>> sets_;  // Present while one is running.
    Shares under_way_{kUnderWay};
    reactor::TaskSet tasks_;
};

}  // namespace server
