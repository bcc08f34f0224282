#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include "server/app/service_notify.h"

namespace server {
namespace {

/// The supervisor's side: a datagram socket under an abstract name.
class Supervisor {
public:
    Supervisor() : name_("@parley-notify-test-" + std::to_string(::getpid())) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name_.data() + 1, name_.size() - 1);
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    }
    ~Supervisor() { ::close(descriptor_); }
    std::string next() {
        char bytes[256];
        const ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT);
        return count < 0 ? "nothing" : std::string(bytes, static_cast<std::size_t>(count));
    }
    const std::string& name() const { return name_; }

private:
    std::string name_;
    int descriptor_ = -1;
};

TEST(ServiceNotify, tells_the_supervisor_what_happens) {
    Supervisor supervisor;
    const ServiceNotify notify(supervisor.name());
    notify.ready("serving\nexample.org");
    EXPECT_EQ(supervisor.next(), "READY=1\nSTATUS=serving example.org");
    notify.reloading({12'345'678});
    EXPECT_EQ(supervisor.next(), "RELOADING=1\nMONOTONIC_USEC=12345");
    notify.stopping();
    EXPECT_EQ(supervisor.next(), "STOPPING=1");
}

TEST(ServiceNotify, does_nothing_without_a_supervisor) {
    ServiceNotify("").ready("x");
    ServiceNotify("/nonexistent/socket").ready("x");
    ServiceNotify("@" + std::string(500, 'x')).stopping();
}

TEST(ServiceNotify, takes_the_socket_from_the_environment) {
    Supervisor supervisor;
    ::setenv("NOTIFY_SOCKET", supervisor.name().c_str(), 1);
    ServiceNotify::from_environment().stopping();
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_EQ(supervisor.next(), "STOPPING=1");
    ServiceNotify::from_environment().stopping();
    EXPECT_EQ(supervisor.next(), "nothing");
}

}  // namespace
}  // namespace server
