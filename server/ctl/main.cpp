// parleyctl: the operator's tool. It knows nothing of the server but its admin socket.
#include <cstdlib>

#include "server/ctl/commands.h"

int main(int argc, char** argv) {
    using namespace server::ctl;
    const auto console = make_terminal();
    return run({argv + 1, argv + argc}, *console, [](const std::string& socket) {
        const char* environment = std::getenv("PARLEY_SOCKET");
        return make_socket_client(find_socket(socket, environment ? environment : ""));
    });
}
