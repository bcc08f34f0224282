// XEP-0424 Message Retraction: in the archives of both sides a tombstone takes the place of a
// message that its sender has retracted (§4). The retraction is a message like others: stored,
// archived, delivered; what becomes of copies that were delivered already is the clients' affair.
//
// The original is the newest message of the same conversation with that 'id' and the same bare
// sender (§5), among the last kScanMax, or fewer where they are large. Looking for it costs reads
// alone, one retraction at a time. A retraction itself cannot be retracted: the archive has to keep
// it (§5).
#include "reactor/task_set.h"
#include "server/modules/archive_keys.h"
#include "server/modules/catalog.h"
#include "server/modules/disco_directory.h"
#include "storage/database.h"
#include "storage/tables/archive.h"
#include "xmpp/core/namespaces.h"
#include "xmpp/payloads/date_time.h"
#include "xmpp/xml/read_stanza.h"
#include "xmpp/xml/writer.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace server::modules {
namespace {

using storage::ArchivedMessage;
using storage::MessageId;

constexpr std::array<std::string_view, 1> kFeatures = {xmpp::ns::retraction};
constexpr std::array<std::string_view, 2> kAccountFeatures = {
    xmpp::ns::retraction, "urn:xmpp:message-retract:1#tombstone"};

/// Messages of a conversation among which the original is looked for.
constexpr std::uint32_t kScanMax = 1000;
/// Retractions that wait, of all senders and of one; one more leaves its original as it is.
constexpr std::size_t kWaitingMax = 1000;
constexpr std::size_t kWaitingOfSenderMax = 50;

struct Retraction {
    xmpp::Jid sender;  // Bare, like the next.
    xmpp::Jid recipient;
    MessageId id = 0;         // Of the retraction itself.
    std::string stanza_id;    // Its 'id'.
    std::string original_id;  // What it retracts.
};

struct Tombstone {
    xmpp::Jid owner;
    MessageId id = 0;
    std::string stanza;
};

std::string tombstone_of(xmpp::Stanza original, const Retraction& retraction) {
    xmpp::Element& message = original.edit();
    message.clear_content();
    message.add_child("retracted", xmpp::ns::retraction)
        .set_attribute("id", retraction.stanza_id)
        .set_attribute("stamp", xmpp::format_date_time(storage::time_of(retraction.id),
                                                       xmpp::DateTimePrecision::milliseconds));
    return original.to_xml();
}

/// The one to put into `owner`'s archive, if that has both the retraction and the original.
base::Result<std::optional<Tombstone>> find(storage::Transaction& transaction,
                                            const Retraction& retraction, const xmpp::Jid& owner,
                                            const xmpp::Jid& peer) {
    storage::Archive archive(transaction);
    if (!TRY(archive.find(owner, retraction.id))) return std::nullopt;
    std::string attribute;
    xmpp::append_attribute(attribute, "id", retraction.original_id);
    std::optional<xmpp::Stanza> original;
    const auto is_original = [&](const ArchivedMessage& message) {
        if (message.id >= retraction.id || message.stanza.find(attribute) == std::string::npos)
            return false;
        std::optional<xmpp::Stanza> read = xmpp::read_stanza(message.stanza);
        if (!read || read->id() != retraction.original_id || !read->from() ||
            !read->from()->same_bare(retraction.sender) ||
            read->child("retract", xmpp::ns::retraction) != nullptr)
            return false;
        original = std::move(read);
        return true;
    };
    const auto found = TRY(archive.find_newest(owner, peer, kScanMax, is_original));
    if (!found || found->retracted) return std::nullopt;
    return Tombstone{owner, found->id, tombstone_of(*std::move(original), retraction)};
}

base::Result<std::vector<Tombstone>> find_all(storage::Transaction& transaction,
                                              const Retraction& retraction) {
    std::vector<Tombstone> tombstones;
    if (auto one = TRY(find(transaction, retraction, retraction.recipient, retraction.sender)))
        tombstones.push_back(*std::move(one));
    if (retraction.recipient == retraction.sender) return tombstones;
    if (auto one = TRY(find(transaction, retraction, retraction.sender, retraction.recipient)))
        tombstones.push_back(*std::move(one));
    return tombstones;
}

base::Result<void> put_all(storage::Transaction& transaction,
                           const std::vector<Tombstone>& tombstones) {
    for (const Tombstone& tombstone : tombstones) {
        const auto put =
            storage::Archive(transaction).replace(tombstone.owner, tombstone.id, tombstone.stanza);
        // It may have grown too old since.
        if (!put && !put.error().is(base::Errc::not_found)) return put;
    }
    return {};
}

class Retractions final : public Module {
public:
    explicit Retractions(ModuleContext& context)
        : context_(context),
          tombstones_(context.metrics.counter("module_retraction_tombstones_total",
                                              "Archived messages that gave way to a tombstone.")),
          refused_(context.metrics.counter(
              "module_retraction_refused_total",
              "Retractions without a tombstone, because too many came at a time.")),
          tasks_(context.world.reactor) {
        reload(context.config);
        subscriptions_ += context.disco.add_features([this] { return offered(kFeatures); });
        subscriptions_ +=
            context.disco.add_account_features([this] { return offered(kAccountFeatures); });
        subscriptions_ +=
            context.hooks.message_received.add(Stage::observe, [this](MessageEvent& event) {
                observe(event);
                return Verdict::proceed();
            });
    }

    void reload(const Config& config) override { enabled_ = config.get(keys::kArchiveEnabled); }

private:
    std::span<const std::string_view> offered(std::span<const std::string_view> features) const {
        return enabled_ ? features : std::span<const std::string_view>();
    }

    // A tombstone names the retraction, so one without an id has none (§4).
    void observe(const MessageEvent& event) {
        const xmpp::Stanza& message = event.stanza;
        if (event.id == 0 || message.id().empty() || !message.from()) return;
        const xmpp::Element* retract = message.child("retract", xmpp::ns::retraction);
        if (retract == nullptr || retract->attribute("id").empty()) return;
        if (!has_room(*message.from())) return;
        waiting_.push_back({.sender = message.from()->bare(),
                            .recipient = event.account.jid(),
                            .id = event.id,
                            .stanza_id = std::string(message.id()),
                            .original_id = std::string(retract->attribute("id"))});
        if (!std::exchange(working_, true)) tasks_.add("retractions", work());
    }

    bool has_room(const xmpp::Jid& sender) {
        const auto of_sender = std::ranges::count_if(
            waiting_, [&](const Retraction& one) { return one.sender.same_bare(sender); });
        if (waiting_.size() < kWaitingMax &&
            static_cast<std::size_t>(of_sender) < kWaitingOfSenderMax)
            return true;
        refused_.add();
        return false;
    }

    reactor::Deferred<void> work() {
        while (!waiting_.empty()) {
            Retraction next = std::move(waiting_.front());
            waiting_.pop_front();
            auto retracting = retract(std::move(next));
            const base::Result<void> done = co_await std::move(retracting);
            if (!done)
                context_.world.log.error("retraction.failed", {{"why", done.error().message()}});
        }
        working_ = false;
        co_return {};
    }

    reactor::Deferred<void> retract(Retraction retraction) {
        auto reading = context_.database.read(
            [retraction = std::move(retraction)](storage::Transaction& transaction) {
                return find_all(transaction, retraction);
            });
        base::Result<std::vector<Tombstone>> found = co_await std::move(reading);
        if (!found) co_return std::move(found).error();
        if (found->empty()) co_return {};
        const std::size_t count = found->size();
        auto writing = context_.database.write(
            [tombstones = *std::move(found)](storage::Transaction& transaction) {
                return put_all(transaction, tombstones);
            });
        const base::Result<void> put = co_await std::move(writing);
        if (put) tombstones_.add(count);
        co_return put;
    }

    ModuleContext context_;
    Counter& tombstones_;
    Counter& refused_;
    std::deque<Retraction> waiting_;
    bool working_ = false;
    bool enabled_ = true;
    Subscriptions subscriptions_;
    reactor::TaskSet tasks_;  // Last: ends before what the tasks use.
};

}  // namespace

ModuleDescriptor describe_retraction() {
    return {.name = "retraction",
            .xeps = {{424, "0.4.2", "Message Retraction"}},
            .features = {},
            .account_features = {},
            .needs = {"archive"},
            .config = {},
            .create = create_module<Retractions>};
}

}  // namespace server::modules
