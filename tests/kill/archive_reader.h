// ArchiveReader: one client's way through its account's archive (XEP-0313), page after page, each
// time from where it was; checks that a conversation of numbered messages is there without a gap.
#pragma once

#include "reactor/deferred.h"
#include "tests/bots/client/client.h"
#include "tests/kill/books.h"

#include <cstdint>
#include <string>

namespace talkers {

class ArchiveReader {
public:
    /// `query_id` tells the results of this reader from those of others on the same client.
    ArchiveReader(std::string query_id, Books& books)
        : query_id_(std::move(query_id)), books_(books) {}

    /// Reads what is new. Fails when a page does; then it goes on where it was the next time.
    reactor::Deferred<void> read(bots::Client& client);
    /// True: it was a result of this reader's query, and is checked.
    bool take(const bots::Client& client, const xmpp::Stanza& message);
    /// Of the last of each direction.
    std::uint64_t incoming() const { return incoming_; }
    std::uint64_t outgoing() const { return outgoing_; }

private:
    std::string query_id_;
    Books& books_;
    std::string position_;
    std::uint64_t incoming_ = 0;
    std::uint64_t outgoing_ = 0;
};

/// The id of a talker's message; 0 when it is none.
std::uint64_t number_of(const xmpp::Stanza& message);

}  // namespace talkers
