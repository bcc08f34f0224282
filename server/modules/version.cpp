// XEP-0092 Software Version: the name and version of this server. The operating system is not told:
// it helps nobody but attackers.
#include "server/modules/catalog.h"
#include "xmpp/core/namespaces.h"

namespace server::modules {
namespace {

class Version final : public Module {
public:
    explicit Version(ModuleContext& context) {
        subscriptions_ += context.iq.on_get(
            IqTarget::server, {xmpp::ns::version, "query"}, [](const IqRequest&) {
                xmpp::Element query("query", xmpp::ns::version);
                query.add_text_child("name", "Parley");
                query.add_text_child("version", PARLEY_VERSION);
                return IqReply(std::move(query));
            });
    }

private:
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_version() {
    return {.name = "version",
            .xeps = {{92, "1.1", "Software Version"}},
            .features = {xmpp::ns::version},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<Version>};
}

}  // namespace server::modules
