// XEP-0359 Unique and Stable Stanza IDs, rule 2 of §3: a stanza-id that claims to be given by an
// account of ours, and was not, is removed before anybody sees it, from what the account sends and
// from what it is sent. Whoever archives a message (after this, in the order of the catalog) adds
// the real one.
#include "server/modules/catalog.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/stanza_id.h"

namespace server::modules {
namespace {

class StanzaIds final : public Module {
public:
    explicit StanzaIds(ModuleContext& context)
        : removed_(context.metrics.counter("module_stanza_ids_removed_total",
                                           "Forged stanza-ids that were removed.")) {
        const auto remove = [this](StanzaEvent& event) {
            if (!event.stanza.is_iq())
                removed_.add(xmpp::remove_stanza_ids(event.stanza, event.account.jid()));
            return Verdict::proceed();
        };
        subscriptions_ += context.hooks.outbound.add(Stage::rewrite, remove);
        subscriptions_ += context.hooks.inbound.add(Stage::rewrite, remove);
    }

private:
    Counter& removed_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_stanza_ids() {
    return {.name = "stanza_ids",
            .xeps = {{359, "0.7.0", "Unique and Stable Stanza IDs"}},
            .features = {xmpp::ns::stanza_ids},
            .account_features = {xmpp::ns::stanza_ids},
            .needs = {},
            .config = {},
            .create = create_module<StanzaIds>};
}

}  // namespace server::modules
