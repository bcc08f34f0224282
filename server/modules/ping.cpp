// XEP-0199 XMPP Ping: answers pings sent to the server or to an account.
// Pings that the server itself sends are a session's concern: server/sessions/.
#include "server/modules/catalog.h"
#include "xmpp/core/namespaces.h"

namespace server::modules {
namespace {

class Ping final : public Module {
public:
    explicit Ping(ModuleContext& context) {
        subscriptions_ +=
            context.iq.on_get(IqTarget::server | IqTarget::account, {xmpp::ns::ping, "ping"},
                              [](const IqRequest&) { return IqReply{}; });
    }

private:
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_ping() {
    return {.name = "ping",
            .xeps = {{199, "2.0.1", "XMPP Ping"}},
            .features = {xmpp::ns::ping},
            .account_features = {xmpp::ns::ping},
            .needs = {},
            .config = {},
            .create = create_module<Ping>};
}

}  // namespace server::modules
