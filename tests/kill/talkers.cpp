// parley-talkers: pairs of clients that write to each other without pause, whatever happens to
// their server, and keep books: what was lost, what came twice, what came out of order. SIGTERM
// ends the talking; what is still under way is waited for, and the books are printed.
// tests/kill/kill_test.py kills the server meanwhile.
#include "reactor/looping_call.h"
#include "reactor/real_world.h"
#include "reactor/signals.h"
#include "reactor/task_set.h"
#include "reactor/tcp_network.h"
#include "tests/bots/client/client.h"
#include "tests/bots/client/client_shared.h"

#include <fmt/format.h>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;

constexpr base::Duration kDrainTime = 60s;
/// Messages of one talker that the server has not acknowledged: more would only be kept here.
constexpr std::uint32_t kUnderWayMax = 200;

struct Books {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    std::uint64_t refused = 0;
    std::uint64_t resumed = 0;
    std::uint64_t logins = 0;
};

/// One of a pair: knows how much it has sent and what it got from the other.
class Talker final : public bots::ClientObserver {
public:
    Talker(bots::ClientShared& shared, bots::ClientOptions options, xmpp::Jid peer, Books& books)
        : client_(shared, std::move(options), *this), peer_(std::move(peer)), books_(books) {}

    bots::Client& client() { return client_; }
    std::uint64_t sent() const { return sent_; }
    std::uint64_t received() const { return received_; }

    void talk() {
        if (!client_.online() || under_way_ >= kUnderWayMax) return;
        xmpp::Stanza message = xmpp::Stanza::message(xmpp::MessageType::chat);
        message.set_to(peer_).set_id(std::to_string(sent_ + 1));
        message.edit().add_text_child("body", "message " + std::to_string(sent_ + 1));
        if (!client_.send(message)) return;
        ++sent_;
        ++under_way_;
        ++books_.sent;
    }

    void on_online(bots::Client& client, bool resumed) override {
        (resumed ? books_.resumed : books_.logins) += 1;
        if (!resumed) {
            under_way_ = 0;
            client.send_presence();
        }
    }

    void on_acknowledged(bots::Client&, std::uint32_t stanzas) override {
        under_way_ -= std::min(under_way_, stanzas);
    }

    void on_message(bots::Client&, xmpp::Stanza message) override {
        const std::string_view id = message.id();
        std::uint64_t number = 0;
        std::from_chars(id.data(), id.data() + id.size(), number);
        if (message.is_error()) {
            ++books_.refused;
            fmt::print(stderr, "{}: {} was refused: {}\n", client_.jid().text(), number,
                       message.to_xml());
        } else if (number == received_ + 1) {
            received_ = number;
            ++books_.received;
        } else if (number <= received_) {
            ++books_.duplicated;
            fmt::print(stderr, "{}: {} came again after {}: {}\n", client_.jid().text(), number,
                       received_, message.to_xml());
        } else {
            ++books_.reordered;
            fmt::print(stderr, "{}: {} came after {}: {}\n", client_.jid().text(), number,
                       received_, message.to_xml());
            received_ = number;
            ++books_.received;
        }
    }

private:
    bots::Client client_;
    xmpp::Jid peer_;
    Books& books_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint32_t under_way_ = 0;
};

class Program {
public:
    Program(reactor::RealShards& shards, std::uint16_t port, int pairs,
            std::shared_ptr<const reactor::TlsClientContext> tls)
        : shards_(shards),
          shared_({.world = world(), .tls = std::move(tls)}),
          talking_(world().reactor, [this] { return talk(); }),
          draining_(world().reactor, [this] { return drain(); }),
          signals_(world().reactor, {SIGTERM, SIGINT}, [this](int) { finish(); }),
          tasks_(world().reactor) {
        for (int i = 0; i < 2 * pairs; ++i)
            add(i, port);
        tasks_.add("talking", talking_.start(10ms));
    }

    /// Prints the books; the exit code.
    int conclude() const {
        std::uint64_t lost = 0;
        for (std::size_t i = 0; i < talkers_.size(); ++i) {
            const Talker& sender = *talkers_[i ^ 1U];
            const std::uint64_t missing = sender.sent() - talkers_[i]->received();
            if (missing > 0)
                fmt::print(stderr, "{}: the last {} of {} never came\n",
                           talkers_[i]->client().jid().text(), missing, sender.sent());
            lost += missing;
        }
        lost += books_.sent - lost - books_.received;
        fmt::print(
            "sent {} received {} lost {} duplicated {} reordered {} refused {} resumed {} "
            "logins {}\n",
            books_.sent, books_.received, lost, books_.duplicated, books_.reordered, books_.refused,
            books_.resumed, books_.logins);
        const bool clean = lost + books_.duplicated + books_.reordered + books_.refused == 0;
        return clean && books_.sent > 0 ? 0 : 1;
    }

private:
    reactor::World& world() { return shards_.world(0); }

    void add(int number, std::uint16_t port) {
        bots::ClientOptions options;
        options.jid = *xmpp::Jid::parse(fmt::format("talker{}@localhost/phone", number));
        options.password = "correct horse battery";
        options.addresses.push_back({"127.0.0.1", port});
        const auto peer = *xmpp::Jid::parse(fmt::format("talker{}@localhost", number ^ 1));
        talkers_.push_back(std::make_unique<Talker>(shared_, std::move(options), peer, books_));
        auto staying = talkers_.back()->client().stay_online(
            {.initial = 20ms, .max = 300ms, .attempts_max = 1'000'000});
        tasks_.add("staying online", std::move(staying));
    }

    reactor::Deferred<void> talk() {
        for (const auto& talker : talkers_)
            talker->talk();
        return reactor::ready();
    }

    void finish() {
        if (draining_.running()) return shards_.stop();
        talking_.stop();
        drain_until_ = world().reactor.now() + kDrainTime;
        tasks_.add("draining", draining_.start(50ms));
    }

    reactor::Deferred<void> drain() {
        std::uint64_t under_way = 0;
        for (std::size_t i = 0; i < talkers_.size(); ++i)
            under_way += talkers_[i ^ 1U]->sent() - talkers_[i]->received();
        // A little longer than needed: what comes twice comes late.
        if (under_way > 0) quiet_since_ = world().reactor.now();
        const base::MonotonicTime now = world().reactor.now();
        if (now > drain_until_ || now > quiet_since_ + 2s) shards_.stop();
        return reactor::ready();
    }

    reactor::RealShards& shards_;
    Books books_;
    bots::ClientShared shared_;
    std::vector<std::unique_ptr<Talker>> talkers_;
    reactor::LoopingCall talking_;
    reactor::LoopingCall draining_;
    base::MonotonicTime drain_until_;
    base::MonotonicTime quiet_since_;
    reactor::SignalWatch signals_;
    reactor::TaskSet tasks_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: parley-talkers PORT PAIRS\n");
        return 2;
    }
    reactor::TlsClientOptions options;
    options.verify = reactor::TlsVerify::none;
    auto tls = reactor::TlsClientContext::create(options);
    if (!tls) return 2;
    reactor::RealShards shards({}, base::Log::silent(), [](reactor::World& world) {
        return reactor::make_tcp_network(world);
    });
    std::unique_ptr<Program> program;
    int exit_code = 1;
    shards.run(
        [&](reactor::ShardId) {
            program = std::make_unique<Program>(
                shards, static_cast<std::uint16_t>(std::stoi(argv[1])), std::stoi(argv[2]), *tls);
        },
        [&](reactor::ShardId) {
            exit_code = program->conclude();
            program.reset();
        });
    return exit_code;
}
