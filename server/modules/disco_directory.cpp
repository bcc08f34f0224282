#include "server/modules/disco_directory.h"

#include "server/modules/module.h"
#include "xmpp/core/namespaces.h"

#include <utility>

namespace server::modules {

DiscoDirectory::DiscoDirectory(const std::vector<ModuleDescriptor>& catalog) {
    features_ = {xmpp::ns::disco_info, xmpp::ns::disco_items};
    account_features_ = {xmpp::ns::disco_info, xmpp::ns::disco_items};
    for (const ModuleDescriptor& module : catalog) {
        features_.insert(features_.end(), module.features.begin(), module.features.end());
        account_features_.insert(account_features_.end(), module.account_features.begin(),
                                 module.account_features.end());
    }
}

Subscription DiscoDirectory::add_form(std::function<xmpp::DataForm()> make) {
    const auto place = forms_.insert(forms_.end(), std::move(make));
    return Subscription([this, place] { forms_.erase(place); });
}

Subscription DiscoDirectory::add_item(std::function<xmpp::DiscoItem(std::string_view)> make) {
    const auto place = items_.insert(items_.end(), std::move(make));
    return Subscription([this, place] { items_.erase(place); });
}

Subscription DiscoDirectory::add_features(Features list) {
    const auto place = more_features_.insert(more_features_.end(), std::move(list));
    return Subscription([this, place] { more_features_.erase(place); });
}

Subscription DiscoDirectory::add_account_features(Features list) {
    const auto place = more_account_features_.insert(more_account_features_.end(), std::move(list));
    return Subscription([this, place] { more_account_features_.erase(place); });
}

xmpp::DiscoInfo DiscoDirectory::server_info() const {
    xmpp::DiscoInfo info;
    info.identities.push_back({.category = "server", .type = "im", .name = "Parley"});
    for (const std::string_view feature : features_)
        info.add_feature(feature);
    for (const Features& list : more_features_)
        for (const std::string_view feature : list())
            info.add_feature(feature);
    for (const auto& make : forms_)
        info.forms.push_back(make());
    return info;
}

xmpp::DiscoItems DiscoDirectory::server_items(std::string_view host) const {
    xmpp::DiscoItems items;
    for (const auto& make : items_) {
        xmpp::DiscoItem item = make(host);
        if (!item.jid.empty()) items.items.push_back(std::move(item));
    }
    return items;
}

xmpp::DiscoInfo DiscoDirectory::account_info() const {
    xmpp::DiscoInfo info;
    info.identities.push_back({.category = "account", .type = "registered"});
    for (const std::string_view feature : account_features_)
        info.add_feature(feature);
    for (const Features& list : more_account_features_)
        for (const std::string_view feature : list())
            info.add_feature(feature);
    return info;
}

}  // namespace server::modules
