// ServiceCommands: the chat service's ad-hoc commands (XEP-0050), for its operators: what parleyctl
// does with rooms, from any client. Nothing is remembered between a form and its submission.
#pragma once

#include "reactor/world.h"
#include "server/routing/iq_routes.h"
#include "server/routing/room_operations.h"
#include "xmpp/core/element.h"
#include "xmpp/payloads/command.h"
#include "xmpp/payloads/disco.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::modules::muc {

class ServiceCommands {
public:
    explicit ServiceCommands(reactor::World& world) : world_(world) {}

    /// Lives on shard 0.
    void connect(RoomOperations& operations) { operations_ = &operations; }
    /// Bare JIDs.
    void set_operators(std::vector<xmpp::Jid> operators) { operators_ = std::move(operators); }

    bool is_operator(const xmpp::Jid& user) const;
    /// Of service discovery, about the node of all commands or one of them; nullopt: it is neither.
    std::optional<xmpp::DiscoItems> items(const xmpp::Jid& service, const xmpp::Jid& user,
                                          std::string_view node) const;
    std::optional<xmpp::DiscoInfo> info(std::string_view node) const;
    /// `request` is an iq set with a <command/>.
    reactor::Deferred<IqReply> run(xmpp::Stanza request);

private:
    reactor::Deferred<IqReply> complete(xmpp::Stanza request, xmpp::DataForm form,
                                        xmpp::CommandResponse response);
    reactor::Deferred<void> change(std::string node, xmpp::Jid room, xmpp::DataForm form);

    reactor::World& world_;
    RoomOperations* operations_ = nullptr;
    std::vector<xmpp::Jid> operators_;
};

}  // namespace server::modules::muc
