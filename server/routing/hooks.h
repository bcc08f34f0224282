// Hook points: the places where modules look at or change what passes. Typed events, named stages,
// no priorities and no strings. Handlers run synchronously on the account's shard and never wait.
#pragma once

#include "server/accounts/account.h"
#include "server/routing/subscriptions.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace server {

/// Order within a hook point; within a stage: order of the catalog.
enum class Stage : std::uint8_t { guard, rewrite, observe, deliver };

/// What a handler decides. `done`: taken over, nobody else sees it. `refuse`: answered with an
/// error (the router drops it silently where the RFC forbids an answer).
class [[nodiscard]] Verdict {
public:
    static Verdict proceed() { return Verdict(Kind::proceed); }
    static Verdict done() { return Verdict(Kind::done); }
    static Verdict refuse(xmpp::StanzaError error) {
        Verdict verdict(Kind::refuse);
        verdict.error_ = std::move(error);
        return verdict;
    }
    bool is_proceed() const { return kind_ == Kind::proceed; }
    const std::optional<xmpp::StanzaError>& error() const { return error_; }

private:
    enum class Kind : std::uint8_t { proceed, done, refuse };
    explicit Verdict(Kind kind) : kind_(kind) {}
    Kind kind_;
    std::optional<xmpp::StanzaError> error_;
};

template <class Event>
class HookPoint {
public:
    using Handler = std::function<Verdict(Event&)>;

    [[nodiscard]] Subscription add(Stage stage, Handler handler) {
        const std::size_t id = next_id_++;
        auto& list = stages_[static_cast<std::size_t>(stage)];
        list.push_back({id, std::move(handler)});
        return Subscription([&list, id] {
            std::erase_if(list, [id](const Entry& entry) { return entry.id == id; });
        });
    }

    /// The first verdict that is not `proceed` ends the run.
    Verdict run(Event& event) const {
        for (const auto& list : stages_) {
            for (const Entry& entry : list) {
                Verdict verdict = entry.handler(event);
                if (!verdict.is_proceed()) return verdict;
            }
        }
        return Verdict::proceed();
    }

private:
    struct Entry {
        std::size_t id;
        Handler handler;
    };
    std::array<std::vector<Entry>, 4> stages_;
    std::size_t next_id_ = 0;
};

/// A stanza that passes an account. `resource` is the sender's for outbound, null for inbound.
struct StanzaEvent {
    Account& account;
    Resource* resource;
    xmpp::Stanza& stanza;
};

/// A message that has passed: on the sender's side sent, on the recipient's given to `sessions`. It
/// bears the archive's id for this account if it is archived. `resource`: the sender's, null on the
/// recipient's side and when it has gone. `id`: the one it is stored under; 0: it is not stored.
struct MessageEvent {
    Account& account;
    Resource* resource;
    const xmpp::Stanza& stanza;
    std::span<const SessionId> sessions;
    storage::MessageId id = 0;
};

struct ResourceEvent {
    Account& account;
    Resource& resource;
};

struct AccountEvent {
    const xmpp::Jid& jid;
};

struct Hooks {
    /// A client's stanza, `from` stamped, before it is routed. Presence without `to` included.
    HookPoint<StanzaEvent> outbound;
    /// A stanza for an account or one of its resources, before RFC 6121 §8.5 is applied.
    HookPoint<StanzaEvent> inbound;
    /// After everything else has happened to a message, stored or not: copies for others.
    HookPoint<MessageEvent> message_sent;
    HookPoint<MessageEvent> message_received;
    /// Whether the account's archive takes the message, sent or received by it (XEP-0313 §6).
    std::function<bool(Account&, const xmpp::Stanza&)> archives =
        [](Account&, const xmpp::Stanza&) { return false; };
    /// A resource became available (initial presence) or changed its presence.
    HookPoint<ResourceEvent> presence_changed;
    HookPoint<ResourceEvent> resource_bound;
    /// The resource is unavailable already; it is removed after this.
    HookPoint<ResourceEvent> resource_gone;
};

}  // namespace server
