// PresenceBroadcast: sends the presence of an account's resources to those who may see it (RFC 6121
// §4.2 to §4.6), and not to those whom it blocks (XEP-0191). Nothing here waits or changes a
// roster. All copies of one presence share its bytes.
#pragma once

#include "server/accounts/account.h"

#include <optional>

namespace server {

class Router;
struct Hooks;

/// Entities a resource may have sent directed presence to, without being seen by them anyway; one
/// more is refused (resource-constraint), because it could not be withdrawn.
inline constexpr std::size_t kDirectedMax = 500;

class PresenceBroadcast {
public:
    PresenceBroadcast(Router& router, Hooks& hooks) : router_(router), hooks_(hooks) {}

    /// Available presence without `to`, `from` stamped (§4.2.2, §4.4.2). True: it was the initial
    /// one. Probes are sent and the resource learns of its siblings then.
    bool announce(Account& account, Resource& resource, xmpp::Stanza presence,
                  std::int8_t priority);

    /// Unavailable presence without `to` (§4.5.2), also to whom directed presence went (§4.6.3).
    /// `reflect`: the resource itself is told too, as far as it was available.
    void withdraw(Account& account, Resource& resource, xmpp::Stanza presence, bool reflect);

    /// Presence with `to` (§4.6). False: too many entities, nothing was sent or taken.
    bool direct(Account& account, Resource& resource, xmpp::Stanza&& presence);

    /// The current presence of every available resource to `to`; says how many there were.
    std::size_t send_current(Account& account, const xmpp::Jid& to);
    /// Unavailable presence of every available resource to `to` (§3.2.2, §3.3.3).
    void send_unavailable(Account& account, const xmpp::Jid& to);

    /// `more` is about to be blocked, and is not yet: unavailable presence to those of them who may
    /// see the account or got directed presence (XEP-0191 §3.3).
    void hide(Account& account, const Blocklist& more);
    /// `fewer` were blocked until now: current presence to those of them who may see it, and a
    /// question for theirs (XEP-0191 §3.4).
    void show(Account& account, const Blocklist& fewer);

    /// Answers a probe (§4.3.2, §4.6.6). False: the prober may know, but no resource is available;
    /// `send_offline` is the answer.
    bool answer_probe(Account& account, const xmpp::Stanza& probe);
    /// Unavailable presence of the bare JID, with the time since when, if it is known.
    void send_offline(const xmpp::Jid& account, const xmpp::Jid& to,
                      std::optional<base::WallTime> since);
    /// Whether `entity` gets the account's broadcasts: a subscribed contact, or its own resource.
    static bool sees_broadcasts(const Account& account, const xmpp::Jid& entity);

private:
    void send(const xmpp::Stanza& presence, const xmpp::Jid& to);
    void send_to_contacts(Account& account, const xmpp::Stanza& presence);
    void send_probes(Account& account, const Resource& resource);
    void probe(Account& account, const xmpp::Jid& contact);
    void withdraw_directed(Account& account, Resource& resource, const Blocklist& more);
    void answer_stranger(Account& account, const xmpp::Stanza& probe);

    Router& router_;
    Hooks& hooks_;
};

/// <priority/> (§4.7.2.3): 0 when there is none. Nullopt: not an integer from -128 to 127.
std::optional<std::int8_t> priority_of(const xmpp::Stanza& presence);

}  // namespace server
