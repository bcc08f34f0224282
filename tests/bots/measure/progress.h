// ProgressLine: one line in a terminal, redrawn as the run goes on; quiet when the output is no
// terminal. Writes nothing else and reads no clock.
#pragma once

#include "reactor/base/clock.h"
#include "tests/bots/measure/run_result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace bots {

struct Progress {
    enum class Phase : std::uint8_t {
        ramp,      ///< Sessions come online.
        measure,   ///< What counts.
        drain,     ///< Waiting for messages under way.
        clean_up,  ///< Sessions go.
    };

    std::string workload;
    Phase phase = Phase::ramp;
    base::Duration elapsed{};                 ///< In this phase.
    std::optional<base::Duration> remaining;  ///< Until the phase ends, if that is known.
    std::uint32_t users = 0;                  ///< That shall be online.
    Sample now;                               ///< What the Sampler gave last.
    /// So far; `sent` and `received` with their difference under way, `lost` is not known yet.
    Tally messages;
    std::uint64_t errors = 0;  ///< Failed logins, error answers and the like.
};

/// At most `columns` columns; what matters least is left out first. No line break, no escape codes.
/// Measuring: "  chat  12 s of 30 s  2,000 online  1,998 msg/s  p50 0.4 ms  p99 1.9 ms". While
/// sessions come online: "  chat  1,240 of 2,000 online  310 logins/s  about 3 s to go".
std::string format_progress(const Progress& progress, std::size_t columns);

/// How long the ramp will still take at the rate seen so far; nothing before there is one.
std::optional<base::Duration> ramp_remaining(std::uint32_t online, std::uint32_t users,
                                             base::Duration elapsed);

class ProgressLine {
public:
    /// `fd` stays the caller's and open. Quiet when it is no terminal.
    explicit ProgressLine(int fd);
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    /// Clears the line.
    ~ProgressLine();

    bool quiet() const noexcept { return quiet_; }
    void show(const Progress& progress);
    /// Takes the line away, so that something else can be printed; the next `show` draws it again.
    void clear();

private:
    void write(std::string_view text) const;

    int fd_;
    bool quiet_;
    bool drawn_ = false;
};

}  // namespace bots
