#include "reactor/net/protocol.h"

namespace reactor {

Deferred<void> run_protocol(Connection& connection, std::unique_ptr<Protocol> protocol) {
    // Asked for first, so that nothing that happens meanwhile is missed.
    Deferred<base::Failure> ending = connection.when_ended();
    protocol->connection_made(connection);
    for (;;) {
        // A cancellation (the server stops) is one more way to end, of which the protocol hears.
        base::Result<std::string> bytes = co_await connection.read().as_result();
        if (!bytes) {
            connection.close().detach("closing behind a cancelled protocol");
            break;
        }
        if (!bytes->empty()) {
            protocol->data_received(*bytes);
            continue;
        }
        if (!connection.ended() && !protocol->input_ended())
            connection.close().detach("closing behind the peer");
        break;
    }
    const base::Result<base::Failure> reason = co_await std::move(ending);
    protocol->connection_lost(reason ? *reason : reason.error());
    co_return {};
}

}  // namespace reactor
