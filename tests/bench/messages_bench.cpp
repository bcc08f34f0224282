// The message store: durable messages a second (both archives, one delivery, the sender's count,
// acknowledgements now and then) and pages of a large archive. The disk decides the first: compare
// runs on one machine only. Benchmarks with 1000000 in their name take minutes to prepare.
#include "storage/tables/archive.h"
#include "storage/tables/messages.h"
#include "storage/tables/messages_deliveries.h"
#include "storage/tables/sm_sessions.h"
#include "tests/bench/window.h"
#include "tests/storage/test_database.h"

#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace storage::test {
namespace {

constexpr std::int64_t kContacts = 10;
constexpr std::int64_t kPreparedInOneWrite = 5000;
const std::string kStanza(300, 'x');

double cpu_microseconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto in_microseconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return in_microseconds(usage.ru_utime) + in_microseconds(usage.ru_stime);
}

struct Chatter {
    xmpp::Jid jid;
    SmSessionKey session = 0;
    std::int64_t given = 0;
    std::uint32_t taken = 0;
};

/// What one message writes.
struct Write {
    std::vector<MessageCopy> copies;
    SmSessionKey sender = 0;
    std::uint32_t taken = 0;
    SmSessionKey recipient = 0;
    std::int64_t acknowledged = 0;  ///< 0: nothing.

    base::Result<MessageId> operator()(Transaction& t) const {
        const auto appended = TRY(Messages(t).append(kNow, kStanza, copies));
        TRY(SmSessions(t).set_taken(sender, taken));
        if (acknowledged > 0) TRY(Deliveries(t).acknowledge(recipient, acknowledged));
        return appended.id;
    }
};

/// Accounts that write to their contacts at random.
class Crowd {
public:
    Crowd(TestDatabase& database, std::int64_t accounts) {
        for (std::int64_t i = 0; i < accounts; ++i)
            chatters_.push_back({.jid = *xmpp::Jid::parse("user" + std::to_string(i) +
                                                          "@chat.example.org/Conversations.aB3d")});
        database.must([&](Transaction& t) -> base::Result<void> {
            for (Chatter& chatter : chatters_)
                chatter.session = TRY(SmSessions(t).create({.token = chatter.jid.text(),
                                                            .owner = chatter.jid,
                                                            .created_at = kNow,
                                                            .max_seconds = 600}));
            return {};
        });
    }

    Write next() {
        const std::size_t count = chatters_.size();
        const std::size_t from = random_() % count;
        const std::size_t to = (from + 1 + 7919 * (random_() % kContacts)) % count;
        Chatter& sender = chatters_[from];
        Chatter& recipient = chatters_[to == from ? (to + 1) % count : to];
        const std::int64_t sequence = ++recipient.given;
        return {.copies = {{.owner = sender.jid, .peer = recipient.jid, .outgoing = true},
                           {.owner = recipient.jid,
                            .peer = sender.jid,
                            .deliveries = {{.session = recipient.session, .sequence = sequence}}}},
                .sender = sender.session,
                .taken = ++sender.taken,
                .recipient = recipient.session,
                .acknowledged = sequence % 4 == 0 ? sequence - 1 : 0};
    }

private:
    std::vector<Chatter> chatters_;
    std::mt19937 random_{1};
};

/// Arguments: messages under way, accounts, messages there are before.
void durable_messages(benchmark::State& state) {
    const std::int64_t messages = 200 * state.range(0);
    TestDatabase database;
    Crowd crowd(database, state.range(1));
    for (std::int64_t prepared = 0; prepared < state.range(2); prepared += kPreparedInOneWrite)
        database.must([&](Transaction& t) -> base::Result<void> {
            for (std::int64_t i = 0; i < kPreparedInOneWrite; ++i)
                TRY(crowd.next()(t));
            return {};
        });
    const Statistics before = database->statistics();
    const double cpu_before = cpu_microseconds();
    for (auto _ : state) {
        Window window(database.loop, [&] { return database->write(crowd.next()); }, messages);
        window.run(state.range(0));
    }
    const Statistics after = database->statistics();
    const auto done = static_cast<double>(state.iterations() * messages);
    state.SetItemsProcessed(state.iterations() * messages);
    state.counters["cpu_us"] = (cpu_microseconds() - cpu_before) / done;
    state.counters["batch"] =
        done / static_cast<double>(std::max<std::uint64_t>(after.commits - before.commits, 1));
}
BENCHMARK(durable_messages)
    ->ArgNames({"outstanding", "accounts", "archived"})
    ->Args({64, 2000, 0})
    ->Args({256, 200, 0})
    ->Args({256, 2000, 0})
    ->Args({256, 20'000, 0})
    ->Args({64, 2000, 1'000'000})
    ->Args({256, 2000, 1'000'000})
    ->Args({256, 20'000, 1'000'000})
    ->Iterations(1)
    ->UseRealTime();

/// One archive with everything: half of it with one peer, a five-thousandth with another, the rest
/// with a hundred; a message each second.
class LargeArchive {
public:
    explicit LargeArchive(std::int64_t messages) : messages_(messages) {
        std::mt19937 random(2);
        for (std::int64_t prepared = 0; prepared < messages; prepared += kPreparedInOneWrite)
            database_.must([&](Transaction& t) -> base::Result<void> {
                for (std::int64_t i = prepared; i < prepared + kPreparedInOneWrite; ++i)
                    TRY(append(t, i, random()));
                return {};
            });
        // As on a server that was started again: nothing is in memory but by reading.
        database_.close();
        database_.open();
    }

    static LargeArchive& of(std::int64_t messages) {
        static std::map<std::int64_t, std::unique_ptr<LargeArchive>> archives;
        auto& archive = archives[messages];
        if (!archive) archive = std::make_unique<LargeArchive>(messages);
        return *archive;
    }

    TestDatabase& database() { return database_; }
    const xmpp::Jid& owner() const { return owner_; }
    MessageId id_of(std::int64_t number) const { return kNow.microseconds + number * 1'000'000; }
    MessageId any_id() {
        return id_of(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(messages_)));
    }
    base::WallTime any_time() { return {any_id() - static_cast<std::int64_t>(random_() % 1000)}; }
    static xmpp::Jid peer(std::int64_t number, const std::string& resource) {
        return *xmpp::Jid::parse("peer" + std::to_string(number) + "@example.net" + resource);
    }

private:
    base::Result<void> append(Transaction& t, std::int64_t number, std::uint64_t random) {
        std::int64_t other = static_cast<std::int64_t>(random % 200);
        if (other > 100) other = 0;
        if (number % 5000 == 77) other = 101;
        const std::vector<MessageCopy> copies{
            {.owner = owner_, .peer = peer(other, random % 64 == 0 ? "/rare" : "/phone")}};
        const auto appended = TRY(Messages(t).append({id_of(number)}, kStanza, copies));
        if (appended.id != id_of(number)) return base::fail(base::Errc::internal);
        return {};
    }

    std::int64_t messages_;
    TestDatabase database_;
    const xmpp::Jid owner_ = *xmpp::Jid::parse("juliet@capulet.example");
    std::mt19937_64 random_{3};
};

template <class MakeQuery>
void pages(benchmark::State& state, MakeQuery make) {
    LargeArchive& archive = LargeArchive::of(state.range(0));
    std::size_t found = 0;
    const double cpu_before = cpu_microseconds();
    for (auto _ : state) {
        const ArchiveQuery query = make(archive);
        const auto page = archive.database().read(
            [&](Transaction& t) { return Archive(t).page(archive.owner(), query); });
        if (!page) return state.SkipWithError(page.error().message().c_str());
        found += page->messages.size();
    }
    state.SetItemsProcessed(state.iterations());
    const auto done = static_cast<double>(state.iterations());
    state.counters["cpu_us"] = (cpu_microseconds() - cpu_before) / done;
    state.counters["found"] = static_cast<double>(found) / done;
}

void page_by_id(benchmark::State& state) {
    pages(state, [](LargeArchive& a) { return ArchiveQuery{.after = a.any_id()}; });
}
void page_by_time(benchmark::State& state) {
    pages(state, [](LargeArchive& a) { return ArchiveQuery{.start = a.any_time()}; });
}
void page_backwards(benchmark::State& state) {
    pages(state, [](LargeArchive& a) { return ArchiveQuery{.before = a.any_id()}; });
}
void page_at_the_end(benchmark::State& state) {
    pages(state, [](LargeArchive&) { return ArchiveQuery{.last_page = true, .want_count = true}; });
}
void page_of_500(benchmark::State& state) {
    pages(state, [](LargeArchive& a) { return ArchiveQuery{.after = a.any_id(), .max = 500}; });
}
void page_with_one_of_a_hundred(benchmark::State& state) {
    pages(state, [](LargeArchive& a) {
        return ArchiveQuery{.with = LargeArchive::peer(42, ""), .before = a.any_id()};
    });
}
void page_with_a_frequent_peer(benchmark::State& state) {
    pages(state, [](LargeArchive& a) {
        return ArchiveQuery{.with = LargeArchive::peer(0, ""), .start = a.any_time()};
    });
}
void page_with_a_rare_peer(benchmark::State& state) {
    pages(state, [](LargeArchive& a) {
        return ArchiveQuery{.with = LargeArchive::peer(101, ""), .after = a.any_id()};
    });
}
void page_with_a_full_address(benchmark::State& state) {
    pages(state, [](LargeArchive& a) {
        return ArchiveQuery{.with = LargeArchive::peer(0, "/phone"), .after = a.any_id()};
    });
}
void page_with_a_rare_resource(benchmark::State& state) {
    pages(state, [](LargeArchive& a) {
        return ArchiveQuery{.with = LargeArchive::peer(0, "/rare"), .after = a.any_id()};
    });
}
void archive_ends(benchmark::State& state) {
    LargeArchive& archive = LargeArchive::of(state.range(0));
    for (auto _ : state)
        if (!archive.database().read(
                [&](Transaction& t) { return Archive(t).ends(archive.owner()); }))
            return state.SkipWithError("no ends");
    state.SetItemsProcessed(state.iterations());
}

void small_and_large(benchmark::internal::Benchmark* pages) {
    pages->ArgName("archived")->Arg(20'000)->Arg(10'000'000)->UseRealTime();
}
BENCHMARK(page_by_id)->Apply(small_and_large);
BENCHMARK(page_by_time)->Apply(small_and_large);
BENCHMARK(page_backwards)->Apply(small_and_large);
BENCHMARK(page_at_the_end)->Apply(small_and_large);
BENCHMARK(page_of_500)->Apply(small_and_large);
BENCHMARK(page_with_one_of_a_hundred)->Apply(small_and_large);
BENCHMARK(page_with_a_frequent_peer)->Apply(small_and_large);
BENCHMARK(page_with_a_rare_peer)->Apply(small_and_large);
BENCHMARK(page_with_a_full_address)->Apply(small_and_large);
BENCHMARK(page_with_a_rare_resource)->Apply(small_and_large);
BENCHMARK(archive_ends)->Apply(small_and_large);

}  // namespace
}  // namespace storage::test
