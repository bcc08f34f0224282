#include "xmpp/payloads/date_time.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace xmpp {
namespace {

using base::WallTime;

std::int64_t micros(std::string_view text) {
    const auto time = parse_date_time(text);
    EXPECT_TRUE(time) << text;
    return time ? time->microseconds : -1;
}

// Seconds by `date -u -d … +%s`.
TEST(DateTime, reads_the_examples_of_xep_0082) {
    EXPECT_EQ(micros("1969-07-21T02:56:15Z"), -14'159'025'000'000);
    EXPECT_EQ(micros("1969-07-20T21:56:15-05:00"), -14'159'025'000'000);
    EXPECT_EQ(parse_date("1776-07-04")->seconds(), -6'106'060'800);
}

TEST(DateTime, reads_what_it_writes) {
    for (const std::string_view text :
         {"1970-01-01T00:00:00Z", "2002-09-10T23:08:25Z", "0001-01-01T00:00:00Z",
          "9999-12-31T23:59:59Z", "2000-02-29T12:00:00Z", "1969-12-31T23:59:59Z"})
        EXPECT_EQ(format_date_time(*parse_date_time(text)), text);
}

TEST(DateTime, keeps_fractions_to_the_microsecond_and_drops_the_rest) {
    EXPECT_EQ(micros("1970-01-01T00:00:00.5Z"), 500'000);
    EXPECT_EQ(micros("1970-01-01T00:00:00.000001Z"), 1);
    EXPECT_EQ(micros("1970-01-01T00:00:00.1234569999Z"), 123'456);
    EXPECT_EQ(micros("1969-12-31T23:59:59.75Z"), -250'000);
}

TEST(DateTime, writes_fractions_when_asked_to_and_cuts_them) {
    const WallTime time{1'234'567};
    EXPECT_EQ(format_date_time(time), "1970-01-01T00:00:01Z");
    EXPECT_EQ(format_date_time(time, DateTimePrecision::milliseconds), "1970-01-01T00:00:01.234Z");
    EXPECT_EQ(format_date_time(time, DateTimePrecision::microseconds),
              "1970-01-01T00:00:01.234567Z");
    EXPECT_EQ(format_date_time(WallTime{-1}, DateTimePrecision::microseconds),
              "1969-12-31T23:59:59.999999Z");
}

TEST(DateTime, applies_offsets) {
    EXPECT_EQ(micros("1970-01-01T00:00:00+00:00"), 0);
    EXPECT_EQ(micros("1970-01-01T00:00:00-00:00"), 0);
    EXPECT_EQ(micros("1970-01-01T05:30:00+05:30"), 0);
    EXPECT_EQ(micros("1969-12-31T10:00:00-14:00"), 0);
}

TEST(DateTime, knows_leap_years) {
    EXPECT_TRUE(parse_date_time("2024-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_date_time("2023-02-29T00:00:00Z"));
    EXPECT_TRUE(parse_date_time("2000-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_date_time("1900-02-29T00:00:00Z"));
    EXPECT_FALSE(parse_date_time("2024-02-30T00:00:00Z"));
}

TEST(DateTime, takes_24_o_clock_for_the_next_midnight) {
    EXPECT_EQ(micros("1969-12-31T24:00:00Z"), 0);
    EXPECT_FALSE(parse_date_time("1969-12-31T24:00:01Z"));
    EXPECT_FALSE(parse_date_time("1969-12-31T24:00:00.1Z"));
}

TEST(DateTime, refuses_what_the_profile_does_not_allow) {
    for (const std::string_view text : {
             "",
             "Z",
             "2002-09-10",
             "2002-09-10T23:08:25",
             "2002-09-10 23:08:25Z",
             "2002-09-10t23:08:25Z",
             "2002-09-10T23:08:25z",
             "20020910T23:08:25",
             "20020910T23:08:25Z",
             "2002-9-10T23:08:25Z",
             "02-09-10T23:08:25Z",
             "-2002-09-10T23:08:25Z",
             "12002-09-10T23:08:25Z",
             "0000-01-01T00:00:00Z",
             "2002-00-10T23:08:25Z",
             "2002-13-10T23:08:25Z",
             "2002-09-00T23:08:25Z",
             "2002-09-31T23:08:25Z",
             "2002-09-10T25:08:25Z",
             "2002-09-10T23:60:25Z",
             "2002-09-10T23:08:60Z",
             "2002-09-10T23:08Z",
             "2002-09-10T23:08:25.Z",
             "2002-09-10T23:08:25,5Z",
             "2002-09-10T23:08:25.5",
             "2002-09-10T23:08:25+5:00",
             "2002-09-10T23:08:25+0500",
             "2002-09-10T23:08:25+05",
             "2002-09-10T23:08:25+14:01",
             "2002-09-10T23:08:25+15:00",
             "2002-09-10T23:08:25+05:60",
             "2002-09-10T23:08:25ZZ",
             "2002-09-10T23:08:25Z ",
             " 2002-09-10T23:08:25Z",
             "2002-09-10T23:08:25 Z",
             "2002-09-10T-3:08:25Z",
             "2002-09-10T+3:08:25Z",
             "2002-09-1 T23:08:25Z",
         })
        EXPECT_FALSE(parse_date_time(text)) << text;
}

TEST(DateTime, refuses_endless_fractions) {
    std::string text = "2002-09-10T23:08:25.";
    text.append(kDateTimeBytesMax - text.size() - 1, '1');
    EXPECT_TRUE(parse_date_time(text + "Z"));
    EXPECT_FALSE(parse_date_time(text + "1Z"));
}

TEST(DateTime, moves_times_out_of_range_to_its_ends) {
    EXPECT_EQ(format_date_time(WallTime{std::numeric_limits<std::int64_t>::min()}),
              "0001-01-01T00:00:00Z");
    EXPECT_EQ(format_date_time(WallTime{std::numeric_limits<std::int64_t>::max()}),
              "9999-12-31T23:59:59Z");
    EXPECT_EQ(format_date(WallTime{std::numeric_limits<std::int64_t>::max()}), "9999-12-31");
}

TEST(Date, is_read_and_written) {
    EXPECT_EQ(format_date(*parse_date("2024-02-29")), "2024-02-29");
    for (const std::string_view text :
         {"", "2024-02-30", "2024-2-29", "2024-02-29Z", "2024-02-29T", "2024/02/29"})
        EXPECT_FALSE(parse_date(text)) << text;
}

}  // namespace
}  // namespace xmpp
