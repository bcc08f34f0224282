// A resource: one connected session of an account, as routing sees it (RFC 6120 §7, RFC 6121
// §2.1.6, §4). The session itself (stream, TLS, timers) lives in server/sessions/ behind
// SessionSink.
#pragma once

#include "reactor/deferred.h"
#include "storage/tables/messages.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace server {

/// Unique for the life of the process, never reused. The shard that made it is in the high bits.
using SessionId = std::uint64_t;

/// What an operator sees of a session.
struct SessionInfo {
    SessionId id = 0;
    std::string jid;
    std::string peer_address;
    std::string tls;        ///< "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS.
    std::string mechanism;  ///< SASL mechanism of the login.
    base::WallTime connected_at;
    bool available = false;
    int priority = 0;
};

/// A place in the order of what a client is sent, taken for a message that is still being stored.
/// What is delivered later waits behind it.
struct Place {
    std::uint64_t number = 0;
    /// The stream's key and its number for the stanza when stream management is on (XEP-0198);
    /// storage::kOfflineQueue when it is not.
    storage::SmSessionKey session = storage::kOfflineQueue;
    std::int64_t sequence = 0;
};

/// The session's side that takes stanzas for its client. Everything happens on the account's shard.
class SessionSink {
public:
    /// Queues for the client; written at the end of the turn. Never fails: a client that does not
    /// read is closed by the session itself, which gives unsent messages back through
    /// `Router::redeliver`. May not destroy the session inside the call.
    virtual void deliver(xmpp::Stanza stanza) = 0;
    /// The same for one of many recipients of one stanza, of which `copy` is with this client's
    /// address, and `shared` the text without 'to': so nothing need be copied to be kept.
    virtual void deliver_copy(const xmpp::Stanza& copy, const base::SharedBytes& /*shared*/) {
        deliver(copy);
    }
    /// The same for a stanza that a store still holds until `flushed()`: it is not given back when
    /// the session ends before.
    virtual void deliver_stored(xmpp::Stanza stanza) = 0;
    /// Settles when everything delivered so far has been handed to the operating system and, with
    /// stream management, when few enough stanzas wait for their acknowledgement that more may
    /// follow; fails when the session ends or loses its connection before.
    virtual reactor::Deferred<void> flushed() = 0;

    /// Takes the next place for a message whose storing begins. To be filled or given up later, in
    /// any order; a session that has ended meanwhile ignores both.
    virtual Place reserve() = 0;
    /// The message is stored under `id`. `shared`: other sessions of the account got it as well.
    /// With stream management the session sees to its deliveries from now on; without, the message
    /// stays in the offline queue until whoever fills knows by `flushed` that it went out.
    virtual void fill(std::uint64_t place, xmpp::Stanza message, storage::MessageId id,
                      bool shared) = 0;
    virtual void give_up(std::uint64_t place) = 0;

    /// Reports on a message that this client sent, by the session's count of stanzas with it
    /// (`Router::submit`; 0 when nothing counts): its storing is under way; it is stored, or needs
    /// no storing.
    virtual void placed(std::uint32_t taken) = 0;
    virtual void settled(std::uint32_t taken, bool stored) = 0;
    /// Sends the error, closes the stream; the session then removes its resource in a later step.
    virtual void close(xmpp::StreamError error) = 0;
    virtual SessionInfo info() const = 0;

protected:
    ~SessionSink() = default;
};

/// State of one bound resource. Owned by its Account; `session` outlives it.
struct Resource {
    std::string name;
    xmpp::Jid jid;  ///< Full.
    SessionId session_id = 0;
    SessionSink* session = nullptr;
    /// The stream's key once stream management is on, with a count in the database; else 0.
    storage::SmSessionKey managed = 0;

    /// Set while available: the client's last presence without `to`, `from` stamped.
    std::optional<xmpp::Stanza> presence;
    std::int8_t priority = 0;
    bool interested = false;  ///< Asked for the roster (RFC 6121 §2.1.6): gets roster pushes.
    bool blocklist_requested = false;  ///< Gets blocklist pushes (XEP-0191 §3.3).
    bool carbons = false;              ///< Gets copies of messages (XEP-0280).
    std::vector<xmpp::Jid>
        directed;  ///< Entities that got directed presence; bounded (presence.cpp).

    bool available() const { return presence.has_value(); }
    /// Gets messages addressed to the account (RFC 6121 §8.5.2.1).
    bool takes_messages() const { return available() && priority >= 0; }
};

}  // namespace server
