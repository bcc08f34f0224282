#include <gtest/gtest.h>

#include "server/config/notation.h"

namespace server {
namespace {

using namespace std::chrono_literals;

TEST(Duration, reads_every_unit_and_combinations) {
    EXPECT_EQ(parse_duration("30s"), 30s);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("1h30m"), 90min);
    EXPECT_EQ(parse_duration("14d"), 14 * 24h);
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("3us"), 3us);
    EXPECT_EQ(parse_duration("7ns"), 7ns);
    EXPECT_EQ(parse_duration("0"), 0s);
    EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Duration, rejects_what_is_not_of_its_form) {
    for (const char* text : {"", "30", "s", "30 s", "-5s", "+5s", "1.5h", "30sec", "30m1h", "5m5m",
                             "1h30", " 30s", "30s ", "5M", "0x5s"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(Duration, rejects_what_does_not_fit) {
    EXPECT_EQ(parse_duration("106751d"), 106'751 * 24h);
    EXPECT_EQ(parse_duration("106752d"), std::nullopt);
    EXPECT_EQ(parse_duration("106751d24h"), std::nullopt);
    EXPECT_EQ(parse_duration("999999999999999999s"), std::nullopt);
    EXPECT_EQ(parse_duration("99999999999999999999999s"), std::nullopt);
}

TEST(Duration, survives_the_way_there_and_back) {
    for (const base::Duration value : {base::Duration(0), base::Duration(1), base::Duration(90s),
                                       base::Duration(24h), base::Duration(25h + 3ms)})
        EXPECT_EQ(parse_duration(format_duration(value)), value);
    EXPECT_EQ(format_duration(90min), "1h30m");
    EXPECT_EQ(format_duration(0s), "0s");
}

TEST(Size, reads_every_unit) {
    EXPECT_EQ(parse_size("10000"), 10'000);
    EXPECT_EQ(parse_size("512B"), 512);
    EXPECT_EQ(parse_size("256KiB"), 262'144);
    EXPECT_EQ(parse_size("1MiB"), 1'048'576);
    EXPECT_EQ(parse_size("2GiB"), 2'147'483'648);
    EXPECT_EQ(parse_size("3kB"), 3'000);
    EXPECT_EQ(parse_size("3MB"), 3'000'000);
    EXPECT_EQ(parse_size("3GB"), 3'000'000'000);
}

TEST(Size, rejects_what_is_not_of_its_form_or_does_not_fit) {
    for (const char* text :
         {"", "KiB", "1 KiB", "1kib", "-1", "1.5MiB", "1K", "1KiB1", "9999999999GiB"})
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Size, uses_the_largest_exact_unit) {
    EXPECT_EQ(format_size(262'144), "256KiB");
    EXPECT_EQ(format_size(10'000), "10000");
    EXPECT_EQ(format_size(1LL << 30), "1GiB");
    EXPECT_EQ(format_size(0), "0");
}

TEST(QuoteToml, escapes_quotes_backslashes_and_controls) {
    EXPECT_EQ(quote_toml("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000A\\u007F\"");
    EXPECT_EQ(quote_toml("ü"), "\"ü\"");
}

}  // namespace
}  // namespace server
