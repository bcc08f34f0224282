// XEP-0030 Service Discovery: what this server, and an account, is and offers. Nodes of the
// server's own capabilities (XEP-0115) are answered here too; other nodes do not exist.
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "server/modules/server_caps.h"
#include "xmpp/core/namespaces.h"

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr QualifiedName kInfo{xmpp::ns::disco_info, "query"};
constexpr QualifiedName kItems{xmpp::ns::disco_items, "query"};

class Disco final : public Module {
public:
    explicit Disco(ModuleContext& context) : context_(context) {
        IqRoutes& iq = context.iq;
        subscriptions_ += iq.on_get(IqTarget::server, kInfo,
                                    [this](const IqRequest& request) { return host(request); });
        subscriptions_ += iq.on_get(IqTarget::server, kItems, [this](const IqRequest& request) {
            return host_items(request);
        });
        subscriptions_ += iq.on_get(IqTarget::account, kInfo,
                                    [this](const IqRequest& request) { return account(request); });
        subscriptions_ += iq.on_get(IqTarget::account, kItems, [this](const IqRequest& request) {
            return account_items(request);
        });
        subscriptions_ += iq.on_get(IqTarget::nobody, kItems, no_items);
    }

private:
    IqReply host(const IqRequest& request) const {
        xmpp::DiscoInfo info = context_.disco.server_info();
        const std::string_view node = request.payload().attribute("node");
        if (!node.empty() && node != server_caps_node(info)) return StanzaError::item_not_found();
        info.node = node;
        return info.to_element();
    }

    IqReply host_items(const IqRequest& request) const {
        if (!request.payload().attribute("node").empty()) return StanzaError::item_not_found();
        return context_.disco.server_items(request.addressee().domain()).to_element();
    }

    // XEP-0030 §8: an account tells a stranger nothing, not even that it exists.
    bool may_see(const IqRequest& request) const {
        if (request.own()) return true;
        Account* account = context_.accounts.find(request.addressee());
        if (account == nullptr) return false;
        const Contact* contact = account->roster.find(request.requester().bare());
        return contact != nullptr && contact->has_from();
    }

    IqReply account(const IqRequest& request) const {
        if (!may_see(request)) return StanzaError::service_unavailable();
        if (!request.payload().attribute("node").empty()) return StanzaError::item_not_found();
        return context_.disco.account_info().to_element();
    }

    // §8: what a stranger gets to see of an account, and anybody of nobody.
    static IqReply no_items(const IqRequest& request) {
        xmpp::DiscoItems none;
        none.node = request.payload().attribute("node");
        return none.to_element();
    }

    // The available resources of the account (XEP-0030 §4.1: what the requester's presence
    // subscription lets them see anyway).
    IqReply account_items(const IqRequest& request) const {
        if (!may_see(request)) return no_items(request);
        if (!request.payload().attribute("node").empty()) return StanzaError::item_not_found();
        xmpp::DiscoItems items;
        if (Account* account = context_.accounts.find(request.addressee()))
            for (const auto& resource : account->resources())
                if (resource->available()) items.items.push_back({.jid = resource->jid.text()});
        return items.to_element();
    }

    ModuleContext context_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_disco() {
    return {.name = "disco",
            .xeps = {{30, "2.5.0", "Service Discovery"},
                     {128, "1.0.1", "Service Discovery Extensions"}},
            .features = {},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<Disco>};
}

}  // namespace server::modules
