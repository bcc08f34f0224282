#include <limits>

#include <gtest/gtest.h>

#include "server/admin/admin_value.h"

namespace server {
namespace {

TEST(AdminJson, writes_every_type_on_one_line) {
    const AdminValue value = AdminValue::Object{
        {"nothing", {}},
        {"flag", true},
        {"count", -5},
        {"share", 0.25},
        {"text", "a\"b\\c\n\x01 ü"},
        {"list", AdminValue::Array{1, "two", AdminValue::Array{}, AdminValue::Object{}}}};
    EXPECT_EQ(to_json(value), R"({"nothing":null,"flag":true,"count":-5,"share":0.25,)"
                              R"("text":"a\"b\\c\n\u0001 ü","list":[1,"two",[],{}]})");
    EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(to_json("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(AdminJson, reads_what_it_wrote) {
    const AdminValue value = AdminValue::Object{{"a", AdminValue::Array{1, 2.5, true, {}, "x\ny"}},
                                                {"b", AdminValue::Object{{"c", "d"}}}};
    const auto parsed = parse_json(to_json(value));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, value);
}

TEST(AdminJson, keeps_the_ends_of_the_integer_range) {
    EXPECT_EQ(*parse_json("9223372036854775807"), AdminValue(INT64_MAX));
    EXPECT_EQ(*parse_json("-9223372036854775808"), AdminValue(INT64_MIN));
    EXPECT_TRUE(parse_json("9223372036854775808")->as_double());
}

TEST(AdminJson, refuses_what_is_not_strict_json) {
    for (const char* text :
         {"", " ", "{", "{\"a\":1} x", "{'a':1}", "[1,]", "nul", "NaN", "01", "\"\\x\"", "\"a",
          "// x\n1", "\"\xff\"", "{\"a\" 1}", "\"\\ud800\"", "1 2"})
        EXPECT_FALSE(parse_json(text)) << text;
    EXPECT_FALSE(parse_json(std::string_view("1\0", 2)));
}

TEST(AdminJson, bounds_the_depth) {
    EXPECT_TRUE(parse_json(std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']')));
    EXPECT_FALSE(
        parse_json(std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')));
    EXPECT_FALSE(parse_json(std::string(100'000, '[')));
}

TEST(AdminValue, answers_members_leniently) {
    const AdminValue value =
        AdminValue::Object{{"text", "x"}, {"count", 5}, {"flag", true}, {"real", 1.5}};
    EXPECT_EQ(value.text_of("text"), "x");
    EXPECT_EQ(value.text_of("count"), "");
    EXPECT_EQ(value.integer_of("count"), 5);
    EXPECT_EQ(value.integer_of("missing"), 0);
    EXPECT_TRUE(value.flag_of("flag"));
    EXPECT_FALSE(value.flag_of("text"));
    EXPECT_EQ(AdminValue("x").find("text"), nullptr);
    EXPECT_TRUE(AdminValue().is_null());
    EXPECT_EQ(*value.find("real")->as_double(), 1.5);
}

}  // namespace
}  // namespace server
