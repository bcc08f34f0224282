// Failure and Result: codes, sentences, sharing.
#include "reactor/base/failure.h"

#include "reactor/base/log.h"
#include "reactor/base/result.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace base {
namespace {

static_assert(sizeof(Failure) == 8);

TEST(Failure, carries_a_bare_code_without_a_sentence) {
    const Failure failure = Errc::closed;
    EXPECT_TRUE(failure.is(Errc::closed));
    EXPECT_EQ(failure.detail(), "");
    EXPECT_EQ(failure.message(), "closed");
}

TEST(Failure, tells_code_and_sentence) {
    const Failure failure(Errc::timed_out, "no answer to the ping within 30 s");
    EXPECT_EQ(failure.message(), "timed_out: no answer to the ping within 30 s");
    EXPECT_EQ(failure.with("romeo").message(),
              "timed_out: romeo: no answer to the ping within 30 s");
    EXPECT_EQ(Failure(Errc::busy).with("db").message(), "busy: db");
}

TEST(Failure, survives_copies_moves_and_self_assignment) {
    Failure first(Errc::io_error, "first");
    Failure copy = first;
    Failure moved = std::move(first);
    EXPECT_EQ(first.code(), Errc::io_error);  // NOLINT(bugprone-use-after-move): documented.
    EXPECT_EQ(first.detail(), "");
    copy = moved;
    Failure& alias = copy;
    copy = alias;
    copy = std::move(alias);
    EXPECT_EQ(copy.detail(), "first");
    moved = Failure(Errc::busy);
    EXPECT_EQ(copy.detail(), "first");
    EXPECT_EQ(moved.code(), Errc::busy);
}

TEST(Failure, names_every_code_differently) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Errc::internal); ++i)
        names.insert(name_of(static_cast<Errc>(i)));
    EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::internal) + 1);
    EXPECT_FALSE(names.contains("unknown"));
}

TEST(Failure, translates_errno) {
    EXPECT_EQ(failure_from_errno(ENOSPC, "cannot write").code(), Errc::no_space);
    EXPECT_EQ(failure_from_errno(EADDRINUSE, "x").code(), Errc::address_in_use);
    EXPECT_EQ(failure_from_errno(EMFILE, "x").code(), Errc::resource_exhausted);
    EXPECT_EQ(failure_from_errno(ENOENT, "cannot open parley.db").message(),
              "not_found: cannot open parley.db: No such file or directory");
}

Result<int> half(int value) {
    if (value % 2 != 0) return fail(Errc::invalid_argument, "odd");
    return value / 2;
}
Result<int> quarter(int value) {
    const int first = TRY(half(value));
    return TRY(half(first));
}

TEST(Result, try_passes_values_and_returns_failures) {
    EXPECT_EQ(quarter(8), 2);
    EXPECT_EQ(quarter(6).error().message(), "invalid_argument: odd");
}

TEST(Log, writes_from_its_level_up) {
    reactor::test::LogCapture capture;
    const Log log = capture.log(LogLevel::info);
    log.debug("a");
    log.info("b", {{"peer", "romeo"}, {"count", 3}, {"ok", true}, {"share", 0.5}});
    log.error("c");
    ASSERT_EQ(capture.events().size(), 2u);
    EXPECT_EQ(capture.first("b").text("peer"), "romeo");
    EXPECT_EQ(std::get<std::int64_t>(capture.first("b").fields[1].value), 3);
    EXPECT_FALSE(log.enabled(LogLevel::debug));
    Log::silent().error("d");
    EXPECT_EQ(name_of(LogLevel::warn), "warn");
}

}  // namespace
}  // namespace base
