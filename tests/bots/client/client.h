// Client: one XMPP client in the reactor style, for bots, examples and the load harness. Connects
// (SRV or given addresses; STARTTLS, direct TLS, or none), authenticates, binds, tracks IQs, and
// with XEP-0198 resumes; what to say and what to do with what comes is the observer's business.
// Small on purpose: an idle one holds no buffers, no parser and no timer.
#pragma once

#include "reactor/base/failure.h"
#include "reactor/deferred.h"
#include "reactor/network.h"
#include "reactor/retry.h"
#include "reactor/tls.h"
#include "reactor/world.h"
#include "xmpp/core/stanza.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bots {

class ClientShared;

enum class ClientSecurity : std::uint8_t {
    starttls,    ///< Required: a server that does not offer it is refused.
    direct_tls,  ///< TLS from the first byte (XEP-0368).
    none,        ///< Plain text, even when the server offers STARTTLS (unless it requires it).
};

struct ClientOptions {
    /// Bare: the server chooses the resource. Full: that resource is asked for. A domain alone:
    /// ANONYMOUS.
    xmpp::Jid jid;
    std::string password;
    /// Tried in order; empty: the domain's SRV records (RFC 6120 §3.2, XEP-0368 §2).
    std::vector<reactor::Endpoint> addresses;
    std::optional<reactor::Endpoint> source;  ///< Bind to this address first.
    ClientSecurity security = ClientSecurity::starttls;
    bool certificate = false;  ///< The TLS context shows one: EXTERNAL may be used.
    /// One SASL mechanism by name; empty: the strongest both sides have. A server without SASL is
    /// logged in to by XEP-0078.
    std::string mechanism;
    bool stream_management = true;  ///< Enables XEP-0198 with resumption where offered.
    /// Reconnects resume the session of TLS where the server gave a ticket (RFC 8446 §2.2).
    bool tls_tickets = true;
    base::Duration connect_timeout = std::chrono::seconds(30);  ///< Per connection attempt.
    base::Duration login_timeout = std::chrono::seconds(60);    ///< Connected to online.
};

class Client;

/// The condition of an error stanza that `request` failed with; nullopt for other failures.
std::optional<xmpp::StanzaCondition> stanza_condition(const base::Failure& failure);

/// Told from the loop; may send, disconnect or destroy the client from inside a call.
class ClientObserver {
public:
    /// Bound, or with `resumed` the old session goes on and nothing was lost (XEP-0198 §5). When
    /// that fails, messages that the former session left unacknowledged are sent once more (again
    /// and again, as long as servers say how many they took), with <delay/>, before this; its
    /// presence and requests are forgotten.
    virtual void on_online(Client& client, bool resumed);
    /// A former session could not be resumed; before `on_online`. `taken`: how many of the stanzas
    /// that it left unacknowledged the server took, as it says (`on_acknowledged` follows as well);
    /// nullopt: it does not say, and what is sent once more may arrive twice.
    virtual void on_not_resumed(Client& client, std::optional<std::uint32_t> taken);
    /// The session ended: by the server (its stream error is in the text), a lost connection, or
    /// `disconnect`. `stay_online` reconnects after this.
    virtual void on_offline(Client& client, const base::Failure& why);
    /// Every stanza that comes, before any of the others; the client must not be destroyed.
    virtual void on_received(Client& client, const xmpp::Stanza& stanza);
    virtual void on_message(Client& client, xmpp::Stanza message);
    virtual void on_presence(Client& client, xmpp::Stanza presence);
    /// A request from the server or somebody: the reply, or nothing if it is answered later by
    /// `send`. The default answers pings (XEP-0199) and pushes of the own roster, and refuses the
    /// rest with service-unavailable.
    virtual std::optional<xmpp::Stanza> on_request(Client& client, const xmpp::Stanza& iq);
    /// XEP-0198: the server has taken `stanzas` more of what was sent.
    virtual void on_acknowledged(Client& client, std::uint32_t stanzas);

protected:
    ~ClientObserver() = default;
};

class Client {
public:
    /// `shared` and `observer` outlive the client. Nothing happens before `connect`.
    Client(ClientShared& shared, ClientOptions options, ClientObserver& observer);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    /// Cuts the connection; requests under way fail with cancelled.
    ~Client();

    /// One attempt: connects and logs in (or resumes, when a resumable session was lost). Settles
    /// after on_online. Failures name the step and the server's words: not_found and
    /// connection_refused, timed_out, tls_failed (certificate), permission_denied (wrong password;
    /// the SASL condition is in the text), unsupported (a feature is missing), busy (temporary
    /// refusal, or the client is connecting or online already), connection_aborted (the server
    /// breaks the protocol), and others of xmpp/client/failures.h.
    reactor::Deferred<void> connect();
    /// Connects and reconnects after losses until `disconnect`; settles then, or with a failure
    /// that trying again cannot mend (permission_denied, unsupported, invalid_argument, and
    /// already_exists: another client took the resource) or after attempts_max in a row.
    reactor::Deferred<void> stay_online(reactor::Backoff backoff = {});
    /// Closes the stream politely and waits for the server's closing tag, at most `grace`. No
    /// resumption afterwards.
    reactor::Deferred<void> disconnect(base::Duration grace = std::chrono::seconds(5));
    /// Cuts the connection without a word, as a phone that vanishes; the session stays resumable.
    void cut();

    bool online() const noexcept;
    /// The full JID once bound.
    const xmpp::Jid& jid() const noexcept;
    /// Of the last login, "SCRAM-SHA-256-PLUS" or "XEP-0078 digest"; empty before.
    const std::string& mechanism() const noexcept;
    /// Empty texts without TLS or while not connected.
    reactor::TlsInfo tls_info() const;
    bool stream_management() const noexcept;  ///< Enabled on this session.
    bool has_feature(std::string_view name, std::string_view ns) const;  ///< Of the last features.

    /// Queues; written at the end of the turn. While not online with a resumable session: kept for
    /// the resumption, else dropped (false); dropped as well when the server has not acknowledged
    /// 100,000 stanzas. An id is not added.
    bool send(const xmpp::Stanza& stanza);
    /// The same for text that the caller composed: exactly one stanza in jabber:client.
    bool send_xml(std::string_view stanza);
    /// An element that is no stanza (XEP-0352): neither counted nor kept. False while not online.
    bool send_element(std::string_view element);
    /// Sends an IQ of type get or set (an id is given to it) and settles with the result stanza;
    /// an error answer is a failure with the condition's name in the text: see `stanza_condition`.
    /// Answers are matched by (peer, id); RFC 6120 §8.2.3. Fails with timed_out, connection_lost
    /// (the session ended and was not resumed), cancelled (the client is gone).
    reactor::Deferred<xmpp::Stanza> request(xmpp::Stanza iq,
                                            base::Duration timeout = std::chrono::seconds(60));

    /// Initial or changed presence (RFC 6121 §4.2).
    void send_presence(std::string_view show = {}, std::string_view status = {});
    void send_message(const xmpp::Jid& to, std::string_view body);
    /// The items of the roster (RFC 6121 §2.1): <item/> elements.
    reactor::Deferred<std::vector<xmpp::Element>> fetch_roster();

    /// Bytes that wait for the network: look at it before sending much (there is no cap here).
    std::size_t unsent_bytes() const noexcept;
    /// Stops and resumes reading from the connection (a slow reader).
    void pause_reading(bool paused);

    reactor::World& world() noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace bots
