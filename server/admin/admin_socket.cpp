#include "server/admin/admin_socket.h"

#include <array>
#include <utility>

#include "reactor/combine.h"
#include "reactor/network.h"
#include "reactor/outbound_buffer.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "reactor/world.h"

namespace server {
namespace {

using reactor::ByteStream;
using reactor::Deferred;
using reactor::IoResult;
using reactor::IoStatus;

constexpr std::size_t kReadBytes = 4096;
constexpr std::string_view kTooLong =
    R"({"ok":false,"error":{"code":"request_too_long","message":"the request is too long",)"
    R"("mend":"send one JSON object a line"}})"
    "\n";

/// The next line without its end (LF or CR LF). `buffer` keeps what follows it. Fails with
/// resource_exhausted past `bytes_max`, else with the reason why no more lines come.
Deferred<std::string> read_line(ByteStream& stream, std::string& buffer, std::size_t bytes_max) {
    std::size_t searched = 0;
    for (;;) {
        const std::size_t end = buffer.find('\n', searched);
        if (end > bytes_max && (end != std::string::npos || buffer.size() > bytes_max))
            co_return base::Errc::resource_exhausted;
        if (end != std::string::npos) {
            std::string line = buffer.substr(0, end);
            buffer.erase(0, end + 1);
            if (line.ends_with('\r')) line.pop_back();
            co_return line;
        }
        searched = buffer.size();
        std::array<std::byte, kReadBytes> bytes;
        const IoResult read = stream.try_read(bytes);
        switch (read.status) {
            case IoStatus::ok:
                buffer += base::as_text(std::span(bytes).first(read.bytes));
                break;
            case IoStatus::would_block: {
                const auto ready =
                    co_await reactor::when_ready(stream, reactor::Interest::readable);
                if (!ready) co_return ready.error();
                break;
            }
            case IoStatus::end_of_stream:
                co_return base::Errc::connection_done;
            case IoStatus::failed:
                co_return read.error;
        }
    }
}

Deferred<void> write_all(ByteStream& stream, std::string text) {
    reactor::OutboundQueue queue;
    queue.append(text);
    for (;;) {
        const IoResult written = queue.flush(stream);
        if (written.status == IoStatus::ok) co_return {};
        if (written.status == IoStatus::failed) co_return written.error;
        const auto ready = co_await reactor::when_ready(stream, reactor::Interest::writable);
        if (!ready) co_return ready.error();
    }
}

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
    std::string buffer;
    for (;;) {
        const auto request = co_await reactor::with_timeout(
            world.reactor, read_line(*stream, buffer, options.request_bytes_max),
            options.idle_timeout);
        if (!request && !request.error().is(base::Errc::resource_exhausted)) break;
        std::string reply(kTooLong);
        if (request) {
            if (request->empty()) continue;
            auto answer = co_await commands.answer(*request);
            if (!answer) break;
            log(*answer);
            reply = std::move(answer->line);
        }
        const auto written = co_await reactor::with_timeout(
            world.reactor, write_all(*stream, std::move(reply)), options.idle_timeout);
        if (!written || !request) break;
    }
    stream->close();
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
