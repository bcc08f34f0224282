#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reactor/world.h"
#include "server/observe/log_sink.h"
#include "tests/support/temporary_folder.h"

namespace server {
namespace {

using base::LogField;
using base::LogLevel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kMoment = 1'795'197'600'123'456;  // 2026-11-20T18:00:00.123456Z

std::string logfmt(std::initializer_list<LogField> fields) {
    return format_log_line(LogFormat::logfmt, kMoment, LogLevel::info, "test.event",
                           {fields.begin(), fields.size()});
}
std::string json(std::initializer_list<LogField> fields) {
    return format_log_line(LogFormat::json, kMoment, LogLevel::warn, "test.event",
                           {fields.begin(), fields.size()});
}

class ManualClock final : public reactor::Clock {
public:
    base::MonotonicTime monotonic() const override { return {}; }
    base::WallTime wall() const override { return {now_microseconds}; }
    std::int64_t now_microseconds = kMoment;
};

class LogFile : public testing::Test {
protected:
    LogOptions options(LogFormat format = LogFormat::logfmt) {
        return {.format = format, .file = path_};
    }
    std::unique_ptr<EventLogSink> open() {
        auto sink = EventLogSink::create(options(), clock_);
        EXPECT_TRUE(sink);
        return *std::move(sink);
    }
    static std::vector<std::string> lines(const std::string& path) {
        std::ifstream file(path);
        std::vector<std::string> all;
        for (std::string line; std::getline(file, line);)
            all.push_back(line);
        return all;
    }

    ::test::TemporaryFolder folder_;
    std::string path_ = folder_.file("parley.log");
    std::string rotated_ = path_ + ".1";
    ManualClock clock_;
};

TEST(LogLine, logfmt_quotes_only_what_needs_it) {
    EXPECT_EQ(logfmt({{"jid", "a@example.org/x"}, {"count", 5}, {"ok", true}, {"share", 0.5}}),
              "time=2026-11-20T18:00:00.123456Z level=info event=test.event jid=a@example.org/x "
              "count=5 ok=true share=0.5");
    EXPECT_THAT(logfmt({{"why", "two words"}}), HasSubstr(" why=\"two words\""));
    EXPECT_THAT(logfmt({{"why", ""}}), HasSubstr(" why=\"\""));
    EXPECT_THAT(logfmt({{"why", "a=b"}}), HasSubstr(" why=\"a=b\""));
    EXPECT_THAT(logfmt({{"why", "say \"x\" \\"}}), HasSubstr(R"( why="say \"x\" \\")"));
}

TEST(LogLine, json_is_one_object) {
    EXPECT_EQ(json({{"jid", "a\"b"}, {"count", -5}, {"ok", false}, {"share", 0.25}}),
              R"({"time":"2026-11-20T18:00:00.123456Z","level":"warn","event":"test.event",)"
              R"("jid":"a\"b","count":-5,"ok":false,"share":0.25})");
}

TEST(LogLine, json_has_no_infinities) {
    EXPECT_THAT(json({{"x", std::numeric_limits<double>::infinity()}}), HasSubstr("\"x\":null"));
    EXPECT_THAT(json({{"x", std::nan("")}}), HasSubstr("\"x\":null"));
}

TEST(LogLine, a_hostile_value_cannot_start_a_new_line_or_drive_a_terminal) {
    for (const auto& line : {logfmt({{"user", "x\nlevel=error\r\x1b[2J\x7f\xc2\x9b"}}),
                             json({{"user", "x\nlevel=error\r\x1b[2J\x7f\xc2\x9b"}})}) {
        EXPECT_THAT(line, HasSubstr(R"("x\nlevel=error\u000d\u001b[2J\u007f\u009b")"));
        for (const char letter : line)
            EXPECT_GE(static_cast<unsigned char>(letter), 0x20);
    }
}

TEST(LogLine, invalid_utf8_becomes_replacement_characters) {
    const std::string broken("a\xff\xc0\x80\xed\xa0\x80\xf5\xe2\x82 z\0", 12);
    const std::string line = json({{"x", broken}});
    EXPECT_THAT(line, HasSubstr("\"x\":\"a\xef\xbf\xbd"));
    EXPECT_THAT(line, HasSubstr(" z\""));
    EXPECT_THAT(logfmt({{"x", "ü€😀"}}), HasSubstr("\"ü€😀\""));
    EXPECT_THAT(json({{"x", std::string("a\0b", 3)}}), HasSubstr("a\\u0000b"));
}

TEST(LogLine, cuts_values_past_the_limit) {
    EXPECT_THAT(logfmt({{"x", std::string(kLogValueBytesMax, 'a')}}), Not(HasSubstr("…")));
    const std::string line = logfmt({{"x", std::string(kLogValueBytesMax + 1, 'a')}});
    EXPECT_THAT(line, HasSubstr("a…\""));
    EXPECT_LT(logfmt({{"x", std::string(1'000'000, '\x01')}}).size(), kLogValueBytesMax + 200);
}

TEST(LogLine, writes_dates_before_the_epoch_and_far_ahead) {
    EXPECT_THAT(format_log_line(LogFormat::logfmt, -1, LogLevel::info, "e", {}),
                HasSubstr("time=1969-12-31T23:59:59.999999Z"));
    EXPECT_THAT(format_log_line(LogFormat::logfmt, 4'102'444'800'000'000, LogLevel::info, "e", {}),
                HasSubstr("time=2100-01-01T00:00:00.000000Z"));
}

TEST_F(LogFile, appends_lines_at_once) {
    const auto sink = open();
    const base::Log log(*sink);
    log.info("first", {{"n", 1}});
    log.warn("second");
    EXPECT_THAT(lines(path_),
                ElementsAre("time=2026-11-20T18:00:00.123456Z level=info event=first n=1",
                            "time=2026-11-20T18:00:00.123456Z level=warn event=second"));
}

TEST_F(LogFile, leaves_out_what_is_below_its_level) {
    const auto sink = open();
    const base::Log log(*sink, LogLevel::debug);
    log.debug("hidden");
    LogOptions louder = options();
    louder.least = LogLevel::debug;
    ASSERT_TRUE(sink->reopen(louder));
    log.debug("shown");
    EXPECT_THAT(lines(path_), ElementsAre(HasSubstr("event=shown")));
}

TEST_F(LogFile, reopens_after_rotation_and_takes_over_the_format) {
    const auto sink = open();
    const base::Log log(*sink);
    log.info("before");
    ASSERT_EQ(std::rename(path_.c_str(), rotated_.c_str()), 0);
    log.info("between");
    ASSERT_TRUE(sink->reopen(options(LogFormat::json)));
    log.info("after");
    EXPECT_THAT(lines(rotated_), ElementsAre(HasSubstr("before"), HasSubstr("between")));
    EXPECT_THAT(lines(path_), ElementsAre(HasSubstr("\"event\":\"after\"")));
}

TEST_F(LogFile, keeps_the_old_file_when_the_new_one_cannot_be_opened) {
    const auto sink = open();
    const base::Log log(*sink);
    const auto reopened = sink->reopen({.file = "/proc/nonexistent/log"});
    ASSERT_FALSE(reopened);
    EXPECT_TRUE(reopened.error().is(base::Errc::io_error));
    log.info("still.here");
    EXPECT_EQ(lines(path_).size(), 1U);
}

TEST_F(LogFile, refuses_to_start_without_its_file) {
    const auto sink = EventLogSink::create({.file = "/proc/nonexistent/log"}, clock_);
    ASSERT_FALSE(sink);
    EXPECT_THAT(std::string(sink.error().detail()), HasSubstr("/proc/nonexistent"));
}

TEST_F(LogFile, counts_lines_that_the_disk_does_not_take) {
    auto sink = EventLogSink::create({.file = "/dev/full"}, clock_);
    ASSERT_TRUE(sink);
    const base::Log log(**sink);
    log.info("lost.one");
    log.info("lost.two");
    ASSERT_TRUE((*sink)->reopen(options()));
    log.info("kept");
    const auto written = lines(path_);
    ASSERT_EQ(written.size(), 2U);
    EXPECT_THAT(written[0], HasSubstr("level=error event=log.lost lines="));
    EXPECT_THAT(written[1], HasSubstr("event=kept"));
}

TEST_F(LogFile, bounds_the_lines_of_one_event_and_tells_how_many_were_left_out) {
    const auto sink = open();
    const base::Log log(*sink);
    for (std::uint32_t index = 0; index < kLogLinesPerEventPerSecondMax + 7; ++index)
        log.info("c2s.refused");
    log.info("other");
    EXPECT_EQ(lines(path_).size(), kLogLinesPerEventPerSecondMax + 1);
    clock_.now_microseconds += 1'000'000;
    log.info("c2s.refused", {{"peer", "192.0.2.1"}});
    EXPECT_THAT(lines(path_).back(), HasSubstr("event=c2s.refused peer=192.0.2.1 suppressed=7"));
    clock_.now_microseconds += 1'000'000;
    log.info("c2s.refused");
    EXPECT_THAT(lines(path_).back(), Not(HasSubstr("suppressed")));
}

TEST_F(LogFile, keeps_lines_of_several_threads_whole) {
    const auto sink = open();
    const auto work = [&](const char* event) {
        for (int index = 0; index < 100; ++index)
            base::Log(*sink).info(event, {{"n", index}});
    };
    std::thread one(work, "thread.one");
    std::thread two(work, "thread.two");
    one.join();
    two.join();
    const auto written = lines(path_);
    ASSERT_EQ(written.size(), 200U);
    for (const std::string& line : written)
        EXPECT_THAT(line, testing::StartsWith("time="));
}

}  // namespace
}  // namespace server
