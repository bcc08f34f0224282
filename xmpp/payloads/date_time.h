// XMPP date and time profiles (XEP-0082): text <-> base::WallTime. Strict: what the profile does
// not allow is refused. Years 0001 to 9999. Not here: the legacy format of XEP-0091.
#pragma once

#include "reactor/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xmpp {

/// Longest text that is looked at; longer ones (endless fractions) are refused.
inline constexpr std::size_t kDateTimeBytesMax = 64;

enum class DateTimePrecision : std::uint8_t { seconds, milliseconds, microseconds };

/// "2002-09-10T23:08:25Z", always UTC; fractions are cut, not rounded. A time outside the years
/// 0001 to 9999 is moved to the nearest end of that range.
std::string format_date_time(base::WallTime time,
                             DateTimePrecision precision = DateTimePrecision::seconds);
/// "2002-09-10" (UTC).
std::string format_date(base::WallTime time);

/// `CCYY-MM-DDThh:mm:ss[.sss]TZD`; TZD is "Z" or "(+|-)hh:mm" up to 14:00. Digits after the sixth
/// of a fraction are dropped. 24:00:00 is midnight of the next day (XML Schema 1.1 §3.3.7); second
/// 60 does not exist in the profile. nullopt: not a DateTime.
std::optional<base::WallTime> parse_date_time(std::string_view text);
/// `CCYY-MM-DD`: its first instant in UTC.
std::optional<base::WallTime> parse_date(std::string_view text);

}  // namespace xmpp
