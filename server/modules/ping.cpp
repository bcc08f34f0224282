// XEP-0199 XMPP Ping: answers pings sent to the server, and to an account by those who may see its
// presence. Others learn nothing: the answer is the one for an account that does not exist.
// Pings that the server itself sends are a session's concern: server/sessions/.
#include "server/modules/catalog.h"
#include "server/routing/presence_broadcast.h"
#include "xmpp/core/namespaces.h"

namespace server::modules {
namespace {

class Ping final : public Module {
public:
    explicit Ping(ModuleContext& context) : accounts_(context.accounts) {
        constexpr QualifiedName kPing{xmpp::ns::ping, "ping"};
        subscriptions_ +=
            context.iq.on_get(IqTarget::server, kPing, [](const IqRequest&) { return IqReply{}; });
        subscriptions_ += context.iq.on_get(
            IqTarget::account, kPing,
            [this](const IqRequest& request) { return answer_for_account(request); });
    }

private:
    IqReply answer_for_account(const IqRequest& request) const {
        const Account* asked = accounts_.find(request.addressee());
        if (asked == nullptr || !PresenceBroadcast::sees_broadcasts(*asked, request.requester()))
            return xmpp::StanzaError::service_unavailable();
        return {};
    }

    Accounts& accounts_;
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
