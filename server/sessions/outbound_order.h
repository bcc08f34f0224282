// OutboundOrder: what a client is to be sent, in order, while something in front of it is still
// being stored (Place in server/accounts/resource.h). Exists only then.
#pragma once

#include "reactor/base/units.h"
#include "reactor/deferred.h"
#include "server/accounts/resource.h"
#include "xmpp/core/stanza.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace server {

class OutboundOrder {
public:
    /// What may wait for a client, and for all clients of a shard: then those with more than a
    /// small part have too much.
    static constexpr std::size_t kItemsMax = 10'000;
    static constexpr std::size_t kBytesMax = base::operator""_MiB(16);
    static constexpr std::size_t kAllBytesMax = base::operator""_MiB(256);
    static constexpr std::size_t kSmallBytes = base::operator""_MiB(1);

    /// A stanza whose turn has come. `stanza` absent: the place was given up.
    struct Item {
        std::optional<xmpp::Stanza> stanza = {};
        base::SharedBytes text = {};  ///< In place of a stanza: what goes out as it is …
        std::optional<xmpp::StanzaKind> kind = {};  ///< … and of which kind, if it is a stanza.
        storage::MessageId id = 0;                  ///< 0: not stored.
        bool shared = false;          ///< Other sessions of the account got it as well.
        bool kept_elsewhere = false;  ///< Not to be given back when it cannot be written.
        bool counted = false;         ///< By stream management.
        bool managed = false;         ///< Its delivery is one of the stream's.
        /// No stanza: whoever wants to know when everything before it has been written.
        std::optional<reactor::Promise<void>> waiting = {};
    };

    /// `first`: the number of the place that is reserved first. `all_bytes`, which outlives it:
    /// what it holds is added there, to what others hold.
    OutboundOrder(std::uint64_t first, std::size_t& all_bytes) noexcept
        : all_bytes_(all_bytes), front_(first) {}
    OutboundOrder(const OutboundOrder&) = delete;
    OutboundOrder& operator=(const OutboundOrder&) = delete;
    ~OutboundOrder() { all_bytes_ -= bytes_; }

    /// The number of the new place. What fills it is `counted` and `managed` as is said here.
    std::uint64_t reserve(bool counted, bool managed = false);
    /// Waits its turn.
    void add(Item item);
    /// False: there is no such place that waits.
    bool fill(std::uint64_t place, Item item);

    /// The next item if its turn has come.
    std::optional<Item> take();
    /// The next item, whether its turn has come or not: when nothing more will be sent.
    std::optional<Item> take_any();
    bool empty() const noexcept { return size() == 0; }
    std::size_t size() const noexcept { return entries_.size() - first_; }
    /// More waits than may.
    bool is_too_long() const noexcept {
        return size() > kItemsMax || bytes_ > kBytesMax ||
               (all_bytes_ > kAllBytesMax && bytes_ > kSmallBytes);
    }
    /// The number that the next place would have.
    std::uint64_t next() const noexcept { return front_ + size(); }

private:
    struct Entry {
        Item item;
        bool ready = false;
        std::size_t bytes = 0;  // Of memory, roughly.
    };
    void count(Entry& entry);

    std::size_t& all_bytes_;
    std::size_t bytes_ = 0;
    std::vector<Entry> entries_;
    std::size_t first_ = 0;  // Entries before it are gone.
    std::uint64_t front_;    // Number of the first that is there.
};

}  // namespace server
