// Random work on the message store beside a model of it in vectors: after each step both must give
// the same pages, and the tables must not contradict each other. A failure names its seed.
#include "tests/storage/tables/message_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>

namespace storage::test {
namespace {

constexpr int kSteps = 400;
constexpr std::int64_t kRecentRows = 12;

struct ModelRow {
    MessageId id = 0;
    xmpp::Jid peer;
    bool groupchat = false;
    bool retracted = false;
    std::string stanza;
};

struct ModelDelivery {
    MessageId id = 0;
    bool archived = false;
    bool kept = false;
    std::string stanza;
};

struct ModelAccount {
    xmpp::Jid jid;
    std::vector<ModelRow> archive = {};
    std::map<MessageId, ModelDelivery> offline = {};
    SmSessionKey session = 0;
    std::int64_t sequence = 0;
    std::map<std::int64_t, ModelDelivery> given = {};
};

class Model {
public:
    explicit Model(unsigned seed) : random_(seed) {
        for (ModelAccount& account : accounts_)
            renew_session(account);
    }

    void run() {
        for (int step = 0; step < kSteps && !testing::Test::HasFailure(); ++step) {
            SCOPED_TRACE("step " + std::to_string(step));
            act();
            compare(accounts_[below(accounts_.size())]);
            if (step % 20 == 0) {
                ASSERT_EQ(find_contradiction(database_), "");
            }
        }
        for (const ModelAccount& account : accounts_)
            compare(account);
        EXPECT_EQ(find_contradiction(database_), "");
    }

private:
    std::size_t below(std::size_t count) { return random_() % count; }
    bool chance(unsigned percent) { return random_() % 100 < percent; }
    ModelAccount& any() { return accounts_[below(accounts_.size())]; }

    void act() {
        const std::size_t what = below(100);
        if (what < 60) return append();
        if (what < 70) return acknowledge(any());
        if (what < 75) return remove_delivered(any());
        if (what < 80) return end_session(any());
        if (what < 86) return retract(any());
        if (what < 91) return hand_over(any());
        expire(any());
    }

    void append() {
        const std::size_t from = below(accounts_.size());
        const std::size_t to = (from + 1 + below(accounts_.size() - 1)) % accounts_.size();
        const std::string stanza = std::to_string(++stanzas_);
        const bool groupchat = chance(20);
        std::vector<MessageCopy> copies{copy(accounts_[from], accounts_[to], true, groupchat),
                                        copy(accounts_[to], accounts_[from], false, groupchat)};
        if (chance(20)) copies.pop_back();
        const MessageId id =
            database_
                .must([&](Transaction& t) {
                    return Messages(t, kNoQueueLimits, kRecentRows).append(clock_, stanza, copies);
                })
                .id;
        clock_.microseconds += static_cast<std::int64_t>(below(5)) - 1;
        keep(accounts_[from], copies[0], id, stanza);
        if (copies.size() > 1) keep(accounts_[to], copies[1], id, stanza);
    }

    MessageCopy copy(ModelAccount& owner, const ModelAccount& peer, bool outgoing, bool groupchat) {
        MessageCopy copy{.owner = owner.jid,
                         .peer = peer.jid,
                         .outgoing = outgoing,
                         .groupchat = groupchat,
                         .archived = chance(80)};
        if (chance(30)) copy.deliveries.push_back({});
        if (chance(50) || (!copy.archived && copy.deliveries.empty()))
            copy.deliveries.push_back(
                {.session = owner.session, .sequence = ++owner.sequence, .kept = chance(70)});
        return copy;
    }

    static void keep(ModelAccount& owner, const MessageCopy& copy, MessageId id,
                     const std::string& stanza) {
        if (copy.archived)
            owner.archive.push_back(
                {.id = id, .peer = copy.peer, .groupchat = copy.groupchat, .stanza = stanza});
        for (const NewDelivery& delivery : copy.deliveries) {
            const ModelDelivery kept{id, copy.archived, delivery.kept, stanza};
            if (delivery.session == kOfflineQueue) {
                owner.offline[id] = kept;
            } else {
                owner.given[delivery.sequence] = kept;
            }
        }
    }

    void acknowledge(ModelAccount& account) {
        const std::int64_t through = account.sequence - static_cast<std::int64_t>(below(4));
        database_.must(
            [&](Transaction& t) { return Deliveries(t).acknowledge(account.session, through); });
        std::erase_if(account.given, [&](const auto& each) { return each.first <= through; });
    }

    void remove_delivered(ModelAccount& account) {
        Ids ids;
        for (const auto& [id, delivery] : account.offline)
            if (chance(50)) ids.push_back(id);
        database_.must(
            [&](Transaction& t) { return Deliveries(t).remove_delivered(account.jid, ids); });
        for (const MessageId id : ids)
            account.offline.erase(id);
    }

    void end_session(ModelAccount& account) {
        database_.must([&](Transaction& t) -> base::Result<void> {
            TRY(Deliveries(t, kNoQueueLimits).move_to_offline(account.session, std::nullopt));
            TRY(SmSessions(t).remove(account.session));
            return {};
        });
        for (const auto& [sequence, delivery] : account.given)
            if (delivery.kept) account.offline.emplace(delivery.id, delivery);
        renew_session(account);
    }

    void renew_session(ModelAccount& account) {
        account.given.clear();
        account.session = database_.must([&](Transaction& t) {
            return SmSessions(t).create(
                {.token = std::to_string(++tokens_), .owner = account.jid, .created_at = kNow});
        });
    }

    void retract(ModelAccount& account) {
        if (account.archive.empty()) return;
        ModelRow& row = account.archive[below(account.archive.size())];
        row.retracted = true;
        row.stanza = "tomb " + std::to_string(++stanzas_);
        database_.must(
            [&](Transaction& t) { return Archive(t).replace(account.jid, row.id, row.stanza); });
        if (const auto found = account.offline.find(row.id); found != account.offline.end())
            found->second.stanza = row.stanza;
        for (auto& [sequence, delivery] : account.given)
            if (delivery.id == row.id) delivery.stanza = row.stanza;
    }

    void hand_over(ModelAccount& account) {
        if (account.offline.empty()) return;
        const ModelDelivery first = account.offline.begin()->second;
        const std::vector<HandOver> messages{{first.id, ++account.sequence}};
        database_.must([&](Transaction& t) {
            return Deliveries(t).hand_over(account.jid, account.session, messages);
        });
        account.offline.erase(first.id);
        account.given[account.sequence] = {first.id, first.archived, true, first.stanza};
    }

    void expire(ModelAccount& account) {
        const ArchiveRetention retention{.messages_max = below(60)};
        database_.must([&](Transaction& t) -> base::Result<void> {
            const auto page = TRY(Archive(t).excess(retention, 0));
            for (const ArchiveExcess& each : page.excess) {
                const auto owner =
                    TRY(t.first("SELECT jid FROM message_owners WHERE owner = $1", {each.archive},
                                [](const Row& row) { return std::string(row.text(0)); }));
                if (owner == account.jid.bare_view())
                    TRY(Archive(t).remove_through(each.archive, each.through, 1000));
            }
            return {};
        });
        const auto left = static_cast<std::size_t>(*retention.messages_max);
        while (account.archive.size() > left) {
            const ModelRow& row = account.archive.front();
            free_deliveries(account.offline, row);
            free_deliveries(account.given, row);
            account.archive.erase(account.archive.begin());
        }
    }

    template <class Queue>
    static void free_deliveries(Queue& queue, const ModelRow& row) {
        std::erase_if(queue,
                      [&](const auto& each) { return each.second.id == row.id && row.retracted; });
        for (auto& [key, delivery] : queue)
            if (delivery.id == row.id) delivery.archived = false;
    }

    void compare(const ModelAccount& account) {
        compare_deliveries(account);
        for (int i = 0; i < 4; ++i)
            compare_page(account, any_query(account));
    }

    void compare_deliveries(const ModelAccount& account) {
        const auto given = database_.must([&](Transaction& t) {
            return Deliveries(t).unacknowledged(account.session, 0, kDeliveryPageMax);
        });
        const auto waiting = database_.must([&](Transaction& t) {
            return Deliveries(t).offline_page(account.jid, 0, kDeliveryPageMax, kNow);
        });
        compare_queue(given, account.given);
        compare_queue(waiting, account.offline);
    }

    template <class Queue>
    static void compare_queue(const std::vector<Delivery>& stored, const Queue& queue) {
        ASSERT_EQ(stored.size(), queue.size());
        auto expected = queue.begin();
        for (const Delivery& delivery : stored) {
            EXPECT_EQ(delivery.id, expected->second.id);
            EXPECT_EQ(delivery.archived, expected->second.archived);
            EXPECT_EQ(delivery.stanza, expected->second.stanza);
            ++expected;
        }
    }

    ArchiveQuery any_query(const ModelAccount& account) {
        ArchiveQuery query{.groupchat = !chance(20),
                           .max = static_cast<std::uint32_t>(below(30)),
                           .want_count = chance(50)};
        if (chance(50)) query.with = chance(70) ? any().jid.bare() : any().jid;
        const auto some_id = [&] { return account.archive[below(account.archive.size())].id; };
        if (account.archive.empty()) return query;
        if (chance(20)) query.start = time_of(some_id());
        if (chance(20)) query.end = time_of(some_id());
        if (chance(10)) query.after_id = some_id();
        if (chance(10)) query.before_id = some_id();
        if (chance(10)) query.ids = Ids{some_id(), some_id(), some_id()};
        const std::size_t direction = below(4);
        if (direction == 1) query.after = some_id();
        if (direction == 2) query.before = some_id();
        query.last_page = direction == 3;
        return query;
    }

    static bool matches(const ModelRow& row, const ArchiveQuery& query) {
        if (query.with &&
            (query.with->is_full() ? row.peer != *query.with : !row.peer.same_bare(*query.with)))
            return false;
        if (query.start && row.id < query.start->microseconds) return false;
        if (query.end && row.id > query.end->microseconds) return false;
        if (query.after_id && row.id <= *query.after_id) return false;
        if (query.before_id && row.id >= *query.before_id) return false;
        if (query.ids && std::ranges::find(*query.ids, row.id) == query.ids->end()) return false;
        return query.groupchat || !row.groupchat;
    }

    void compare_page(const ModelAccount& account, const ArchiveQuery& query) {
        std::vector<ModelRow> expected;
        std::int64_t count = 0;
        for (const ModelRow& row : account.archive) {
            if (!matches(row, query)) continue;
            ++count;
            if (query.after && row.id <= *query.after) continue;
            if (query.before && row.id >= *query.before) continue;
            expected.push_back(row);
        }
        const bool complete = expected.size() <= query.max;
        if (!complete && (query.before || query.last_page)) {
            expected.erase(expected.begin(), expected.end() - query.max);
        } else if (!complete) {
            expected.resize(query.max);
        }
        const auto page =
            database_.must([&](Transaction& t) { return Archive(t).page(account.jid, query); });
        ASSERT_EQ(page.messages.size(), expected.size());
        EXPECT_EQ(page.complete, complete);
        if (page.count) {
            EXPECT_EQ(*page.count, count);
        }
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_EQ(page.messages[i].id, expected[i].id);
            EXPECT_EQ(page.messages[i].stanza, expected[i].stanza);
            EXPECT_EQ(page.messages[i].retracted, expected[i].retracted);
        }
    }

    TestDatabase database_{Engine::inline_memory};
    std::minstd_rand random_;
    base::WallTime clock_ = kNow;
    int stanzas_ = 0;
    int tokens_ = 0;
    std::array<ModelAccount, 4> accounts_{{{.jid = jid("a@one.example/x")},
                                           {.jid = jid("b@one.example/x")},
                                           {.jid = jid("b@two.example/y")},
                                           {.jid = jid("c@two.example/x")}}};
};

TEST(MessagesModel, says_what_the_store_says) {
    for (unsigned seed = 1; seed <= 12 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Model(seed).run();
    }
}

}  // namespace
}  // namespace storage::test
