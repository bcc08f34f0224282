#include "storage/shapes.h"

#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

class Shapes : public EveryEngine {
protected:
    template <class Function>
    Errc failure_of(Function function) {
        const auto result = database.write(function);
        return result ? Errc::internal : result.error().code();
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, Shapes, every_engine(), name_of);

TEST_P(Shapes, keep_one_value_per_owner_and_store) {
    database.must([](Transaction& t) -> Result<void> {
        KeyValueStore store(t, "one");
        EXPECT_FALSE(TRY(store.get("juliet")));
        TRY(store.put("juliet", std::string_view("\0value", 6)));
        EXPECT_EQ(TRY(store.get("juliet")), std::string_view("\0value", 6));
        TRY(store.put("juliet", ""));
        EXPECT_EQ(TRY(store.get("juliet")), "");
        EXPECT_FALSE(TRY(store.get("nurse")));
        EXPECT_FALSE(TRY(KeyValueStore(t, "two").get("juliet")));
        EXPECT_TRUE(TRY(store.remove("juliet")));
        EXPECT_FALSE(TRY(store.remove("juliet")));
        return {};
    });
}

TEST_P(Shapes, keep_maps_by_key) {
    database.must([](Transaction& t) -> Result<void> {
        MapStore store(t, "map");
        TRY(store.put("juliet", "b", "2"));
        TRY(store.put("juliet", "a", "1"));
        TRY(store.put("juliet", "b", "two"));
        TRY(store.put("nurse", "c", "3"));
        EXPECT_EQ(TRY(store.get("juliet", "b")), "two");
        EXPECT_FALSE(TRY(store.get("juliet", "c")));
        EXPECT_EQ(TRY(store.list("juliet")), (MapStore::Entries{{"a", "1"}, {"b", "two"}}));
        EXPECT_EQ(TRY(store.count("juliet")), 2);
        EXPECT_TRUE(TRY(store.remove("juliet", "a")));
        EXPECT_FALSE(TRY(store.remove("juliet", "a")));
        return {};
    });
}

TEST_P(Shapes, replace_a_map_as_a_whole) {
    database.must([](Transaction& t) -> Result<void> {
        MapStore store(t, "map");
        TRY(store.put("juliet", "old", "x"));
        TRY(MapStore(t, "other").put("juliet", "stays", "x"));
        const MapStore::Entries entries{{"a", "1"}, {"b", "2"}};
        TRY(store.replace("juliet", entries));
        EXPECT_EQ(TRY(store.list("juliet")), entries);
        TRY(store.replace("juliet", {}));
        EXPECT_TRUE(TRY(store.list("juliet")).empty());
        EXPECT_EQ(TRY(MapStore(t, "other").count("juliet")), 1);
        return {};
    });
}

TEST_P(Shapes, leave_a_map_as_it_was_when_replacing_fails) {
    database.must([](Transaction& t) { return MapStore(t, "map").put("juliet", "old", "x"); });
    EXPECT_EQ(failure_of([](Transaction& t) {
                  return MapStore(t, "map").replace(
                      "juliet", {{"a", "1"}, {"b", std::string(kShapeValueBytesMax + 1, 'x')}});
              }),
              Errc::resource_exhausted);
    EXPECT_EQ(database.must([](Transaction& t) { return MapStore(t, "map").list("juliet"); }),
              (MapStore::Entries{{"old", "x"}}));
}

TEST_P(Shapes, refuse_one_entry_past_the_cap) {
    const auto put = [](std::string key) {
        return [key](Transaction& t) { return MapStore(t, "map", 2).put("juliet", key, "x"); };
    };
    EXPECT_TRUE(database.write(put("a")));
    EXPECT_TRUE(database.write(put("b")));
    EXPECT_EQ(failure_of(put("c")), Errc::resource_exhausted);
    EXPECT_TRUE(database.write(put("b")));
    EXPECT_EQ(failure_of([](Transaction& t) {
                  return MapStore(t, "map", 2).replace("juliet", {{"a", ""}, {"b", ""}, {"c", ""}});
              }),
              Errc::resource_exhausted);
}

TEST_P(Shapes, refuse_values_and_keys_past_their_caps_and_keys_that_are_no_text) {
    database.must([](Transaction& t) -> Result<void> {
        const std::string longest_key(kShapeKeyBytesMax, 'k');
        const std::string biggest(kShapeValueBytesMax, 'x');
        TRY(MapStore(t, "map").put(longest_key, longest_key, biggest));
        TRY(KeyValueStore(t, "one").put(longest_key, biggest));
        return {};
    });
    const std::string too_big(kShapeValueBytesMax + 1, 'x');
    EXPECT_EQ(failure_of([&](Transaction& t) { return MapStore(t, "m").put("o", "k", too_big); }),
              Errc::resource_exhausted);
    EXPECT_EQ(failure_of([&](Transaction& t) { return KeyValueStore(t, "m").put("o", too_big); }),
              Errc::resource_exhausted);
    for (const std::string& bad : {std::string(), std::string(kShapeKeyBytesMax + 1, 'k'),
                                   std::string("a\0b", 3), std::string("\xff")}) {
        EXPECT_EQ(failure_of([&](Transaction& t) { return MapStore(t, "m").put("o", bad, ""); }),
                  Errc::invalid_argument);
        EXPECT_EQ(failure_of([&](Transaction& t) { return MapStore(t, "m").put(bad, "k", ""); }),
                  Errc::invalid_argument);
        EXPECT_EQ(
            failure_of([&](Transaction& t) { return MapStore(t, "m").replace("o", {{bad, ""}}); }),
            Errc::invalid_argument);
        EXPECT_EQ(failure_of([&](Transaction& t) { return KeyValueStore(t, "m").put(bad, ""); }),
                  Errc::invalid_argument);
    }
}

}  // namespace
}  // namespace storage::test
