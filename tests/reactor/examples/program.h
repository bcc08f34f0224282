// A program under test: started with its output on a pipe, ended with the test. And a plain
// blocking client with a time limit, so that nothing of the library tests itself.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace reactor::test {

constexpr int kPatience_ms = 60'000;

/// Reads from `fd` up to and including `until`; throws when it ends or takes too long before.
inline std::string read_until(int fd, std::string& buffer, std::string_view until) {
    for (;;) {
        if (const std::size_t at = buffer.find(until); at != std::string::npos) {
            std::string text = buffer.substr(0, at + until.size());
            buffer.erase(0, at + until.size());
            return text;
        }
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        if (poll(&waiting, 1, kPatience_ms) != 1)
            throw std::runtime_error("nothing came; so far: " + buffer);
        char bytes[4096];
        const ssize_t count = read(fd, bytes, sizeof bytes);
        if (count <= 0) throw std::runtime_error("it ended after: " + buffer);
        buffer.append(bytes, static_cast<std::size_t>(count));
    }
}

class Program {
public:
    explicit Program(const std::string& name, std::vector<std::string> arguments = {}) {
        std::string path = std::string(EXAMPLES_DIRECTORY) + "/" + name;
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("no pipe");
        child_ = fork();
        if (child_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            close(ends[0]);
            close(ends[1]);
            std::vector<char*> list{path.data()};
            for (std::string& argument : arguments)
                list.push_back(argument.data());
            list.push_back(nullptr);
            execv(path.c_str(), list.data());
            _exit(127);
        }
        close(ends[1]);
        output_ = ends[0];
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        if (child_ > 0) {
            kill(child_, SIGKILL);
            waitpid(child_, nullptr, 0);
        }
        close(output_);
    }

    std::string line() { return read_until(output_, buffer_, "\n"); }
    /// The port from "listening on 127.0.0.1:1234".
    std::uint16_t port() {
        const std::string text = line();
        return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
    }
    void signal(int number) const { kill(child_, number); }
    /// Waits for its end: the exit code, or 128 + the signal that ended it.
    int exit_code() {
        int status = 0;
        waitpid(child_, &status, 0);
        child_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    pid_t child_ = 0;
    int output_ = -1;
    std::string buffer_;
};

class Client {
public:
    explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect");
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { close(fd_); }

    void say(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (count <= 0) throw std::runtime_error("cannot send");
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    std::string line() { return read_until(fd_, buffer_, "\r\n"); }
    /// Everything up to the end of the connection, which must come.
    std::string rest() {
        try {
            for (;;)
                (void)read_until(fd_, buffer_, std::string_view("\0\0", 2));
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }

private:
    int fd_;
    std::string buffer_;
};

}  // namespace reactor::test
