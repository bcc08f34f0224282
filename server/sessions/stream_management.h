// StreamManagement: what a session with XEP-0198 remembers of both directions: which of the
// client's stanzas are settled (stored, or in need of no storing), and what the client has been
// sent and has not acknowledged. Bookkeeping only; the session speaks, writes and stores.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/base/clock.h"
#include "reactor/deferred.h"
#include "storage/tables/messages.h"
#include "xmpp/core/jid.h"
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
    bool returns =
        false;  ///< Stored nowhere, but somebody else is to have it if the client is not.
    bool patient = false;   ///< One of many alike: their acknowledgement may be asked for together.
    bool lacks_to = false;  ///< The bytes are what many were sent, without 'to': the client.
};
/// What `client` was sent.
std::string text_of(const Unacknowledged& stanza, const xmpp::Jid& client);
void append_text_of(std::string& out, const Unacknowledged& stanza, const xmpp::Jid& client);

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
    /// The database has, or will have in the order of writes, this count; one that is behind what
    /// it has changes nothing.
    void stored(std::uint32_t count) noexcept {
        if (reaches(count, stored_)) stored_ = count;
    }
    std::uint32_t stored() const noexcept { return stored_; }
    /// What may be acknowledged now.
    std::uint32_t acknowledgeable() const noexcept {
        return reaches(stored_, settled()) ? settled() : stored_;
    }
    /// `a` is not before `b`, as counts go.
    static bool reaches(std::uint32_t a, std::uint32_t b) noexcept {
        return static_cast<std::int32_t>(a - b) >= 0;
    }

    /// An IQ set to the server, the last stanza taken: it is settled by its answer.
    void open_request(std::string_view id);
    /// True: the answer to one that is open.
    bool settle_request(std::string_view id);
    bool has_requests() const noexcept { return !requests_.empty(); }
    /// Nobody waits for the answers any longer.
    void settle_requests();
    /// What cannot be acknowledged is the client's again, who will send it once more. Precondition:
    /// all_settled().
    void hand_back();

    /// The client's <r/>: what was taken so far is to be acknowledged.
    void ask_us() noexcept;
    bool asked_us() const noexcept { return asked_us_; }
    /// The count to answer with, when there is a question that can be answered.
    std::optional<std::uint32_t> answer() const noexcept;
    /// It was sent. Questions behind it stay.
    void answered(std::uint32_t count) noexcept;
    /// All questions are answered, or their connection is gone.
    void forget_questions() noexcept { asked_us_ = false; }

    // --- to the client

    /// One more stanza enters the order; its number for the database, which does not wrap.
    std::int64_t enter() noexcept { return ++entered_; }
    /// Its turn has come: it is sent, or kept for the resumption.
    void push(Unacknowledged stanza);
    std::size_t unacknowledged() const noexcept { return queue_.size(); }
    std::size_t unacknowledged_bytes() const noexcept { return bytes_; }
    const Unacknowledged& operator[](std::size_t index) const noexcept { return queue_[index]; }

    /// Patient stanzas about which one <r/> asks.
    static constexpr std::uint32_t kPatientMax = 64;
    /// An <r/> of ours is worth sending: one at a time, and never twice for the same stanzas.
    bool should_ask() const noexcept { return may_ask() && (urgent_ || patient_ >= kPatientMax); }
    /// In a while it will be.
    bool should_ask_later() const noexcept { return may_ask() && !should_ask(); }
    /// That while has passed.
    void ask_now() noexcept { urgent_ = true; }
    /// It was sent.
    void asked() noexcept {
        urgent_ = false;
        patient_ = 0;
        ask_at = {};
        asking_ = true;
        asked_through_ = queue_.sent();
    }
    /// The connection is gone, and the question with it.
    void ask_again() noexcept {
        urgent_ = true;
        asking_ = false;
        asked_through_.reset();
    }

    /// What an acknowledgement lets the database forget.
    struct Acknowledged {
        std::int64_t through = 0;  ///< The stream's deliveries up to this number; 0: none.
        /// Messages that nobody need be given any more: shared, or in the offline queue meanwhile.
        std::vector<storage::MessageId> done;

        bool empty() const { return through == 0 && done.empty(); }
        void add(Acknowledged more);
    };
    /// The client's <a/>, or the count with which it resumes.
    std::expected<Acknowledged, xmpp::SmTooHigh> acknowledge(std::uint32_t handled);
    /// What the database's number of a stanza is for the `h` of a client that resumes a stream of
    /// which only the deliveries are known; `first`: the number of the first of them.
    static std::int64_t number_of(std::uint32_t handled, std::int64_t first) noexcept;

    // --- over a restart

    /// Everything that the stream's successor needs, as text for the database. What is not settled
    /// is not part of it: the client will send it again.
    std::string save() const;
    /// nullopt: not what `save` wrote.
    static std::optional<StreamManagement> restore(std::string_view saved);

    // --- the session's notes

    std::string token;              ///< Empty: cannot be resumed.
    storage::SmSessionKey key = 0;  ///< 0 until the database knows the stream.
    std::uint32_t max_seconds = 0;
    bool enabled = false;  ///< <enabled/> was sent.
    /// The message whose storing must have begun before more is read.
    std::optional<std::uint32_t> placing;
    /// Until when answers of all kinds may be waited for; zero: none is.
    base::MonotonicTime patience;
    /// When an <r/> is sent about stanzas that had patience; zero: there are none.
    base::MonotonicTime ask_at;
    bool storing_count = false;
    bool count_failed = false;  ///< The last time.
    Acknowledged unsaved;       ///< Acknowledged, and to be told to the database.
    Acknowledged being_saved;   ///< The database is being told.
    bool saves = false;         ///< The session waits for its turn to tell the database.
    std::vector<reactor::Promise<void>> waiting_for_room;
    /// The byte of the stream up to which it repeats what waited for the resumption: that has a
    /// limit of its own.
    std::uint64_t resent_until = 0;

private:
    struct Request {
        std::uint32_t number = 0;
        std::string id;
    };

    bool may_ask() const noexcept {
        return !asking_ && !queue_.empty() && asked_through_ != queue_.sent();
    }

    std::uint32_t taken_ = 0;
    std::uint32_t stored_ = 0;
    std::vector<std::uint32_t> open_;  // Ascending; few.
    std::vector<Request> requests_;    // Of those.
    bool asked_us_ = false;
    std::uint32_t asked_from_ = 0;  // The count that the first open question is about …
    std::uint32_t asked_to_ = 0;    // … and the last.
    xmpp::SmQueue<Unacknowledged> queue_;
    bool asking_ = false;
    bool urgent_ = false;        // Something that was pushed since the last <r/> has no patience.
    std::uint32_t patient_ = 0;  // Since then as well.
    std::optional<std::uint32_t> asked_through_;
    std::int64_t entered_ = 0;
    std::int64_t acknowledged_ = 0;  // As entered_ counts.
    std::size_t bytes_ = 0;
};

}  // namespace server
