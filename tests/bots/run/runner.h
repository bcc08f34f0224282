// Runner: a run in the real world: the process, its limits and signals, accounts, the conductor,
// and the files that are left.
#pragma once

#include "tests/bots/run/options.h"

namespace bots {

inline constexpr int kExitPassed = 0;
/// The run failed, or messages were lost, duplicated or reordered.
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
/// Ended by a signal, and what was measured up to then is in order.
inline constexpr int kExitInterrupted = 130;

/// Prints what there is to say; answers the exit code. Blocks.
int run_workload(const RunOptions& options, Settings settings);

enum class AccountChange : std::uint8_t { create, remove };
/// Only the accounts, of as many users as the settings say.
int change_accounts(const RunOptions& options, Settings settings, AccountChange change);

}  // namespace bots
