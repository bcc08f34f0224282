// A14 to A16: failures, their codes, and logs.
#include "reactor/base/failure_error.h"
#include "reactor/logs/line_sink.h"
#include "reactor/logs/publisher.h"
#include "reactor/sim/sim_world.h"
#include "reactor/test_kit.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace reactor {
namespace {

using base::Errc;
using base::Failure;
using base::LogField;
using base::LogLevel;

TEST(A14_Failure, traps_the_codes_named_and_passes_the_rest_on) {
    const Failure failure(Errc::timed_out, "no answer");
    EXPECT_EQ(*base::trap(failure, {Errc::closed, Errc::timed_out}), Errc::timed_out);
    const auto passed = base::trap(failure, {Errc::closed});
    ASSERT_FALSE(passed);
    EXPECT_EQ(passed.error().message(), "timed_out: no answer");
    EXPECT_TRUE(failure.is(Errc::closed, Errc::busy, Errc::timed_out));
    EXPECT_FALSE(failure.is(Errc::closed, Errc::busy));
}

TEST(A14_Failure, crosses_code_that_throws_and_comes_back_the_same) {
    const auto foreign = [] { base::raise(Failure(Errc::no_space, "disk")); };
    try {
        foreign();
        FAIL();
    } catch (const std::exception& error) {
        EXPECT_STREQ(error.what(), "no_space: disk");
    }
    Deferred<> work = ready().then(foreign);
    EXPECT_EQ(test::failure_of(work).code(), Errc::no_space);
}

TEST(A14_Failure, keeps_context_and_trace_apart) {
    const Failure failure = Failure(Errc::io_error, "disk").passed("a.cpp", 7).with("saving");
    EXPECT_EQ(failure.message(), "io_error: saving: disk");
    EXPECT_EQ(failure.passed("b.cpp", 9).traceback(),
              "io_error: saving: disk\n  at a.cpp:7\n  at b.cpp:9");
    EXPECT_EQ(Failure(Errc::busy).traceback(), "busy");
}

TEST(A15_Codes, errno_values_have_the_code_of_their_class) {
    const std::vector<std::pair<int, Errc>> table = {
        {ECONNREFUSED, Errc::connection_refused},
        {EHOSTUNREACH, Errc::no_route},
        {ENETUNREACH, Errc::no_route},
        {ETIMEDOUT, Errc::timed_out},
        {ECONNRESET, Errc::connection_lost},
        {ECONNABORTED, Errc::connection_aborted},
        {EADDRINUSE, Errc::address_in_use},
        {EACCES, Errc::permission_denied},
        {EMFILE, Errc::resource_exhausted},
        {ENOSPC, Errc::no_space},
        {ECANCELED, Errc::cancelled},
    };
    for (const auto& [number, code] : table)
        EXPECT_EQ(base::failure_from_errno(number, "x").code(), code) << number;
}

TEST(A15_Codes, every_code_has_a_name_of_its_own) {
    std::vector<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Errc::would_deadlock); ++i)
        names.push_back(base::name_of(static_cast<Errc>(i)));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_EQ(std::count(names.begin(), names.end(), "unknown"), 0);
}

void say(base::LogSink& sink, std::string_view event, LogLevel level = LogLevel::info) {
    const LogField field("n", 1);
    sink.write(level, event, std::span(&field, 1));
}

class Throwing final : public base::LogSink {
public:
    int calls = 0;
    void write(LogLevel, std::string_view, std::span<const LogField>) override {
        ++calls;
        throw std::runtime_error("broken pipe");
    }
};

TEST(A16_Publisher, a_failing_observer_is_told_of_through_the_others_and_kept) {
    LogPublisher publisher;
    test::LogCapture before;
    Throwing broken;
    test::LogCapture after;
    publisher.add(before);
    publisher.add(broken);
    publisher.add(after);
    publisher.begin();
    say(publisher, "a.b");
    say(publisher, "a.c");
    EXPECT_EQ(broken.calls, 2);
    EXPECT_EQ(after.count("a.c"), 1u);
    EXPECT_EQ(before.count("log.observer_failed"), 2u);
    EXPECT_EQ(after.first("log.observer_failed").text("what"), "broken pipe");
    EXPECT_EQ(after.first("log.observer_failed").text("event"), "a.b");
}

TEST(A16_Publisher, only_failing_observers_are_no_endless_loop) {
    LogPublisher publisher;
    std::array<Throwing, 5> broken;
    for (Throwing& observer : broken)
        publisher.add(observer);
    publisher.begin();
    say(publisher, "a.b");
    EXPECT_GE(broken[0].calls, 1);
    EXPECT_LE(broken[0].calls, 1000);
}

class Answering final : public base::LogSink {
public:
    explicit Answering(LogPublisher& publisher) : publisher_(publisher) {}
    void write(LogLevel, std::string_view event, std::span<const LogField>) override {
        seen.emplace_back(event);
        if (event == "question") say(publisher_, "answer");
        if (event == "leave") publisher_.remove(*this);
    }
    std::vector<std::string> seen;

private:
    LogPublisher& publisher_;
};

TEST(A16_Publisher, what_an_observer_writes_comes_after_and_it_may_leave) {
    LogPublisher publisher;
    Answering first(publisher);
    Answering second(publisher);
    publisher.add(first);
    publisher.add(second);
    publisher.begin();
    say(publisher, "question");
    EXPECT_EQ(first.seen, (std::vector<std::string>{"question", "answer", "answer"}));
    EXPECT_EQ(second.seen, first.seen) << "both in the same order";
    say(publisher, "leave");
    say(publisher, "late");
    EXPECT_EQ(first.seen.back(), "leave");
}

TEST(A16_Publisher, keeps_early_events_until_it_begins) {
    LogPublisher publisher;
    test::LogCapture capture;
    publisher.add(capture);
    for (std::size_t i = 0; i < LogPublisher::kEarlyMax + 5; ++i)
        say(publisher, i == 0 ? "first" : "early");
    EXPECT_TRUE(capture.events().empty());
    publisher.begin();
    publisher.begin();
    EXPECT_EQ(capture.count("early"), LogPublisher::kEarlyMax);
    EXPECT_EQ(capture.count("first"), 0u) << "too many: the oldest is lost";
    EXPECT_EQ(capture.events().front().name, "log.early_lost");
    say(publisher, "now");
    EXPECT_EQ(capture.events().back().name, "now");
}

TEST(A16_Publisher, takes_events_of_several_threads) {
    LogPublisher publisher;
    test::LogCapture capture;
    publisher.add(capture);
    publisher.begin();
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 100; ++n)
                    say(publisher, "t");
            });
    }
    EXPECT_EQ(capture.count("t"), 400u);
}

TEST(A16_Levels, the_longest_namespace_decides) {
    test::LogCapture capture;
    LevelFilter filter(capture, LogLevel::info);
    filter.set("s2s", LogLevel::error);
    filter.set("s2s.dialback", LogLevel::debug);
    say(filter, "c2s.login", LogLevel::debug);
    say(filter, "c2s.login", LogLevel::info);
    say(filter, "s2s.connected", LogLevel::warn);
    say(filter, "s2s.refused", LogLevel::error);
    say(filter, "s2s.dialback.sent", LogLevel::debug);
    say(filter, "s2sx.other", LogLevel::info);
    std::vector<std::string> names;
    for (const auto& event : capture.events())
        names.push_back(event.name);
    EXPECT_EQ(names, (std::vector<std::string>{"c2s.login", "s2s.refused", "s2s.dialback.sent",
                                               "s2sx.other"}));
}

TEST(A16_History, keeps_the_last_and_replays_them_with_their_fields) {
    LogHistory history(2);
    for (int i = 0; i < 3; ++i) {
        std::string key = "key" + std::to_string(i);  // Gone before the replay.
        const LogField field(key, i);
        history.write(LogLevel::warn, "event" + std::to_string(i), std::span(&field, 1));
    }
    test::LogCapture capture;
    history.replay_to(capture);
    ASSERT_EQ(capture.events().size(), 2u);
    EXPECT_EQ(capture.events()[0].name, "event1");
    EXPECT_EQ(capture.events()[1].fields[0].key, "key2");
    EXPECT_EQ(capture.events()[1].level, LogLevel::warn);
    EXPECT_EQ(history.forgotten(), 1u);
    history.replay_to(history);
    EXPECT_EQ(history.size(), 2u);
}

std::string line(LineFormat format, std::initializer_list<LogField> fields) {
    return format_line(format, {1'767'225'600'000'042}, LogLevel::info, "a.b",
                       std::span(fields.begin(), fields.size()));
}

TEST(A16_Lines, json_is_one_valid_object_a_line) {
    EXPECT_EQ(line(LineFormat::json, {{"text", "say \"hi\"\n\x01\\"}, {"n", 7}, {"ok", true}}),
              "{\"time\":\"2026-01-01T00:00:00.000042Z\",\"level\":\"info\",\"event\":\"a.b\","
              "\"text\":\"say \\\"hi\\\"\\n\\u0001\\\\\",\"n\":7,\"ok\":true}\n");
    EXPECT_NE(line(LineFormat::json, {{"inf", 1.0 / 0.0}}).find("\"inf\":null"), std::string::npos);
    EXPECT_NE(
        line(LineFormat::json, {{"bad", "a\xFFz\xC3"}}).find("\"a\xEF\xBF\xBDz\xEF\xBF\xBD\""),
        std::string::npos)
        << "bytes that are no UTF-8";
    EXPECT_NE(line(LineFormat::json, {{"good", "\xC3\xA9\xF0\x9F\x98\x80"}})
                  .find("\"\xC3\xA9\xF0\x9F\x98\x80\""),
              std::string::npos);
    EXPECT_NE(line(LineFormat::json, {{"event", "x"}}).find("\"event_\":\"x\""), std::string::npos);
}

TEST(A16_Lines, text_quotes_what_needs_it_and_stays_one_line) {
    const std::string text = line(
        LineFormat::text, {{"plain", "a-b"}, {"space", "a b"}, {"empty", ""}, {"nl", "x\ny=z"}});
    EXPECT_EQ(text,
              "time=2026-01-01T00:00:00.000042Z level=info event=a.b plain=a-b space=\"a b\" "
              "empty=\"\" nl=\"x\\ny=z\"\n");
}

TEST(A16_Lines, the_sink_stamps_with_its_clock_and_writes_to_a_descriptor) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    {
        const VirtualClock clock{base::WallTime::from_seconds(0)};
        LineSink sink(LineFormat::text, clock, write_to_descriptor(ends[1]));
        base::Log(sink).info("x.y", {{"n", 1}});
    }
    close(ends[1]);
    std::array<char, 200> buffer{};
    const ssize_t count = read(ends[0], buffer.data(), buffer.size());
    close(ends[0]);
    EXPECT_EQ(std::string_view(buffer.data(), static_cast<std::size_t>(count)),
              "time=1970-01-01T00:00:00.000000Z level=info event=x.y n=1\n");
}

}  // namespace
}  // namespace reactor
