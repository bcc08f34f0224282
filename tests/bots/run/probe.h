// One login before all others: it finds what would make every login fail, and what the server is.
#pragma once

#include "reactor/deferred.h"
#include "reactor/world.h"
#include "tests/bots/run/plan.h"

#include <string>

namespace bots {

struct ServerFacts {
    std::string software;  ///< "name version" (XEP-0092); empty when the server does not tell.
    std::string tls;       ///< "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS.
    std::string mechanism;
    bool stream_management = false;
};

/// Logs in as `bot`, asks, and logs out. Failures are those of Client::connect.
reactor::Deferred<ServerFacts> probe_server(reactor::World& world, const Plan& plan, BotNumber bot);

}  // namespace bots
