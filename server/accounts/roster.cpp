#include "server/accounts/roster.h"

#include "reactor/base/check.h"

#include <algorithm>
#include <cstring>

namespace server {
namespace {

// malloc's own header and rounding, for estimates.
constexpr std::size_t kBlockOverheadBytes = 16;

bool contains_from(storage::Subscription subscription) {
    return subscription == storage::Subscription::from ||
           subscription == storage::Subscription::both;
}

bool contains_to(storage::Subscription subscription) {
    return subscription == storage::Subscription::to || subscription == storage::Subscription::both;
}

}  // namespace

struct Contact::Header {
    std::uint16_t jid_bytes;
    std::uint16_t name_bytes;
    storage::Subscription subscription;
    bool ask : 1;
    bool approved : 1;
    std::uint8_t group_count;
};

Contact::Contact(const storage::RosterItem& item) {
    CHECK(item.groups.size() <= storage::kRosterGroupsMax);
    std::size_t bytes = sizeof(Header) + item.jid.text().size() + item.name.size();
    for (const std::string& group : item.groups)
        bytes += sizeof(std::uint16_t) + group.size();
    block_ = std::make_unique_for_overwrite<char[]>(bytes);

    Header head{};
    head.jid_bytes = static_cast<std::uint16_t>(item.jid.text().size());
    head.name_bytes = static_cast<std::uint16_t>(item.name.size());
    head.subscription = item.subscription;
    head.ask = item.ask;
    head.approved = item.approved;
    head.group_count = static_cast<std::uint8_t>(item.groups.size());

    char* out = block_.get();
    const auto append = [&out](const void* from, std::size_t size) {
        if (size != 0) std::memcpy(out, from, size);
        out += size;
    };
    append(&head, sizeof head);
    append(item.jid.text().data(), item.jid.text().size());
    append(item.name.data(), item.name.size());
    for (const std::string& group : item.groups) {
        const auto size = static_cast<std::uint16_t>(group.size());
        append(&size, sizeof size);
        append(group.data(), group.size());
    }
}

const Contact::Header& Contact::header() const {
    return *reinterpret_cast<const Header*>(block_.get());
}

const char* Contact::text() const {
    return block_.get() + sizeof(Header);
}

std::string_view Contact::jid_text() const {
    return {text(), header().jid_bytes};
}

xmpp::Jid Contact::jid() const {
    base::Result<xmpp::Jid> parsed = xmpp::Jid::parse(jid_text());
    CHECK(parsed.has_value());  // It was made from a Jid.
    return *std::move(parsed);
}

std::string_view Contact::name() const {
    return {text() + header().jid_bytes, header().name_bytes};
}

storage::Subscription Contact::subscription() const {
    return header().subscription;
}
bool Contact::ask() const {
    return header().ask;
}
bool Contact::approved() const {
    return header().approved;
}
bool Contact::has_from() const {
    return contains_from(subscription());
}
bool Contact::has_to() const {
    return contains_to(subscription());
}

std::vector<std::string_view> Contact::groups() const {
    std::vector<std::string_view> all;
    all.reserve(header().group_count);
    const char* in = text() + header().jid_bytes + header().name_bytes;
    for (std::size_t i = 0; i < header().group_count; ++i) {
        std::uint16_t size = 0;
        std::memcpy(&size, in, sizeof size);
        all.emplace_back(in + sizeof size, size);
        in += sizeof size + size;
    }
    return all;
}

storage::RosterItem Contact::to_item() const {
    storage::RosterItem item;
    item.jid = jid();
    item.name = name();
    item.subscription = subscription();
    item.ask = ask();
    item.approved = approved();
    for (const std::string_view group : groups())
        item.groups.emplace_back(group);
    return item;
}

std::size_t Contact::memory_in_use() const {
    std::size_t bytes = sizeof(Header) + header().jid_bytes + header().name_bytes;
    for (const std::string_view group : groups())
        bytes += sizeof(std::uint16_t) + group.size();
    return bytes + kBlockOverheadBytes;
}

Roster::Roster(const storage::RosterState& state,
               const std::vector<storage::SubscriptionRequest>& requests)
    : version_(state.version) {
    items_.reserve(state.items.size());
    for (const storage::RosterItem& item : state.items)
        items_.emplace_back(item);
    std::ranges::sort(items_, {}, &Contact::jid_text);
    requests_.reserve(requests.size());
    for (const storage::SubscriptionRequest& request : requests)
        requests_.push_back({request.from.text(), ++serial_});
    std::ranges::sort(requests_, {}, &Request::from);
}

const Contact* Roster::find(const xmpp::Jid& jid) const {
    const auto found =
        std::ranges::lower_bound(items_, std::string_view(jid.text()), {}, &Contact::jid_text);
    return found != items_.end() && found->jid_text() == jid.text() ? &*found : nullptr;
}

const Roster::Request* Roster::request_of(const xmpp::Jid& from) const {
    const auto found = std::ranges::lower_bound(requests_, from.text(), {}, &Request::from);
    return found != requests_.end() && found->from == from.text() ? &*found : nullptr;
}

SubscriptionState Roster::state_of(const xmpp::Jid& contact) const {
    const bool pending_in = request_of(contact) != nullptr;
    const Contact* item = find(contact);
    if (item == nullptr) return subscription_state(false, false, false, pending_in);
    return subscription_state(item->has_to(), item->has_from(), item->ask(), pending_in);
}

void Roster::apply(const RosterChange& change) {
    if (change.item || change.removed) {
        const auto place = std::ranges::lower_bound(items_, std::string_view(change.contact.text()),
                                                    {}, &Contact::jid_text);
        const bool present = place != items_.end() && place->jid_text() == change.contact.text();
        if (change.removed) {
            if (present) items_.erase(place);
        } else if (present) {
            *place = Contact(*change.item);
        } else {
            items_.emplace(place, *change.item);
        }
        version_ = change.version;
    }
    if (change.request == RosterChange::Request::keep) return;
    const auto place =
        std::ranges::lower_bound(requests_, change.contact.text(), {}, &Request::from);
    const bool present = place != requests_.end() && place->from == change.contact.text();
    if (change.request == RosterChange::Request::drop) {
        if (present) requests_.erase(place);
    } else if (present) {
        place->serial = ++serial_;
    } else {
        requests_.insert(place, {change.contact.text(), ++serial_});
    }
}

std::size_t Roster::memory_in_use() const {
    std::size_t bytes = items_.capacity() * sizeof(Contact) +
                        requests_.capacity() * sizeof(Request) + 2 * kBlockOverheadBytes;
    for (const Contact& contact : items_)
        bytes += contact.memory_in_use();
    for (const Request& request : requests_)
        bytes += request.from.capacity() + kBlockOverheadBytes;
    return bytes;
}

base::Result<Roster> load_roster(storage::Transaction& transaction, const xmpp::Jid& account) {
    storage::Roster stored(transaction);
    const storage::RosterState state = TRY(stored.load(account));
    const std::vector<storage::SubscriptionRequest> requests = TRY(stored.requests(account));
    return Roster(state, requests);
}

}  // namespace server
