// The two counters of Stream Management (XEP-0198 §4) and the stanzas that the peer has not
// acknowledged. Counts only: what goes over the wire is in sm_elements.h, when to ask and what to
// do with what a session leaves behind is its owner's to decide. All arithmetic is modulo 2^32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <utility>
#include <vector>

namespace xmpp {

/// Stanzas that came in and were handled since stream management was enabled: the `h` that we tell.
class SmInbound {
public:
    SmInbound() = default;
    /// Goes on from another stream's count.
    explicit SmInbound(std::uint32_t handled) noexcept : handled_(handled) {}

    /// One more stanza (message, presence or iq; nothing else counts).
    void count() noexcept { ++handled_; }
    std::uint32_t handled() const noexcept { return handled_; }

private:
    std::uint32_t handled_ = 0;
};

/// The peer acknowledged what it was never sent: to be answered with
/// `handled_count_too_high(…)`. A count that went back looks the same modulo 2^32.
struct SmTooHigh {
    std::uint32_t handled = 0;  ///< What the peer says.
    std::uint32_t sent = 0;     ///< What we had sent.

    friend bool operator==(const SmTooHigh&, const SmTooHigh&) = default;
};

/// What was sent since stream management was enabled and is not acknowledged, oldest first. `Entry`
/// is the owner's: the bytes to send again, perhaps an id or a time. Movable, for a session that
/// changes shards. It has no cap of its own: the owner looks at size() before it sends. Empty, it
/// holds no memory but itself.
template <class Entry>
class SmQueue {
public:
    SmQueue() = default;
    /// Goes on behind `acknowledged` stanzas.
    explicit SmQueue(std::uint32_t acknowledged) noexcept : acknowledged_(acknowledged) {}

    /// A stanza is sent now, or will be by a resumption.
    void push(Entry entry) { entries_.push_back(std::move(entry)); }

    /// Takes the peer's count: calls `taken(Entry&&)` for every stanza it newly covers, oldest
    /// first, and yields their number. With a count that is too high nothing changes.
    template <class Taken>
    std::expected<std::uint32_t, SmTooHigh> acknowledge(std::uint32_t handled, Taken taken) {
        const std::uint32_t newly = handled - acknowledged_;
        if (newly > size()) return std::unexpected(SmTooHigh{handled, sent()});
        acknowledged_ = handled;
        for (std::uint32_t i = 0; i < newly; ++i)
            taken(std::move(entries_[first_++]));
        shrink();
        return newly;
    }
    std::expected<std::uint32_t, SmTooHigh> acknowledge(std::uint32_t handled) {
        return acknowledge(handled, [](Entry&&) {});
    }

    std::size_t size() const noexcept { return entries_.size() - first_; }
    bool empty() const noexcept { return size() == 0; }
    /// Entry `index`, oldest first. Precondition: index < size().
    const Entry& operator[](std::size_t index) const noexcept { return entries_[first_ + index]; }
    Entry& operator[](std::size_t index) noexcept { return entries_[first_ + index]; }

    /// All stanzas sent; what an acknowledgement may say at most.
    std::uint32_t sent() const noexcept {
        return acknowledged_ + static_cast<std::uint32_t>(size());
    }
    std::uint32_t acknowledged() const noexcept { return acknowledged_; }

    /// Everything that is not acknowledged, oldest first; the queue is empty afterwards and its
    /// counts mean nothing any more.
    std::vector<Entry> take_all() {
        entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
        return std::exchange(entries_, {});
    }

private:
    // What is gone stays below what is there, so that acknowledging is linear over all.
    void shrink() {
        if (first_ == entries_.size()) {
            entries_ = {};
            first_ = 0;
        } else if (first_ > entries_.size() / 2) {
            entries_.erase(entries_.begin(),
                           entries_.begin() + static_cast<std::ptrdiff_t>(first_));
            first_ = 0;
        }
    }

    std::vector<Entry> entries_;
    std::size_t first_ = 0;  // Entries before it are gone.
    std::uint32_t acknowledged_ = 0;
};

}  // namespace xmpp
