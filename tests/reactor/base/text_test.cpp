// Text of reactor/base: strict base64 and hex, numbers, UTF-8, near names.
#include "reactor/base/text.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace base {
namespace {

using namespace std::string_view_literals;

TEST(Base64, encodes_and_decodes_the_examples_of_rfc_4648_section_10) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kExamples{
        {{"", ""},
         {"f", "Zg=="},
         {"fo", "Zm8="},
         {"foo", "Zm9v"},
         {"foob", "Zm9vYg=="},
         {"fooba", "Zm9vYmE="},
         {"foobar", "Zm9vYmFy"}}};
    for (const auto& [bytes, text] : kExamples) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
}

TEST(Base64, round_trips_every_byte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes.push_back(static_cast<char>(i));
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    EXPECT_EQ(hex_decode(hex_encode(bytes)), bytes);
}

TEST(Base64, refuses_what_is_not_exactly_one_encoding) {
    for (const auto text : {"Zg"sv, "Zg="sv, "Zg==="sv, "Z==="sv, "===="sv, "Zg==Zg=="sv, "Zg =="sv,
                            "Zg==\n"sv, "Zm9v\n"sv, "Zm-_"sv, "=Zg="sv, "Z=g="sv, "Zh=="sv,
                            "Zm9="sv, "Zm9v\0\0\0\0"sv, "\xC3\xBC=="sv})
        EXPECT_EQ(base64_decode(text), std::nullopt) << text;
}

TEST(Hex, reads_both_cases_and_writes_lower) {
    EXPECT_EQ(hex_encode("\x00\xAB\xff"sv), "00abff");
    EXPECT_EQ(hex_decode("00aBFf"), "\x00\xAB\xff"sv);
    EXPECT_EQ(hex_decode("0"), std::nullopt);
    EXPECT_EQ(hex_decode("0g"), std::nullopt);
    EXPECT_EQ(hex_decode(" 0"), std::nullopt);
}

TEST(ParseInteger, takes_the_whole_text_or_nothing) {
    EXPECT_EQ(parse_integer("0"), 0);
    EXPECT_EQ(parse_integer("-12"), -12);
    EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse_integer("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
    for (const auto text :
         {""sv, "-"sv, "+1"sv, " 1"sv, "1 "sv, "1.0"sv, "0x1"sv, "1\0"sv, "9223372036854775808"sv})
        EXPECT_EQ(parse_integer(text), std::nullopt) << text;
}

TEST(EqualConstantTime, compares_content_and_length) {
    EXPECT_TRUE(equal_constant_time("", ""));
    EXPECT_TRUE(equal_constant_time("secret", "secret"));
    EXPECT_FALSE(equal_constant_time("secret", "secreT"));
    EXPECT_FALSE(equal_constant_time("Secret", "secret"));
    EXPECT_FALSE(equal_constant_time("secret", "secre"));
}

TEST(Utf8, accepts_the_edges_of_every_length) {
    for (const auto text :
         {"plain"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
          "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv, "\0"sv})
        EXPECT_TRUE(is_valid_utf8(text));
}

TEST(Utf8, refuses_overlong_surrogate_truncated_and_too_large_sequences) {
    for (const auto text :
         {"\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xED\xA0\x80"sv,
          "\xF0\x8F\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF5\x80\x80\x80"sv, "\xFF"sv, "\xC2"sv,
          "\xE1\x80"sv, "\xF1\x80\x80"sv, "a\xC2 b"sv, "\xE1\x80\xC0"sv})
        EXPECT_FALSE(is_valid_utf8(text));
}

TEST(NearestName, suggests_a_likely_typo_only) {
    constexpr std::array<std::string_view, 3> kNames{"listen", "log_level", "storage"};
    EXPECT_EQ(nearest_name("lsiten", kNames), "listen");
    EXPECT_EQ(nearest_name("log-level", kNames), "log_level");
    EXPECT_EQ(nearest_name("hosts", kNames), std::nullopt);
    EXPECT_EQ(nearest_name("", kNames), std::nullopt);
    EXPECT_EQ(nearest_name(std::string(100'000, 'x'), kNames), std::nullopt);
}

TEST(Split, keeps_empty_parts) {
    EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
    EXPECT_EQ(split("", ','), (std::vector<std::string_view>{""}));
    EXPECT_EQ(split(",", ','), (std::vector<std::string_view>{"", ""}));
}

TEST(ToLowerAscii, leaves_other_bytes_alone) {
    EXPECT_EQ(to_lower_ascii("AZaz09\xC3\x84"), "azaz09\xC3\x84");
}

}  // namespace
}  // namespace base
