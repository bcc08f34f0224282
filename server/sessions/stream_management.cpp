#include "server/sessions/stream_management.h"

#include "server/sessions/netstring.h"
#include "xmpp/core/jid.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace server {
namespace {

constexpr std::string_view kFormat = "parley-sm-1";

/// Deliveries of one stream: far beyond what there can be, and far below where numbers end.
constexpr std::int64_t kCountMax = std::int64_t{1} << 62;

constexpr std::int64_t kManaged = 1;
constexpr std::int64_t kShared = 2;
constexpr std::int64_t kRequest = 4;
constexpr std::int64_t kReturns = 8;
constexpr std::int64_t kLacksTo = 16;
constexpr std::int64_t kFlags = kManaged | kShared | kRequest | kReturns | kLacksTo;

/// nullopt: no count as h has it.
std::optional<std::uint32_t> read_count(NetstringReader& reader) {
    const std::int64_t number = reader.number();
    if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    return static_cast<std::uint32_t>(number);
}

std::optional<Unacknowledged> read_entry(NetstringReader& reader) {
    const std::int64_t flags = reader.number();
    if (flags < 0 || (flags & ~kFlags) != 0) return std::nullopt;
    Unacknowledged stanza;
    stanza.id = reader.number();
    stanza.bytes = base::SharedBytes(std::string(reader.text()));
    stanza.managed = (flags & kManaged) != 0;
    stanza.shared = (flags & kShared) != 0;
    stanza.request = (flags & kRequest) != 0;
    stanza.returns = (flags & kReturns) != 0;
    stanza.lacks_to = (flags & kLacksTo) != 0;
    return stanza;
}

}  // namespace

void append_text_of(std::string& out, const Unacknowledged& stanza, const xmpp::Jid& client) {
    const std::string_view text = stanza.bytes.view();
    const auto ends_name = [](char c) { return c == ' ' || c == '/' || c == '>'; };
    const auto name_end = std::ranges::find_if(text, ends_name);
    if (!stanza.lacks_to || name_end == text.end()) {
        out += text;
        return;
    }
    const std::string_view name(text.begin(), name_end);
    out += name;
    xmpp::append_attribute(out, "to", client.text());
    out += text.substr(name.size());
}

std::string text_of(const Unacknowledged& stanza, const xmpp::Jid& client) {
    std::string text;
    append_text_of(text, stanza, client);
    return text;
}

// --- from the client

void StreamManagement::settle(std::uint32_t number) {
    const auto found = std::ranges::find(open_, number);
    if (found != open_.end()) open_.erase(found);
}

void StreamManagement::open_request(std::string_view id) {
    open(taken_);
    requests_.push_back({taken_, std::string(id)});
}

bool StreamManagement::settle_request(std::string_view id) {
    const auto found = std::ranges::find(requests_, id, &Request::id);
    if (found == requests_.end()) return false;
    settle(found->number);
    requests_.erase(found);
    return true;
}

void StreamManagement::settle_requests() {
    for (const Request& request : std::exchange(requests_, {}))
        settle(request.number);
}

void StreamManagement::hand_back() {
    taken_ = acknowledgeable();
}

void StreamManagement::ask_us() noexcept {
    if (!std::exchange(asked_us_, true)) asked_from_ = taken_;
    asked_to_ = taken_;
}

std::optional<std::uint32_t> StreamManagement::answer() const noexcept {
    const std::uint32_t count = acknowledgeable();
    if (!asked_us_ || !reaches(count, asked_from_)) return std::nullopt;
    return count;
}

void StreamManagement::answered(std::uint32_t count) noexcept {
    asked_from_ = count + 1;
    if (reaches(count, asked_to_)) asked_us_ = false;
}

// --- to the client

void StreamManagement::push(Unacknowledged stanza) {
    bytes_ += stanza.bytes.size();
    if (stanza.patient) {
        ++patient_;
    } else {
        urgent_ = true;
    }
    queue_.push(std::move(stanza));
}

void StreamManagement::Acknowledged::add(Acknowledged more) {
    through = std::max(through, more.through);
    std::ranges::move(more.done, std::back_inserter(done));
}

std::expected<StreamManagement::Acknowledged, xmpp::SmTooHigh> StreamManagement::acknowledge(
    std::uint32_t handled) {
    Acknowledged result;
    auto taken = queue_.acknowledge(handled, [&](Unacknowledged stanza) {
        ++acknowledged_;
        bytes_ -= stanza.bytes.size();
        if (stanza.id == 0) return;
        if (stanza.managed) result.through = acknowledged_;
        if (stanza.shared || !stanza.managed) result.done.push_back(stanza.id);
    });
    if (!taken) return std::unexpected(taken.error());
    asking_ = false;
    return result;
}

std::int64_t StreamManagement::number_of(std::uint32_t handled, std::int64_t first) noexcept {
    const std::int64_t before = first - 1;
    const auto ahead = static_cast<std::int32_t>(handled - static_cast<std::uint32_t>(before));
    return before + std::max(ahead, 0);
}

// --- over a restart

std::string StreamManagement::save() const {
    std::string out;
    append_netstring(out, kFormat);
    append_netstring(out, static_cast<std::int64_t>(settled()));
    append_netstring(out, acknowledged_);
    append_netstring(out, static_cast<std::int64_t>(queue_.acknowledged()));
    append_netstring(out, static_cast<std::int64_t>(queue_.size()));
    for (std::size_t i = 0; i < queue_.size(); ++i) {
        const Unacknowledged& stanza = queue_[i];
        append_netstring(out, (stanza.managed ? kManaged : 0) | (stanza.shared ? kShared : 0) |
                                  (stanza.request ? kRequest : 0) |
                                  (stanza.returns ? kReturns : 0) |
                                  (stanza.lacks_to ? kLacksTo : 0));
        append_netstring(out, stanza.id);
        append_netstring(out, stanza.bytes.view());
    }
    return out;
}

std::optional<StreamManagement> StreamManagement::restore(std::string_view saved) {
    NetstringReader reader(saved);
    if (reader.text() != kFormat) return std::nullopt;
    StreamManagement made;
    const auto taken = read_count(reader);
    made.acknowledged_ = reader.number();
    const auto acknowledged = read_count(reader);
    if (!taken || !acknowledged || made.acknowledged_ < 0 || made.acknowledged_ > kCountMax)
        return std::nullopt;
    made.taken_ = made.stored_ = *taken;
    made.entered_ = made.acknowledged_;
    made.queue_ = xmpp::SmQueue<Unacknowledged>(*acknowledged);
    const std::int64_t count = reader.number();
    for (std::int64_t i = 0; i < count && !reader.failed(); ++i) {
        auto stanza = read_entry(reader);
        if (!stanza) return std::nullopt;
        made.push(*std::move(stanza));
        ++made.entered_;
    }
    if (count < 0 || reader.failed() || !reader.at_end()) return std::nullopt;
    made.enabled = true;
    return made;
}

}  // namespace server
