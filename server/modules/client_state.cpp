// XEP-0352 Client State Indication: the stream feature. What the server does for a client that is
// inactive is the session's (sessions/client_outbound.cpp), what may wait is the message's
// (xmpp/payloads/message_class.h).
#include "server/modules/catalog.h"
#include "xmpp/core/namespaces.h"

namespace server::modules {
namespace {

class ClientState final : public Module {
public:
    explicit ClientState(ModuleContext&) {}

    std::function<xmpp::Element(std::string_view host)> stream_feature() override {
        return [](std::string_view) { return xmpp::Element("csi", xmpp::ns::client_state); };
    }
};

}  // namespace

ModuleDescriptor describe_client_state() {
    return {.name = "client_state",
            .xeps = {{352, "1.0.0", "Client State Indication"}},
            .features = {},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<ClientState>};
}

}  // namespace server::modules
