// LogPublisher: one log, many observers that may fail without harm. Events before `begin` are kept
// and told then. Around it: a level per namespace, a history to look back into.
// The namespace of an event is what its name has before the last dot: "s2s.dialback.refused" is in
// "s2s.dialback" and so in "s2s".
#pragma once

#include "reactor/base/log.h"

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace reactor {

/// An event that outlives its call. The fields' keys are its own copies.
class LogRecord {
public:
    LogRecord(base::LogLevel level, std::string_view event, std::span<const base::LogField> fields);
    LogRecord(const LogRecord& other) : LogRecord(other.level_, other.event_, other.fields_) {}
    LogRecord& operator=(const LogRecord&) = delete;

    base::LogLevel level() const noexcept { return level_; }
    std::string_view event() const noexcept { return event_; }
    std::span<const base::LogField> fields() const noexcept { return fields_; }
    void replay_to(base::LogSink& sink) const { sink.write(level_, event_, fields_); }

private:
    base::LogLevel level_;
    std::string event_;
    std::deque<std::string> keys_;
    std::vector<base::LogField> fields_;
};

/// The last events, for a look back after the fact. Any thread.
class LogHistory final : public base::LogSink {
public:
    explicit LogHistory(std::size_t records_max) noexcept : records_max_(records_max) {}
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;
    /// Tells `sink` everything kept, the oldest first; it may write here meanwhile.
    void replay_to(base::LogSink& sink) const;
    std::size_t size() const;
    /// Events pushed out by newer ones.
    std::uint64_t forgotten() const;

private:
    std::size_t records_max_;
    mutable std::mutex mutex_;
    std::deque<std::shared_ptr<const LogRecord>> records_;
    std::uint64_t forgotten_ = 0;
};

/// Passes on what is at least as grave as the level of its namespace; the longest name given wins.
/// Set up before use; then any thread.
class LevelFilter final : public base::LogSink {
public:
    LevelFilter(base::LogSink& next, base::LogLevel least) : next_(next), least_(least) {}
    /// For `name` and what is below it.
    void set(std::string name, base::LogLevel least) { levels_[std::move(name)] = least; }
    base::LogLevel level_of(std::string_view event) const;
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;

private:
    base::LogSink& next_;
    base::LogLevel least_;
    std::map<std::string, base::LogLevel, std::less<>> levels_;
};

/// Tells every observer each event, in the order of adding. One that throws is kept; what it threw
/// is told to the others as "log.observer_failed". An observer may write events itself (they come
/// after), and add or remove observers. Any thread; observers are called one at a time.
class LogPublisher final : public base::LogSink {
public:
    static constexpr std::size_t kEarlyMax = 1024;

    LogPublisher() : early_(std::make_unique<LogHistory>(kEarlyMax)) {}
    /// `observer` must outlive this or be removed.
    void add(base::LogSink& observer);
    void remove(base::LogSink& observer);
    /// Tells the observers what was kept so far ("log.early_lost" first if there was too much), and
    /// from here on each event at once. No effect the second time.
    void begin();
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;

private:
    static constexpr int kFailureDepthMax = 3;

    void publish(base::LogLevel level, std::string_view event,
                 std::span<const base::LogField> fields);
    void tell(const LogRecord& record, const base::LogSink* except, int depth);

    std::recursive_mutex mutex_;
    std::vector<base::LogSink*> observers_;  // Null where one was removed during a round.
    std::deque<LogRecord> pending_;
    std::unique_ptr<LogHistory> early_;  // Until `begin`.
    bool telling_ = false;
};

}  // namespace reactor
