// XEP-0191 Blocking Command: an account refuses everything from some addresses and sends them
// nothing, so that it looks offline to them. With XEP-0377: why it blocks somebody reaches the
// operator, as counts and in the log, without the words of the report.
//
// The list is part of the account (accounts/blocklist.h), loaded before its first stanza is routed,
// so the guards never wait. What the server itself sends, presence above all, asks the account as
// well (routing/presence_broadcast.cpp). An edit is saved, then applied, then pushed: a crash loses
// a push, never a block. The subscriptions stay ("polite blocking", §4).
#include "server/modules/catalog.h"
#include "server/routing/presence.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/stanza_id.h"

#include <array>
#include <utility>

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr IntegerKey kJidsMax{
    "blocking.jids_max", 1000, 1, 10'000,
    "Addresses an account may block; one more is refused with resource-constraint."};

// Reports of one request that go to the log; all of them are counted.
constexpr std::size_t kReportsLoggedMax = 20;
constexpr std::size_t kReportIdsMax = 10;
constexpr std::size_t kReportReasonBytesMax = 200;

struct Report {
    std::string jid;
    std::string reason;
    std::string message_ids;  // Of our archive, separated by spaces.
};

struct Edit {
    std::vector<std::string> jids;  // As they came, prepared.
    std::vector<Report> reports;
};

// What is malformed in a report does not stand in the way of the block (XEP-0377 §5).
void parse_report(const xmpp::Element& item, const std::string& jid, Edit& edit) {
    const xmpp::Element* element = item.child("report", xmpp::ns::reporting);
    if (element == nullptr || element->attribute("reason").empty()) return;
    Report report{
        jid, std::string(element->attribute("reason").substr(0, kReportReasonBytesMax)), {}};
    std::size_t ids = 0;
    for (const xmpp::Element& child : element->children()) {
        const base::Result<xmpp::StanzaId> id = xmpp::parse_stanza_id(child);
        if (!id || ++ids > kReportIdsMax) continue;
        if (!report.message_ids.empty()) report.message_ids += ' ';
        report.message_ids += id->id.substr(0, kReportReasonBytesMax);
    }
    edit.reports.push_back(std::move(report));
}

base::Result<Edit, StanzaError> parse_edit(const xmpp::Element& payload) {
    Edit edit;
    for (const xmpp::Element& item : payload.children()) {
        if (!item.is("item", xmpp::ns::blocking)) continue;
        if (!item.has_attribute("jid"))
            return std::unexpected(StanzaError::bad_request("an item without 'jid'"));
        const base::Result<xmpp::Jid> jid = xmpp::Jid::parse(item.attribute("jid"));
        if (!jid)
            return std::unexpected(StanzaError::jid_malformed(std::string(jid.error().detail())));
        edit.jids.push_back(jid->text());
        parse_report(item, jid->text(), edit);
    }
    return edit;
}

xmpp::Element list_element(std::string_view name, const std::vector<std::string>& jids) {
    xmpp::Element list(name, xmpp::ns::blocking);
    for (const std::string& jid : jids)
        list.add_child("item").set_attribute("jid", jid);
    return list;
}

class Blocking final : public Module {
public:
    explicit Blocking(ModuleContext& context)
        : context_(context),
          refused_(context.metrics.counter("module_blocking_refused_total",
                                           "Stanzas that a blocklist stopped.")),
          reports_{report_counter("spam"), report_counter("abuse"), report_counter("other")} {
        reload(context.config);
        subscriptions_ +=
            context.iq.on_get(IqTarget::self, {xmpp::ns::blocking, "blocklist"},
                              [this](const IqRequest& request) { return list(request); });
        subscriptions_ +=
            context.iq.on_set(IqTarget::self, {xmpp::ns::blocking, "block"},
                              [this](IqRequest request) { return block(std::move(request)); });
        subscriptions_ +=
            context.iq.on_set(IqTarget::self, {xmpp::ns::blocking, "unblock"},
                              [this](IqRequest request) { return unblock(std::move(request)); });
        subscriptions_ += context.hooks.inbound.add(
            Stage::guard, [this](StanzaEvent& event) { return judge_inbound(event); });
        subscriptions_ += context.hooks.outbound.add(
            Stage::guard, [this](StanzaEvent& event) { return judge_outbound(event); });
    }

    void reload(const Config& config) override {
        jids_max_ = static_cast<std::uint32_t>(config.get(kJidsMax));
    }

private:
    Counter* report_counter(std::string_view reason) {
        return &context_.metrics.counter("module_blocking_reports_total",
                                         "Reports of spam and abuse (XEP-0377).",
                                         {{"reason", std::string(reason)}});
    }

    // §3.3: presence and what is said in rooms without a word, everything else as if nobody were
    // here. What must not be answered the router drops.
    Verdict judge_inbound(const StanzaEvent& event) {
        const xmpp::Stanza& stanza = event.stanza;
        if (!stanza.from() || !event.account.blocks(*stanza.from())) return Verdict::proceed();
        refused_.add();
        // A room takes the error for a sign that its occupant is gone, and the block may be meant
        // for one other occupant.
        const bool is_groupchat =
            stanza.is_message() && stanza.message_type() == xmpp::MessageType::groupchat;
        if (stanza.is_presence() || is_groupchat) return Verdict::done();
        return Verdict::refuse(StanzaError::service_unavailable());
    }

    // Not by Verdict::refuse: the router drops presence that asks for nothing without a word, and
    // §3.3 wants an answer to whatever is sent.
    Verdict judge_outbound(const StanzaEvent& event) {
        const xmpp::Stanza& stanza = event.stanza;
        if (!stanza.to() || !event.account.blocks(*stanza.to())) return Verdict::proceed();
        refused_.add();
        if (stanza.may_answer_with_error()) {
            const auto error =
                StanzaError(xmpp::ErrorType::cancel, xmpp::StanzaCondition::not_acceptable)
                    .with_app_condition("blocked", xmpp::ns::blocking_errors);
            event.resource->session->deliver(stanza.reply_error(error));
        }
        return Verdict::done();
    }

    IqReply list(const IqRequest& request) {
        Account* account = context_.accounts.find(request.addressee());
        if (account == nullptr) return StanzaError::item_not_found();
        if (Resource* asking = account->find(request.requester().resource()))
            asking->blocklist_requested = true;
        return list_element("blocklist", account->blocked.jids());
    }

    // Sets of one account run one at a time, so what was read before the save holds after it.
    reactor::Deferred<IqReply> block(IqRequest request) {
        base::Result<Edit, StanzaError> edit = parse_edit(request.payload());
        if (!edit) co_return IqReply(std::move(edit).error());
        if (edit->jids.empty())
            co_return IqReply(StanzaError::bad_request("at least one item to block"));
        const xmpp::Jid owner = request.addressee();
        Account* account = context_.accounts.find(owner);
        if (account == nullptr) co_return IqReply(StanzaError::item_not_found());
        Blocklist more(edit->jids);
        more.remove(account->blocked);
        if (!more.empty() && account->blocked.size() + more.size() > jids_max_)
            co_return IqReply(too_many());
        auto writing = context_.database.write(
            [owner, more, most = jids_max_](storage::Transaction& transaction) {
                return save_blocked(transaction, owner, more, most);
            });
        base::Result<void> saved = co_await std::move(writing);
        if (!saved) co_return IqReply(refusal_of(saved.error()));

        account = context_.accounts.find(owner);
        if (account != nullptr) {
            context_.router.presence().hide(*account, more);
            account->blocked.add(more);
            push(*account, "block", edit->jids);
        }
        note(owner, edit->reports);
        co_return IqReply();
    }

    reactor::Deferred<IqReply> unblock(IqRequest request) {
        base::Result<Edit, StanzaError> edit = parse_edit(request.payload());
        if (!edit) co_return IqReply(std::move(edit).error());
        const xmpp::Jid owner = request.addressee();
        Account* account = context_.accounts.find(owner);
        if (account == nullptr) co_return IqReply(StanzaError::item_not_found());
        // §3.5: none named means all.
        const Blocklist fewer = edit->jids.empty() ? account->blocked : Blocklist(edit->jids);
        auto writing = context_.database.write([owner, fewer](storage::Transaction& transaction) {
            return save_unblocked(transaction, owner, fewer);
        });
        base::Result<void> saved = co_await std::move(writing);
        if (!saved) co_return IqReply(refusal_of(saved.error()));

        account = context_.accounts.find(owner);
        if (account == nullptr) co_return IqReply();
        Blocklist removed = account->blocked;
        account->blocked.remove(fewer);
        removed.remove(account->blocked);
        push(*account, "unblock", edit->jids);
        context_.router.presence().show(*account, removed);
        co_return IqReply();
    }

    StanzaError too_many() const {
        return StanzaError::resource_constraint("an account may block " +
                                                std::to_string(jids_max_) + " addresses");
    }

    void push(Account& account, std::string_view name, const std::vector<std::string>& jids) {
        xmpp::Stanza push = xmpp::Stanza::iq(xmpp::IqType::set,
                                             std::string(name) + "-" + std::to_string(++pushes_));
        push.edit().add(list_element(name, jids));
        push.share_content();
        for (const auto& resource : account.resources()) {
            if (!resource->blocklist_requested) continue;
            push.set_to(resource->jid);
            resource->session->deliver(push);
        }
    }

    void note(const xmpp::Jid& reporter, const std::vector<Report>& reports) {
        std::size_t logged = 0;
        for (const Report& report : reports) {
            const std::size_t kind = report.reason == "urn:xmpp:reporting:spam"    ? 0
                                     : report.reason == "urn:xmpp:reporting:abuse" ? 1
                                                                                   : 2;
            reports_.at(kind)->add();
            if (++logged > kReportsLoggedMax) continue;
            context_.world.log.warn("blocking.reported", {{"by", reporter.text()},
                                                          {"jid", report.jid},
                                                          {"reason", report.reason},
                                                          {"messages", report.message_ids}});
        }
    }

    ModuleContext context_;
    Counter& refused_;
    std::array<Counter*, 3> reports_;
    std::uint32_t jids_max_ = 0;
    std::uint64_t pushes_ = 0;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_blocking() {
    return {.name = "blocking",
            .xeps = {{191, "1.3", "Blocking Command"},
                     {377, "0.4.1", "Blocking Command Reports"}},
            .features = {xmpp::ns::blocking, xmpp::ns::reporting},
            .account_features = {},
            .needs = {"roster"},
            .config = {kJidsMax},
            .create = create_module<Blocking>};
}

}  // namespace server::modules
