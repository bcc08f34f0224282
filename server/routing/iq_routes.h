// IqRoutes: who answers which IQ request that is addressed to the server, to an account, or to
// nobody (RFC 6120 §8.2.3, RFC 6121 §8.5.1 and §8.5.2.1.3). A handler returns its reply, so it can
// neither forget nor double it. Sets of one account run one at a time, in order.
#pragma once

#include "reactor/deferred.h"
#include "server/routing/subscriptions.h"
#include "xmpp/core/error.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/stanza.h"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace server {

/// Whom a request addresses. Bits may be combined.
enum class IqTarget : std::uint8_t {
    server = 1,   ///< `to` is one of our domains (bare).
    account = 2,  ///< `to` is somebody's bare JID, the requester's own or absent `to` included.
    self = 4,     ///< Only the requester's own account: `to` absent or the own bare JID.
    nobody = 8,   ///< `to` is a bare JID of our domains that is no account (RFC 6121 §8.5.1).
};
constexpr IqTarget operator|(IqTarget left, IqTarget right) {
    return static_cast<IqTarget>(static_cast<unsigned>(left) | static_cast<unsigned>(right));
}

struct QualifiedName {
    std::string_view ns;
    std::string_view name;
};

/// A request on its way to its handler. Owns the stanza, so a coroutine may keep it.
class IqRequest {
public:
    IqRequest(xmpp::Stanza stanza, xmpp::Jid addressee, bool own)
        : stanza_(std::move(stanza)), addressee_(std::move(addressee)), own_(own) {}

    const xmpp::Stanza& stanza() const { return stanza_; }
    /// The one child of a get or set.
    const xmpp::Element& payload() const { return *stanza_.payload(); }
    /// Who asks (full JID for a client).
    const xmpp::Jid& requester() const { return *stanza_.from(); }
    /// The domain or bare JID that is asked; the requester's bare JID when `to` was absent.
    const xmpp::Jid& addressee() const { return addressee_; }
    /// The requester asks their own account.
    bool own() const { return own_; }

private:
    xmpp::Stanza stanza_;
    xmpp::Jid addressee_;
    bool own_;
};

/// An empty result, a result with a payload, or an error.
class IqReply {
public:
    IqReply() = default;
    IqReply(xmpp::Element payload) : payload_(std::move(payload)) {}
    IqReply(xmpp::StanzaError error) : error_(std::move(error)) {}

    const std::optional<xmpp::Element>& payload() const { return payload_; }
    const std::optional<xmpp::StanzaError>& error() const { return error_; }
    std::optional<xmpp::Element> take_payload() && { return std::move(payload_); }

private:
    std::optional<xmpp::Element> payload_;
    std::optional<xmpp::StanzaError> error_;
};

class IqRoutes {
public:
    using Handler = std::function<reactor::Deferred<IqReply>(IqRequest)>;

    IqRoutes();
    ~IqRoutes();

    /// Registering a name twice for one target and kind is a programming error (CHECK).
    [[nodiscard]] Subscription on_get(IqTarget targets, QualifiedName payload, Handler handler);
    [[nodiscard]] Subscription on_set(IqTarget targets, QualifiedName payload, Handler handler);

    /// For a set that changes nothing (XEP-0313 §4): it runs at once, beside other sets.
    [[nodiscard]] Subscription on_query(IqTarget targets, QualifiedName payload, Handler handler);
    /// Whether a set's payload was registered so.
    bool is_query(const xmpp::Element& payload) const;

    /// Null when nobody answers: the router sends service-unavailable. A request from somebody else
    /// to a `self`-only name gives null as well, unless `refused` is set to true: then forbidden.
    const Handler* find(const IqRequest& request, IqTarget target, bool& refused) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace server
