// Keys that several workloads share. A workload whose default differs declares a key of its own
// with the same name.
#pragma once

#include "reactor/base/units.h"
#include "server/config/keys.h"

#include <chrono>

namespace bots::keys {

using namespace base;
using namespace std::chrono_literals;

inline constexpr std::int64_t kUsersMax = 1'000'000;
inline constexpr std::int64_t kRateMax = 1'000'000;
inline constexpr base::Duration kDurationMax = 24h;

inline constexpr server::IntegerKey kUsers{"users", 100, 1, kUsersMax,
                                           "How many users; each has one session."};
inline constexpr server::DurationKey kDuration{"duration", 30s, 1ms, kDurationMax,
                                               "How long the measured phase lasts."};
inline constexpr server::DurationKey kWarmup{
    "warmup", 2s, 0s, 1h,
    "Time before the measured phase in which the same happens without being measured."};
inline constexpr server::IntegerKey kLoginsAtOnce{"logins_at_once", 50, 1, kUsersMax,
                                                  "Logins under way at a time."};
inline constexpr server::IntegerKey kRamp{
    "ramp", 0, 0, kRateMax,
    "Logins started per second while everybody comes online. 0: as fast as logins_at_once lets."};
inline constexpr server::DurationKey kDrain{
    "drain", 10s, 0s, 1h,
    "How long to wait at the end without anything coming for what was sent (twelve times as long "
    "while something comes). What has not come then is lost."};
inline constexpr server::SizeKey kBodyBytes{"body_bytes", 100, 1, 128_KiB,
                                            "Size of a message's text."};

enum class Address : std::uint8_t { bare, full };
inline constexpr server::ChoiceKey<Address> kAddress{
    "address",
    Address::bare,
    {"bare", "full"},
    "Whether messages go to the account, and the server chooses the session, or to the session."};

enum class Loop : std::uint8_t { open, closed };
inline constexpr server::ChoiceKey<Loop> kLoop{
    "loop",
    Loop::open,
    {"open", "closed"},
    "open: at a fixed rate, whether the server keeps up or not. closed: the next one is sent when "
    "one has come, so that the server sets the pace."};

}  // namespace bots::keys
