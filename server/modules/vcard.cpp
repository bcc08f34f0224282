// XEP-0054 vcard-temp: one card per account, set by its owner, readable by everybody. The server
// answers for the account; a card that does not exist and an account that does not exist look the
// same to others (§3.3).
#include "server/modules/catalog.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/vcards.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr QualifiedName kVcard{xmpp::ns::vcard, "vCard"};

class Vcard final : public Module {
public:
    explicit Vcard(ModuleContext& context) : context_(context) {
        subscriptions_ += context.iq.on_get(IqTarget::account, kVcard, [this](IqRequest request) {
            return get(std::move(request));
        });
        subscriptions_ += context.iq.on_set(
            IqTarget::self, kVcard, [this](IqRequest request) { return set(std::move(request)); });
    }

private:
    reactor::Deferred<IqReply> get(IqRequest request) {
        auto reading = context_.database.read(
            [account = request.addressee()](storage::Transaction& transaction) {
                return storage::Vcards(transaction).get(account);
            });
        auto card = co_await std::move(reading);
        if (!card) co_return IqReply(refusal_of(card.error()));
        if (!*card) {
            if (!request.own()) co_return IqReply(StanzaError::service_unavailable());
            co_return IqReply(StanzaError::item_not_found());
        }
        std::optional<xmpp::Element> element = xmpp::read_element((*card)->xml);
        if (!element) {
            context_.world.log.error("vcard.unreadable", {{"account", request.addressee().text()}});
            co_return IqReply(StanzaError::internal_server_error());
        }
        co_return IqReply(std::move(*element));
    }

    reactor::Deferred<IqReply> set(IqRequest request) {
        auto writing = context_.database.write(
            [account = request.addressee(),
             xml = xmpp::to_xml(request.payload())](storage::Transaction& transaction) {
                return storage::Vcards(transaction).put(account, {.xml = xml, .photo_sha1 = {}});
            });
        auto saved = co_await std::move(writing);
        if (!saved) co_return IqReply(refusal_of(saved.error()));
        co_return IqReply();
    }

    ModuleContext context_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_vcard() {
    return {.name = "vcard",
            .xeps = {{54, "1.3.0", "vcard-temp"}},
            .features = {xmpp::ns::vcard},
            .account_features = {xmpp::ns::vcard},
            .needs = {},
            .config = {},
            .create = create_module<Vcard>};
}

}  // namespace server::modules
