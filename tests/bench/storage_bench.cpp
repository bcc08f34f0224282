// Durable writes a second with 1 to 256 outstanding (group commit), reads a second, and the time to
// open a database of many accounts. The disk decides: compare runs on one machine only.
#include "allocations.h"
#include "storage/tables/catalog.h"
#include "storage/tables/messages.h"
#include "storage/tables/users.h"
#include "tests/bench/window.h"
#include "tests/storage/test_database.h"

#include <benchmark/benchmark.h>
#include <memory>
#include <string>
#include <vector>

namespace storage::test {
namespace {

constexpr OfflineQueueLimits kNoLimits{.messages_max = 1LL << 40, .bytes_max = 1LL << 50};

void durable_writes(benchmark::State& state) {
    const std::int64_t writes = 20 * state.range(0);
    TestDatabase database;
    const auto account = *xmpp::Jid::parse("juliet@capulet.example");
    const std::string stanza(300, 'x');
    {
        const bench::CountAllocations counting(state, writes);
        for (auto _ : state) {
            Window window(
                database.loop,
                [&] {
                    return database->write([account, stanza](Transaction& t) {
                        const std::vector<MessageCopy> copies = {{.owner = account,
                                                                  .peer = account,
                                                                  .archived = false,
                                                                  .deliveries = {{}}}};
                        return Messages(t, kNoLimits).append(kNow, stanza, copies);
                    });
                },
                writes);
            window.run(state.range(0));
        }
    }
    state.SetItemsProcessed(state.iterations() * writes);
    const Statistics statistics = database->statistics();
    state.counters["batch"] = static_cast<double>(statistics.writes) /
                              static_cast<double>(std::max<std::uint64_t>(statistics.commits, 1));
}
BENCHMARK(durable_writes)->RangeMultiplier(4)->Range(1, 256)->UseRealTime();

void read_accounts(benchmark::State& state) {
    const std::int64_t reads = 20 * state.range(0);
    TestDatabase database;
    const auto account = *xmpp::Jid::parse("juliet@capulet.example");
    database.must([&](Transaction& t) { return Users(t).create(account, {}, kNow); });
    {
        const bench::CountAllocations counting(state, reads);
        for (auto _ : state) {
            Window window(
                database.loop,
                [&] {
                    return database->read(
                        [account](Transaction& t) { return Users(t).find(account); });
                },
                reads);
            window.run(state.range(0));
        }
    }
    state.SetItemsProcessed(state.iterations() * reads);
}
BENCHMARK(read_accounts)->RangeMultiplier(8)->Range(1, 64)->UseRealTime();

void open_with_accounts(benchmark::State& state) {
    TestDatabase database;
    const auto accounts = static_cast<int>(state.range(0));
    const ScramKeys keys{.salt = std::string(16, 's'),
                         .iterations = 10'000,
                         .stored_key = std::string(32, 'k'),
                         .server_key = std::string(32, 'k')};
    for (int first = 0; first < accounts; first += 1000)
        database.must([&](Transaction& t) -> base::Result<void> {
            for (int i = first; i < first + 1000; ++i) {
                const auto account = xmpp::Jid::parse("user" + std::to_string(i) + "@big.example");
                TRY(Users(t).create(*account, {keys, keys, keys}, kNow));
            }
            return {};
        });
    for (auto _ : state) {
        state.PauseTiming();
        database.close();
        state.ResumeTiming();
        database.open();
        database.read(
            [](Transaction& t) { return Users(t).find(*xmpp::Jid::parse("user777@big.example")); });
    }
}
BENCHMARK(open_with_accounts)
    ->Arg(1000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(5);

}  // namespace
}  // namespace storage::test
