// StreamManagement: what a session with XEP-0198 remembers of both directions: which of the
// client's stanzas are settled (stored, or in need of no storing), and what the client has been
// sent and has not acknowledged. Bookkeeping only; the session speaks, writes and stores.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/deferred.h"
#include "storage/tables/messages.h"
#include "xmpp/stream/sm_queue.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server {

/// A stanza that the client has not acknowledged.
struct Unacknowledged {
    base::SharedBytes bytes;
    storage::MessageId id = 0;  ///< 0: it is stored nowhere.
    bool managed = false;  ///< Its delivery is one of this stream's, else of the offline queue.
    bool shared = false;   ///< Other sessions of the account got it as well.
    bool request = false;  ///< An IQ that somebody waits to be answered.
};

class StreamManagement {
public:
    // --- from the client

    /// One more stanza; its number. Wraps at 2^32, as h does.
    std::uint32_t take() noexcept { return ++taken_; }
    std::uint32_t taken() const noexcept { return taken_; }
    /// The last one taken is not settled yet.
    void open(std::uint32_t number) { open_.push_back(number); }
    void settle(std::uint32_t number);
    bool all_settled() const noexcept { return open_.empty(); }
    /// All up to and including this are: what may be acknowledged once it is stored.
    std::uint32_t settled() const noexcept { return open_.empty() ? taken_ : open_.front() - 1; }
    /// The database has, or will have in the order of writes, this count.
    void stored(std::uint32_t count) noexcept { stored_ = count; }
    std::uint32_t stored() const noexcept { return stored_; }
    /// `a` is not before `b`, as counts go.
    static bool reaches(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) >= 0;
    }

    // --- to the client

    /// One more stanza enters the order; its number for the database, which does not wrap.
    std::int64_t enter() noexcept { return ++entered_; }
    /// Its turn has come: it is sent, or kept for the resumption.
    void push(Unacknowledged stanza);
    std::size_t unacknowledged() const noexcept { return queue_.size(); }
    std::size_t unacknowledged_bytes() const noexcept { return bytes_; }
    const Unacknowledged& operator[](std::size_t index) const noexcept { return queue_[index]; }

    /// What an acknowledgement lets the database forget.
    struct Acknowledged {
        std::int64_t through = 0;  ///< The stream's deliveries up to this number; 0: none.
        /// Messages that nobody need be given any more: shared, or in the offline queue meanwhile.
        std::vector<storage::MessageId> done;

        bool empty() const { return through == 0 && done.empty(); }
        void add(Acknowledged more);
    };
    std::expected<Acknowledged, xmpp::SmTooHigh> acknowledge(std::uint32_t handled);
    /// What the database's number of a stanza is for the `h` of a client that resumes a stream of
    /// which only the deliveries are known; `first`: the number of the first of them.
    static std::int64_t number_of(std::uint32_t handled, std::int64_t first) noexcept;

    // --- over a restart

    /// Everything that the stream's successor needs, as text for the database.
    std::string save() const;
    /// nullopt: not what `save` wrote.
    static std::optional<StreamManagement> restore(std::string_view saved);

    // --- the session's notes

    std::string token;              ///< Empty: cannot be resumed.
    storage::SmSessionKey key = 0;  ///< 0 until the database knows the stream.
    std::uint32_t max_seconds = 0;
    bool enabled = false;  ///< <enabled/> was sent.
    bool asked = false;    ///< An <r/> of ours is not answered yet.
    /// The client's <r/> came with this count and waits for its answer.
    std::optional<std::uint32_t> asked_at;
    bool storing_count = false;
    Acknowledged unsaved;  ///< Acknowledged, and to be told to the database.
    bool saving = false;
    std::vector<reactor::Promise<void>> waiting_for_room;
    /// IQ sets to the server whose answers settle them.
    struct OpenRequest {
        std::uint32_t number = 0;
        std::string id;
    };
    std::vector<OpenRequest> open_requests;

private:
    std::uint32_t taken_ = 0;
    std::uint32_t stored_ = 0;
    std::vector<std::uint32_t> open_;  // Ascending; few.
    xmpp::SmQueue<Unacknowledged> queue_;
    std::int64_t entered_ = 0;
    std::int64_t acknowledged_ = 0;  // As entered_ counts.
    std::size_t bytes_ = 0;
};

}  // namespace server
