// RoamingNetwork: the network of phones that change their addresses. Who connects names itself by
// the source address, and where its connection really comes from is looked up; so one shard holds
// all phones, and each can be cut off alone.
#pragma once

#include "reactor/sim/sim_network.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace sim {

class RoamingNetwork final : public reactor::Network {
public:
    /// References must outlive it.
    RoamingNetwork(reactor::World& world, reactor::SimInternet& internet)
        : world_(world), internet_(internet) {}

    /// Connections that `phone` opens from now on come from `address`.
    void move(std::string_view phone, std::string address) {
        places_.insert_or_assign(std::string(phone), std::move(address));
    }

    base::Result<std::unique_ptr<reactor::Listener>> listen(
        reactor::ListenOptions options, reactor::AcceptFunction accepted) override;
    reactor::Deferred<std::unique_ptr<reactor::ByteStream>> connect(
        reactor::Endpoint endpoint, std::optional<reactor::Endpoint> source) override;

private:
    reactor::World& world_;
    reactor::SimInternet& internet_;
    std::map<std::string, std::string, std::less<>> places_;                          // By phone.
    std::map<std::string, std::unique_ptr<reactor::Network>, std::less<>> networks_;  // By address.
};

}  // namespace sim
