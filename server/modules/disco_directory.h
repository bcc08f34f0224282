// DiscoDirectory: what the server says of itself in service discovery (XEP-0030), collected from
// the catalog and from modules. The disco module answers from it, the caps module hashes it.
#pragma once

#include "server/routing/subscriptions.h"
#include "xmpp/payloads/disco.h"

#include <functional>
#include <list>
#include <span>
#include <string_view>
#include <vector>

namespace server::modules {

struct ModuleDescriptor;

class DiscoDirectory {
public:
    /// Takes the features of all descriptors.
    explicit DiscoDirectory(const std::vector<ModuleDescriptor>& catalog);

    /// An extension form (XEP-0128) of the server's disco#info, made anew for each answer.
    [[nodiscard]] Subscription add_form(std::function<xmpp::DataForm()> make);
    /// An item that the host shows in disco#items; one without address is not shown.
    [[nodiscard]] Subscription add_item(std::function<xmpp::DiscoItem(std::string_view host)> make);

    /// Features that come and go with the configuration: asked for at each answer.
    using Features = std::function<std::span<const std::string_view>()>;
    [[nodiscard]] Subscription add_features(Features list);
    [[nodiscard]] Subscription add_account_features(Features list);

    /// Of a host. Identity server/im.
    xmpp::DiscoInfo server_info() const;
    xmpp::DiscoItems server_items(std::string_view host) const;
    /// Of an account, as its owner or a subscribed contact sees it. Identity account/registered.
    xmpp::DiscoInfo account_info() const;

private:
    std::vector<std::string_view> features_;
    std::vector<std::string_view> account_features_;
    std::list<Features> more_features_;
    std::list<Features> more_account_features_;
    std::list<std::function<xmpp::DataForm()>> forms_;
    std::list<std::function<xmpp::DiscoItem(std::string_view)>> items_;
};

}  // namespace server::modules
