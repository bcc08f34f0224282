// XEP-0313 Message Archive Management: every account has an archive of what it sends and receives,
// which only its own clients may ask. Here: what is archived, with the owner's preferences
// (XEP-0441); the form; the ends of an archive. Storing is a part of delivery
// (routing/durable_delivery.h), pages are archive_queries.h's, deleting is archive_expiry.h's.
//
// Preferences are part of the account (accounts/archive_rules.h), loaded before its first stanza,
// so that deciding never waits. A change is saved, then applied.
#include "server/modules/archive_expiry.h"
#include "server/modules/archive_keys.h"
#include "server/modules/archive_queries.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/archive_preferences.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/mam.h"
#include "xmpp/payloads/mam_prefs.h"
#include "xmpp/payloads/message_class.h"

#include <array>
#include <memory>
#include <span>
#include <utility>

namespace server::modules {
namespace {

using storage::ArchiveDefault;
using storage::ArchiveRules;
using xmpp::MamDefault;
using xmpp::StanzaError;

constexpr QualifiedName kQuery{xmpp::ns::archive, "query"};
constexpr QualifiedName kMetadata{xmpp::ns::archive, "metadata"};
constexpr QualifiedName kPrefs{xmpp::ns::archive, "prefs"};

// §7. Rooms keep what is said in them, so "#groupchat-available" is not among them.
constexpr std::array<std::string_view, 4> kFeatures = {
    xmpp::ns::archive, "urn:xmpp:mam:2#extended", "urn:xmpp:mam:2#groupchat-field", xmpp::ns::rsm};

MamDefault to_protocol(ArchiveDefault rule) {
    switch (rule) {
        case ArchiveDefault::always:
            return MamDefault::always;
        case ArchiveDefault::never:
            return MamDefault::never;
        case ArchiveDefault::roster:
            break;
    }
    return MamDefault::roster;
}

ArchiveDefault to_storage(MamDefault rule) {
    switch (rule) {
        case MamDefault::always:
            return ArchiveDefault::always;
        case MamDefault::never:
            return ArchiveDefault::never;
        case MamDefault::roster:
            break;
    }
    return ArchiveDefault::roster;
}

xmpp::Element to_element(const ArchiveRules& rules) {
    return xmpp::MamPrefs{
        .otherwise = to_protocol(rules.otherwise), .always = rules.always, .never = rules.never}
        .to_element();
}

class Archive final : public Module {
public:
    explicit Archive(ModuleContext& context)
        : context_(context),
          queries_({context.world, context.accounts, context.database, context.router.offline(),
                    context.archive_ids, context.metrics}),
          expiry_(context.world, context.database, context.metrics, context.config) {
        reload(context.config);
        context.hooks.archives = [this](Account& account, const xmpp::Stanza& message) {
            return takes(account, message);
        };
        subscriptions_ += context.disco.add_account_features([this] {
            return enabled_ ? std::span<const std::string_view>(kFeatures)
                            : std::span<const std::string_view>();
        });
        answer_owner();
        refuse_for_nobody();
    }

    ~Archive() override {
        context_.hooks.archives = [](Account&, const xmpp::Stanza&) { return false; };
    }

    void reload(const Config& config) override {
        enabled_ = config.get(keys::kArchiveEnabled);
        default_.otherwise = config.get(keys::kArchiveDefault);
        const auto page_max = static_cast<std::uint32_t>(config.get(keys::kArchivePageMax));
        queries_.set(
            {.page_default = static_cast<std::uint32_t>(config.get(keys::kArchivePageDefault)),
             .page_max = page_max,
             .part_bytes = config.get(keys::kOutboundQueueMax) / 4});
        expiry_.reload(config);
    }

private:
    void answer_owner() {
        IqRoutes& iq = context_.iq;
        subscriptions_ += iq.on_get(IqTarget::self, kQuery, [this](const IqRequest&) -> IqReply {
            if (!enabled_) return StanzaError::service_unavailable();
            return xmpp::mam_form_element();
        });
        subscriptions_ += iq.on_query(IqTarget::self, kQuery,
                                      [this](IqRequest request) -> reactor::Deferred<IqReply> {
                                          if (!enabled_)
                                              return IqReply(StanzaError::service_unavailable());
                                          return queries_.answer(std::move(request));
                                      });
        subscriptions_ += iq.on_get(IqTarget::self, kMetadata, [this](IqRequest request) {
            return metadata(std::move(request));
        });
        subscriptions_ +=
            iq.on_get(IqTarget::self, kPrefs, [this](const IqRequest& request) -> IqReply {
                if (!enabled_) return StanzaError::service_unavailable();
                Account* account = context_.accounts.find(request.addressee());
                if (account == nullptr) return StanzaError::item_not_found();
                return to_element(rules_of(*account));
            });
        subscriptions_ += iq.on_set(IqTarget::self, kPrefs, [this](IqRequest request) {
            return set_prefs(std::move(request));
        });
    }

    // §8.1: others get forbidden, whether there is such an account or not.
    void refuse_for_nobody() {
        const auto refuse = [](const IqRequest&) -> IqReply { return StanzaError::forbidden(); };
        for (const QualifiedName name : {kQuery, kMetadata, kPrefs})
            subscriptions_ += context_.iq.on_get(IqTarget::nobody, name, refuse);
        for (const QualifiedName name : {kQuery, kPrefs})
            subscriptions_ += context_.iq.on_set(IqTarget::nobody, name, refuse);
    }

    const ArchiveRules& rules_of(const Account& account) const {
        return account.archive_rules ? *account.archive_rules : default_;
    }

    // XEP-0441 §2.3: the other side is `to` of what the account sends, `from` of what it receives.
    bool takes(Account& account, const xmpp::Stanza& message) const {
        if (!enabled_ || !message.from() || !message.to()) return false;
        const bool outgoing = message.from()->same_bare(account.jid());
        const xmpp::Jid& peer = outgoing ? *message.to() : *message.from();
        return wants_archived(rules_of(account), account.roster, account.jid(), peer) &&
               xmpp::is_worth_archiving(message);
    }

    reactor::Deferred<IqReply> metadata(IqRequest request) {
        if (!enabled_) co_return IqReply(StanzaError::service_unavailable());
        auto reading = context_.database.read(
            [owner = request.addressee()](storage::Transaction& transaction) {
                return storage::Archive(transaction).ends(owner);
            });
        const base::Result<std::optional<storage::ArchiveEnds>> ends = co_await std::move(reading);
        if (!ends) co_return IqReply(refusal_of(ends.error()));
        xmpp::MamMetadata metadata;
        if (*ends) {
            metadata.start = end_of((*ends)->first);
            metadata.end = end_of((*ends)->last);
        }
        co_return IqReply(metadata.to_element());
    }

    xmpp::MamMetadata::End end_of(storage::MessageId id) const {
        return {.id = context_.archive_ids.text(id), .timestamp = storage::time_of(id)};
    }

    reactor::Deferred<IqReply> set_prefs(IqRequest request) {
        if (!enabled_) co_return IqReply(StanzaError::service_unavailable());
        auto wanted = xmpp::MamPrefs::parse(request.payload());
        if (!wanted) co_return IqReply(std::move(wanted).error());
        const xmpp::Jid owner = request.addressee();
        ArchiveRules rules{.otherwise = to_storage(wanted->otherwise),
                           .always = std::move(wanted->always),
                           .never = std::move(wanted->never)};
        auto writing = context_.database.write([owner, rules](storage::Transaction& transaction) {
            return storage::ArchivePreferences(transaction).put(owner, rules);
        });
        const base::Result<void> saved = co_await std::move(writing);
        if (!saved) co_return IqReply(refusal_of(saved.error()));
        xmpp::Element applied = to_element(rules);
        if (Account* account = context_.accounts.find(owner))
            account->archive_rules = std::make_unique<const ArchiveRules>(std::move(rules));
        co_return IqReply(std::move(applied));
    }

    ModuleContext context_;
    ArchiveQueries queries_;
    ArchiveExpiry expiry_;
    ArchiveRules default_;
    bool enabled_ = true;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_archive() {
    return {.name = "archive",
            .xeps = {{313, "1.1.3", "Message Archive Management"},
                     {441, "0.2.0", "Message Archive Management Preferences"}},
            .features = {},
            .account_features = {},
            .needs = {"blocking", "offline", "stanza_ids"},
            .config = {keys::kArchiveEnabled, keys::kArchiveDefault, keys::kArchivePageDefault,
                       keys::kArchivePageMax, keys::kArchiveKeep, keys::kArchiveMessagesMax},
            .create = create_module<Archive>};
}

}  // namespace server::modules
