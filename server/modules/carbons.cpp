// XEP-0280 Message Carbons: every client of an account that asks for it sees both sides of the
// conversations of the others. Which messages are copied is xmpp/payloads/message_class.h; here is
// to whom. Each client sees a message once: as itself or as a copy (§6, §7); so what an account
// sends to itself is copied where it arrives and not where it is sent.
//
// A copy goes straight to its session, past all routing: it cannot be stored, bounced or copied
// again, and a client that answers it with an error reaches nobody (§9.3).
#include "server/modules/catalog.h"
#include "server/routing/offline_queue.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/carbon.h"
#include "xmpp/payloads/message_class.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace server::modules {
namespace {

using xmpp::CarbonDirection;
using xmpp::CarbonRule;
using xmpp::Stanza;
using xmpp::StanzaError;

// Copied messages of an account whose errors are recognised: the newest.
constexpr std::size_t kRecentMax = 128;

// The copied messages that an error may answer, as hashes of who they were exchanged with and their
// id. Not what the error repeats of them: it need not (§9.3).
struct Recent final : ModuleState {
    std::vector<std::size_t> hashes;
    std::size_t next = 0;

    void note(std::size_t hash) {
        if (hashes.size() < kRecentMax) {
            hashes.push_back(hash);
        } else {
            hashes[next] = hash;
            next = (next + 1) % kRecentMax;
        }
    }
    bool has(std::size_t hash) const { return std::ranges::find(hashes, hash) != hashes.end(); }
};

// An error comes back from whom the message went to, perhaps from another resource of theirs.
std::optional<std::size_t> hash_of(const Stanza& message, bool inbound) {
    const std::optional<xmpp::Jid>& peer = inbound ? message.from() : message.to();
    if (message.id().empty() || !peer) return std::nullopt;
    const std::hash<std::string_view> hash;
    const bool was_inbound = message.is_error() ? !inbound : inbound;
    return hash(message.id()) * 31 + hash(peer->bare_view()) * 2 + (was_inbound ? 1 : 0);
}

class Carbons final : public Module {
public:
    explicit Carbons(ModuleContext& context)
        : context_(context),
          copies_(context.metrics.counter("module_carbons_copies_total",
                                          "Copies of messages sent to further clients.")) {
        for (const bool enable : {true, false})
            subscriptions_ += context.iq.on_set(
                IqTarget::account | IqTarget::nobody,
                {xmpp::ns::carbons, enable ? "enable" : "disable"},
                [this, enable](const IqRequest& request) { return change(request, enable); });
        subscriptions_ +=
            context.hooks.message_sent.add(Stage::observe, [this](MessageEvent& event) {
                copy_sent(event);
                return Verdict::proceed();
            });
        subscriptions_ +=
            context.hooks.message_received.add(Stage::observe, [this](MessageEvent& event) {
                copy_received(event);
                return Verdict::proceed();
            });
    }

private:
    // §4, §5, §9.1: as often as the client likes. For others it is not allowed, whether there is
    // such an account or not.
    IqReply change(const IqRequest& request, bool enable) {
        if (!request.own()) return StanzaError::not_allowed();
        Account* account = context_.accounts.find(request.addressee());
        Resource* resource =
            account != nullptr ? account->find(request.requester().resource()) : nullptr;
        if (resource == nullptr) return StanzaError::recipient_unavailable();
        resource->carbons = enable;
        return {};
    }

    void copy_sent(const MessageEvent& event) {
        const Stanza& message = event.stanza;
        if (!message.to() || message.to()->same_bare(event.account.jid())) return;
        const auto gets_copy = [&](const Resource& resource) {
            return resource.carbons && &resource != event.resource;
        };
        copy(event, false, gets_copy);
    }

    void copy_received(const MessageEvent& event) {
        const auto wants_copies = [](const auto& resource) { return resource->carbons; };
        if (std::ranges::none_of(event.account.resources(), wants_copies)) return;
        const Stanza& message = event.stanza;
        const auto sent_it = [&](const Resource& resource) {
            return message.from() && *message.from() == resource.jid;
        };
        const auto got_it = [&](const Resource& resource) {
            return std::ranges::find(event.sessions, resource.session_id) != event.sessions.end();
        };
        const auto gets_copy = [&](const Resource& resource) {
            return resource.carbons && !got_it(resource) && !sent_it(resource);
        };
        copy(event, true, gets_copy);
    }

    // Most messages are not copied because nobody is there to get it; that is found out first.
    template <class Condition>
    void copy(const MessageEvent& event, bool inbound, Condition gets_copy) {
        Account& account = event.account;
        const auto& resources = account.resources();
        if (std::ranges::none_of(resources, [&](const auto& one) { return gets_copy(*one); }))
            return;
        if (!is_eligible(account, event.stanza, inbound)) return;
        Stanza wrapped =
            xmpp::carbon_copy(inbound ? CarbonDirection::received : CarbonDirection::sent,
                              event.stanza, account.jid());
        for (const auto& resource : resources) {
            if (!gets_copy(*resource)) continue;
            wrapped.set_to(resource->jid);
            resource->session->deliver(wrapped);
            if (inbound && event.id != 0)
                context_.router.offline().seen(account.jid(), resource->session_id, event.id);
            copies_.add();
        }
    }

    bool is_eligible(Account& account, const Stanza& message, bool inbound) {
        const CarbonRule rule = xmpp::carbon_rule(message, inbound);
        if (rule == CarbonRule::no) return false;
        const std::optional<std::size_t> hash = hash_of(message, inbound);
        if (rule == CarbonRule::as_answered) return hash && recent_.of(account).has(*hash);
        if (hash) recent_.of(account).note(*hash);
        return true;
    }

    ModuleContext context_;
    AccountState<Recent> recent_{context_.accounts};
    Counter& copies_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_carbons() {
    return {.name = "carbons",
            .xeps = {{280, "1.0.1", "Message Carbons"}, {297, "1.0", "Stanza Forwarding"}},
            .features = {xmpp::ns::carbons, "urn:xmpp:carbons:rules:0"},
            .account_features = {},
            .needs = {"blocking"},
            .config = {},
            .create = create_module<Carbons>};
}

}  // namespace server::modules
