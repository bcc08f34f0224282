// A message between two clients through everything but the kernel: TLS record in, parser, session,
// router, session, TLS record out, on pipes in memory. The clients' own TLS is in the time, but
// what they allocate is left out.
#include "allocations.h"
#include "reactor/base/text.h"
#include "reactor/memory_pipe.h"
#include "reactor/tls.h"
#include "server/sessions/client_service.h"
#include "tests/server/sessions/session_harness.h"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace server::test {
namespace {

constexpr std::string_view kOpen =
    "<?xml version='1.0'?><stream:stream to='example.org' "
    "version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";
constexpr std::string_view kMessage =
    "<message to='juliet@example.org/balcony' type='chat' "
    "id='6f1d2b8e-5f0c-4f5e-9d1c-2f9f3f6a7b10'>"
    "<body>But soft, what light through yonder window breaks? It is the east.</body>"
    "<active xmlns='http://jabber.org/protocol/chatstates'/>"
    "<request xmlns='urn:xmpp:receipts'/></message>";
constexpr std::size_t kReadBytes = 65'536;

/// Limits that a benchmark does not run into.
Config without_limits() {
    return Config()
        .with(keys::kSaslMechanisms, {"PLAIN"})
        .with(keys::kStanzasPerSecond, 1'000'000)
        .with(keys::kStanzasBurst, 10'000'000)
        .with(keys::kBytesPerSecond, std::size_t{1} << 30U);
}

/// A client over a pipe that starts with TLS; reads all it gets and keeps it only while logging in.
class PipedClient final : private reactor::StreamObserver {
public:
    PipedClient(SessionHarness& harness, reactor::World& world,
                std::shared_ptr<const reactor::TlsClientContext> context)
        : harness_(harness) {
        auto [mine, servers] = reactor::memory_pipe(world, harness.sim.world());
        stream_ = reactor::TlsStream::client(std::move(mine), std::move(context), "example.org");
        harness.on_shard(0, [&, &end = servers] {
            harness.service().accept(std::move(end), ClientTransport::direct_tls);
        });
        stream_->set_observer(this);
        stream_->arm(reactor::Interest::readable);
        settle();
    }

    void log_in(const std::string& username, const std::string& resource) {
        std::string message(1, '\0');
        message += username;
        message += '\0';
        message += kPassword;
        ask(kOpen, "</stream:features>");
        ask("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
                base::base64_encode(message) + "</auth>",
            "<success");
        ask(kOpen, "</stream:features>");
        ask("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" +
                resource + "</resource></bind></iq>",
            "</iq>");
        ask("<presence/>", "<presence");
        keeps_ = false;
    }
    void send(std::string_view text) {
        const std::uint64_t before = bench::allocations();
        const reactor::ConstBuffer buffer = base::as_bytes(text);
        if (stream_->try_writev({&buffer, 1}).bytes != text.size()) std::abort();
        allocations_ += bench::allocations() - before;
    }
    std::size_t received() const noexcept { return received_; }
    /// Of its own, so far.
    std::uint64_t allocations() const noexcept { return allocations_; }

private:
    void settle() { harness_.advance(std::chrono::seconds(1)); }
    void ask(std::string_view text, std::string_view answer) {
        heard_.clear();
        send(text);
        settle();
        if (!heard_.contains(answer)) std::abort();
    }
    void on_ready(reactor::Interest) override {
        const std::uint64_t before = bench::allocations();
        for (;;) {
            const reactor::IoResult result = stream_->try_read(buffer_);
            if (result.status == reactor::IoStatus::would_block) break;
            if (result.status != reactor::IoStatus::ok) std::abort();
            received_ += result.bytes;
            if (keeps_) heard_ += base::as_text(std::span(buffer_).first(result.bytes));
        }
        stream_->arm(reactor::Interest::readable);
        allocations_ += bench::allocations() - before;
    }

    SessionHarness& harness_;
    std::unique_ptr<reactor::TlsStream> stream_;
    std::array<std::byte, kReadBytes> buffer_;
    std::string heard_;
    std::size_t received_ = 0;
    std::uint64_t allocations_ = 0;
    bool keeps_ = true;
};

// So many messages in one record, as from a busy client.
void message_through_two_sessions(benchmark::State& state) {
    SessionHarness harness(without_limits());
    const auto context =
        reactor::TlsClientContext::create({.verify = reactor::TlsVerify::none}).value();
    reactor::World& world = harness.sim.world(0, 1);
    auto romeo = std::make_unique<PipedClient>(harness, world, context);
    auto juliet = std::make_unique<PipedClient>(harness, world, context);
    romeo->log_in("romeo", "orchard");
    juliet->log_in("juliet", "balcony");
    std::string messages;
    for (std::int64_t i = 0; i < state.range(0); ++i)
        messages += kMessage;
    {
        bench::CountAllocations counting(state, state.range(0));
        const std::uint64_t clients = romeo->allocations() + juliet->allocations();
        for (auto _ : state) {
            const std::size_t before = juliet->received();
            romeo->send(messages);
            harness.sim.run_ready();
            if (juliet->received() - before < messages.size()) std::abort();
        }
        counting.leave_out(romeo->allocations() + juliet->allocations() - clients);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
    romeo.reset();
    juliet.reset();
    harness.advance(std::chrono::seconds(1));
}
BENCHMARK(message_through_two_sessions)->Arg(1)->Arg(16);

}  // namespace
}  // namespace server::test
