// Outbox: stanzas, and reports on stanzas, on their way to other shards. Collected during a turn
// and posted as one batch per shard at its end; when a mailbox is full they wait here and the
// router is congested until they went.
#pragma once

#include "reactor/base/units.h"
#include "reactor/reactor.h"
#include "reactor/shards.h"
#include "server/routing/origin.h"
#include "xmpp/core/stanza.h"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace server {

class Audience;
class CongestionObserver;

struct RoutedStanza {
    xmpp::Stanza stanza;
    std::optional<Origin> origin;
    /// This server refuses what the addressee has sent: no blocklist of theirs stops that, though
    /// it comes in the name of whom they wrote to.
    bool is_refusal = false;
};
/// What many get, whatever shard they are on.
struct SharedStanza {
    xmpp::Stanza stanza;  ///< Without 'to'; its content is shared.
    std::string xml;
};
/// One stanza for many.
struct FanOut {
    std::shared_ptr<const SharedStanza> shared;
    std::shared_ptr<const Audience> audience;
};
using Mail = std::variant<RoutedStanza, FanOut, OriginReport>;
/// A list, so that each lives where it was made until it is opened on the other shard.
using MailBatch = std::list<Mail>;

class Outbox final : private reactor::TurnEnd {
public:
    /// Makes the call that unpacks a batch on the target shard. The call must not touch this
    /// shard's objects: they may be gone by then.
    using Pack =
        std::function<base::UniqueFunction<void()>(reactor::ShardId target, MailBatch batch)>;

    /// Waiting stanzas, and the memory they hold, beyond which `add` refuses; a fan-out in progress
    /// may fill up to it after congestion was announced.
    static constexpr std::size_t kWaitingMax = 65'536;
    static constexpr std::size_t kWaitingBytesMax = base::operator""_MiB(128);

    Outbox(reactor::World& world, Pack pack);

    /// False: too many wait; the stanza is left with the caller.
    bool add(reactor::ShardId target, RoutedStanza& routed);
    /// Never refused, so that all who are to get it do: there is one for a stanza that somebody was
    /// allowed to send.
    void add(reactor::ShardId target, FanOut fan_out);
    /// Never refused: there are no more of them than stanzas whose storing is under way.
    void add(reactor::ShardId target, OriginReport report);
    bool congested() const { return congested_; }
    void wait(CongestionObserver& observer);
    void withdraw(CongestionObserver& observer);

private:
    void on_turn_end() override { flush(); }
    void flush();
    void push(reactor::ShardId target, Mail mail, std::size_t bytes);

    reactor::World& world_;
    Pack pack_;
    struct Lane {
        MailBatch batch;
        std::size_t batch_bytes = 0;
        base::UniqueFunction<void()> refused;  // A batch that found the mailbox full.
        std::size_t refused_size = 0;
        std::size_t refused_bytes = 0;
    };

    bool send(reactor::ShardId target, Lane& lane);

    std::vector<Lane> lanes_;  // Index: target shard.
    std::size_t waiting_ = 0;  // In all lanes.
    std::size_t waiting_bytes_ = 0;
    bool congested_ = false;
    std::vector<CongestionObserver*> observers_;
    reactor::CallbackTimer retry_;
};

}  // namespace server
