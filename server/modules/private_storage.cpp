// XEP-0049 Private XML Storage: elements that a client keeps on the server, one per namespace and
// name, for its owner only.
#include "server/modules/catalog.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "storage/tables/private_xml.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include <vector>

namespace server::modules {
namespace {

using xmpp::StanzaError;

constexpr QualifiedName kQuery{xmpp::ns::private_storage, "query"};

struct Kept {
    std::string name_space;
    std::string name;
    std::string xml;
};

class PrivateStorage final : public Module {
public:
    explicit PrivateStorage(ModuleContext& context) : context_(context) {
        subscriptions_ += context.iq.on_get(
            IqTarget::self, kQuery, [this](IqRequest request) { return get(std::move(request)); });
        subscriptions_ += context.iq.on_set(
            IqTarget::self, kQuery, [this](IqRequest request) { return set(std::move(request)); });
    }

private:
    reactor::Deferred<IqReply> get(IqRequest request) {
        // §2.3: a get names exactly one element, in a namespace of its own.
        const xmpp::Element* wanted = request.payload().first_child();
        if (wanted == nullptr || request.payload().child_count() != 1)
            co_return IqReply(StanzaError::bad_request("name exactly one element"));
        if (!in_own_namespace(*wanted))
            co_return IqReply(StanzaError::not_acceptable("the element needs its own namespace"));
        auto reading =
            context_.database.read([account = request.addressee(), ns = std::string(wanted->ns()),
                                    name = wanted->name()](storage::Transaction& transaction) {
                return storage::PrivateXml(transaction).get(account, {ns, name});
            });
        auto found = co_await std::move(reading);
        if (!found) co_return IqReply(refusal_of(found.error()));
        xmpp::Element answer("query", xmpp::ns::private_storage);
        std::optional<xmpp::Element> element;
        if (*found) element = xmpp::read_element(**found);
        // What was never stored is answered as empty (§2.2, example 4).
        answer.add(element ? std::move(*element) : xmpp::Element(wanted->name(), wanted->ns()));
        co_return IqReply(std::move(answer));
    }

    reactor::Deferred<IqReply> set(IqRequest request) {
        std::vector<Kept> all;
        for (const xmpp::Element& child : request.payload().children()) {
            if (!in_own_namespace(child))
                co_return IqReply(
                    StanzaError::not_acceptable("the element needs its own namespace"));
            all.push_back({std::string(child.ns()), child.name(), xmpp::to_xml(child)});
        }
        if (all.empty()) co_return IqReply(StanzaError::not_acceptable("nothing to store"));
        auto writing =
            context_.database.write([account = request.addressee(), all = std::move(all)](
                                        storage::Transaction& transaction) -> base::Result<void> {
                storage::PrivateXml store(transaction);
                for (const Kept& kept : all)
                    TRY(store.put(account, {kept.name_space, kept.name}, kept.xml));
                return {};
            });
        auto saved = co_await std::move(writing);
        if (!saved) co_return IqReply(refusal_of(saved.error()));
        co_return IqReply();
    }

    static bool in_own_namespace(const xmpp::Element& element) {
        return !element.ns().empty() && element.ns() != xmpp::ns::private_storage &&
               element.ns() != xmpp::ns::client;
    }

    ModuleContext context_;
    Subscriptions subscriptions_;
};

}  // namespace

ModuleDescriptor describe_private_storage() {
    return {.name = "private_storage",
            .xeps = {{49, "1.2", "Private XML Storage"}},
            .features = {xmpp::ns::private_storage},
            .account_features = {},
            .needs = {},
            .config = {},
            .create = create_module<PrivateStorage>};
}

}  // namespace server::modules
