#include "server/admin/admin_socket.h"

#include <limits>
#include <utility>

#include "reactor/combine.h"
#include "reactor/net/connection.h"
#include "reactor/network.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "reactor/world.h"

namespace server {
namespace {

using reactor::ByteStream;
using reactor::Deferred;

constexpr std::string_view kTooLong =
    R"({"ok":false,"error":{"code":"request_too_long","message":"the request is too long",)"
    R"("mend":"send one JSON object a line"}})"
    "\n";

}  // namespace

struct AdminSocket::Impl {
    Impl(reactor::World& its_world, AdminCommands& its_commands, AdminSocketOptions its_options)
        : world(its_world),
          commands(its_commands),
          options(std::move(its_options)),
          tasks(its_world.reactor) {}

    Deferred<void> converse(std::unique_ptr<ByteStream> stream);
    void log(const AdminReply& reply) const;

    reactor::World& world;
    AdminCommands& commands;
    AdminSocketOptions options;
    std::unique_ptr<reactor::Listener> listener;
    reactor::TaskSet tasks;  // Last: its coroutines use all the above.
};

/// One request after the other; whatever ends the connection is the operator's business, not ours.
Deferred<void> AdminSocket::Impl::converse(std::unique_ptr<ByteStream> stream) {
    reactor::ConnectionOptions limits;
    limits.line_bytes_max = options.request_bytes_max;
    // A reply is as large as it has to be; the next request is read when it is gone.
    limits.write_bytes_max = std::numeric_limits<std::size_t>::max();
    limits.write_high_bytes = 1;
    limits.write_low_bytes = 0;
    limits.close_timeout = options.idle_timeout;
    reactor::Connection connection(world, std::move(stream), limits);
    for (;;) {
        auto reading =
            reactor::with_timeout(world.reactor, connection.read_until("\n"), options.idle_timeout);
        auto request = co_await std::move(reading);
        if (!request && !request.error().is(base::Errc::resource_exhausted)) break;
        std::string reply(kTooLong);
        if (request) {
            if (request->ends_with('\r')) request->pop_back();
            if (request->empty()) continue;
            auto answer = co_await commands.answer(*request);
            if (!answer) break;
            log(*answer);
            reply = std::move(answer->line);
        }
        if (!connection.write(reply) || !request) break;
        auto draining =
            reactor::with_timeout(world.reactor, connection.drain(), options.idle_timeout);
        // Who does not read is not waited for once more.
        if (!co_await std::move(draining)) {
            connection.abort();
            co_return {};
        }
    }
    auto closing = connection.close();
    (void)co_await std::move(closing);
    co_return {};
}

void AdminSocket::Impl::log(const AdminReply& reply) const {
    if (!reply.failure.empty())
        world.log.warn(
            "admin.refused",
            {{"command", reply.command}, {"jid", reply.subject}, {"code", reply.failure}});
    else if (reply.changes)
        world.log.info("admin.command", {{"command", reply.command}, {"jid", reply.subject}});
    else
        world.log.debug("admin.command", {{"command", reply.command}, {"jid", reply.subject}});
}

AdminSocket::AdminSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AdminSocket::~AdminSocket() = default;

base::Result<std::unique_ptr<AdminSocket>> AdminSocket::listen(reactor::World& world,
                                                               AdminCommands& commands,
                                                               AdminSocketOptions options) {
    const std::string path = options.path;
    std::unique_ptr<AdminSocket> socket(
        new AdminSocket(std::make_unique<Impl>(world, commands, std::move(options))));
    auto listener = world.network.listen(
        {.endpoint = {"unix:" + path, 0}, .backlog = 16, .share_port = false, .unix_mode = 0600},
        [self = socket.get()](std::unique_ptr<ByteStream> stream) {
            self->serve(std::move(stream));
        });
    if (!listener) return std::unexpected(listener.error());
    socket->impl_->listener = *std::move(listener);
    return socket;
}

void AdminSocket::serve(std::unique_ptr<ByteStream> stream) {
    if (impl_->tasks.size() >= impl_->options.connections_max) {
        impl_->world.log.warn("admin.too_many_connections",
                              {{"connections_max", impl_->options.connections_max}});
        return;
    }
    impl_->tasks.add("admin.connection", impl_->converse(std::move(stream)));
}

std::size_t AdminSocket::connections() const noexcept {
    return impl_->tasks.size();
}

}  // namespace server
