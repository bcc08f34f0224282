// Archive ids: nothing can be read from them, and none can be made up.
#include "server/routing/archive_id.h"

#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <string>

namespace server::test {
namespace {

TEST(ArchiveIds, are_texts_that_only_they_understand) {
    const ArchiveIds ids("0123456789abcdef");
    const ArchiveIds others("0123456789abcdeF");
    std::set<std::string> seen;
    for (const storage::MessageId id :
         {std::int64_t{1}, std::int64_t{2}, std::int64_t{1'767'225'600'000'000},
          std::numeric_limits<std::int64_t>::max()}) {
        const std::string text = ids.text(id);
        EXPECT_EQ(text.size(), 32U);
        EXPECT_EQ(ids.parse(text), id);
        EXPECT_EQ(others.parse(text), std::nullopt);
        EXPECT_TRUE(seen.insert(text).second);
        EXPECT_EQ(ArchiveIds("0123456789abcdef").text(id), text);
    }
}

TEST(ArchiveIds, that_were_made_up_are_none) {
    const ArchiveIds ids("0123456789abcdef");
    const std::string good = ids.text(42);
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string other = good;
        other[i] = other[i] == '0' ? '1' : '0';
        EXPECT_EQ(ids.parse(other), std::nullopt) << i;
    }
    EXPECT_EQ(ids.parse(""), std::nullopt);
    EXPECT_EQ(ids.parse("42"), std::nullopt);
    EXPECT_EQ(ids.parse(good + "00"), std::nullopt);
    EXPECT_EQ(ids.parse(good.substr(0, 30)), std::nullopt);
    EXPECT_EQ(ids.parse(std::string(32, 'x')), std::nullopt);
    EXPECT_EQ(ids.parse(std::string(100'000, '0')), std::nullopt);
}

}  // namespace
}  // namespace server::test
