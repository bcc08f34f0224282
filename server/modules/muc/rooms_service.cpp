// Rooms: the chat service itself, as its domain: what it is and which rooms it has (XEP-0045 §6.1
// to §6.3), page by page (XEP-0059).
#include "server/modules/muc/rooms.h"

#include "server/modules/muc/room_info.h"
#include "server/routing/roster_edits.h"
#include "storage/database.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/rsm.h"

#include <algorithm>
#include <utility>

namespace server::modules::muc {
namespace {

using xmpp::Element;
using xmpp::Stanza;
using xmpp::StanzaError;

constexpr std::uint32_t kPageDefault = 100;
/// What this shard may have under way when a command comes or somebody asks for the rooms.
constexpr std::size_t kCommandsMax = 10'000;

Element items_of(const storage::RoomPage& page) {
    xmpp::DiscoItems items;
    for (const storage::RoomListing& room : page.rooms)
        items.items.push_back(
            {.jid = room.jid.text(),
             .name = room.name.empty() ? std::string(room.jid.local()) : room.name});
    Element query = items.to_element();
    xmpp::RsmResponse set;
    if (page.count) set.count = static_cast<std::uint32_t>(*page.count);
    if (!page.rooms.empty()) {
        set.first = page.rooms.front().jid.local();
        set.last = page.rooms.back().jid.local();
        if (page.index) set.first_index = static_cast<std::uint32_t>(*page.index);
    }
    query.add(set.to_element());
    return query;
}

}  // namespace

void Rooms::receive_for_service(Stanza stanza) {
    if (stanza.is_presence()) return;
    if (!stanza.is_request()) return refuse(stanza, StanzaError::service_unavailable());
    const Element& payload = *stanza.payload();
    if (!stanza.to()->is_domain()) return refuse(stanza, StanzaError::service_unavailable());
    if (stanza.iq_type() == xmpp::IqType::set) {
        if (!payload.is("command", xmpp::ns::commands))
            return refuse(stanza, StanzaError::service_unavailable());
        if (tasks_.size() >= kCommandsMax)
            return refuse(stanza, StanzaError::resource_constraint());
        tasks_.add("room command", run_command(std::move(stanza)));
        return;
    }
    if (payload.is("ping", xmpp::ns::ping)) return parts_.router.route(stanza.reply_result());
    if (payload.is("query", xmpp::ns::disco_info) || payload.is("query", xmpp::ns::disco_items))
        return discover_service(std::move(stanza));
    refuse(stanza, StanzaError::service_unavailable());
}

reactor::Deferred<void> Rooms::run_command(Stanza request) {
    auto running = commands_.run(request);
    base::Result<IqReply> reply = co_await std::move(running);
    if (!reply) {
        refuse(request, refusal_of(reply.error()));
    } else if (reply->error()) {
        refuse(request, *reply->error());
    } else {
        parts_.router.route(request.reply_result(std::move(*reply).take_payload()));
    }
    co_return {};
}

void Rooms::discover_service(Stanza stanza) {
    const Element& payload = *stanza.payload();
    const std::string_view node = payload.attribute("node");
    const bool is_info = payload.is("query", xmpp::ns::disco_info);
    if (!node.empty()) {
        std::optional<Element> about;
        if (is_info) {
            if (const auto info = commands_.info(node)) about = info->to_element();
        } else if (const auto items = commands_.items(*stanza.to(), *stanza.from(), node)) {
            about = items->to_element();
        }
        if (!about) return refuse(stanza, StanzaError::item_not_found());
        // XEP-0050 §2.2: what a command is, is for those who may run it.
        if (node != xmpp::ns::commands && !commands_.is_operator(*stanza.from()))
            return refuse(stanza, StanzaError::forbidden());
        return parts_.router.route(stanza.reply_result(*std::move(about)));
    }
    if (is_info)
        return parts_.router.route(
            stanza.reply_result(service_info(settings_.service_name).to_element()));
    storage::RoomListQuery query{.max = kPageDefault};
    if (const Element* set = payload.child("set", xmpp::ns::rsm)) {
        auto page = xmpp::RsmRequest::parse(*set);
        if (!page) return refuse(stanza, StanzaError::bad_request());
        if (page->index.value_or(0) != 0)
            return refuse(stanza, StanzaError::feature_not_implemented());
        query.after = std::move(page->after);
        query.before = std::move(page->before);
        query.max = std::min(page->max.value_or(kPageDefault), storage::kRoomPageMax);
    }
    const base::MonotonicTime time = parts_.world.reactor.now();
    if (tasks_.size() >= kCommandsMax || !expenses_.may_ask(*stanza.from(), time))
        return refuse(stanza, StanzaError::resource_constraint());
    expenses_.add(*stanza.from(), Expenses::kSearch + query.max, time);
    tasks_.add("room list", run_list(std::move(stanza), std::move(query)));
}

reactor::Deferred<void> Rooms::run_list(Stanza request, storage::RoomListQuery query) {
    auto reading = parts_.database.read(
        [host = std::string(request.to()->domain()), query](storage::Transaction& transaction) {
            return storage::Rooms(transaction).listed(host, query);
        });
    const base::Result<storage::RoomPage> page = co_await std::move(reading);
    if (page) {
        parts_.router.route(request.reply_result(items_of(*page)));
    } else {
        refuse(request, refusal_of(page.error()));
    }
    co_return {};
}

}  // namespace server::modules::muc
