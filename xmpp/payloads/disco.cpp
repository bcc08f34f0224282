#include "xmpp/payloads/disco.h"

#include <algorithm>

#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

std::unexpected<base::Failure> refuse(const char* why) {
    return base::fail(base::Errc::invalid_argument, why);
}
std::unexpected<base::Failure> too_many(const char* what) {
    return base::fail(base::Errc::resource_exhausted, what);
}

void set_unless_empty(Element& element, std::string_view name, std::string_view value) {
    if (!value.empty()) element.set_attribute(name, value);
}

}  // namespace

bool DiscoInfo::has_feature(std::string_view name) const noexcept {
    return std::ranges::find(features, name) != features.end();
}

void DiscoInfo::add_feature(std::string_view name) {
    if (!has_feature(name)) features.emplace_back(name);
}

Element DiscoInfo::to_element() const {
    Element query("query", ns::disco_info);
    set_unless_empty(query, "node", node);
    for (const DiscoIdentity& identity : identities) {
        Element& child = query.add_child("identity");
        child.set_attribute("category", identity.category);
        child.set_attribute("type", identity.type);
        if (!identity.language.empty()) child.set_lang(identity.language);
        set_unless_empty(child, "name", identity.name);
    }
    for (const std::string& feature : features)
        query.add_child("feature").set_attribute("var", feature);
    for (const DataForm& form : forms)
        query.add(form.to_element());
    return query;
}

base::Result<DiscoInfo> DiscoInfo::parse(const Element& query) {
    if (!query.is("query", ns::disco_info)) return refuse("not a disco#info query");
    DiscoInfo info;
    info.node = query.attribute("node");
    for (const Element& child : query.children()) {
        if (child.is("identity", ns::disco_info)) {
            if (info.identities.size() == kDiscoIdentitiesMax) return too_many("identities");
            DiscoIdentity identity{std::string(child.attribute("category")),
                                   std::string(child.attribute("type")), std::string(child.lang()),
                                   std::string(child.attribute("name"))};
            if (identity.category.empty() || identity.type.empty())
                return refuse("an identity without category or type");
            info.identities.push_back(std::move(identity));
        } else if (child.is("feature", ns::disco_info)) {
            if (info.features.size() == kDiscoFeaturesMax) return too_many("features");
            if (child.attribute("var").empty()) return refuse("a feature without var");
            info.features.emplace_back(child.attribute("var"));
        } else if (child.is("x", ns::data_forms)) {
            if (info.forms.size() == kDiscoFormsMax) return too_many("forms");
            info.forms.push_back(TRY(DataForm::parse(child)));
        }
    }
    return info;
}

Element DiscoItems::to_element() const {
    Element query("query", ns::disco_items);
    set_unless_empty(query, "node", node);
    for (const DiscoItem& item : items) {
        Element& child = query.add_child("item");
        child.set_attribute("jid", item.jid);
        set_unless_empty(child, "node", item.node);
        set_unless_empty(child, "name", item.name);
    }
    return query;
}

base::Result<DiscoItems> DiscoItems::parse(const Element& query) {
    if (!query.is("query", ns::disco_items)) return refuse("not a disco#items query");
    DiscoItems result;
    result.node = query.attribute("node");
    for (const Element& child : query.children()) {
        if (!child.is("item", ns::disco_items)) continue;
        if (result.items.size() == kDiscoItemsMax) return too_many("items");
        DiscoItem item{std::string(child.attribute("jid")), std::string(child.attribute("node")),
                       std::string(child.attribute("name"))};
        if (item.jid.empty()) return refuse("an item without jid");
        if (child.has_attribute("node") && item.node.empty())
            return refuse("an item with an empty node");
        result.items.push_back(std::move(item));
    }
    return result;
}

}  // namespace xmpp
