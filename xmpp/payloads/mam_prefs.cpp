#include "xmpp/payloads/mam_prefs.h"

#include "xmpp/core/namespaces.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace xmpp {
namespace {

constexpr std::array<std::string_view, 3> kDefaults = {"always", "never", "roster"};

std::unexpected<StanzaError> refuse(std::string why) {
    return std::unexpected(StanzaError::bad_request(std::move(why)));
}

std::optional<MamDefault> parse_default(std::string_view text) {
    const auto* found = std::ranges::find(kDefaults, text);
    if (found == kDefaults.end()) return std::nullopt;
    return static_cast<MamDefault>(found - kDefaults.begin());
}

base::Result<std::vector<Jid>, StanzaError> read_list(const Element& prefs, std::string_view name) {
    std::vector<Jid> jids;
    bool found = false;
    for (const Element& list : prefs.children()) {
        if (!list.is(name, ns::archive)) continue;
        if (std::exchange(found, true)) return refuse("two lists of one kind");
        for (const Element& item : list.children()) {
            if (!item.is("jid", ns::archive)) continue;
            auto jid = Jid::parse(item.text());
            if (!jid)
                return std::unexpected(
                    StanzaError::jid_malformed(std::string(jid.error().detail())));
            if (jids.size() == kMamPrefsJidsMax)
                return std::unexpected(
                    StanzaError::resource_constraint("too many addresses in the lists"));
            jids.push_back(*std::move(jid));
        }
    }
    return jids;
}

void add_list(Element& prefs, std::string_view name, const std::vector<Jid>& jids) {
    Element& list = prefs.add_child(name);
    for (const Jid& jid : jids)
        list.add_text_child("jid", jid.text());
}

// In order, each once.
void tidy(std::vector<Jid>& jids) {
    std::ranges::sort(jids);
    const auto repeated = std::ranges::unique(jids);
    jids.erase(repeated.begin(), repeated.end());
}

}  // namespace

std::string_view name_of(MamDefault rule) noexcept {
    return kDefaults[static_cast<std::size_t>(rule)];
}

base::Result<MamPrefs, StanzaError> MamPrefs::parse(const Element& prefs) {
    if (!prefs.is("prefs", ns::archive)) return refuse("not preferences of an archive");
    const auto otherwise = parse_default(prefs.attribute("default"));
    if (!otherwise) return refuse("'default' is always, never or roster");
    MamPrefs parsed{.otherwise = *otherwise,
                    .always = TRY(read_list(prefs, "always")),
                    .never = TRY(read_list(prefs, "never"))};
    tidy(parsed.always);
    tidy(parsed.never);
    if (parsed.always.size() + parsed.never.size() > kMamPrefsJidsMax)
        return std::unexpected(StanzaError::resource_constraint("too many addresses in the lists"));
    for (const Jid& jid : parsed.always)
        if (std::ranges::binary_search(parsed.never, jid))
            return refuse(jid.text() + " is in both lists");
    return parsed;
}

Element MamPrefs::to_element() const {
    Element prefs("prefs", ns::archive);
    prefs.set_attribute("default", name_of(otherwise));
    add_list(prefs, "always", always);
    add_list(prefs, "never", never);
    return prefs;
}

}  // namespace xmpp
