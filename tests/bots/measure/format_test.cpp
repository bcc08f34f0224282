#include "tests/bots/measure/format.h"

#include <chrono>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace bots {
namespace {

using namespace std::chrono_literals;

TEST(Format, separates_thousands) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1000), "1,000");
    EXPECT_EQ(format_count(1'234'567), "1,234,567");
    EXPECT_EQ(format_count(std::numeric_limits<std::uint64_t>::max()),
              "18,446,744,073,709,551,615");
}

TEST(Format, gives_three_digits_that_matter) {
    EXPECT_EQ(format_number(0), "0");
    EXPECT_EQ(format_number(0.4), "0.4");
    EXPECT_EQ(format_number(0.424), "0.42");
    EXPECT_EQ(format_number(9.994), "9.99");
    EXPECT_EQ(format_number(9.996), "10");
    EXPECT_EQ(format_number(12.34), "12.3");
    EXPECT_EQ(format_number(99.96), "100");
    EXPECT_EQ(format_number(1998.4), "1,998");
    EXPECT_EQ(format_number(-3.5), "-3.5");
    EXPECT_EQ(format_number(1e300), "1.00e+300");
    EXPECT_EQ(format_number(std::numeric_limits<double>::quiet_NaN()), "–");
}

TEST(Format, picks_the_unit_of_a_duration) {
    EXPECT_EQ(format_duration(0ns), "0 ms");
    EXPECT_EQ(format_duration(400ns), "0.4 µs");
    EXPECT_EQ(format_duration(850us), "850 µs");
    EXPECT_EQ(format_duration(999'600ns), "1 ms");
    EXPECT_EQ(format_duration(1923us), "1.92 ms");
    EXPECT_EQ(format_duration(999'600us), "1 s");
    EXPECT_EQ(format_duration(30s), "30 s");
    EXPECT_EQ(format_duration(119s), "119 s");
    EXPECT_EQ(format_duration(120s), "2 min");
    EXPECT_EQ(format_duration(125s), "2 min 5 s");
    EXPECT_EQ(format_duration(1h), "1 h");
    EXPECT_EQ(format_duration(1h + 3min + 20s), "1 h 3 min");
    EXPECT_EQ(format_duration(-3ms), "-3 ms");
}

TEST(Format, picks_the_unit_of_bytes) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(512), "512 B");
    EXPECT_EQ(format_bytes(1000), "0.98 KB");
    EXPECT_EQ(format_bytes(14.1 * 1024), "14.1 KB");
    EXPECT_EQ(format_bytes(1.2 * 1024 * 1024 * 1024), "1.2 GB");
    EXPECT_EQ(format_bytes(-2048), "-2 KB");
}

TEST(Format, gives_shares_of_a_core) {
    EXPECT_EQ(format_share(0), "0 %");
    EXPECT_EQ(format_share(0.0123), "1.2 %");
    EXPECT_EQ(format_share(0.374), "37 %");
    EXPECT_EQ(format_share(2.124), "212 %");
}

TEST(Format, makes_strangers_text_fit_for_a_terminal) {
    EXPECT_EQ(printable("Prosody 0.12 (ü)"), "Prosody 0.12 (ü)");
    EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a�[2Jb�c�");
    EXPECT_EQ(printable("\xc2\x9b"), "�");      // C1: CSI in one character.
    EXPECT_EQ(printable("\xe2\x80\xae"), "�");  // Right-to-left override.
    EXPECT_EQ(printable("\xff\xc3"), "��");     // Invalid UTF-8.
    EXPECT_EQ(printable("\xe2\x82\xac"), "€");
    EXPECT_EQ(printable("abcdef", 3), "abc…");
    EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Format, counts_columns_not_bytes) {
    EXPECT_EQ(columns_of("850 µs"), 6U);
    EXPECT_EQ(columns_of(""), 0U);
}

}  // namespace
}  // namespace bots
