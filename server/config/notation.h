// The notations of the configuration file beyond plain TOML: durations ("1h30m") and sizes
// ("256KiB"). Pure functions, exact both ways.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reactor/base/clock.h"
#include "server/config/keys.h"

namespace server {

/// One or more numbers with a unit, largest first: "d" "h" "m" "s" "ms" "us" "ns". Also "0".
/// Nothing: not of that form, or too long for a Duration.
std::optional<base::Duration> parse_duration(std::string_view text);
/// The shortest form that parse_duration reads back exactly: "1h30m", "0s".
std::string format_duration(base::Duration value);

/// A number of bytes with an optional unit: "B" "KiB" "MiB" "GiB", or "kB" "MB" "GB" (thousands).
std::optional<std::int64_t> parse_size(std::string_view text);
/// The largest binary unit that is exact: "256KiB", "10000".
std::string format_size(std::int64_t bytes);

/// A TOML basic string, quoted and escaped.
std::string quote_toml(std::string_view text);

/// "a number from 1 to 100000", "a duration from 1s to 10m", "one of \"a\", \"b\"": what a value of
/// this key may be, for problems and for the reference.
std::string describe_range(const KeySpec& spec);
/// The default in the notation of the file.
std::string default_text(const KeySpec& spec);

}  // namespace server
