#include "server/modules/muc/hats.h"

#include "reactor/base/text.h"
#include "xmpp/sasl/crypto.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {

using xmpp::Jid;

const Hat* Hats::find(std::string_view uri) const {
    const auto found = std::ranges::find(hats_, uri, &Hat::uri);
    return found == hats_.end() ? nullptr : &*found;
}

bool Hats::put(Hat hat) {
    const auto known = std::ranges::find(hats_, hat.uri, &Hat::uri);
    if (known != hats_.end()) {
        *known = std::move(hat);
        return true;
    }
    if (hats_.size() >= kHatsMax) return false;
    hats_.push_back(std::move(hat));
    return true;
}

bool Hats::remove(std::string_view uri) {
    if (std::erase_if(hats_, [&](const Hat& hat) { return hat.uri == uri; }) == 0) return false;
    for (auto& [jid, worn] : worn_)
        std::erase(worn, uri);
    std::erase_if(worn_, [](const auto& entry) { return entry.second.empty(); });
    return true;
}

bool Hats::wear(const Jid& user, std::string_view uri) {
    if (find(uri) == nullptr) return false;
    const std::string key(user.bare_view());
    const auto known = worn_.find(key);
    if (known == worn_.end()) {
        if (worn_.size() >= kWearersMax) return false;
        worn_[key].emplace_back(uri);
        return true;
    }
    if (std::ranges::find(known->second, uri) != known->second.end()) return true;
    if (known->second.size() >= kWornMax) return false;
    known->second.emplace_back(uri);
    return true;
}

bool Hats::take_off(const Jid& user, std::string_view uri) {
    const auto known = worn_.find(std::string(user.bare_view()));
    if (known == worn_.end() || std::erase(known->second, uri) == 0) return false;
    if (known->second.empty()) worn_.erase(known);
    return true;
}

void Hats::take_all_off(const Jid& user) {
    worn_.erase(std::string(user.bare_view()));
}

bool Hats::wears(const Jid& user, std::string_view uri) const {
    const auto known = worn_.find(std::string(user.bare_view()));
    return known != worn_.end() && std::ranges::find(known->second, uri) != known->second.end();
}

std::optional<xmpp::Element> Hats::element_of(const Jid& user) const {
    if (worn_.empty()) return std::nullopt;
    const auto known = worn_.find(std::string(user.bare_view()));
    if (known == worn_.end()) return std::nullopt;
    xmpp::Element hats("hats", kHatsNamespace);
    for (const std::string& uri : known->second) {
        const Hat* hat = find(uri);
        if (hat == nullptr) continue;
        xmpp::Element& element = hats.add_child("hat");
        element.set_attribute("title", hat->title);
        element.set_attribute("uri", hat->uri);
        if (!hat->hue.empty()) element.set_attribute("hue", hat->hue);
    }
    return hats;
}

std::string Hats::hash() const {
    if (hats_.empty()) return {};
    std::vector<std::string> all;
    for (const Hat& hat : hats_)
        all.push_back(hat.uri + '\n' + hat.title + '\n' + hat.hue + '\n');
    std::ranges::sort(all);
    std::string text;
    for (const std::string& one : all)
        text += one;
    return base::hex_encode(xmpp::sasl::digest(xmpp::sasl::ScramHash::sha1, text));
}

}  // namespace server::modules::muc
