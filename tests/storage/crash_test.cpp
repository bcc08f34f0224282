// SIGKILL: a child process writes through a real Database and reports each answer on a pipe; it is
// killed in the middle, many times. Whatever was reported must be there, in order, once.
#include "storage/tables/catalog.h"
#include "storage/tables/messages_deliveries.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <random>
#include <string>
#include <vector>

namespace storage::test {
namespace {

using base::Result;

constexpr int kKills = 25;
constexpr int kOutstanding = 32;
constexpr OfflineQueueLimits kNoLimits{.messages_max = 10'000'000, .bytes_max = 1LL << 40};

xmpp::Jid account() {
    return *xmpp::Jid::parse("juliet@capulet.example");
}

auto append(std::int64_t number) {
    return [number](Transaction& t) {
        const std::vector<MessageCopy> copies = {
            {.owner = account(), .peer = account(), .archived = false, .deliveries = {{}}}};
        return Messages(t, kNoLimits).append(kNow, std::to_string(number), copies);
    };
}

/// Keeps writes outstanding and reports each number when its answer comes.
class Writer {
public:
    Writer(Database& database, int report, std::int64_t first)
        : database_(database), report_(report), next_(first) {}

    void start_one() {
        const std::int64_t number = next_++;
        database_.write(append(number))
            .both([this, number](Result<Appended> appended) {
                if (!appended) _exit(3);
                if (write(report_, &number, sizeof number) != sizeof number) _exit(4);
                start_one();
            })
            .detach("crash test");
    }

private:
    Database& database_;
    int report_;
    std::int64_t next_;
};

[[noreturn]] void write_until_killed(const std::string& path, int report, std::int64_t first) {
    const DatabaseOptions options{.path = path, .stores = all_stores(), .now = kNow};
    auto database = open_database(options);
    if (!database) _exit(2);
    Loop loop;
    Writer writer(**database, report, first);
    {
        reactor::Reactor::Scope scope(loop.reactor());
        for (int i = 0; i < kOutstanding; ++i)
            writer.start_one();
    }
    loop.reactor().run();
    _exit(5);
}

/// Everything stored must be 0, 1, 2 …; yields how many.
std::int64_t check_stored(TestDatabase& database) {
    std::int64_t expected = 0;
    MessageId after = 0;
    for (;;) {
        const auto page = database.read([&](Transaction& t) {
            return Deliveries(t).offline_page(account(), after, kDeliveryPageMax, kNow);
        });
        if (!page) {
            ADD_FAILURE() << page.error().message();
            return -1;
        }
        if (page->empty()) break;
        for (const Delivery& each : *page) {
            EXPECT_EQ(each.stanza, std::to_string(expected));
            ++expected;
        }
        after = page->back().id;
    }
    const auto totals =
        database.read([](Transaction& t) { return Deliveries(t).offline_totals(account()); });
    EXPECT_EQ(totals.value_or(OfflineQueueTotals{}).messages, expected);
    return expected;
}

/// Starts a child, reads `reports` of its answers, kills it, reads the rest; yields all answers.
std::vector<std::int64_t> run_and_kill(const std::string& path, std::int64_t first,
                                       std::size_t reports) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(path, ends[1], first);
    }
    close(ends[1]);
    std::vector<std::int64_t> answered;
    std::int64_t number = 0;
    while (read(ends[0], &number, sizeof number) == sizeof number) {
        answered.push_back(number);
        if (answered.size() == reports) kill(child, SIGKILL);
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    return answered;
}

TEST(Crash, keeps_every_answered_write_in_order_when_the_process_is_killed) {
    TestDatabase database;
    std::minstd_rand random(20'260'101);
    std::int64_t stored = 0;
    for (int round = 0; round < kKills && !testing::Test::HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        database.close();
        const std::size_t reports = 1 + random() % 300;
        const auto answered = run_and_kill(database.options.path, stored, reports);
        for (const std::int64_t number : answered)
            ASSERT_EQ(number, stored++);
        database.open();
        const std::int64_t now_stored = check_stored(database);
        EXPECT_GE(now_stored, stored);
        EXPECT_LE(now_stored, stored + kOutstanding);
        stored = now_stored;
        std::string integrity;
        EXPECT_TRUE(database.read([&](Transaction& t) {
            return t.query("PRAGMA integrity_check", {},
                           [&](const Row& row) { integrity += row.text(0); });
        }));
        EXPECT_EQ(integrity, "ok");
    }
    EXPECT_GT(stored, kKills);
}

}  // namespace
}  // namespace storage::test
