// XEP-0202 Entity Time: the server's clock. The offset is always UTC: where the server stands is
// nobody's business.
#include "reactor/world.h"
#include "server/modules/catalog.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"

namespace server::modules {
namespace {

class Time final : public Module {
public:
    explicit Time(ModuleContext& context) {
        subscriptions_ +=
            context.iq.on_get(IqTarget::server, {xmpp::ns::time, "time"},
                              [&clock = context.world.clock](const IqRequest&) {
                                  xmpp::Element time("time", xmpp::ns::time);
                                  time.add_text_child("tzo", "+00:00");
                                  time.add_text_child("utc", xmpp::format_date_time(clock.wall()));
                                  return IqReply(std::move(time));
                              });
    }

private:
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_time() {
    return {.name = "time",
            .xeps = {{202, "2.0", "Entity Time"}},
            .features = {xmpp::ns::time},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<Time>};
}

}  // namespace server::modules
