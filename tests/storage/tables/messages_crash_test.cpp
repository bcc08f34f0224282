// SIGKILL while messages are appended together with the count of what was taken from their sender:
// what was answered is there, in both archives and the recipient's deliveries, once and in order,
// and the count is exactly that of the messages that are there.
#include "storage/tables/catalog.h"
#include "tests/storage/tables/message_store.h"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <random>

namespace storage::test {
namespace {

using base::Result;

constexpr int kKills = 20;
constexpr int kOutstanding = 32;
constexpr std::int64_t kRecentRows = 64;

const xmpp::Jid& romeo() {
    static const xmpp::Jid jid = test::jid("romeo@montague.example/orchard");
    return jid;
}

const xmpp::Jid& juliet() {
    static const xmpp::Jid jid = test::jid("juliet@capulet.example/balcony");
    return jid;
}

struct Sessions {
    SmSessionKey romeo = 0;
    SmSessionKey juliet = 0;
};

auto append(Sessions sessions, std::int64_t number) {
    return [sessions, number](Transaction& t) -> Result<MessageId> {
        const std::vector<MessageCopy> copies{
            {.owner = romeo(), .peer = juliet(), .outgoing = true},
            {.owner = juliet(),
             .peer = romeo(),
             .deliveries = {{.session = sessions.juliet, .sequence = number + 1}}}};
        const auto appended =
            TRY(Messages(t, {}, kRecentRows).append(kNow, std::to_string(number), copies));
        TRY(SmSessions(t).set_taken(sessions.romeo, static_cast<std::uint32_t>(number + 1)));
        return appended.id;
    };
}

/// Keeps messages under way and reports each number when its answer comes.
class Sender {
public:
    Sender(Database& database, Sessions sessions, int report, std::int64_t first)
        : database_(database), sessions_(sessions), report_(report), next_(first) {}

    void start_one() {
        const std::int64_t number = next_++;
        database_.write(append(sessions_, number))
            .both([this, number](Result<MessageId> id) {
                if (!id) _exit(3);
                if (write(report_, &number, sizeof number) != sizeof number) _exit(4);
                start_one();
            })
            .detach("crash test");
    }

private:
    Database& database_;
    Sessions sessions_;
    int report_;
    std::int64_t next_;
};

[[noreturn]] void send_until_killed(const std::string& path, Sessions sessions, int report,
                                    std::int64_t first) {
    const DatabaseOptions options{.path = path, .stores = all_stores(), .now = kNow};
    auto database = open_database(options);
    if (!database) _exit(2);
    Loop loop;
    Sender sender(**database, sessions, report, first);
    {
        reactor::Reactor::Scope scope(loop.reactor());
        for (int i = 0; i < kOutstanding; ++i)
            sender.start_one();
    }
    loop.reactor().run();
    _exit(5);
}

/// Starts a child, reads `reports` of its answers, kills it, reads the rest; yields how many.
std::int64_t run_and_kill(const std::string& path, Sessions sessions, std::int64_t first,
                          std::int64_t reports) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        send_until_killed(path, sessions, ends[1], first);
    }
    close(ends[1]);
    std::int64_t answered = 0;
    std::int64_t number = 0;
    while (read(ends[0], &number, sizeof number) == sizeof number) {
        EXPECT_EQ(number, first + answered);
        if (++answered == reports) kill(child, SIGKILL);
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    return answered;
}

/// Everything in the archive must be 0, 1, 2 …; yields how many.
std::int64_t count_archived(TestDatabase& database, const xmpp::Jid& owner) {
    std::int64_t count = 0;
    ArchiveQuery query{.max = kArchivePageMax};
    for (bool complete = false; !complete;) {
        const auto page =
            database.must([&](Transaction& t) { return Archive(t).page(owner, query); });
        for (const ArchivedMessage& message : page.messages) {
            EXPECT_EQ(message.stanza, std::to_string(count));
            ++count;
        }
        if (!page.messages.empty()) query.after = page.messages.back().id;
        complete = page.complete;
    }
    return count;
}

/// The same of the session's deliveries.
std::int64_t count_given(TestDatabase& database, SmSessionKey session) {
    std::int64_t count = 0;
    for (;;) {
        const auto page = database.must([&](Transaction& t) {
            return Deliveries(t).unacknowledged(session, count, kDeliveryPageMax);
        });
        if (page.empty()) return count;
        for (const Delivery& delivery : page) {
            EXPECT_EQ(delivery.stanza, std::to_string(count));
            EXPECT_EQ(delivery.sequence, ++count);
        }
    }
}

TEST(MessagesCrash, loses_nothing_that_was_answered_and_counts_exactly_what_is_there) {
    TestDatabase database;
    const auto create = [&](const char* token, const xmpp::Jid& owner) {
        return database.must(
            [&](Transaction& t) { return SmSessions(t).create({token, owner, kNow, 600}); });
    };
    const Sessions sessions{.romeo = create("romeo", romeo()),
                            .juliet = create("juliet", juliet())};
    std::minstd_rand random(20'260'102);
    std::int64_t stored = 0;
    for (int round = 0; round < kKills && !testing::Test::HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        database.close();
        const auto reports = static_cast<std::int64_t>(1 + random() % 200);
        stored += run_and_kill(database.options.path, sessions, stored, reports);
        database.open();
        const std::int64_t sent = count_archived(database, romeo());
        EXPECT_GE(sent, stored);
        EXPECT_LE(sent, stored + kOutstanding);
        EXPECT_EQ(count_archived(database, juliet()), sent);
        EXPECT_EQ(count_given(database, sessions.juliet), sent);
        const auto session =
            database.must([](Transaction& t) { return SmSessions(t).find("romeo"); });
        EXPECT_EQ(session->taken, sent);
        EXPECT_EQ(find_contradiction(database), "");
        stored = sent;
    }
    EXPECT_GT(stored, kKills);
}

}  // namespace
}  // namespace storage::test
