#include "tests/support/stage.h"

#include "reactor/real_world.h"
#include "reactor/tcp_network.h"

#include <chrono>
#include <utility>

namespace server::test {
namespace {

/// How often a real loop is left to ask whether what is waited for has come.
constexpr base::Duration kLook = std::chrono::milliseconds(1);

}  // namespace

std::unique_ptr<reactor::Network> SimStage::network(std::string address) {
    return reactor::make_sim_network(world_, internet_, std::move(address));
}

bool SimStage::run_until(const std::function<bool()>& done, base::Duration limit) {
    return sim_.run_until(done, limit);
}

struct RealStage::Impl {
    reactor::RealShards shards{{}, base::Log::silent(), [](reactor::World& world) {
                                   return reactor::make_tcp_network(world);
                               }};
};

RealStage::RealStage() : impl_(std::make_unique<Impl>()) {}
RealStage::~RealStage() = default;

reactor::World& RealStage::world() {
    return impl_->shards.world(0);
}

std::unique_ptr<reactor::Network> RealStage::network(std::string) {
    return reactor::make_tcp_network(world());
}

bool RealStage::run_until(const std::function<bool()>& done, base::Duration limit) {
    reactor::World& here = world();
    const reactor::Reactor::Scope scope(here.reactor);
    const base::MonotonicTime deadline = here.clock.monotonic() + limit;
    reactor::CallbackTimer look([&here] { here.reactor.stop(); });
    while (!done()) {
        const base::MonotonicTime now = here.clock.monotonic();
        if (now >= deadline) return false;
        look.arm(here.reactor.wheel(), now + kLook);
        here.reactor.run();
    }
    return true;
}

}  // namespace server::test
