#include "tests/scenarios/live_venue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kStartLimit = 30s;
constexpr base::Duration kPoll = 5ms;

class Socket {
public:
    Socket() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() { ::close(descriptor_); }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

// Below those that the system gives to outgoing connections: nobody takes them while the server
// restarts.
constexpr int kFirstPort = 20'000;
constexpr int kPorts = 12'000;

// Two ports that are free now. Somebody may take one before the server does: then it does not
// start, and the run says so.
std::pair<std::uint16_t, std::uint16_t> free_ports() {
    std::uint16_t ports[2] = {};
    const Socket sockets[2];
    int found = 0;
    for (int i = 0; i < kPorts && found < 2; ++i) {
        const auto port = static_cast<std::uint16_t>(kFirstPort + (2 * ::getpid() + i) % kPorts);
        const sockaddr_in address = loopback(port);
        if (::bind(sockets[found].get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof address) == 0)
            ports[found++] = port;
    }
    if (found < 2) throw ScriptFailure("no free port");
    return {ports[0], ports[1]};
}

std::string make_folder() {
    std::string path = (std::filesystem::temp_directory_path() / "parley-live-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw ScriptFailure("cannot make a folder in /tmp");
    return path;
}

}  // namespace

LiveVenue::LiveVenue(LiveServer server) : server_(std::move(server)) {}

LiveVenue::~LiveVenue() {
    for (const std::string& user : users_)
        if (admin_) (void)admin_->call("remove-user", {{"jid", user}});
}

reactor::Endpoint LiveVenue::endpoint(ClientTransport transport) const {
    const bool direct = transport == ClientTransport::direct_tls;
    if (direct && server_.tls_port == 0)
        throw ScriptFailure("the port for direct TLS is not known; give --tls-port");
    return {server_.address, direct ? server_.tls_port : server_.port};
}

void LiveVenue::call(std::string_view command, AdminValue::Object arguments) {
    if (!admin_) admin_ = ctl::make_socket_client(server_.admin_socket);
    auto answer = admin_->call(command, std::move(arguments));
    if (!answer) throw ScriptFailure(fmt::format("{}: {}", command, answer.error().message));
}

void LiveVenue::add_user(const std::string& bare, const std::string& password) {
    call("add-user", {{"jid", bare}, {"password", password}});
    users_.push_back(bare);
}

void LiveVenue::remove_user(const std::string& bare) {
    call("remove-user", {{"jid", bare}});
    std::erase(users_, bare);
}

void LiveVenue::set_password(const std::string& bare, const std::string& password) {
    call("set-password", {{"jid", bare}, {"password", password}});
}

void LiveVenue::kick(const std::string& jid) {
    call("kick", {{"jid", jid}});
}

void LiveVenue::restart() {
    throw ScriptFailure("this server is not ours to restart");
}

void LiveVenue::kill() {
    throw ScriptFailure("this server is not ours to kill");
}

OwnServerVenue::OwnServerVenue(const std::string& binary, const Script& script)
    : LiveVenue({}), binary_(binary), folder_(make_folder()) {
    std::tie(server_.port, server_.tls_port) = free_ports();
    server_.admin_socket = folder_ + "/ctl.sock";
    std::ofstream config(folder_ + "/parley.toml");
    config << fmt::format(
        "data_dir = \"{0}/data\"\nadmin.socket = \"{1}\"\n"
        "listen.addresses = [\"127.0.0.1\"]\nlisten.c2s_port = {2}\nlisten.c2s_tls_port = {3}\n"
        "sasl.scram_iterations = 4096\nlog.file = \"{0}/log\"\n{4}\n"
        "[[host]]\nname = \"example.org\"\n[[host]]\nname = \"example.net\"\n",
        folder_, server_.admin_socket, server_.port, server_.tls_port, script.config);
    config.close();
    start();
}

OwnServerVenue::~OwnServerVenue() {
    forget_users();
    end(SIGTERM);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void OwnServerVenue::start() {
    const std::string config = folder_ + "/parley.toml";
    const std::string output = folder_ + "/output";
    process_ = ::fork();
    if (process_ < 0) throw ScriptFailure("cannot fork");
    if (process_ == 0) {
        const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execl(binary_.c_str(), binary_.c_str(), "--quiet", "--config", config.c_str(), nullptr);
        ::_exit(127);
    }
    const auto is_up = [&] {
        if (::waitpid(process_, nullptr, WNOHANG) == process_) {
            process_ = -1;
            std::ifstream said(output);
            std::string line;
            std::getline(said, line);
            throw ScriptFailure("the server did not start: " + line);
        }
        return answers();
    };
    for (base::Duration waited{}; !is_up(); waited += kPoll) {
        if (waited > kStartLimit) throw ScriptFailure("the server does not serve in time");
        stage().pass(kPoll);
    }
}

void OwnServerVenue::end(int signal) {
    if (process_ < 0) return;
    ::kill(process_, signal);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
}

// The admin socket comes last, when everything else listens.
bool OwnServerVenue::answers() {
    const auto status = ctl::make_socket_client(server_.admin_socket)->call("status", {});
    return status || status.error().reached;
}

void OwnServerVenue::restart() {
    ::kill(process_, SIGTERM);
    // Clients must answer the closing of their streams meanwhile, or the server waits for them.
    const bool ended = stage().run_until(
        [this] { return ::waitpid(process_, nullptr, WNOHANG) == process_; }, 30s);
    if (!ended) throw ScriptFailure("the server does not stop in time");
    process_ = -1;
    std::filesystem::remove(server_.admin_socket);
    start();
}

void OwnServerVenue::kill() {
    end(SIGKILL);
    std::filesystem::remove(server_.admin_socket);
    start();
}

}  // namespace server::test
