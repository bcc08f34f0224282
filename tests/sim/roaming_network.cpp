#include "tests/sim/roaming_network.h"

namespace sim {

base::Result<std::unique_ptr<reactor::Listener>> RoamingNetwork::listen(reactor::ListenOptions,
                                                                        reactor::AcceptFunction) {
    return base::fail(base::Errc::unsupported, "phones do not listen");
}

reactor::Deferred<std::unique_ptr<reactor::ByteStream>> RoamingNetwork::connect(
    reactor::Endpoint endpoint, std::optional<reactor::Endpoint> source) {
    std::string address = source ? source->address : "10.1.0.1";
    if (const auto place = places_.find(address); place != places_.end()) address = place->second;
    std::unique_ptr<reactor::Network>& network = networks_[address];
    if (network == nullptr) network = reactor::make_sim_network(world_, internet_, address);
    return network->connect(std::move(endpoint), std::nullopt);
}

}  // namespace sim
