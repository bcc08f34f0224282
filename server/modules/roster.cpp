// RFC 6121 §2: the roster as clients read and change it, with versions (§2.6; XEP-0237 before).
// What a change leads to, pushes and presence, is routing's (routing/subscription_flow.h); here is
// the IQ.
#include "reactor/base/text.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "server/routing/presence.h"
#include "server/routing/roster_edits.h"
#include "server/routing/roster_xml.h"
#include "storage/database.h"

#include <chrono>
#include <utility>

namespace server::modules {
namespace {

using storage::RosterVersion;

// After the empty result went out, whose way to the client takes no time but several steps.
constexpr base::Duration kChangesDelay = std::chrono::milliseconds(1);

// A client that missed more than this gets its whole roster.
constexpr std::size_t kChangesMax = 100;

using Changes = std::optional<storage::RosterChanges>;

struct Client {
    xmpp::Jid account;
    SessionId session = 0;
};

xmpp::Element whole_roster(const Roster& roster) {
    xmpp::Element query = roster_query_element(roster.version());
    for (const Contact& contact : roster.items())
        query.add(roster_item_element(contact.to_item()));
    return query;
}

class RosterModule final : public Module {
public:
    explicit RosterModule(ModuleContext& context)
        : context_(context),
          failed_(context.metrics.counter("module_roster_failed_total",
                                          "Roster changes that could not be saved.")),
          tasks_(context.world.reactor) {
        reload(context.config);
        constexpr QualifiedName kQuery{xmpp::ns::roster, "query"};
        subscriptions_ += context.iq.on_get(
            IqTarget::self, kQuery, [this](IqRequest request) { return get(std::move(request)); });
        subscriptions_ += context.iq.on_set(
            IqTarget::self, kQuery, [this](IqRequest request) { return set(std::move(request)); });
    }

    void reload(const Config& config) override {
        context_.router.presence().set_roster_items_max(
            static_cast<std::uint32_t>(config.get(keys::kRosterItemsMax)));
    }

private:
    reactor::Deferred<IqReply> get(IqRequest request) {
        reactor::Promise<IqReply> answer;
        reactor::Deferred<IqReply> reply = answer.deferred();
        const xmpp::Jid account = request.addressee();
        context_.accounts.with(account,
                               [this, request = std::move(request),
                                answer = std::move(answer)](base::Result<Account*> found) mutable {
                                   if (!found) {
                                       answer.resolve(IqReply(refusal_of(found.error())));
                                       return;
                                   }
                                   answer_get(**found, request, std::move(answer));
                               });
        return reply;
    }

    void answer_get(Account& account, const IqRequest& request, reactor::Promise<IqReply> answer) {
        Resource* resource = account.find(request.requester().resource());
        if (resource == nullptr) {  // The session ended meanwhile: nobody reads the answer.
            answer.resolve(IqReply(xmpp::StanzaError::recipient_unavailable()));
            return;
        }
        const std::optional<RosterVersion> known =
            base::parse_integer(request.payload().attribute("ver"));
        const RosterVersion now = account.roster.version();
        if (known && *known > 0 && *known < now) {
            tasks_.add("roster changes", answer_with_changes({account.jid(), resource->session_id},
                                                             *known, std::move(answer)));
            return;
        }
        context_.router.presence().roster_requested(*resource);
        if (known && *known == now) {
            answer.resolve(IqReply());
        } else {
            answer.resolve(IqReply(whole_roster(account.roster)));
        }
    }

    // §2.6.3: the empty result first, then each change as a push. The client becomes interested
    // only with these, so that no later push can overtake them.
    reactor::Deferred<void> answer_with_changes(Client client, RosterVersion known,
                                                reactor::Promise<IqReply> answer) {
        const base::Result<Changes> read = co_await read_changes(client.account, known);
        Account* account = context_.accounts.find(client.account);
        Resource* resource = account != nullptr ? account->of_session(client.session) : nullptr;
        if (resource == nullptr) {
            answer.resolve(IqReply(xmpp::StanzaError::recipient_unavailable()));
            co_return {};
        }
        if (!read || !*read || (*read)->changes.size() > kChangesMax) {
            context_.router.presence().roster_requested(*resource);
            answer.resolve(IqReply(whole_roster(account->roster)));
            co_return {};
        }
        answer.resolve(IqReply());
        base::Result<void> slept = co_await reactor::sleep(context_.world.reactor, kChangesDelay);
        if (!slept) co_return std::move(slept).error();
        const bool queued = context_.accounts.edit(
            client.account, [this, client, known] { return push_changes(client, known); });
        if (!queued) give_up(client);
        co_return {};
    }

    // As an edit: the roster stands still meanwhile.
    reactor::Deferred<void> push_changes(Client client, RosterVersion known) {
        const base::Result<Changes> read = co_await read_changes(client.account, known);
        Account* account = context_.accounts.find(client.account);
        Resource* resource = account != nullptr ? account->of_session(client.session) : nullptr;
        if (resource == nullptr) co_return {};
        if (!read || !*read) {
            give_up(client);
            co_return {};
        }
        for (const storage::RosterChanges::Change& change : (*read)->changes) {
            xmpp::Element item = change.removed ? removed_item_element(change.item.jid)
                                                : roster_item_element(change.item);
            resource->session->deliver(roster_push(std::move(item), change.version, resource->jid));
        }
        context_.router.presence().roster_requested(*resource);
        co_return {};
    }

    reactor::Deferred<Changes> read_changes(const xmpp::Jid& account, RosterVersion known) {
        return context_.database.read([account, known](storage::Transaction& transaction) {
            return storage::Roster(transaction).changes_since(account, known);
        });
    }

    // The client was told to expect changes that cannot be had: it must start over.
    void give_up(const Client& client) {
        failed_.add();
        Account* account = context_.accounts.find(client.account);
        Resource* resource = account != nullptr ? account->of_session(client.session) : nullptr;
        if (resource != nullptr)
            resource->session->close(
                xmpp::StreamError(xmpp::StreamCondition::internal_server_error));
    }

    reactor::Deferred<IqReply> set(IqRequest request) {
        base::Result<RosterSet, xmpp::StanzaError> change =
            parse_roster_set(request.payload(), request.addressee());
        if (!change) co_return IqReply(std::move(change).error());
        base::Result<void> saved =
            co_await context_.router.presence().set_roster(request.addressee(), *std::move(change));
        if (saved) co_return IqReply();
        if (!saved.error().is(base::Errc::not_found)) failed_.add();
        co_return IqReply(refusal_of(saved.error()));
    }

    ModuleContext& context_;
    Counter& failed_;
    reactor::TaskSet tasks_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_roster() {
    // The versions of XEP-0237 went into RFC 6121 §2.6, so no XEP is named.
    return {.name = "roster",
            .xeps = {},
            .features = {xmpp::ns::roster},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<RosterModule>};
}

}  // namespace server::modules
