// LateNetwork: stands in a World while the Network that needs that World is being made.
#pragma once

#include "reactor/network.h"

#include <memory>
#include <utility>

namespace reactor {

/// Passes everything on; without a network behind it, both calls fail with `unsupported`.
class LateNetwork final : public Network {
public:
    void become(std::unique_ptr<Network> network) noexcept { network_ = std::move(network); }

    base::Result<std::unique_ptr<Listener>> listen(ListenOptions options,
                                                   AcceptFunction accepted) override {
        if (!network_) return base::fail(base::Errc::unsupported, "this World has no network");
        return network_->listen(std::move(options), std::move(accepted));
    }
    Deferred<std::unique_ptr<ByteStream>> connect(Endpoint endpoint,
                                                  std::optional<Endpoint> source) override {
        if (!network_) return base::Failure(base::Errc::unsupported, "this World has no network");
        return network_->connect(std::move(endpoint), std::move(source));
    }

private:
    std::unique_ptr<Network> network_;
};

}  // namespace reactor
