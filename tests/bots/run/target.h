// Target: the server of a run, from what was typed to addresses to connect to.
#pragma once

#include "reactor/base/result.h"
#include "reactor/stream.h"
#include "tests/bots/client/client.h"
#include "tests/bots/workload/workload.h"

#include <string>
#include <string_view>
#include <vector>

namespace bots {

struct Target {
    std::string name;    ///< "localhost:5222"
    std::string domain;  ///< That the accounts are at, unless another is given.
    std::vector<reactor::Endpoint> addresses;
    bool on_this_machine = false;  ///< All addresses are loopback ones.
};

/// `written`: "host", "host:port", "192.0.2.1", "[2001:db8::1]:5222"; without a port that of the
/// security. `domain`: empty for the host's name. Looks the name up, and waits for it: before the
/// loop runs. Failures: invalid_argument, not_found.
base::Result<Target> find_target(std::string_view written, std::string_view domain,
                                 ClientSecurity security);

/// The addresses to connect from, so that ports suffice: none while `connections` fit one address,
/// else as many of 127.0.0.0/8 as it takes, for a server on this machine. Failure:
/// resource_exhausted, elsewhere.
base::Result<std::vector<std::string>> source_addresses(const Target& target, BotNumber connections,
                                                        BotNumber per_source);

}  // namespace bots
