// XEP-0160 offline messages (with XEP-0203 stamps): starts the hand-over of what waits for an
// account when one of its clients can take messages. The queue itself is routing's:
// server/routing/offline_queue.h.
#include "server/modules/catalog.h"
#include "server/routing/offline_queue.h"

namespace server::modules {
namespace {

class Offline final : public Module {
public:
    explicit Offline(ModuleContext& context) : queue_(context.router.offline()) {
        subscriptions_ +=
            context.hooks.presence_changed.add(Stage::observe, [this](ResourceEvent& event) {
                if (event.resource.takes_messages()) queue_.start(event.account, event.resource);
                return Verdict::proceed();
            });
    }

    void reload(const Config& config) override { queue_.reload(config); }

private:
    OfflineQueue& queue_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_offline() {
    return {.name = "offline",
            .xeps = {{160, "1.0.1", "Best Practices for Handling Offline Messages"},
                     {203, "2.0", "Delayed Delivery"},
                     {334, "1.0.0", "Message Processing Hints"}},
            .features = {"msgoffline"},
            .account_features = {},
            .needs = {"roster"},
            .config = {},
            .create = create_module<Offline>};
}

}  // namespace server::modules
