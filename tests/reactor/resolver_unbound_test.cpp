// libunbound for real, without a real network: a hosts file, and name servers of our own on
// loopback that answer, refuse, fail or say nothing.
#include "reactor/resolver_unbound.h"

#include "reactor/base/text.h"
#include "reactor/fd_watch.h"
#include "reactor/real_world.h"
#include "reactor/resolver_query.h"
#include "reactor/tcp_network.h"
#include "reactor/test_kit.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>

namespace reactor {
namespace {

using base::Errc;
using base::SrvRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

std::string big_endian(std::uint64_t value, int bytes) {
    std::string text;
    while (bytes-- > 0)
        text += static_cast<char>(value >> (8 * bytes) & 0xFF);
    return text;
}

/// A name server on loopback, over UDP, on the loop of the test. Answers from its table, with
/// `rcode` for what is not in it.
class NameServer final : private FdObserver {
public:
    NameServer(Reactor& reactor, int rcode)
        : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), rcode_(rcode) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        socklen_t size = sizeof address;
        EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        watch_.emplace(reactor, fd_, static_cast<FdObserver&>(*this));
    }
    ~NameServer() {
        watch_.reset();
        ::close(fd_);
    }
    std::string address() const { return "127.0.0.1@" + std::to_string(port_); }
    void add(const std::string& name, DnsType type, std::string rdata) {
        records_[{name, type}].push_back(std::move(rdata));
    }
    /// From now on nothing is answered.
    void fall_silent() { silent_ = true; }
    int asked() const { return asked_; }

private:
    void on_fd_events(bool, bool, bool) override {
        std::array<char, 1500> packet{};
        sockaddr_in from{};
        for (;;) {
            socklen_t size = sizeof from;
            const ssize_t length = ::recvfrom(fd_, packet.data(), packet.size(), 0,
                                              reinterpret_cast<sockaddr*>(&from), &size);
            if (length < 0) return;
            ++asked_;
            if (silent_) continue;
            const std::string reply = reply_to({packet.data(), static_cast<std::size_t>(length)});
            ::sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
        }
    }
    // RFC 1035 §4: header, question, answers with the name compressed to the question's.
    std::string reply_to(std::string_view query) {
        std::string name;
        std::size_t at = 12;
        for (std::size_t label = 0; (label = static_cast<std::size_t>(query[at])) != 0;
             at += label + 1)
            name += (name.empty() ? "" : ".") + base::to_lower_ascii(query.substr(at + 1, label));
        const std::string_view question = query.substr(12, at + 5 - 12);
        const auto type = static_cast<DnsType>(static_cast<unsigned char>(query[at + 2]));
        const auto found = records_.find({name, type});
        const bool known = found != records_.end();
        const std::size_t answers = known ? found->second.size() : 0;
        std::string reply(query.substr(0, 2));
        reply += big_endian(0x8180U | static_cast<unsigned>(known ? 0 : rcode_), 2);
        reply += big_endian(1, 2) + big_endian(answers, 2) + big_endian(0, 4);
        reply += question;
        if (known)
            for (const std::string& rdata : found->second)
                reply += big_endian(0xC00C, 2) + big_endian(static_cast<unsigned>(type), 2) +
                         big_endian(1, 2) + big_endian(77, 4) + big_endian(rdata.size(), 2) + rdata;
        return reply;
    }

    int fd_;
    int rcode_;
    std::uint16_t port_ = 0;
    std::optional<FdWatch> watch_;
    std::map<std::pair<std::string, DnsType>, std::vector<std::string>> records_;
    bool silent_ = false;
    int asked_ = 0;
};

class Unbound : public testing::Test {
protected:
    Unbound() : shards({}, log.log(), make_tcp_network), scope(world().reactor) {}
    ~Unbound() override {
        resolver.reset();
        run_turns(3);
    }
    World& world() { return shards.world(0); }
    void run_turns(int count) {
        while (count-- > 0)
            world().reactor.run_turn();
    }
    void open(UnboundOptions options) {
        auto made = make_unbound_resolver(world(), std::move(options));
        ASSERT_TRUE(made) << made.error().message();
        resolver = *std::move(made);
    }
    /// A resolver that reads no file of the machine and asks `server`.
    void open(const NameServer& server, ResolverLimits limits = {}) {
        open({.limits = limits,
              .resolv_conf = "",
              .hosts = "",
              .trust_anchors = {},
              .name_servers = {server.address()}});
    }
    template <class T>
    base::Result<T> result_of(Deferred<T> deferred) {
        const auto give_up = clock.monotonic() + 60s;  // Only bounds a failing test.
        while (!deferred.settled()) {
            run_turns(1);
            if (clock.monotonic() > give_up) return base::fail(Errc::internal, "never settled");
        }
        return deferred.take();
    }
    static std::string file_with(std::string_view name, std::string_view text) {
        std::string path = testing::TempDir() + "parley-" + std::to_string(getpid()) + "-";
        path += name;
        std::ofstream(path) << text;
        return path;
    }

    test::LogCapture log;
    RealClock clock;
    RealShards shards;
    Reactor::Scope scope;
    std::unique_ptr<Resolver> resolver;
};

TEST_F(Unbound, reads_the_hosts_file) {
    const std::string hosts = file_with("hosts",
                                        "# comment\n"
                                        "192.0.2.7 gateway.example gw\n"
                                        "2001:db8::7 gateway.example\n");
    open({.resolv_conf = "", .hosts = hosts, .trust_anchors = {}});
    const auto answer = result_of(resolver->resolve_addresses("Gateway.example"));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_THAT(answer->addresses, ElementsAre("2001:db8::7", "192.0.2.7"));
    EXPECT_EQ(answer->dnssec, Dnssec::insecure);
    const auto short_name = result_of(resolver->resolve_addresses("gw"));
    ASSERT_TRUE(short_name) << short_name.error().message();
    EXPECT_THAT(short_name->addresses, ElementsAre("192.0.2.7"));
    ::unlink(hosts.c_str());
}

TEST_F(Unbound, knows_localhost_and_what_never_exists_without_asking_anybody) {
    NameServer server(world().reactor, 2);
    open(server);
    const auto local = result_of(resolver->resolve_addresses("localhost"));
    ASSERT_TRUE(local) << local.error().message();
    EXPECT_THAT(local->addresses, ElementsAre("::1", "127.0.0.1"));
    const auto never = result_of(resolver->resolve_addresses("host.invalid"));
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().message(), "not_found: host.invalid does not exist");
    EXPECT_EQ(server.asked(), 0);
}

TEST_F(Unbound, reads_records_from_the_name_server_and_keeps_them) {
    NameServer server(world().reactor, 3);
    const SrvRecord record{.priority = 5, .weight = 7, .port = 5222, .target = "a.example.org"};
    server.add("_xmpp-client._tcp.example.org", DnsType::srv, rdata_of(record));
    server.add("example.org", DnsType::txt, rdata_of_text(std::string(300, 'x')));
    server.add("example.org", DnsType::a, rdata_of_address("192.0.2.1"));
    server.add("example.org", DnsType::aaaa, rdata_of_address("2001:db8::1"));
    open(server);
    const auto srv = result_of(resolver->resolve_srv("_xmpp-client._tcp.example.org"));
    ASSERT_TRUE(srv) << srv.error().message();
    EXPECT_THAT(srv->records, ElementsAre(record));
    EXPECT_EQ(srv->ttl, 77s);
    EXPECT_EQ(srv->dnssec, Dnssec::insecure);
    const auto txt = result_of(resolver->resolve_txt("example.org"));
    ASSERT_TRUE(txt) << txt.error().message();
    EXPECT_THAT(txt->records, ElementsAre(std::string(300, 'x')));
    const auto addresses = result_of(resolver->resolve_addresses("example.org"));
    ASSERT_TRUE(addresses) << addresses.error().message();
    EXPECT_THAT(addresses->addresses, ElementsAre("2001:db8::1", "192.0.2.1"));
    server.fall_silent();
    EXPECT_TRUE(result_of(resolver->resolve_addresses("example.org"))) << "kept";
}

TEST_F(Unbound, tells_names_without_such_records_from_names_that_do_not_exist) {
    NameServer absent(world().reactor, 3);
    open(absent);
    auto answer = result_of(resolver->resolve_srv("_xmpp-client._tcp.example.org"));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->absence, Absence::no_name);
    NameServer empty(world().reactor, 0);
    open(empty);
    answer = result_of(resolver->resolve_srv("_xmpp-client._tcp.example.org"));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->absence, Absence::no_data);
    EXPECT_EQ(result_of(resolver->resolve_addresses("example.org")).error().message(),
              "not_found: example.org has no address");
}

TEST_F(Unbound, says_that_the_name_server_failed) {
    NameServer server(world().reactor, 2);
    open(server);
    const auto answer = result_of(resolver->resolve_srv("_xmpp-client._tcp.example.org"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::io_error);
    EXPECT_THAT(answer.error().message(), HasSubstr("SERVFAIL"));
    EXPECT_GT(server.asked(), 0);
}

TEST_F(Unbound, gives_up_a_silent_name_server_and_counts_what_it_gave_up) {
    NameServer server(world().reactor, 3);
    server.fall_silent();
    open(server, {.queries_max = 1, .query_timeout = 50ms});
    const auto answer = result_of(resolver->resolve_srv("_xmpp-client._tcp.example.org"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message(),
              "timed_out: cannot resolve _xmpp-client._tcp.example.org SRV: no answer");
    // libunbound still asks: its work is bounded, not our patience.
    const auto next = result_of(resolver->resolve_srv("_xmpp-server._tcp.example.org"));
    EXPECT_EQ(next.error().code(), Errc::queue_full);
}

TEST_F(Unbound, frees_the_place_of_a_dropped_question_when_its_answer_comes) {
    NameServer server(world().reactor, 3);
    open(server, {.queries_max = 1});
    {
        auto dropped = resolver->resolve_srv("_xmpp-client._tcp.example.org");
    }
    base::Result<SrvAnswer> answer = base::fail(Errc::queue_full);
    const auto give_up = clock.monotonic() + 30s;
    while (!answer && answer.error().is(Errc::queue_full) && clock.monotonic() < give_up) {
        answer = result_of(resolver->resolve_srv("_xmpp-server._tcp.example.org"));
        run_turns(1);
    }
    EXPECT_TRUE(answer) << answer.error().message();
}

TEST_F(Unbound, fails_open_questions_when_it_goes) {
    NameServer server(world().reactor, 3);
    server.fall_silent();
    open(server);
    auto addresses = resolver->resolve_addresses("example.org");
    auto srv = resolver->resolve_srv("_xmpp-client._tcp.example.org");
    run_turns(3);
    resolver.reset();
    EXPECT_EQ(result_of(std::move(addresses)).error().code(), Errc::closed);
    EXPECT_EQ(result_of(std::move(srv)).error().code(), Errc::closed);
    EXPECT_EQ(log.events().size(), 0U);
}

TEST_F(Unbound, calls_an_unsigned_answer_bogus_when_the_root_is_trusted) {
    // An anchor for which nobody can have signed: a name server that strips DNSSEC looks the same.
    const std::string anchor =
        file_with("anchor",
                  ". IN DS 20326 8 2 "
                  "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n");
    NameServer server(world().reactor, 3);
    server.add("example.org", DnsType::a, rdata_of_address("192.0.2.1"));
    open({.resolv_conf = "",
          .hosts = "",
          .trust_anchors = {"/nonexistent/root.key", anchor},
          .name_servers = {server.address()}});
    const auto answer = result_of(resolver->resolve_addresses("example.org"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::corrupt);
    EXPECT_THAT(answer.error().message(), HasSubstr("DNSSEC: the answer is bogus"));
    ::unlink(anchor.c_str());
}

TEST_F(Unbound, refuses_what_it_cannot_use) {
    auto made = make_unbound_resolver(world(), {.name_servers = {"ns.example"}});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr("not a name server: ns.example"));
    const std::string anchor = file_with("anchor", "nonsense\n");
    made = make_unbound_resolver(world(), {.trust_anchors = {anchor}});
    ASSERT_FALSE(made);
    EXPECT_THAT(made.error().message(), HasSubstr("trust anchor"));
    ::unlink(anchor.c_str());
}

TEST_F(Unbound, does_without_files_that_are_missing) {
    open({.resolv_conf = "/nonexistent/resolv.conf",
          .hosts = "/nonexistent/hosts",
          .trust_anchors = {"/nonexistent/root.key"}});
    EXPECT_TRUE(result_of(resolver->resolve_addresses("localhost")));
}

TEST_F(Unbound, works_twice_in_one_process) {
    NameServer server(world().reactor, 3);
    server.add("example.org", DnsType::a, rdata_of_address("192.0.2.1"));
    open(server);
    auto first = std::move(resolver);
    open(server);
    EXPECT_TRUE(result_of(first->resolve_addresses("example.org")));
    EXPECT_TRUE(result_of(resolver->resolve_addresses("example.org")));
    first.reset();
    EXPECT_EQ(result_of(resolver->resolve_addresses("example.net")).error().code(),
              Errc::not_found);
}

}  // namespace
}  // namespace reactor
