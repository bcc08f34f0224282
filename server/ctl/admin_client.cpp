#include "server/ctl/admin_client.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace server::ctl {
namespace {

constexpr std::string_view kLocalSocket = "./parley-data/parleyctl.sock";
constexpr std::string_view kServiceSocket = "/run/parleyd/parleyctl.sock";
constexpr std::size_t kReplyBytesMax = 64 * 1024 * 1024;
constexpr std::time_t kReplyTimeoutSeconds = 60;

class Descriptor {
public:
    Descriptor() = default;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { reset(-1); }
    void reset(int descriptor) {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = descriptor;
    }
    int get() const { return descriptor_; }

private:
    int descriptor_ = -1;
};

std::string mend_for(int error_number) {
    switch (error_number) {
        case ENOENT:
            return "is parleyd running? If its data folder is elsewhere, name the socket with "
                   "--socket PATH or PARLEY_SOCKET";
        case ECONNREFUSED:
            return "parleyd is not running any more; start it";
        case EACCES:
        case EPERM:
            return "the socket belongs to the user of the server: run parleyctl as that user "
                   "(sudo -u parley parleyctl …) or as root";
        default:
            return "";
    }
}

class SocketClient final : public AdminClient {
public:
    explicit SocketClient(std::string path) : path_(std::move(path)) {}

    base::Result<AdminValue, CallError> call(std::string_view command,
                                             AdminValue::Object arguments) override {
        if (socket_.get() < 0 && !connect()) return std::unexpected(error_);
        const std::string request =
            to_json(AdminValue::Object{{"command", command}, {"arguments", std::move(arguments)}}) +
            '\n';
        std::string line;
        if (!send(request) || !receive(line)) return std::unexpected(error_);
        const auto reply = parse_json(line);
        const AdminValue* result = reply ? reply->find("result") : nullptr;
        if (result && reply->flag_of("ok")) return *result;
        const AdminValue* error = reply ? reply->find("error") : nullptr;
        if (!error) {
            fail("broken_reply", "the answer is not one of a Parley server",
                 "is this the socket of parleyd?");
            return std::unexpected(error_);
        }
        return std::unexpected(CallError{true, std::string(error->text_of("code")),
                                         std::string(error->text_of("message")),
                                         std::string(error->text_of("mend"))});
    }

private:
    bool connect() {
        sockaddr_un address{};
        if (path_.size() >= sizeof(address.sun_path))
            return fail("unreachable", fmt::format("the socket path {} is too long", path_),
                        "give a shorter one with --socket PATH, such as a relative one");
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path_.data(), path_.size());
        socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval timeout{.tv_sec = kReplyTimeoutSeconds, .tv_usec = 0};
        if (socket_.get() >= 0 &&
            ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
            ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                0)
            return true;
        const int reason = errno;
        return fail("unreachable",
                    fmt::format("cannot reach the server at {}: {}", path_, std::strerror(reason)),
                    mend_for(reason));
    }

    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent < 0) return lost(std::strerror(errno));
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    bool receive(std::string& line) {
        char bytes[4096];
        while (line.find('\n') == std::string::npos) {
            const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
                return lost(fmt::format("no answer within {} s", kReplyTimeoutSeconds));
            if (count < 0) return lost(std::strerror(errno));
            if (count == 0) return lost("it closed the connection");
            line.append(bytes, static_cast<std::size_t>(count));
            if (line.size() > kReplyBytesMax) return lost("its answer is too long");
        }
        line.resize(line.find('\n'));  // One request at a time: nothing follows.
        return true;
    }

    bool lost(std::string_view why) {
        return fail("connection_lost", fmt::format("the server did not answer: {}", why),
                    "see the log of the server");
    }

    bool fail(std::string code, std::string message, std::string mend) {
        error_ = {false, std::move(code), std::move(message), std::move(mend)};
        socket_.reset(-1);
        return false;
    }

    std::string path_;
    Descriptor socket_;
    CallError error_;
};

}  // namespace

std::unique_ptr<AdminClient> make_socket_client(std::string path) {
    return std::make_unique<SocketClient>(std::move(path));
}

std::string find_socket(std::string chosen, std::string environment) {
    if (!chosen.empty()) return chosen;
    if (!environment.empty()) return environment;
    if (::access(std::string(kLocalSocket).c_str(), F_OK) == 0) return std::string(kLocalSocket);
    return std::string(kServiceSocket);
}

}  // namespace server::ctl
