// XEP-0115 Entity Capabilities: the server's own in the stream features (§6.3), and its clients'
// behind a cache that only verified hashes enter. A client is asked once per hash that nobody has
// shown yet.
#include "server/modules/caps.h"

#include "reactor/task_set.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "server/modules/server_caps.h"
#include "server/routing/iq_requests.h"
#include "xmpp/core/namespaces.h"

#include <chrono>
#include <unordered_set>
#include <utility>

namespace server::modules {
namespace {

constexpr base::Duration kAnswerTimeout = std::chrono::seconds(60);

std::string key_of(const xmpp::Caps& caps) {
    return caps.hash + ' ' + caps.ver;
}

class Caps final : public Module {
public:
    explicit Caps(ModuleContext& context)
        : context_(context),
          verified_(context.metrics.counter("module_caps_verified_total",
                                            "Client capabilities that matched their hash.")),
          refuted_(context.metrics.counter("module_caps_refuted_total",
                                           "Client capabilities that did not match their hash.")),
          tasks_(context.world.reactor) {
        subscriptions_ +=
            context.hooks.presence_changed.add(Stage::observe, [this](ResourceEvent& event) {
                learn(event.account, event.resource);
                return Verdict::proceed();
            });
    }

    std::function<xmpp::Element(std::string_view)> stream_feature() override {
        return [this](std::string_view) {
            const std::string version = server_caps_version(context_.disco.server_info());
            return xmpp::Caps{.hash = "sha-1", .node = std::string(kServerCapsNode), .ver = version}
                .to_element();
        };
    }

private:
    void learn(const Account& account, const Resource& resource) {
        if (!resource.presence) return;
        const xmpp::Element* announced = resource.presence->child("c", xmpp::ns::caps);
        if (announced == nullptr) return;
        auto caps = xmpp::Caps::parse(*announced);
        // The legacy format verifies nothing (§9): such clients are asked when somebody needs it.
        if (!caps || caps->hash.empty() || cache_.find(*caps) != nullptr) return;
        if (!asking_.insert(key_of(*caps)).second) return;
        tasks_.add("caps", ask(account.jid().domain_jid(), resource.jid, std::move(*caps)));
    }

    reactor::Deferred<void> ask(xmpp::Jid host, xmpp::Jid client, xmpp::Caps caps) {
        xmpp::Stanza request = xmpp::Stanza::iq(xmpp::IqType::get, "");
        request.set_from(host);
        request.set_to(client);
        request.edit()
            .add(xmpp::Element("query", xmpp::ns::disco_info))
            .set_attribute("node", caps.query_node());
        auto answer = co_await context_.router.requests().send(std::move(request), kAnswerTimeout);
        asking_.erase(key_of(caps));
        if (!answer || answer->iq_type() != xmpp::IqType::result || answer->payload() == nullptr)
            co_return {};
        auto info = xmpp::DiscoInfo::parse(*answer->payload());
        (info && cache_.add(caps, std::move(*info)) ? verified_ : refuted_).add();
        co_return {};
    }

    ModuleContext context_;
    Counter& verified_;
    Counter& refuted_;
    CapsCache cache_;
    std::unordered_set<std::string> asking_;  // At most one per request under way.
    reactor::TaskSet tasks_;
    Subscriptions subscriptions_;
};

}  // namespace

const xmpp::DiscoInfo* CapsCache::find(const xmpp::Caps& caps) const {
    const auto found = entries_.find(key_of(caps));
    return found == entries_.end() ? nullptr : found->second.get();
}

bool CapsCache::add(const xmpp::Caps& caps, xmpp::DiscoInfo info) {
    if (!xmpp::caps_verified(caps, info)) return false;
    if (entries_.size() >= kEntriesMax) entries_.clear();
    entries_[key_of(caps)] = std::make_unique<xmpp::DiscoInfo>(std::move(info));
    return true;
}

std::string server_caps_version(const xmpp::DiscoInfo& info) {
    // Our own answer is well-formed: the catalog names no feature twice.
    return xmpp::caps_hash(info, "sha-1").value_or("");
}

std::string server_caps_node(const xmpp::DiscoInfo& info) {
    return std::string(kServerCapsNode) + '#' + server_caps_version(info);
}

ModuleDescriptor describe_caps() {
    return {.name = "caps",
            .xeps = {{115, "1.6.0", "Entity Capabilities"}},
            .features = {xmpp::ns::caps},
            .account_features = {},
            .needs = {"disco"},
            .config = {},
            .create = create_module<Caps>};
}

}  // namespace server::modules
