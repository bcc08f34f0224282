// OutboundOrder: what a client is to be sent, in order, while something in front of it is still
// being stored (Place in server/accounts/resource.h). Exists only then.
#pragma once

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

    /// `first`: the number of the place that is reserved first.
    explicit OutboundOrder(std::uint64_t first) noexcept : front_(first) {}

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
    /// The number that the next place would have.
    std::uint64_t next() const noexcept { return front_ + size(); }

private:
    struct Entry {
        Item item;
        bool ready = false;
    };
    std::vector<Entry> entries_;
    std::size_t first_ = 0;  // Entries before it are gone.
    std::uint64_t front_;    // Number of the first that is there.
};

}  // namespace server
