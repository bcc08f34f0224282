// What an operator meets: full disks, locks, damaged files, folders that cannot be written. Each
// gets a code and a sentence that names the file and the mend.
#include "storage/shapes.h"
#include "storage/sqlite/connection.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

auto put(std::string key, std::string value = "x") {
    return [key = std::move(key), value = std::move(value)](Transaction& t) {
        return MapStore(t, "test", 100'000).put("owner", key, value);
    };
}

std::int64_t count(TestDatabase& database) {
    return database.read([](Transaction& t) { return MapStore(t, "test").count("owner"); })
        .value_or(-1);
}

/// The failure of opening `options` on threads and inline, which must agree.
base::Failure open_failure(const DatabaseOptions& options) {
    const auto inline_opened = make_inline_database(options);
    const auto opened = open_database(options);
    if (opened || inline_opened) {
        ADD_FAILURE() << "it opened";
        return Errc::internal;
    }
    EXPECT_EQ(opened.error().message(), inline_opened.error().message());
    return opened.error();
}

bool mentions(const base::Failure& failure, std::string_view text) {
    return failure.detail().find(text) != std::string_view::npos;
}

TEST(Failures, refuses_writes_when_the_size_limit_is_reached_and_goes_on_when_room_is_made) {
    TestDatabase database;
    database.close();
    database.options.size_bytes_max = base::operator""_KiB(512);
    database.open();
    const std::string big(base::operator""_KiB(16), 'x');
    int stored = 0;
    Result<void> last;
    while (stored < 1000 && (last = database.write(put(std::to_string(stored), big))))
        ++stored;
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error().code(), Errc::no_space);
    EXPECT_TRUE(mentions(last.error(), database.options.path)) << last.error().message();
    EXPECT_TRUE(mentions(last.error(), "free disk space")) << last.error().message();
    EXPECT_GT(stored, 10);
    EXPECT_EQ(count(database), stored);
    database.must([](Transaction& t) { return MapStore(t, "test").replace("owner", {}); });
    EXPECT_TRUE(database.write(put("again", big)));
}

TEST(Failures, fails_all_that_sqlite_undid_when_the_disk_is_full_in_the_middle_of_a_batch) {
    TestDatabase database(Engine::inline_file);
    database.close();
    database.options.size_bytes_max = base::operator""_KiB(256);
    database.open();
    const std::string big(base::operator""_KiB(64), 'x');
    std::vector<Result<void>> answers;
    {
        reactor::Reactor::Scope scope(database.loop.reactor());
        for (int i = 0; i < 8; ++i)
            database->write(put(std::to_string(i), i < 6 ? big : "small"))
                .both([&](Result<void> answer) {
                    answers.push_back(std::move(answer));
                    if (answers.size() == 8) database.loop.reactor().stop();
                })
                .detach("test");
    }
    database.loop.reactor().run();
    std::int64_t succeeded = 0;
    for (const auto& answer : answers) {
        if (answer)
            ++succeeded;
        else
            EXPECT_EQ(answer.error().code(), Errc::no_space);
    }
    EXPECT_LT(succeeded, 8);
    EXPECT_EQ(count(database), succeeded);
}

TEST(Failures, refuses_a_database_that_another_server_has_open) {
    TestDatabase database;
    const auto failure = open_failure(database.options);
    EXPECT_EQ(failure.code(), Errc::busy);
    EXPECT_TRUE(mentions(failure, database.options.path));
    EXPECT_TRUE(mentions(failure, "stop the other server")) << failure.message();
}

TEST(Failures, says_so_when_another_program_locks_the_database) {
    TestDatabase database;
    database.close();
    database.options.busy_timeout_ms = 1;
    database.open();
    auto other = sqlite::Connection::open({.path = database.options.path});
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->execute("BEGIN IMMEDIATE"));
    const auto result = database.write(put("a"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::busy);
    EXPECT_TRUE(mentions(result.error(), "locked by another process")) << result.error().message();
    EXPECT_EQ(count(database), 0);
    ASSERT_TRUE((*other)->execute("ROLLBACK"));
    EXPECT_TRUE(database.write(put("a")));
}

TEST(Failures, refuses_to_open_a_file_that_another_program_holds_exclusively) {
    TestDatabase database;
    database.close();
    database.options.busy_timeout_ms = 1;
    auto other = sqlite::Connection::open({.path = database.options.path});
    ASSERT_TRUE(other);
    ASSERT_TRUE((*other)->execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE"));
    EXPECT_EQ(open_failure(database.options).code(), Errc::busy);
}

TEST(Failures, refuses_a_file_that_is_no_database) {
    TemporaryFolder folder;
    const std::string path = folder.file("letter.txt");
    std::ofstream(path) << std::string(10'000, 'a');
    const auto failure = open_failure({.path = path, .stores = {}, .now = kNow});
    EXPECT_EQ(failure.code(), Errc::corrupt);
    EXPECT_TRUE(mentions(failure, path));
    EXPECT_TRUE(mentions(failure, "restore a backup")) << failure.message();
}

TEST(Failures, leaves_the_database_of_another_program_as_it_is) {
    TemporaryFolder folder;
    const std::string path = folder.file("songs.db");
    std::ofstream(path).close();
    ASSERT_TRUE((*sqlite::Connection::open({.path = path}))->execute("CREATE TABLE songs (x)"));
    const auto content = [&] {
        std::ifstream file(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const std::string before = content();
    const auto failure = open_failure({.path = path, .stores = {}, .now = kNow});
    EXPECT_EQ(failure.code(), Errc::invalid_argument);
    EXPECT_TRUE(mentions(failure, "another program")) << failure.message();
    EXPECT_EQ(content(), before);
}

TEST(Failures, reports_damage_that_a_query_meets_and_serves_what_is_whole) {
    TestDatabase database;
    for (int i = 0; i < 200; ++i)
        database.must(put(std::to_string(i), std::string(1000, 'x')));
    database.must(
        [](Transaction& t) { return KeyValueStore(t, "other").put("somebody", "whole"); });
    const auto root = database.read([](Transaction& t) {
        return t.first("SELECT rootpage FROM sqlite_schema WHERE name = 'shape_values'", {},
                       [](const Row& row) { return row.int64(0); });
    });
    ASSERT_TRUE(root && *root);
    database.close();
    std::fstream file(database.options.path);
    file.seekp((**root - 1) * 4096);
    file << std::string(4096, '\x55');
    file.close();
    database.open();
    const auto result =
        database.read([](Transaction& t) { return MapStore(t, "test").list("owner"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::corrupt);
    EXPECT_TRUE(mentions(result.error(), ".recover")) << result.error().message();
    EXPECT_EQ(database.write(put("new")).error().code(), Errc::corrupt);
    EXPECT_TRUE(database.read([](Transaction& t) { return t.execute("SELECT * FROM users"); }));
}

TEST(Failures, names_a_folder_that_does_not_exist) {
    TemporaryFolder folder;
    const auto failure =
        open_failure({.path = folder.file("nowhere/parley.db"), .stores = {}, .now = kNow});
    EXPECT_EQ(failure.code(), Errc::not_found);
    EXPECT_TRUE(mentions(failure, folder.file("nowhere"))) << failure.message();
}

TEST(Failures, refuses_an_empty_path) {
    EXPECT_EQ(open_failure({}).code(), Errc::invalid_argument);
}

TEST(Failures, creates_files_that_only_the_owner_can_read) {
    TestDatabase database;
    database.must(put("a"));
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
        struct stat status{};
        ASSERT_EQ(stat((database.options.path + suffix).c_str(), &status), 0) << suffix;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << suffix;
    }
}

/// In a child without root's powers, since root may write anywhere: the open must fail as expected.
int open_without_privileges(const DatabaseOptions& options) {
    const pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        const auto opened = open_database(options);
        const bool as_expected = !opened && opened.error().is(Errc::permission_denied) &&
                                 mentions(opened.error(), "write");
        if (!as_expected && !opened) std::fputs(opened.error().message().c_str(), stderr);
        _exit(as_expected ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

TEST(Failures, asks_for_write_access_to_a_read_only_folder_or_file) {
    TestDatabase database;
    database.must(put("a"));
    database.close();
    namespace fs = std::filesystem;
    const auto readable = fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read |
                          fs::perms::others_exec;
    fs::permissions(database.folder.path(), readable);
    EXPECT_EQ(open_without_privileges(database.options), 0);
    fs::permissions(database.folder.path(), fs::perms::all);
    fs::permissions(database.options.path, fs::perms::owner_read | fs::perms::others_read);
    fs::permissions(database.options.path + ".lock", fs::perms::all);
    EXPECT_EQ(open_without_privileges(database.options), 0);
}

}  // namespace
}  // namespace storage::test
