// Journal: everything that happened in a simulated run, in order, with virtual times: as a hash
// that tells whether two runs were the same, as lines to read when asked for, and the server's own
// log events with it.
#pragma once

#include "reactor/base/log.h"
#include "reactor/sim/sim_world.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sim {

class Journal final : public base::LogSink {
public:
    /// `prints`: every line, to standard output.
    explicit Journal(bool prints) : prints_(prints) {}

    /// Where the time comes from, until `forget_clock`.
    void set_clock(const reactor::SimWorld& world) { world_ = &world; }
    void forget_clock() { world_ = nullptr; }
    void note(std::string_view who, std::string_view what);
    std::uint64_t hash() const { return hash_; }
    base::MonotonicTime time() const {
        return world_ == nullptr ? base::MonotonicTime{} : world_->now();
    }
    /// The same as text, "12.345678".
    std::string now() const;
    static std::string text_of(base::MonotonicTime time);

    /// For the server: events of every level go into the trace.
    base::Log log() {
        return base::Log(*this, prints_ ? base::LogLevel::debug : base::LogLevel::warn);
    }
    void write(base::LogLevel level, std::string_view event,
               std::span<const base::LogField> fields) override;
    /// While the server's process is killed: what it leaves undone is then no fault of it.
    void set_server_dies(bool dies) { server_dies_ = dies; }
    /// Events that mean a fault of the program, whatever happens around it.
    const std::vector<std::string>& breakdowns() const { return breakdowns_; }

private:
    bool prints_;
    bool server_dies_ = false;
    const reactor::SimWorld* world_ = nullptr;
    std::uint64_t hash_ = 0xCBF29CE484222325U;
    std::vector<std::string> breakdowns_;
};

}  // namespace sim
