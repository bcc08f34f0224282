// XEP-0012 Last Activity: since when an account is gone, for those who may see its presence, and
// how long the server has been up. Requests to a client's full JID pass, for the same people only
// (§4).
#include "storage/tables/last_activity.h"
#include "reactor/reactor.h"
#include "reactor/task_set.h"
#include "server/modules/catalog.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <chrono>

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr QualifiedName kQuery{xmpp::ns::last_activity, "query"};

xmpp::Element answer(std::int64_t seconds, std::string_view status = {}) {
    xmpp::Element query("query", xmpp::ns::last_activity);
    query.set_attribute("seconds", std::to_string(std::max<std::int64_t>(0, seconds)));
    if (!status.empty()) query.add_text(status);
    return query;
}

class LastActivity final : public Module {
public:
    explicit LastActivity(ModuleContext& context)
        : context_(context),
          started_at_(context.world.reactor.now()),
          tasks_(context.world.reactor) {
        subscriptions_ += context.iq.on_get(IqTarget::server, kQuery,
                                            [this](const IqRequest&) { return uptime(); });
        subscriptions_ += context.iq.on_get(IqTarget::account, kQuery, [this](IqRequest request) {
            return account(std::move(request));
        });
        subscriptions_ += context.hooks.inbound.add(
            Stage::guard, [this](StanzaEvent& event) { return judge(event); });
        subscriptions_ +=
            context.hooks.presence_changed.add(Stage::observe, [this](ResourceEvent& event) {
                if (event.resource.available()) {
                    words_.of(event.account).seen = true;
                } else {
                    note_departure(event.account);
                }
                return Verdict::proceed();
            });
        subscriptions_ +=
            context.hooks.resource_gone.add(Stage::observe, [this](ResourceEvent& event) {
                note_departure(event.account);
                return Verdict::proceed();
            });
        subscriptions_ += context.hooks.outbound.add(Stage::observe, [this](StanzaEvent& event) {
            remember_status(event);
            return Verdict::proceed();
        });
    }

private:
    struct LastWords final : ModuleState {
        bool seen = false;   // Somebody was available since the last departure was noted.
        std::string status;  // Of the unavailable presence that is being processed.
    };

    IqReply uptime() const {
        const base::Duration up = context_.world.reactor.now() - started_at_;
        return answer(std::chrono::duration_cast<std::chrono::seconds>(up).count());
    }

    static bool may_see(const Account& account, const xmpp::Jid& who) {
        if (who.same_bare(account.jid())) return true;
        const Contact* contact = account.roster.find(who.bare());
        return contact != nullptr && contact->has_from();
    }

    reactor::Deferred<IqReply> account(IqRequest request) {
        Account* asked = context_.accounts.find(request.addressee());
        if (asked == nullptr) co_return IqReply(StanzaError::service_unavailable());
        if (!may_see(*asked, request.requester())) co_return IqReply(StanzaError::forbidden());
        // §3: connected is enough.
        if (!asked->resources().empty()) co_return IqReply(answer(0));
        auto reading = context_.database.read(
            [account = request.addressee()](storage::Transaction& transaction) {
                return storage::LastActivity(transaction).get(account);
            });
        auto seen = co_await std::move(reading);
        if (!seen) co_return IqReply(refusal_of(seen.error()));
        if (!*seen) co_return IqReply(StanzaError::item_not_found());
        const base::Duration gone = context_.world.clock.wall() - (*seen)->at;
        co_return IqReply(answer(std::chrono::duration_cast<std::chrono::seconds>(gone).count(),
                                 (*seen)->status));
    }

    static Verdict judge(const StanzaEvent& event) {
        const xmpp::Stanza& stanza = event.stanza;
        if (!stanza.is_request() || !stanza.to()->is_full()) return Verdict::proceed();
        const xmpp::Element* payload = stanza.payload();
        if (payload == nullptr || !payload->is(kQuery.name, kQuery.ns)) return Verdict::proceed();
        if (may_see(event.account, *stanza.from())) return Verdict::proceed();
        return Verdict::refuse(StanzaError::forbidden());
    }

    void remember_status(const StanzaEvent& event) {
        const xmpp::Stanza& stanza = event.stanza;
        if (!stanza.is_presence() || stanza.to() ||
            stanza.presence_type() != xmpp::PresenceType::unavailable)
            return;
        words_.of(event.account).status = stanza.element().child_text("status", xmpp::ns::client);
    }

    // Only presence counts: who logs in and out without any was not there to be seen.
    void note_departure(Account& account) {
        LastWords& words = words_.of(account);
        std::string status = std::exchange(words.status, {});
        if (account.has_available() || !std::exchange(words.seen, false)) return;
        tasks_.add("last activity",
                   write(account.jid(), {context_.world.clock.wall(), std::move(status)}));
    }

    reactor::Deferred<void> write(xmpp::Jid account, storage::LastSeen seen) {
        auto writing = context_.database.write([account, seen](storage::Transaction& transaction) {
            return storage::LastActivity(transaction).put(account, seen);
        });
        auto written = co_await std::move(writing);
        if (!written)
            context_.world.log.warn("last_activity.not_saved",
                                    {{"why", written.error().message()}});
        co_return {};
    }

    ModuleContext context_;
    base::MonotonicTime started_at_;
    AccountState<LastWords> words_{context_.accounts};
    reactor::TaskSet tasks_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_last_activity() {
    return {.name = "last_activity",
            .xeps = {{12, "2.0", "Last Activity"}},
            .features = {xmpp::ns::last_activity},
            .account_features = {xmpp::ns::last_activity},
            .needs = {"roster"},
            .config = {},
            .create = create_module<LastActivity>};
}

}  // namespace server::modules
