// Room: its hats (XEP-0317), made, given and taken back by its admins with ad-hoc commands.
#include "server/modules/muc/room.h"

#include "reactor/base/text.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/command.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::DataForm;
using xmpp::FieldType;
using xmpp::Jid;
using xmpp::StanzaError;

constexpr std::string_view kFormType = "urn:xmpp:hats:commands";
constexpr std::string_view kTitle = "hats#title";
constexpr std::string_view kUri = "hats#uri";
constexpr std::string_view kHue = "hats#hue";
constexpr std::string_view kJid = "hats#jid";

void add_hats(DataForm& form, const Hats& hats) {
    form.ask(FieldType::list_single, kUri, "Hat", true);
    for (const Hat& hat : hats.all())
        form.fields.back().options.push_back({.value = hat.uri, .label = hat.title});
}

// An angle in degrees, as XEP-0392 has it.
bool is_hue(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view rest = text.substr(std::min(point + 1, text.size()));
    const auto degrees = base::parse_integer(whole);
    return degrees && *degrees >= 0 && *degrees < 360 && std::ranges::all_of(whole, is_digit) &&
           std::ranges::all_of(rest, is_digit);
}

StanzaError bad_payload(std::string why) {
    return xmpp::command_error("bad-payload", std::move(why));
}

base::Result<Hat, StanzaError> hat_in(const DataForm& form) {
    Hat hat{.uri = form.text(kUri), .title = form.text(kTitle), .hue = form.text(kHue)};
    if (hat.uri.empty() || hat.uri.size() > Hats::kUriBytesMax)
        return std::unexpected(bad_payload("a hat has a URI"));
    if (hat.title.empty() || hat.title.size() > Hats::kTitleBytesMax)
        return std::unexpected(bad_payload("a hat has a title"));
    if (!hat.hue.empty() && (hat.hue.size() > Hats::kHueBytesMax || !is_hue(hat.hue)))
        return std::unexpected(bad_payload("a hue is an angle below 360"));
    return hat;
}

DataForm list_form(std::string_view title, std::initializer_list<std::string_view> columns) {
    DataForm form{.type = xmpp::FormType::result};
    form.title = title;
    for (const std::string_view column : columns)
        form.reported.push_back({.var = std::string(column)});
    return form;
}

xmpp::FormField cell(std::string_view var, std::string value) {
    return {.var = std::string(var), .values = {std::move(value)}};
}

}  // namespace

DataForm Room::hat_form(std::string_view node) const {
    DataForm form;
    form.title = "Hats";
    form.set_form_type(kFormType);
    if (node == kCreateHat) {
        form.ask(FieldType::text_single, kTitle, "Hat Title", true);
        form.ask(FieldType::text_single, kUri, "Hat URI", true);
        form.ask(FieldType::text_single, kHue, "Hat Hue");
        return form;
    }
    if (node != kDestroyHat) form.ask(FieldType::jid_single, kJid, "User Address", true);
    add_hats(form, hats_);
    return form;
}

std::optional<DataForm> Room::hat_list(std::string_view node) const {
    if (node == kListHats) {
        DataForm form = list_form("Hats List", {kTitle, kUri, kHue});
        for (const Hat& hat : hats_.all())
            form.items.push_back(
                {cell(kTitle, hat.title), cell(kUri, hat.uri), cell(kHue, hat.hue)});
        return form;
    }
    if (node != kListAssignedHats) return std::nullopt;
    DataForm form = list_form("Assigned Hats List", {kJid, kUri, kTitle, kHue});
    for (const auto& [jid, worn] : hats_.worn())
        for (const std::string& uri : worn)
            if (const Hat* hat = hats_.find(uri))
                form.items.push_back({cell(kJid, jid), cell(kUri, uri), cell(kTitle, hat->title),
                                      cell(kHue, hat->hue)});
    return form;
}

base::Result<RoomChange, StanzaError> Room::judge_hats(const xmpp::Stanza& request,
                                                       std::string_view node,
                                                       const DataForm& form) const {
    if (locked_) return std::unexpected(StanzaError::not_allowed());
    if (!form.form_type().empty() && form.form_type() != kFormType)
        return std::unexpected(bad_payload("that is another form"));
    RoomChange change{.request = request};
    Hats hats = hats_;
    if (node == kCreateHat) {
        if (!hats.put(TRY(hat_in(form))))
            return std::unexpected(StanzaError::resource_constraint("too many hats"));
        change.hats = std::move(hats);
        return change;
    }
    // The examples of §3.3 call it both.
    const std::string uri = form.text(form.find(kUri) != nullptr ? kUri : "hat");
    if (hats.find(uri) == nullptr)
        return std::unexpected(StanzaError::item_not_found("no such hat"));
    if (node == kDestroyHat) {
        hats.remove(uri);
        change.hats = std::move(hats);
        return change;
    }
    const auto jid = Jid::parse(form.text(kJid));
    if (!jid || !jid->has_local()) return std::unexpected(bad_payload("that is no address"));
    if (node == kAssignHat) {
        if (!hats.wear(*jid, uri))
            return std::unexpected(StanzaError::resource_constraint("too many hats"));
    } else if (!hats.take_off(*jid, uri)) {
        return std::unexpected(StanzaError::item_not_found("that hat is not worn"));
    }
    change.hats = std::move(hats);
    return change;
}

// Those whose hats look different now are shown again, and everybody learns that the list may have.
void Room::apply_hats(Hats hats, Notices& notices) {
    const Hats before = std::exchange(hats_, std::move(hats));
    if (before == hats_) return;
    for (const Occupant& occupant : occupants_)
        if (before.element_of(occupant.user()) != hats_.element_of(occupant.user()))
            tell_all(occupant, {}, notices.rest);
    if (before.all() != hats_.all())
        tell_code(xmpp::MucStatus::configuration_changed, notices.rest);
}

}  // namespace server::modules::muc
