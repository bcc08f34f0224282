#include "xmpp/payloads/muc.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"

#include <algorithm>
#include <array>
#include <limits>

namespace xmpp {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, kMucAffiliationCount> kAffiliations = {
    "outcast", "none", "member", "admin", "owner"};
constexpr std::array<std::string_view, kMucRoleCount> kRoles = {"none", "visitor", "participant",
                                                                "moderator"};

void add_attribute(Element& element, std::string_view name, std::string_view value) {
    if (!value.empty()) element.set_attribute(name, value);
}

void add_codes(Element& x, std::vector<MucStatus> codes) {
    std::ranges::sort(codes);
    for (const MucStatus code : codes)
        x.add_child("status").set_attribute("code", std::to_string(static_cast<int>(code)));
}

std::optional<std::uint32_t> parse_count(std::string_view text) {
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const auto number = base::parse_integer(text);
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint32_t>(std::min(*number, kMost));
}

}  // namespace

std::string_view name_of(MucAffiliation affiliation) noexcept {
    return kAffiliations[static_cast<std::size_t>(affiliation)];
}
std::string_view name_of(MucRole role) noexcept {
    return kRoles[static_cast<std::size_t>(role)];
}

std::optional<MucAffiliation> parse_muc_affiliation(std::string_view text) noexcept {
    const auto* found = std::ranges::find(kAffiliations, text);
    if (found == kAffiliations.end()) return std::nullopt;
    return static_cast<MucAffiliation>(found - kAffiliations.begin());
}
std::optional<MucRole> parse_muc_role(std::string_view text) noexcept {
    const auto* found = std::ranges::find(kRoles, text);
    if (found == kRoles.end()) return std::nullopt;
    return static_cast<MucRole>(found - kRoles.begin());
}

Element MucItem::to_element(std::string_view ns) const {
    Element item("item", ns);
    if (affiliation) item.set_attribute("affiliation", name_of(*affiliation));
    add_attribute(item, "jid", jid);
    add_attribute(item, "nick", nick);
    if (role) item.set_attribute("role", name_of(*role));
    if (!actor_nick.empty() || !actor_jid.empty()) {
        Element& actor = item.add_child("actor");
        add_attribute(actor, "jid", actor_jid);
        add_attribute(actor, "nick", actor_nick);
    }
    if (!reason.empty()) item.add_text_child("reason", reason);
    return item;
}

Element MucDestroy::to_element() const {
    Element destroy("destroy", ns::muc_user);
    if (venue) destroy.set_attribute("jid", venue->text());
    if (!password.empty()) destroy.add_text_child("password", password);
    if (!reason.empty()) destroy.add_text_child("reason", reason);
    return destroy;
}

Element muc_versions_element(std::string_view since, std::string_view until) {
    Element mav("mav", kMucAffiliationVersions);
    add_attribute(mav, "since", since);
    add_attribute(mav, "until", until);
    return mav;
}

Element muc_user_element(const MucItem& item, std::vector<MucStatus> codes) {
    Element x("x", ns::muc_user);
    x.add(item.to_element(ns::muc_user));
    add_codes(x, std::move(codes));
    return x;
}

Element muc_status_element(std::initializer_list<MucStatus> codes) {
    Element x("x", ns::muc_user);
    add_codes(x, codes);
    return x;
}

MucJoin MucJoin::parse(const Element& x) {
    MucJoin join;
    if (x.child("password") != nullptr) join.password = x.child_text("password");
    if (const Element* history = x.child("history")) {
        join.history.characters = parse_count(history->attribute("maxchars"));
        join.history.stanzas = parse_count(history->attribute("maxstanzas"));
        join.history.seconds = parse_count(history->attribute("seconds"));
        join.history.since = parse_date_time(history->attribute("since"));
    }
    if (const Element* mav = x.child("mav", kMucAffiliationVersions))
        join.affiliations_since = std::string(mav->attribute("since"));
    return join;
}

Element MucJoin::to_element() const {
    Element x("x", ns::muc);
    if (password) x.add_text_child("password", *password);
    Element asked("history", ns::muc);
    const auto add = [&](std::string_view name, const std::optional<std::uint32_t>& number) {
        if (number) asked.set_attribute(name, std::to_string(*number));
    };
    add("maxchars", history.characters);
    add("maxstanzas", history.stanzas);
    add("seconds", history.seconds);
    if (history.since)
        asked.set_attribute("since",
                            format_date_time(*history.since, DateTimePrecision::microseconds));
    if (!asked.attributes().empty()) x.add(std::move(asked));
    if (affiliations_since) x.add(muc_versions_element(*affiliations_since, {}));
    return x;
}

}  // namespace xmpp
