// XEP-0157 Contact Addresses: whom to write to about abuse, security and the like, as a form in the
// server's disco#info. Nothing is shown of what the operator did not configure.
#include "server/config/core_keys.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"

namespace server::modules {
namespace {

struct Field {
    std::string_view var;
    const StringListKey& key;
};

// XEP-0157 §3.2.
const Field kFields[] = {
    {"abuse-addresses", keys::kContactAbuse},       {"admin-addresses", keys::kContactAdmin},
    {"feedback-addresses", keys::kContactFeedback}, {"sales-addresses", keys::kContactSales},
    {"security-addresses", keys::kContactSecurity}, {"support-addresses", keys::kContactSupport},
};

xmpp::DataForm make_form(const Config& config) {
    xmpp::DataForm form;
    form.type = xmpp::FormType::result;
    form.set_form_type("http://jabber.org/network/serverinfo");
    for (const Field& field : kFields) {
        const auto addresses = config.get(field.key);
        if (addresses.empty()) continue;
        xmpp::FormField& added = form.add(xmpp::FieldType::list_multi, field.var);
        added.values.assign(addresses.begin(), addresses.end());
    }
    return form;
}

class ContactAddresses final : public Module {
public:
    explicit ContactAddresses(ModuleContext& context) : disco_(context.disco) {
        reload(context.config);
    }

    void reload(const Config& config) override {
        shown_ = Subscription();
        form_ = make_form(config);
        // FORM_TYPE alone says nothing.
        if (form_.fields.size() > 1) shown_ = disco_.add_form([this] { return form_; });
    }

private:
    DiscoDirectory& disco_;
    xmpp::DataForm form_;
    Subscription shown_;
};

}  // namespace

ModuleDescriptor describe_contact_addresses() {
    return {.name = "contact_addresses",
            .xeps = {{157, "1.1.1", "Contact Addresses for XMPP Services"}},
            .features = {},
            .account_features = {},
            .needs = {"disco"},
            .config = {},
            .create = create_module<ContactAddresses>};
}

}  // namespace server::modules
