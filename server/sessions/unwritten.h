// Unwritten: what a session remembers of stanzas until their bytes are with the operating system:
// where each ends, the messages themselves, and who waits for the moment. Keeps its room while the
// session is busy; the session frees an empty one when it goes idle.
#pragma once

#include "reactor/deferred.h"
#include "xmpp/core/stanza.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace server {

class Unwritten {
public:
    /// A stanza was queued whose last byte is number `end` of the stream (XmlStream::queued_total).
    void add(std::uint64_t end) { ends_.items.push_back(end); }
    void add(std::uint64_t end, xmpp::Stanza message) {
        add(end);
        messages_.items.push_back({end, std::move(message)});
    }
    /// Settles when `end` bytes are written.
    reactor::Deferred<void> wait(std::uint64_t end);
    void wait(std::uint64_t end, reactor::Promise<void> promise);
    /// `total` bytes are written now.
    void written(std::uint64_t total);
    /// Everything is written and nobody waits.
    bool empty() const { return ends_.empty() && messages_.empty() && waiting_.empty(); }

    /// The end of the stanza that is half written when `total` bytes are; `total` between two.
    std::uint64_t boundary(std::uint64_t total) const;
    /// What ends behind `total` will not be written: who waits for it fails with broken_promise;
    /// the messages come back, in order.
    std::vector<xmpp::Stanza> cut_behind(std::uint64_t total);

private:
    struct Message {
        std::uint64_t end = 0;
        std::optional<xmpp::Stanza> stanza;
    };
    struct Waiting {
        std::uint64_t end = 0;
        std::optional<reactor::Promise<void>> promise;
    };

    // What is over is marked by the index and erased when that is everything or most of it.
    template <class T>
    struct Line {
        std::vector<T> items;
        std::size_t first = 0;

        bool empty() const { return first == items.size(); }
        void drop_first() {
            items[first++] = T();
            if (empty()) {
                items.clear();
                first = 0;
            } else if (first > 64 && first > items.size() / 2) {
                items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(first));
                first = 0;
            }
        }
    };

    Line<std::uint64_t> ends_;
    Line<Message> messages_;
    Line<Waiting> waiting_;
};

}  // namespace server
