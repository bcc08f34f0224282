#include "server/modules/muc/room_config.h"

#include "xmpp/core/element.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include "reactor/base/text.h"

#include <algorithm>
#include <span>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::DataForm;
using xmpp::FieldType;
using xmpp::FormField;
using xmpp::MucRole;
using xmpp::StanzaError;

constexpr std::string_view kFormType = "http://jabber.org/protocol/muc#roomconfig";
constexpr std::string_view kMaxUsers = "muc#roomconfig_maxusers";
constexpr std::string_view kProtected = "muc#roomconfig_passwordprotectedroom";
constexpr std::string_view kSecret = "muc#roomconfig_roomsecret";
constexpr std::string_view kWhois = "muc#roomconfig_whois";
constexpr std::string_view kAllowPm = "muc#roomconfig_allowpm";
constexpr std::string_view kBroadcast = "muc#roomconfig_presencebroadcast";
constexpr std::string_view kMemberList = "muc#roomconfig_getmemberlist";
constexpr std::string_view kAdmins = "muc#roomconfig_roomadmins";
constexpr std::string_view kOwners = "muc#roomconfig_roomowners";
constexpr std::string_view kHistory = "muc#maxhistoryfetch";
constexpr std::string_view kPubsub = "muc#roomconfig_pubsub";
// There are no registered fields for these (XEP-0068 §3.4).
constexpr std::string_view kApproval = "{urn:parley:rooms}registration_approval";
constexpr std::string_view kLockdown = "{urn:parley:rooms}nick_lockdown";
constexpr std::string_view kSlowMode = "muc#roomconfig_slow_mode_duration";

struct TextField {
    std::string_view var;
    std::string_view label;
    std::string RoomConfig::* member;
    std::size_t bytes_max;
};
constexpr TextField kTexts[] = {
    {"muc#roomconfig_roomname", "Natural-Language Room Name", &RoomConfig::name, kRoomNameBytesMax},
    {"muc#roomconfig_roomdesc", "Short Description of Room", &RoomConfig::description,
     kRoomDescriptionBytesMax},
    {"muc#roomconfig_lang", "Natural Language for Room Discussions", &RoomConfig::language,
     kRoomLanguageBytesMax},
    {kPubsub, "XMPP URI of Associated Publish-Subscribe Node", &RoomConfig::pubsub,
     kRoomPubsubBytesMax},
};

struct FlagField {
    std::string_view var;
    std::string_view label;
    bool RoomConfig::* member;
};
constexpr FlagField kFlags[] = {
    {"muc#roomconfig_enablelogging",
     "Keep an archive of the discussion, for everybody who may enter?", &RoomConfig::archived},
    {"muc#roomconfig_changesubject", "Allow Occupants to Change Subject?",
     &RoomConfig::subject_open},
    {"muc#roomconfig_allowinvites", "Allow Members to Invite Others?", &RoomConfig::invites_open},
    {kApproval, "Registration Must Be Approved by an Admin?", &RoomConfig::registration_approved},
    {kLockdown, "Members Must Use the Nick They Have Registered?", &RoomConfig::nicks_locked},
    {"muc#roomconfig_publicroom", "Make Room Publicly Searchable?", &RoomConfig::listed},
    {"muc#roomconfig_persistentroom", "Make Room Persistent?", &RoomConfig::persistent},
    {"muc#roomconfig_moderatedroom", "Make Room Moderated?", &RoomConfig::moderated},
    {"muc#roomconfig_membersonly", "Make Room Members-Only?", &RoomConfig::members_only},
};

struct Choice {
    std::string_view value;
    std::string_view label;
};
// In the order of PrivateMessages.
constexpr std::array<Choice, 4> kPrivateMessages = {{{"anyone", "Anyone"},
                                                     {"participants", "Anyone with Voice"},
                                                     {"moderators", "Moderators Only"},
                                                     {"none", "Nobody"}}};
constexpr std::array<Choice, 2> kWhoisChoices = {
    {{"moderators", "Moderators Only"}, {"anyone", "Anyone"}}};
constexpr std::array<Choice, 3> kRoles = {
    {{"moderator", "Moderator"}, {"participant", "Participant"}, {"visitor", "Visitor"}}};
constexpr std::uint32_t kOccupantSteps[] = {10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000};

void add_options(FormField& field, std::span<const Choice> choices) {
    for (const Choice& choice : choices)
        field.options.push_back(
            {.value = std::string(choice.value), .label = std::string(choice.label)});
}

void add_roles(DataForm& form, std::string_view var, std::string_view label, const RoleSet& set) {
    FormField& field = form.ask(FieldType::list_multi, var, label);
    if (set.moderator) field.values.emplace_back("moderator");
    if (set.participant) field.values.emplace_back("participant");
    if (set.visitor) field.values.emplace_back("visitor");
    add_options(field, kRoles);
}

void add_occupants_max(DataForm& form, const RoomConfig& config, std::uint32_t limit) {
    FormField& field = form.ask(FieldType::list_single, kMaxUsers, "Maximum Number of Occupants");
    field.values.push_back(config.occupants_max ? std::to_string(*config.occupants_max) : "none");
    const auto add = [&](std::string value) {
        field.options.push_back({.value = value, .label = value});
    };
    bool shown = !config.occupants_max;
    for (const std::uint32_t step : kOccupantSteps) {
        if (step > limit) break;
        if (!shown && *config.occupants_max <= step) {
            if (*config.occupants_max < step) add(std::to_string(*config.occupants_max));
            shown = true;
        }
        add(std::to_string(step));
    }
    if (!shown) add(std::to_string(*config.occupants_max));
    field.options.push_back({.value = "none", .label = "None"});
}

void add_jids(DataForm& form, std::string_view var, std::string_view label,
              const std::vector<xmpp::Jid>& jids) {
    FormField& field = form.ask(FieldType::jid_multi, var, label);
    for (const xmpp::Jid& jid : jids)
        field.values.push_back(jid.text());
}

std::unexpected<StanzaError> refuse(std::string_view var, std::string_view why) {
    return std::unexpected(StanzaError::not_acceptable(std::string(var) + " " + std::string(why)));
}

// As far as it concerns a room, which only passes it on: a scheme, an address, no blanks in it.
bool is_xmpp_uri(std::string_view text) {
    constexpr std::string_view kScheme = "xmpp:";
    if (!text.starts_with(kScheme)) return false;
    text.remove_prefix(kScheme.size());
    const bool is_plain = std::ranges::none_of(
        text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
    return is_plain && !text.empty() && text.front() != '?';
}

base::Result<void, StanzaError> read_text(const TextField& text, const DataForm& form,
                                          RoomConfig& config) {
    const FormField* field = form.find(text.var);
    if (field == nullptr) return {};
    if (field->value().size() > text.bytes_max) return refuse(text.var, "is too long");
    if (text.var == kPubsub && !field->value().empty() && !is_xmpp_uri(field->value()))
        return refuse(text.var, "is no XMPP URI");
    config.*text.member = std::string(field->value());
    return {};
}

base::Result<void, StanzaError> read_roles(const DataForm& form, std::string_view var,
                                           RoleSet& set) {
    const FormField* field = form.find(var);
    if (field == nullptr) return {};
    RoleSet chosen{.visitor = false, .participant = false, .moderator = false};
    for (const std::string& value : field->values) {
        const auto role = xmpp::parse_muc_role(value);
        if (!role || *role == MucRole::none) {
            if (value.empty()) continue;
            return refuse(var, "names no role");
        }
        if (*role == MucRole::visitor) chosen.visitor = true;
        if (*role == MucRole::participant) chosen.participant = true;
        if (*role == MucRole::moderator) chosen.moderator = true;
    }
    set = chosen;
    return {};
}

base::Result<std::optional<std::uint32_t>, StanzaError> read_number(const DataForm& form,
                                                                    std::string_view var,
                                                                    std::uint32_t least,
                                                                    std::uint32_t most) {
    const FormField* field = form.find(var);
    if (field == nullptr || field->value().empty()) return std::nullopt;
    const auto number = base::parse_integer(field->value());
    if (!number || *number < least || *number > most)
        return refuse(var,
                      "is a number from " + std::to_string(least) + " to " + std::to_string(most));
    return static_cast<std::uint32_t>(*number);
}

template <std::size_t N>
base::Result<std::optional<std::size_t>, StanzaError> read_choice(
    const DataForm& form, std::string_view var, const std::array<Choice, N>& choices) {
    const FormField* field = form.find(var);
    if (field == nullptr || field->value().empty()) return std::nullopt;
    const auto found = std::ranges::find(choices, field->value(), &Choice::value);
    if (found == choices.end()) return refuse(var, "is none of its choices");
    return static_cast<std::size_t>(found - choices.begin());
}

base::Result<std::optional<bool>, StanzaError> read_flag(const DataForm& form,
                                                         std::string_view var) {
    const FormField* field = form.find(var);
    if (field == nullptr || field->value().empty()) return std::nullopt;
    const auto flag = xmpp::parse_form_boolean(field->value());
    if (!flag) return refuse(var, "is neither true nor false");
    return flag;
}

// §10.1.3: a password-protected room without password is not acceptable. A secret that is sent for
// a room that needs none is not looked at, since clients send back what the form showed.
base::Result<void, StanzaError> read_password(const DataForm& form, RoomConfig& config) {
    const bool wanted = TRY(read_flag(form, kProtected)).value_or(!config.password.empty());
    if (!wanted) {
        config.password.clear();
        return {};
    }
    if (const FormField* secret = form.find(kSecret)) config.password = secret->value();
    if (config.password.empty()) return refuse(kSecret, "must not be empty");
    if (config.password.size() > kRoomPasswordBytesMax) return refuse(kSecret, "is too long");
    return {};
}

base::Result<void, StanzaError> read_numbers(const DataForm& form, const RoomLimits& limits,
                                             RoomConfig& config) {
    const FormField* users = form.find(kMaxUsers);
    if (users != nullptr && users->value() == "none") {
        config.occupants_max.reset();
    } else if (const auto most = TRY(read_number(form, kMaxUsers, 1, limits.occupants_max))) {
        config.occupants_max = *most;
    }
    // More than there is to have is as much as there is.
    constexpr std::uint32_t kAny = 1'000'000'000;
    if (const auto history = TRY(read_number(form, kHistory, 0, kAny)))
        config.history_max = std::min(*history, limits.history_max);
    if (const auto seconds = TRY(read_number(form, kSlowMode, 0, kSlowModeSecondsMax)))
        config.slow_mode_seconds = *seconds;
    return {};
}

base::Result<std::optional<std::vector<xmpp::Jid>>, StanzaError> read_jids(const DataForm& form,
                                                                           std::string_view var) {
    const FormField* field = form.find(var);
    if (field == nullptr) return std::nullopt;
    std::vector<xmpp::Jid> jids;
    for (const std::string& value : field->values) {
        if (value.empty()) continue;
        const auto jid = xmpp::Jid::parse(value);
        if (!jid) return refuse(var, "has an address that is none");
        jids.push_back(jid->bare());
    }
    std::ranges::sort(jids);
    const auto repeated = std::ranges::unique(jids);
    jids.erase(repeated.begin(), repeated.end());
    return jids;
}

base::Result<void, StanzaError> read_config(const DataForm& form, const RoomLimits& limits,
                                            RoomConfig& config) {
    for (const TextField& text : kTexts)
        TRY(read_text(text, form, config));
    for (const FlagField& flag : kFlags)
        config.*flag.member = TRY(read_flag(form, flag.var)).value_or(config.*flag.member);
    TRY(read_password(form, config));
    TRY(read_roles(form, kBroadcast, config.broadcast));
    TRY(read_roles(form, kMemberList, config.member_list));
    TRY(read_numbers(form, limits, config));
    if (const auto choice = TRY(read_choice(form, kAllowPm, kPrivateMessages)))
        config.private_messages = static_cast<PrivateMessages>(*choice);
    if (const auto choice = TRY(read_choice(form, kWhois, kWhoisChoices)))
        config.anonymous = *choice == 0;
    return {};
}

void add_config(DataForm& form, const RoomConfig& config, const RoomLimits& limits) {
    for (const TextField& text : kTexts)
        form.ask(FieldType::text_single, text.var, text.label)
            .values.push_back(config.*text.member);
    for (const FlagField& flag : kFlags)
        form.ask(FieldType::boolean, flag.var, flag.label)
            .values.emplace_back(config.*flag.member ? "1" : "0");
    FormField& pm = form.ask(FieldType::list_single, kAllowPm, "Who Can Send Private Messages?");
    pm.values.emplace_back(
        kPrivateMessages[static_cast<std::size_t>(config.private_messages)].value);
    add_options(pm, kPrivateMessages);
    add_occupants_max(form, config, limits.occupants_max);
    add_roles(form, kBroadcast, "Roles for which Presence is Broadcasted", config.broadcast);
    add_roles(form, kMemberList, "Roles and Affiliations that May Retrieve Member List",
              config.member_list);
    form.ask(FieldType::boolean, kProtected, "Password Required to Enter?")
        .values.emplace_back(config.password.empty() ? "0" : "1");
    form.ask(FieldType::text_private, kSecret, "Password").values.push_back(config.password);
    FormField& whois = form.ask(FieldType::list_single, kWhois, "Who May Discover Real JIDs?");
    whois.values.emplace_back(config.anonymous ? "moderators" : "anyone");
    add_options(whois, kWhoisChoices);
    form.ask(FieldType::text_single, kHistory,
             "Maximum Number of History Messages Returned by Room")
        .values.push_back(std::to_string(config.history_max));
    form.ask(FieldType::text_single, kSlowMode,
             "Slow Mode (0=disabled, any positive integer= users can send a message every X "
             "seconds.)")
        .values.push_back(std::to_string(config.slow_mode_seconds));
}

}  // namespace

bool RoleSet::has(MucRole role) const {
    switch (role) {
        case MucRole::visitor:
            return visitor;
        case MucRole::participant:
            return participant;
        case MucRole::moderator:
            return moderator;
        case MucRole::none:
            break;
    }
    return false;
}

DataForm room_form(const RoomConfig& config, const RoomStaff& staff, const RoomLimits& limits,
                   std::string_view room_name) {
    DataForm form;
    form.title = "Configuration for \"" + std::string(room_name) + "\" Room";
    form.instructions.emplace_back("Complete this form to modify the configuration of your room.");
    form.set_form_type(kFormType);
    add_config(form, config, limits);
    add_jids(form, kAdmins, "Room Admins", staff.admins);
    add_jids(form, kOwners, "Room Owners", staff.owners);
    return form;
}

base::Result<RoomSubmission, StanzaError> read_room_form(const RoomConfig& current,
                                                         const DataForm& submission,
                                                         const RoomLimits& limits) {
    if (!submission.form_type().empty() && submission.form_type() != kFormType)
        return refuse(xmpp::kFormTypeField, "is that of another form");
    for (const FormField& field : submission.fields) {
        const bool many = field.var == kAdmins || field.var == kOwners || field.var == kBroadcast ||
                          field.var == kMemberList;
        if (!many && field.values.size() > 1) return refuse(field.var, "takes one value");
    }
    RoomSubmission read{.config = current};
    TRY(read_config(submission, limits, read.config));
    read.owners = TRY(read_jids(submission, kOwners));
    read.admins = TRY(read_jids(submission, kAdmins));
    return read;
}

std::string save_config(const RoomConfig& config) {
    DataForm form;
    add_config(form, config, {});
    form.type = xmpp::FormType::submit;
    for (FormField& field : form.fields) {
        field.type.reset();
        field.label.clear();
        field.options.clear();
    }
    return xmpp::to_xml(form.to_element());
}

RoomConfig load_config(std::string_view text) {
    RoomConfig config;
    const auto element = xmpp::read_element(text);
    if (!element) return config;
    const auto form = DataForm::parse(*element);
    if (!form) return config;
    constexpr std::uint32_t kAny = 1'000'000'000;
    RoomConfig read;
    if (read_config(*form, {.occupants_max = kAny, .history_max = kAny}, read))
        config = std::move(read);
    return config;
}

}  // namespace server::modules::muc
