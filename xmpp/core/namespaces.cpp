// Lookup of the well-known namespace names, so that an element can point at the constant.
#include "xmpp/core/namespaces.h"

#include <array>
#include <cstddef>

namespace xmpp::ns {
namespace {

constexpr std::array kKnown = {
    xml,
    client,
    server,
    stream,
    tls,
    sasl,
    bind,
    session,
    stanza_errors,
    stream_errors,
    roster,
    roster_versions,
    pre_approval,
    data_forms,
    last_activity,
    disco_info,
    disco_items,
    address,
    muc,
    muc_user,
    muc_admin,
    muc_owner,
    private_storage,
    commands,
    vcard,
    rsm,
    pubsub,
    pubsub_event,
    pubsub_owner,
    pubsub_errors,
    oob,
    xhtml_im,
    registration,
    registration_feature,
    chat_states,
    version,
    caps,
    vcard_update,
    contact_addresses,
    receipts,
    blocking,
    blocking_errors,
    stream_management,
    ping,
    time,
    delay,
    direct_invitation,
    carbons,
    forward,
    hashes,
    correction,
    archive,
    chat_markers,
    hints,
    client_state,
    jingle_messages,
    stanza_ids,
    upload,
    encryption,
    omemo,
    sasl2,
    references,
    reporting,
    occupant_ids,
    fastening,
    retraction,
    moderation,
    fallback,
    channel_binding,
    reactions,
    replies,
    stream_limits,
    app_errors,
};

constexpr std::size_t kSlots = 256;
static_assert(kKnown.size() < kSlots / 2);

// Length and three characters tell the known names apart well enough; the comparison decides.
constexpr std::size_t slot_of(std::string_view name) {
    const auto at = [name](std::size_t index) {
        return static_cast<std::size_t>(static_cast<unsigned char>(name[index]));
    };
    return (name.size() * 7 + at(name.size() - 1) * 31 + at(name.size() / 2) * 13 +
            at(name.size() - name.size() / 4 - 1) * 3) %
           kSlots;
}

constexpr auto kTable = [] {
    std::array<std::string_view, kSlots> table{};
    for (const std::string_view name : kKnown) {
        std::size_t slot = slot_of(name);
        while (!table[slot].empty())
            slot = (slot + 1) % kSlots;
        table[slot] = name;
    }
    return table;
}();

}  // namespace

std::string_view find_known(std::string_view name) noexcept {
    if (name.empty()) return {};
    std::size_t slot = slot_of(name);
    while (!kTable[slot].empty()) {
        if (kTable[slot] == name) return kTable[slot];
        slot = (slot + 1) % kSlots;
    }
    return {};
}

}  // namespace xmpp::ns
