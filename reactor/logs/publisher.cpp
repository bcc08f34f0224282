#include "reactor/logs/publisher.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace reactor {

LogRecord::LogRecord(base::LogLevel level, std::string_view event,
                     std::span<const base::LogField> fields)
    : level_(level), event_(event), fields_(fields.begin(), fields.end()) {
    for (base::LogField& field : fields_)
        field.key = keys_.emplace_back(field.key);
}

void LogHistory::write(base::LogLevel level, std::string_view event,
                       std::span<const base::LogField> fields) {
    auto record = std::make_shared<const LogRecord>(level, event, fields);
    const std::lock_guard lock(mutex_);
    records_.push_back(std::move(record));
    if (records_.size() <= records_max_) return;
    records_.pop_front();
    ++forgotten_;
}

void LogHistory::replay_to(base::LogSink& sink) const {
    std::deque<std::shared_ptr<const LogRecord>> copy;
    {
        const std::lock_guard lock(mutex_);
        copy = records_;
    }
    for (const auto& record : copy)
        record->replay_to(sink);
}

std::size_t LogHistory::size() const {
    const std::lock_guard lock(mutex_);
    return records_.size();
}

std::uint64_t LogHistory::forgotten() const {
    const std::lock_guard lock(mutex_);
    return forgotten_;
}

base::LogLevel LevelFilter::level_of(std::string_view event) const {
    for (std::string_view name = event;;) {
        if (const auto found = levels_.find(name); found != levels_.end()) return found->second;
        const std::size_t dot = name.rfind('.');
        if (dot == std::string_view::npos) return least_;
        name = name.substr(0, dot);
    }
}

void LevelFilter::write(base::LogLevel level, std::string_view event,
                        std::span<const base::LogField> fields) {
    if (level >= level_of(event)) next_.write(level, event, fields);
}

void LogPublisher::add(base::LogSink& observer) {
    const std::lock_guard lock(mutex_);
    observers_.push_back(&observer);
}

void LogPublisher::remove(base::LogSink& observer) {
    const std::lock_guard lock(mutex_);
    if (telling_) {
        std::replace(observers_.begin(), observers_.end(), &observer,
                     static_cast<base::LogSink*>(nullptr));
    } else {
        std::erase(observers_, &observer);
    }
}

void LogPublisher::begin() {
    const std::lock_guard lock(mutex_);
    if (!early_) return;
    const std::unique_ptr<LogHistory> early = std::move(early_);
    if (early->forgotten() > 0) {
        const base::LogField lost("events", early->forgotten());
        write(base::LogLevel::warn, "log.early_lost", std::span(&lost, 1));
    }
    early->replay_to(*this);
}

// Events written by observers wait until the one being told has reached everybody.
void LogPublisher::write(base::LogLevel level, std::string_view event,
                         std::span<const base::LogField> fields) {
    const std::lock_guard lock(mutex_);
    if (early_) {
        early_->write(level, event, fields);
    } else {
        publish(level, event, fields);
    }
}

void LogPublisher::publish(base::LogLevel level, std::string_view event,
                           std::span<const base::LogField> fields) {
    if (pending_.size() >= kEarlyMax) return;  // An observer that logs without end.
    pending_.emplace_back(level, event, fields);
    if (std::exchange(telling_, true)) return;
    std::size_t told = 0;
    while (!pending_.empty()) {
        // Observers that answer each event with another cannot hold the writer for ever.
        if (++told <= kEarlyMax) tell(pending_.front(), nullptr, 0);
        pending_.pop_front();
    }
    telling_ = false;
    std::erase(observers_, nullptr);
}

void LogPublisher::tell(const LogRecord& record, const base::LogSink* except, int depth) {
    for (std::size_t i = 0; i < observers_.size(); ++i) {
        base::LogSink* observer = observers_[i];
        if (!observer || observer == except) continue;
        std::string what = "unknown";
        try {
            observer->write(record.level(), record.event(), record.fields());
            continue;
        } catch (const std::exception& error) {
            what = error.what();
        } catch (...) {
        }
        if (depth >= kFailureDepthMax) continue;
        const base::LogField fields[] = {{"event", record.event()}, {"what", what}};
        tell(LogRecord(base::LogLevel::error, "log.observer_failed", fields), observer, depth + 1);
    }
}

}  // namespace reactor
