#include "storage/tables/offline.h"

#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

xmpp::Jid jid(std::string_view text) {
    return *xmpp::Jid::parse(text);
}

class OfflineTest : public EveryEngine {
protected:
    OfflineId append(std::string_view stanza, std::optional<base::WallTime> expires_at = {}) {
        return database.must(
            [&](Transaction& t) { return Offline(t).append(juliet, stanza, kNow, expires_at); });
    }
    std::vector<std::string> stanzas(OfflineId after = 0, std::uint32_t limit = 100,
                                     base::WallTime now = kNow) {
        const auto page = database.must(
            [&](Transaction& t) { return Offline(t).page(juliet, after, limit, now); });
        std::vector<std::string> texts;
        for (const OfflineStanza& each : page)
            texts.push_back(each.stanza);
        return texts;
    }
    OfflineTotals totals() {
        return database.must([&](Transaction& t) { return Offline(t).totals(juliet); });
    }

    const xmpp::Jid juliet = jid("juliet@capulet.example");
};

using Texts = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Engines, OfflineTest, every_engine(), name_of);

TEST_P(OfflineTest, keeps_stanzas_in_order_for_their_account_only) {
    append("<one/>");
    append("<two/>", base::WallTime{kNow.microseconds + 1});
    database.must([&](Transaction& t) {
        return Offline(t).append(jid("nurse@capulet.example"), "<other/>", kNow);
    });
    append("<three/>");
    EXPECT_EQ(stanzas(), (Texts{"<one/>", "<two/>", "<three/>"}));
    const auto page =
        database.must([&](Transaction& t) { return Offline(t).page(juliet, 0, 100, kNow); });
    EXPECT_EQ(page[0].stored_at, kNow);
    EXPECT_EQ(page[0].expires_at, std::nullopt);
    EXPECT_EQ(page[1].expires_at, base::WallTime{kNow.microseconds + 1});
    EXPECT_EQ(totals().stanzas, 3);
    EXPECT_EQ(totals().bytes, 20);
}

TEST_P(OfflineTest, pages_by_id) {
    const OfflineId first = append("1");
    append("2");
    const OfflineId third = append("3");
    EXPECT_EQ(stanzas(0, 2), (Texts{"1", "2"}));
    EXPECT_EQ(stanzas(first, 2), (Texts{"2", "3"}));
    EXPECT_EQ(stanzas(third, 2), Texts{});
}

TEST_P(OfflineTest, gives_at_most_one_page) {
    database.must([&](Transaction& t) -> Result<void> {
        for (std::uint32_t i = 0; i < kOfflinePageMax + 1; ++i)
            TRY(Offline(t, {.stanzas_max = 5000, .bytes_max = 5000}).append(juliet, "x", kNow));
        return {};
    });
    EXPECT_EQ(stanzas(0, kOfflinePageMax + 1).size(), kOfflinePageMax);
}

TEST_P(OfflineTest, removes_through_an_id_or_by_ids) {
    const OfflineId first = append("1");
    const OfflineId second = append("22");
    const OfflineId third = append("333");
    const OfflineId fourth = append("4444");
    const auto removed =
        database.must([&](Transaction& t) { return Offline(t).remove_through(juliet, second); });
    EXPECT_EQ(removed, 2);
    EXPECT_EQ(stanzas(), (Texts{"333", "4444"}));
    EXPECT_EQ(totals().bytes, 7);
    const auto by_id = database.must([&](Transaction& t) {
        return Offline(t).remove(juliet, std::vector{first, fourth, fourth + 1000});
    });
    EXPECT_EQ(by_id, 1);
    EXPECT_EQ(stanzas(), Texts{"333"});
    EXPECT_EQ(database.must([&](Transaction& t) {
        return Offline(t).remove(jid("nurse@capulet.example"), std::vector{third});
    }),
              0);
    EXPECT_EQ(totals().stanzas, 1);
}

TEST_P(OfflineTest, never_uses_an_id_twice) {
    const OfflineId id = append("1");
    EXPECT_EQ(database.must([&](Transaction& t) { return Offline(t).clear(juliet); }), 1);
    EXPECT_EQ(totals().stanzas, 0);
    EXPECT_GT(append("2"), id);
}

TEST_P(OfflineTest, is_full_one_stanza_past_the_cap) {
    const OfflineLimits limits{.stanzas_max = 2, .bytes_max = 1000};
    const auto try_append = [&](const xmpp::Jid& account) {
        return database.write(
            [&](Transaction& t) { return Offline(t, limits).append(account, "x", kNow); });
    };
    EXPECT_TRUE(try_append(juliet));
    EXPECT_TRUE(try_append(juliet));
    EXPECT_EQ(try_append(juliet).error().code(), Errc::resource_exhausted);
    EXPECT_TRUE(try_append(jid("nurse@capulet.example")));
    EXPECT_EQ(totals().stanzas, 2);
    database.must([&](Transaction& t) { return Offline(t).remove_through(juliet, 1); });
    EXPECT_TRUE(try_append(juliet));
}

TEST_P(OfflineTest, is_full_one_byte_past_the_cap) {
    const OfflineLimits limits{.stanzas_max = 100, .bytes_max = 10};
    const auto try_append = [&](std::string_view stanza) {
        return database.write(
            [&](Transaction& t) { return Offline(t, limits).append(juliet, stanza, kNow); });
    };
    EXPECT_TRUE(try_append("1234"));
    EXPECT_EQ(try_append("1234567").error().code(), Errc::resource_exhausted);
    EXPECT_TRUE(try_append("123456"));
    EXPECT_EQ(totals().bytes, 10);
}

TEST_P(OfflineTest, hides_what_has_expired_and_removes_it_in_steps) {
    const auto at = [](std::int64_t step) { return base::WallTime{kNow.microseconds + step}; };
    append("keeps");
    for (int i = 1; i <= 5; ++i)
        append(std::to_string(i), at(i));
    EXPECT_EQ(stanzas(0, 100, at(3)), (Texts{"keeps", "4", "5"}));
    const auto expire = [&](std::int64_t step, std::uint32_t limit) {
        return database.must([&](Transaction& t) { return Offline(t).expire(at(step), limit); });
    };
    EXPECT_EQ(expire(3, 2), 2);
    EXPECT_EQ(totals().stanzas, 4);
    EXPECT_EQ(expire(3, 2), 1);
    EXPECT_EQ(expire(3, 2), 0);
    EXPECT_EQ(stanzas(0, 100, kNow), (Texts{"keeps", "4", "5"}));
    EXPECT_EQ(expire(100, 100), 2);
    EXPECT_EQ(totals().stanzas, 1);
    EXPECT_EQ(totals().bytes, 5);
}

TEST_P(OfflineTest, keeps_every_byte) {
    std::string bytes;
    for (int i = 0; i < 256; ++i)
        bytes += static_cast<char>(i);
    append(bytes);
    append("");
    EXPECT_EQ(stanzas(), (Texts{bytes, ""}));
}

}  // namespace
}  // namespace storage::test
