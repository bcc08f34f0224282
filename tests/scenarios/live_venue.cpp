#include "tests/scenarios/live_venue.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace server::test {
namespace {

using namespace std::chrono_literals;

constexpr base::Duration kStartLimit = 30s;
constexpr base::Duration kPoll = 5ms;
constexpr base::Duration kLook = 1ms;
/// Whoever sleeps each of these times was not woken by what is under way.
constexpr int kLooks = 3;
constexpr base::Duration kQuiet = 100ms;
constexpr base::Duration kSleepLimit = 10s;

}  // namespace

HeldPort::HeldPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw ScriptFailure("no free port");
    number_ = ntohs(address.sin_port);
}

HeldPort::~HeldPort() {
    ::close(socket_);
}

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
    : LiveVenue({}), binary_(binary) {
    server_.port = port_.number();
    server_.tls_port = tls_port_.number();
    server_.admin_socket = folder_.file("ctl.sock");
    std::ofstream config(folder_.file("parley.toml"));
    config << fmt::format(
        "data_dir = \"{0}/data\"\nadmin.socket = \"{1}\"\n"
        "listen.addresses = [\"127.0.0.1\"]\nlisten.c2s_port = {2}\nlisten.c2s_tls_port = {3}\n"
        "sasl.scram_iterations = 4096\nlog.file = \"{0}/log\"\n{4}\n"
        "[[host]]\nname = \"example.org\"\n[[host]]\nname = \"example.net\"\n",
        folder_.path(), server_.admin_socket, server_.port, server_.tls_port, script.config);
    config.close();
    start();
}

OwnServerVenue::~OwnServerVenue() {
    forget_users();
    end(SIGTERM);
}

void OwnServerVenue::start() {
    const std::string config = folder_.file("parley.toml");
    const std::string output = folder_.file("output");
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

// proc(5): the state of each thread stands behind its name in parentheses. Whoever waits for the
// disk or for a processor does not sleep.
bool OwnServerVenue::sleeps() const {
    std::error_code gone;
    const std::filesystem::directory_iterator tasks(fmt::format("/proc/{}/task", process_), gone);
    return std::ranges::all_of(tasks, [](const auto& task) {
        std::ifstream file(task.path() / "stat");
        const std::string stat(std::istreambuf_iterator<char>(file), {});
        return stat.empty() || stat.find(") S ") != std::string::npos;
    });
}

void OwnServerVenue::wait_for_sleep(base::Duration time) {
    const reactor::Clock& clock = stage().world().clock;
    base::MonotonicTime since = clock.monotonic();
    const base::MonotonicTime limit = since + kSleepLimit;
    int looks = 0;
    while ((looks < kLooks || clock.monotonic() < since + time) && clock.monotonic() < limit) {
        stage().pass(kLook);
        ++looks;
        if (sleeps()) continue;
        looks = 0;
        since = clock.monotonic();
    }
}

void OwnServerVenue::come_to_rest() {
    wait_for_sleep({});
}

void OwnServerVenue::listen() {
    wait_for_sleep(kQuiet);
}

void OwnServerVenue::restart() {
    ::kill(process_, SIGTERM);
    // Clients must answer the closing of their streams meanwhile, or the server waits for them.
    const bool ended = stage().run_until(
        [this] { return ::waitpid(process_, nullptr, WNOHANG) == process_; }, 60s);
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
