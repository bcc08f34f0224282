// What a run says in words: the verdict that summary and report share, and the dozen lines printed
// at the end of a run.
#pragma once

#include "tests/bots/measure/run_result.h"
#include "tests/bots/report/axis.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace bots {

enum class Outcome : std::uint8_t { passed, failed, interrupted };
/// Interrupted: nothing was wrong up to then.
Outcome outcome_of(const RunResult& result);
/// "Passed", "Failed", "Interrupted".
std::string_view name_of(Outcome outcome);
/// Why, in words and without the outcome: "60,000 messages, none lost, duplicated or reordered".
/// May hold servers' text, as they sent it.
std::string reason_of(const RunResult& result);

/// What `latency` is of: "messages", "answers" (iq), "presence".
std::string_view measured_in(const RunResult& result);
/// The server as a person would call it: its software, else its address.
std::string server_name_of(const RunResult& result);
/// Why the figures may be the bots' own rather than the server's; empty when there is no reason.
std::string doubt_about(const RunResult& result);

/// One of `figures`, as a person reads it: "reconnect_p99_ms" and 48 are "reconnect p99" and
/// "48 ms". The name's end gives the unit: _per_s, _ms, _us, _s, _bytes, _share.
struct NamedFigure {
    std::string label;
    std::string text;
    double value = 0;  ///< In the axis's unit.
    AxisUnit unit = AxisUnit::number;
    bool rate = false;  ///< More is better.
};
NamedFigure figure_named(std::string_view name, double value);

/// Lines that end in a line break: verdict, messages, rates, latencies, logins, errors, usage. For
/// a terminal: nothing that a server said can drive it.
std::string text_summary(const RunResult& result);

}  // namespace bots
