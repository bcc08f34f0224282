// A resource: one connected session of an account, as routing sees it (RFC 6120 §7, RFC 6121
// §2.1.6, §4). The session itself (stream, TLS, timers) lives in server/sessions/ behind
// SessionSink.
#pragma once

#include "reactor/deferred.h"
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

/// The session's side that takes stanzas for its client. Everything happens on the account's shard.
class SessionSink {
public:
    /// Queues for the client; written at the end of the turn. Never fails: a client that does not
    /// read is closed by the session itself, which gives unsent messages back through
    /// `Router::redeliver`. May not destroy the session inside the call.
    virtual void deliver(xmpp::Stanza stanza) = 0;
    /// The same for a stanza that a store still holds until `flushed()`: it is not given back when
    /// the session ends before.
    virtual void deliver_stored(xmpp::Stanza stanza) = 0;
    /// Settles when everything delivered so far has been handed to the operating system; fails when
    /// the session ends before.
    virtual reactor::Deferred<void> flushed() = 0;
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

    /// Set while available: the client's last presence without `to`, `from` stamped.
    std::optional<xmpp::Stanza> presence;
    std::int8_t priority = 0;
    bool interested = false;  ///< Asked for the roster (RFC 6121 §2.1.6): gets roster pushes.
    bool blocklist_requested = false;  ///< Gets blocklist pushes (XEP-0191 §3.3).
    bool carbons = false;              ///< Gets copies of messages (XEP-0280).
    std::vector<xmpp::Jid>
        directed;  ///< Entities that got directed presence; bounded (presence.cpp).

    bool available() const { return presence.has_value(); }
};

}  // namespace server
