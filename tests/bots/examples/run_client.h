// What the examples share: a program around one client. Reads the command line, keeps the client
// online until SIGINT or SIGTERM, says goodbye.
#pragma once

#include "tests/bots/client/client.h"

#include <memory>

namespace bots {

/// What the program's client tells its events. Lives on the client's shard, as long as the client.
class Bot : public ClientObserver {
public:
    virtual ~Bot() = default;
};

/// usage: PROGRAM JID PASSWORD [--server HOST[:PORT]] [--ca FILE | --insecure] [--plain]
/// Without --server by the domain's SRV records. --ca: a PEM bundle to trust instead of the
/// system's; --insecure: any certificate; --plain: no TLS. Yields the exit code: 0 after a signal,
/// 1 when the client cannot stay online (the reason goes to stderr), 2 for a wrong command line.
int run_client(int argc, char** argv, std::unique_ptr<Bot> bot);

}  // namespace bots
