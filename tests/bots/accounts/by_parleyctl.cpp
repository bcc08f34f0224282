// Accounts through the operator's socket of a parleyd: what parleyctl asks, without a process per
// account. The socket's client blocks, so it lives in the blocking pool.
#include "reactor/blocking_pool.h"
#include "server/ctl/admin_client.h"
#include "tests/bots/accounts/batch.h"

#include <fmt/format.h>
#include <vector>

namespace bots {
namespace {

using server::AdminValue;

constexpr BotNumber kChunk = 20;

struct ChunkDone {
    std::uint64_t changed = 0;
    std::uint64_t as_it_was = 0;
};

/// On a thread of the pool.
base::Result<ChunkDone> ask_for_each(const std::string& socket, std::string_view command,
                                     std::string_view fine, const std::vector<std::string>& users,
                                     const std::string* password) {
    ChunkDone done;
    const auto client = server::ctl::make_socket_client(socket);
    for (const std::string& user : users) {
        AdminValue::Object arguments{{"jid", user}};
        if (password) arguments.emplace_back("password", *password);
        const auto answer = client->call(command, std::move(arguments));
        if (answer) {
            ++done.changed;
        } else if (answer.error().code == fine) {
            ++done.as_it_was;
        } else {
            const auto& error = answer.error();
            return base::fail(
                error.reached ? base::Errc::permission_denied : base::Errc::not_found,
                fmt::format("parleyctl's socket {}: {}: {}{}{}", socket, user, error.message,
                            error.mend.empty() ? "" : "; ", error.mend));
        }
    }
    return done;
}

reactor::Deferred<void> work(Batch& batch, std::string_view command, std::string_view fine,
                             bool with_password) {
    while (const auto chunk = batch.take(kChunk)) {
        std::vector<std::string> users;
        for (BotNumber bot = chunk->first; bot < chunk->end; ++bot)
            users.push_back(batch.plan.names.bare(bot).text());
        auto asking = batch.world.blocking.run(
            reactor::WorkClass::misc,
            [socket = batch.options.socket, command, fine, users = std::move(users),
             password = batch.plan.password, with_password] {
                return ask_for_each(socket, command, fine, users,
                                    with_password ? &password : nullptr);
            });
        const auto done = co_await std::move(asking);
        if (!done) co_return done.error();
        batch.count(true, done->changed);
        batch.count(false, done->as_it_was);
    }
    co_return {};
}

}  // namespace

reactor::Deferred<void> create_by_parleyctl(Batch& batch) {
    return work(batch, "add-user", "already_exists", true);
}

reactor::Deferred<void> remove_by_parleyctl(Batch& batch) {
    return work(batch, "remove-user", "not_found", false);
}

reactor::Deferred<bool> parleyctl_serves(reactor::World& world, std::string socket,
                                         std::string domain) {
    return world.blocking.run(
        reactor::WorkClass::misc, [socket = std::move(socket), domain = std::move(domain)] {
            const auto client = server::ctl::make_socket_client(socket);
            const auto status = client->call("status", {});
            const AdminValue* hosts = status ? status->find("hosts") : nullptr;
            if (!hosts || !hosts->as_array()) return false;
            for (const AdminValue& host : *hosts->as_array())
                if (host.as_text() && *host.as_text() == domain) return true;
            return false;
        });
}

}  // namespace bots
