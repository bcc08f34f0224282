// Requests on the admin socket: any line gives one line of JSON back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "server/admin/admin_command.h"
#include "tests/server/admin/fake_backend.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    server::test::FakeBackend backend;
    server::AdminCommands commands;
    server::add_standard_commands(commands, backend);
    auto answer = commands.answer(std::string(reinterpret_cast<const char*>(data), size));
    if (!answer.settled()) {
        if (!backend.stopping) std::abort();
        return 0;  // "stop" waits for the server.
    }
    const auto reply = answer.take();
    if (!reply || reply->line.find('\n') != reply->line.size() - 1) std::abort();
    const auto parsed =
        server::parse_json(std::string_view(reply->line).substr(0, reply->line.size() - 1));
    if (!parsed || !parsed->find("ok")) std::abort();
    return 0;
}
