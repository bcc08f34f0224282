#include "server/sessions/unwritten.h"

#include <algorithm>

namespace server {

reactor::Deferred<void> Unwritten::wait(std::uint64_t end) {
    reactor::Promise<void> promise;
    reactor::Deferred<void> written = promise.deferred();
    wait(end, std::move(promise));
    return written;
}

void Unwritten::wait(std::uint64_t end, reactor::Promise<void> promise) {
    waiting_.items.push_back({end, std::move(promise)});
}

void Unwritten::written(std::uint64_t total) {
    while (!ends_.empty() && ends_.items[ends_.first] <= total)
        ends_.drop_first();
    while (!messages_.empty() && messages_.items[messages_.first].end <= total)
        messages_.drop_first();
    while (!waiting_.empty() && waiting_.items[waiting_.first].end <= total) {
        waiting_.items[waiting_.first].promise->try_resolve({});
        waiting_.drop_first();
    }
}

std::uint64_t Unwritten::boundary(std::uint64_t total) const {
    const auto begin = ends_.items.begin() + static_cast<std::ptrdiff_t>(ends_.first);
    const auto end = std::lower_bound(begin, ends_.items.end(), total);
    return end == ends_.items.end() ? total : *end;
}

std::vector<xmpp::Stanza> Unwritten::cut_behind(std::uint64_t total) {
    std::vector<xmpp::Stanza> taken;
    std::vector<Message>& items = messages_.items;
    std::size_t kept = messages_.first;
    while (kept < items.size() && items[kept].end <= total)
        ++kept;
    for (std::size_t i = kept; i < items.size(); ++i)
        taken.push_back(*std::move(items[i].stanza));
    items.resize(kept);
    while (!waiting_.empty() && waiting_.items.back().end > total)
        waiting_.items.pop_back();
    return taken;
}

}  // namespace server
