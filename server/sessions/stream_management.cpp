#include "server/sessions/stream_management.h"

#include "server/sessions/netstring.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace server {
namespace {

constexpr std::string_view kFormat = "parley-sm-1";

constexpr std::int64_t kManaged = 1;
constexpr std::int64_t kShared = 2;
constexpr std::int64_t kRequest = 4;

}  // namespace

void StreamManagement::settle(std::uint32_t number) {
    const auto found = std::ranges::find(open_, number);
    if (found != open_.end()) open_.erase(found);
}

void StreamManagement::push(Unacknowledged stanza) {
    bytes_ += stanza.bytes.size();
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
    return result;
}

std::int64_t StreamManagement::number_of(std::uint32_t handled, std::int64_t first) noexcept {
    const std::int64_t before = first - 1;
    const auto ahead = static_cast<std::int32_t>(handled - static_cast<std::uint32_t>(before));
    return before + std::max(ahead, 0);
}

std::string StreamManagement::save() const {
    std::string out;
    append_netstring(out, kFormat);
    append_netstring(out, taken_);
    append_netstring(out, acknowledged_);
    append_netstring(out, queue_.acknowledged());
    append_netstring(out, static_cast<std::int64_t>(queue_.size()));
    for (std::size_t i = 0; i < queue_.size(); ++i) {
        const Unacknowledged& stanza = queue_[i];
        append_netstring(out, (stanza.managed ? kManaged : 0) | (stanza.shared ? kShared : 0) |
                                  (stanza.request ? kRequest : 0));
        append_netstring(out, stanza.id);
        append_netstring(out, stanza.bytes.view());
    }
    return out;
}

std::optional<StreamManagement> StreamManagement::restore(std::string_view saved) {
    NetstringReader reader(saved);
    if (reader.text() != kFormat) return std::nullopt;
    StreamManagement made;
    made.taken_ = static_cast<std::uint32_t>(reader.number());
    made.stored_ = made.taken_;
    made.acknowledged_ = reader.number();
    made.entered_ = made.acknowledged_;
    made.queue_ = xmpp::SmQueue<Unacknowledged>(static_cast<std::uint32_t>(reader.number()));
    const std::int64_t count = reader.number();
    for (std::int64_t i = 0; i < count && !reader.failed(); ++i) {
        const std::int64_t flags = reader.number();
        Unacknowledged stanza;
        stanza.id = reader.number();
        stanza.bytes = base::SharedBytes(std::string(reader.text()));
        stanza.managed = (flags & kManaged) != 0;
        stanza.shared = (flags & kShared) != 0;
        stanza.request = (flags & kRequest) != 0;
        made.push(std::move(stanza));
        ++made.entered_;
    }
    if (reader.failed() || !reader.at_end()) return std::nullopt;
    made.enabled = true;
    return made;
}

}  // namespace server
