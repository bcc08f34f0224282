#include <gtest/gtest.h>

#include "server/config/config.h"
#include "tests/server/config/test_registry.h"

namespace server::test {
namespace {

TEST(Config, answers_defaults_when_nothing_is_set) {
    const Config config;
    EXPECT_EQ(config.get(kCount), 7);
    EXPECT_TRUE(config.get(kOpen));
    EXPECT_EQ(config.get(kLabel), "none");
    EXPECT_EQ(config.get(kPlace), "");
    EXPECT_EQ(config.get(kPairs), (std::vector<std::string_view>{"ab", "cd"}));
    EXPECT_EQ(config.get(kDelay), 30s);
    EXPECT_EQ(config.get(kRoom), 65'536U);
    EXPECT_EQ(config.get(kColour), Colour::green);
    EXPECT_FALSE(config.is_set(kCount));
    ASSERT_EQ(config.hosts().size(), 1U);
    EXPECT_EQ(config.hosts()[0].name, "localhost");
}

TEST(Config, a_changed_copy_leaves_the_original_alone) {
    const Config before;
    const Config after = before.with(kCount, 8)
                             .with(kOpen, false)
                             .with(kLabel, "some")
                             .with(kPlace, "/tmp/x")
                             .with(kPairs, {"ef"})
                             .with(kDelay, 2min)
                             .with(kRoom, 2048)
                             .with(kColour, Colour::blue)
                             .with_hosts({{"example.org", "", ""}});
    EXPECT_EQ(before.get(kCount), 7);
    EXPECT_EQ(after.get(kCount), 8);
    EXPECT_FALSE(after.get(kOpen));
    EXPECT_EQ(after.get(kLabel), "some");
    EXPECT_EQ(after.get(kPlace), "/tmp/x");
    EXPECT_EQ(after.get(kPairs), (std::vector<std::string_view>{"ef"}));
    EXPECT_EQ(after.get(kDelay), 2min);
    EXPECT_EQ(after.get(kRoom), 2048U);
    EXPECT_EQ(after.get(kColour), Colour::blue);
    EXPECT_TRUE(after.is_set(kCount));
    EXPECT_EQ(after.hosts()[0].name, "example.org");
}

TEST(Config, keeps_the_last_of_two_settings) {
    EXPECT_EQ(Config().with(kCount, 8).with(kCount, 9).get(kCount), 9);
}

TEST(ConfigDeathTest, refuses_a_value_from_the_code_that_is_out_of_range) {
    EXPECT_DEATH((void)Config().with(kCount, 0), "key.min <= value");
}

TEST(Config, writes_values_in_the_notation_of_the_file) {
    const Config config = Config()
                              .with(kDelay, 90s)
                              .with(kRoom, 2048)
                              .with(kColour, Colour::red)
                              .with(kPairs, {"a\"", "cd"})
                              .with(kOpen, false);
    EXPECT_EQ(config.value_text(kCount), "7");
    EXPECT_EQ(config.value_text(kDelay), "\"1m30s\"");
    EXPECT_EQ(config.value_text(kRoom), "\"2KiB\"");
    EXPECT_EQ(config.value_text(kColour), "\"red\"");
    EXPECT_EQ(config.value_text(kPairs), R"(["a\"", "cd"])");
    EXPECT_EQ(config.value_text(kOpen), "false");
    EXPECT_EQ(config.value_text(kLabel), "\"none\"");
}

TEST(ConfigDiff, is_empty_for_equal_configurations) {
    EXPECT_TRUE(diff(Config(), Config(), test_registry()).empty());
    EXPECT_TRUE(diff(Config(), Config().with(kCount, 7), test_registry()).empty());
}

TEST(ConfigDiff, lists_changed_keys_and_marks_those_that_need_a_restart) {
    const Config after = Config().with(kCount, 8).with(kRoom, 2048);
    const auto changes = diff(Config(), after, test_registry());
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].key, "box.count");
    EXPECT_EQ(changes[0].before, "7");
    EXPECT_EQ(changes[0].after, "8");
    EXPECT_FALSE(changes[0].needs_restart);
    EXPECT_EQ(changes[1].key, "box.room");
    EXPECT_EQ(changes[1].before, "\"64KiB\"");
    EXPECT_TRUE(changes[1].needs_restart);
}

TEST(ConfigDiff, tells_a_new_host_from_a_new_certificate) {
    const Config before =
        Config().with_hosts({{"a.example", "a.crt", "a.key"}, {"b.example", "", ""}});
    const Config after =
        Config().with_hosts({{"a.example", "A.crt", "a.key"}, {"c.example", "", ""}});
    const auto changes = diff(before, after, test_registry());
    ASSERT_EQ(changes.size(), 3U);
    EXPECT_EQ(changes[0].key, "host \"a.example\"");
    EXPECT_FALSE(changes[0].needs_restart);
    EXPECT_EQ(changes[1].key, "host \"b.example\"");
    EXPECT_EQ(changes[1].after, "");
    EXPECT_TRUE(changes[1].needs_restart);
    EXPECT_EQ(changes[2].key, "host \"c.example\"");
    EXPECT_EQ(changes[2].before, "");
    EXPECT_TRUE(changes[2].needs_restart);
}

TEST(KeyRegistryDeathTest, refuses_a_name_twice) {
    KeyRegistry registry;
    registry.add(kCount);
    EXPECT_DEATH(registry.add(kCount), "emplace");
}

TEST(KeyRegistryDeathTest, refuses_a_default_out_of_its_own_range) {
    static constexpr IntegerKey kBroken{"box.broken", 9, 1, 8, "Broken."};
    KeyRegistry registry;
    EXPECT_DEATH(registry.add(kBroken), "has_valid_default");
}

}  // namespace
}  // namespace server::test
