// AdminClient: asks the server over its admin socket, one request at a time, and waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "reactor/base/result.h"
#include "server/admin/admin_value.h"

namespace server::ctl {

/// Why there is no result.
struct CallError {
    bool reached = false;  ///< The server answered, and refused.
    std::string code;
    std::string message;
    std::string mend;
};

class AdminClient {
public:
    virtual ~AdminClient() = default;
    /// The "result" of the reply.
    virtual base::Result<AdminValue, CallError> call(std::string_view command,
                                                     AdminValue::Object arguments) = 0;
};

/// Connects at the first call. Blocking sockets of its own rather than the reactor's: a tool that
/// asks one question has nothing to do meanwhile.
std::unique_ptr<AdminClient> make_socket_client(std::string path);

/// Where the socket is likely to be: `chosen` or else `environment` if they are not empty; else the
/// one in ./parley-data if it exists; else /run/parleyd/parleyctl.sock.
std::string find_socket(std::string chosen, std::string environment);

}  // namespace server::ctl
