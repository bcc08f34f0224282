#include "storage/tables/archive.h"

#include "storage/tables/messages_rows.h"
#include "tests/storage/tables/message_store.h"

#include <algorithm>

namespace storage::test {
namespace {

using base::Errc;

base::WallTime at(MessageId id) {
    return time_of(id);
}

class ArchiveTest : public MessageStore {
protected:
    /// Ten messages between Juliet and, in turn, Romeo and the nurse; all rows but the last few
    /// have moved on.
    Ids ten() {
        recent_rows_max = 4;
        Ids ids;
        for (int i = 0; i < 10; ++i)
            ids.push_back(chat(i % 2 == 0 ? romeo : nurse, juliet, std::to_string(i)));
        return ids;
    }
    Ids select(const ArchiveQuery& query) { return ids_of(page(juliet, query)); }
};
INSTANTIATE_TEST_SUITE_P(Engines, ArchiveTest, every_engine(), name_of);

Ids some(const Ids& ids, std::initializer_list<std::size_t> positions) {
    Ids chosen;
    for (const std::size_t position : positions)
        chosen.push_back(ids[position]);
    return chosen;
}

TEST_P(ArchiveTest, is_empty_and_complete_for_who_has_none) {
    const ArchivePage nothing = page(juliet, {.want_count = true});
    EXPECT_TRUE(nothing.complete);
    EXPECT_EQ(nothing.messages.size(), 0U);
    EXPECT_EQ(nothing.count, 0);
    EXPECT_TRUE(page(juliet, {.last_page = true}).complete);
    EXPECT_EQ(page_error(juliet, {.after = 5}), Errc::not_found);
    chat(romeo, juliet, "hail");
    EXPECT_TRUE(page(juliet, {.with = nurse}).complete);
    EXPECT_EQ(page(nurse).messages.size(), 0U);
}

TEST_P(ArchiveTest, pages_forwards) {
    const Ids ids = ten();
    const ArchivePage first = page(juliet, {.max = 4});
    EXPECT_EQ(ids_of(first), some(ids, {0, 1, 2, 3}));
    EXPECT_FALSE(first.complete);
    const ArchivePage second = page(juliet, {.after = ids[3], .max = 4});
    EXPECT_EQ(texts_of(second), (Texts{"4", "5", "6", "7"}));
    EXPECT_FALSE(second.complete);
    const ArchivePage last = page(juliet, {.after = ids[7], .max = 4});
    EXPECT_EQ(ids_of(last), some(ids, {8, 9}));
    EXPECT_TRUE(last.complete);
    EXPECT_TRUE(page(juliet, {.after = ids[5], .max = 4}).complete);
    const ArchivePage none = page(juliet, {.after = ids[9]});
    EXPECT_EQ(ids_of(none), Ids{});
    EXPECT_TRUE(none.complete);
}

TEST_P(ArchiveTest, pages_backwards_in_the_order_of_time) {
    const Ids ids = ten();
    const ArchivePage last = page(juliet, {.last_page = true, .max = 4});
    EXPECT_EQ(ids_of(last), some(ids, {6, 7, 8, 9}));
    EXPECT_FALSE(last.complete);
    const ArchivePage middle = page(juliet, {.before = ids[6], .max = 4});
    EXPECT_EQ(ids_of(middle), some(ids, {2, 3, 4, 5}));
    EXPECT_FALSE(middle.complete);
    const ArchivePage first = page(juliet, {.before = ids[2], .max = 4});
    EXPECT_EQ(ids_of(first), some(ids, {0, 1}));
    EXPECT_TRUE(first.complete);
    EXPECT_TRUE(page(juliet, {.before = ids[4], .max = 4}).complete);
    EXPECT_TRUE(page(juliet, {.before = ids[0]}).complete);
    EXPECT_TRUE(page(juliet, {.last_page = true, .max = 10}).complete);
}

TEST_P(ArchiveTest, counts_without_messages_when_asked_for_none) {
    ten();
    const ArchivePage counted = page(juliet, {.max = 0, .want_count = true});
    EXPECT_EQ(counted.messages.size(), 0U);
    EXPECT_FALSE(counted.complete);
    EXPECT_EQ(counted.count, 10);
    EXPECT_EQ(page(juliet, {.max = 0}).count, std::nullopt);
}

TEST_P(ArchiveTest, narrows_by_time_and_includes_both_ends) {
    const Ids ids = ten();
    EXPECT_EQ(select({.start = at(ids[8])}), some(ids, {8, 9}));
    EXPECT_EQ(select({.end = at(ids[1])}), some(ids, {0, 1}));
    EXPECT_EQ(select({.start = at(ids[2]), .end = at(ids[2])}), some(ids, {2}));
    EXPECT_EQ(select({.start = at(ids[3]), .end = at(ids[2])}), Ids{});
    EXPECT_EQ(select({.start = at(ids[9] + 1)}), Ids{});
    EXPECT_EQ(select({.start = base::WallTime{std::numeric_limits<std::int64_t>::min()},
                      .end = base::WallTime{std::numeric_limits<std::int64_t>::max()}}),
              ids);
    const ArchivePage page_in_time = page(
        juliet,
        {.start = at(ids[2]), .end = at(ids[8]), .before = ids[6], .max = 2, .want_count = true});
    EXPECT_EQ(ids_of(page_in_time), some(ids, {4, 5}));
    EXPECT_FALSE(page_in_time.complete);
    EXPECT_EQ(page_in_time.count, 7);
}

TEST_P(ArchiveTest, narrows_by_ids_of_the_form_apart_from_paging) {
    const Ids ids = ten();
    EXPECT_EQ(select({.after_id = ids[6]}), some(ids, {7, 8, 9}));
    EXPECT_EQ(select({.before_id = ids[2]}), some(ids, {0, 1}));
    EXPECT_EQ(select({.after_id = ids[2], .before_id = ids[5]}), some(ids, {3, 4}));
    EXPECT_EQ(select({.after_id = ids[5], .before_id = ids[2]}), Ids{});
    EXPECT_EQ(select({.after_id = ids[2], .before_id = ids[2]}), Ids{});
    const ArchivePage first = page(juliet, {.after_id = ids[1], .before_id = ids[7], .max = 2});
    EXPECT_EQ(ids_of(first), some(ids, {2, 3}));
    EXPECT_FALSE(first.complete);
    EXPECT_EQ(ids_of(page(juliet, {.before_id = ids[7], .last_page = true, .max = 2})),
              some(ids, {5, 6}));
    EXPECT_EQ(ids_of(page(juliet, {.after_id = ids[1], .after = ids[0], .max = 1})),
              some(ids, {2}));
}

TEST_P(ArchiveTest, narrows_by_the_other_side) {
    const Ids ids = ten();
    EXPECT_EQ(select({.with = romeo.bare()}), some(ids, {0, 2, 4, 6, 8}));
    EXPECT_EQ(select({.with = nurse.bare()}), some(ids, {1, 3, 5, 7, 9}));
    EXPECT_EQ(select({.with = jid("paris@verona.example")}), Ids{});
    const ArchivePage forwards =
        page(juliet, {.with = romeo.bare(), .after = ids[1], .max = 2, .want_count = true});
    EXPECT_EQ(ids_of(forwards), some(ids, {2, 4}));
    EXPECT_FALSE(forwards.complete);
    EXPECT_EQ(forwards.count, 5);
    const ArchivePage backwards = page(juliet, {.with = nurse.bare(), .last_page = true, .max = 2});
    EXPECT_EQ(ids_of(backwards), some(ids, {7, 9}));
    EXPECT_FALSE(backwards.complete);
    EXPECT_TRUE(page(juliet, {.with = nurse.bare(), .before = ids[3], .max = 1}).complete);
}

TEST_P(ArchiveTest, narrows_by_a_full_address_on_either_side_and_behind_a_tombstone) {
    recent_rows_max = 4;
    const xmpp::Jid garden = jid("romeo@montague.example/garden");
    Ids ids;
    ids.push_back(chat(romeo, juliet, "from the orchard"));
    ids.push_back(chat(garden, juliet, "from the garden"));
    ids.push_back(chat(juliet, garden, "to the garden"));
    ids.push_back(chat(juliet, romeo.bare(), "to him"));
    ids.push_back(chat(garden, juliet, "from the garden again"));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(select({.with = garden}), some(ids, {1, 2, 4}));
        EXPECT_EQ(select({.with = romeo}), some(ids, {0}));
        EXPECT_EQ(select({.with = jid("romeo@montague.example/tomb")}), Ids{});
        EXPECT_EQ(select({.with = romeo.bare()}), ids);
        EXPECT_EQ(ids_of(page(juliet, {.with = garden, .last_page = true, .max = 2})),
                  some(ids, {2, 4}));
        EXPECT_EQ(page(juliet, {.with = garden, .want_count = true}).count, std::nullopt);
        database.must([&](Transaction& t) { return Archive(t).replace(juliet, ids[1], "tomb"); });
        database.must([&](Transaction& t) { return Archive(t).replace(romeo, ids[1], "tomb"); });
    }
    EXPECT_EQ(rows("messages"), 4);
}

TEST_P(ArchiveTest, gives_what_is_asked_for_by_id_in_its_own_order) {
    const Ids ids = ten();
    EXPECT_EQ(select({.ids = some(ids, {7, 2, 9, 2})}), some(ids, {2, 7, 9}));
    EXPECT_EQ(select({.with = romeo.bare(), .ids = some(ids, {7, 2})}), some(ids, {2}));
    EXPECT_EQ(select({.start = at(ids[3]), .ids = some(ids, {7, 2})}), some(ids, {7}));
    EXPECT_EQ(select({.ids = Ids{}}), Ids{});
    const ArchivePage limited =
        page(juliet, {.ids = some(ids, {1, 2, 3}), .max = 2, .want_count = true});
    EXPECT_EQ(ids_of(limited), some(ids, {1, 2}));
    EXPECT_FALSE(limited.complete);
    EXPECT_EQ(limited.count, 3);
    EXPECT_EQ(ids_of(page(juliet, {.ids = some(ids, {1, 2, 3}), .last_page = true, .max = 2})),
              some(ids, {2, 3}));
}

TEST_P(ArchiveTest, knows_only_its_own_ids) {
    const Ids ids = ten();
    const MessageId other = chat(romeo, nurse, "not for Juliet");
    for (const MessageId id :
         {other, ids[0] - 1, MessageId{0}, MessageId{-5}, std::numeric_limits<MessageId>::max(),
          std::numeric_limits<MessageId>::min()}) {
        EXPECT_EQ(page_error(juliet, {.after_id = id}), Errc::not_found);
        EXPECT_EQ(page_error(juliet, {.before_id = id}), Errc::not_found);
        EXPECT_EQ(page_error(juliet, {.ids = Ids{ids[0], id}}), Errc::not_found);
        EXPECT_EQ(page_error(juliet, {.after = id}), Errc::not_found);
        EXPECT_EQ(page_error(juliet, {.before = id}), Errc::not_found);
        EXPECT_FALSE(database.must([&](Transaction& t) { return Archive(t).find(juliet, id); }));
    }
    // An id that the rest of the query does not match is in the archive all the same.
    EXPECT_EQ(select({.with = romeo.bare(), .after = ids[7]}), some(ids, {8}));
}

TEST_P(ArchiveTest, refuses_what_has_no_meaning_or_no_bound) {
    const Ids ids = ten();
    EXPECT_EQ(page_error(juliet, {.after = ids[0], .before = ids[5]}), Errc::invalid_argument);
    EXPECT_EQ(page_error(juliet, {.after = ids[0], .last_page = true}), Errc::invalid_argument);
    EXPECT_EQ(select({.ids = Ids(kArchiveIdsMax, ids[0])}), some(ids, {0}));
    EXPECT_EQ(page_error(juliet, {.ids = Ids(kArchiveIdsMax + 1, ids[0])}),
              Errc::resource_exhausted);
}

TEST_P(ArchiveTest, gives_at_most_one_page) {
    database.must([&](Transaction& t) -> base::Result<void> {
        for (std::uint32_t i = 0; i < kArchivePageMax + 1; ++i)
            TRY(Messages(t, {}, 100)
                    .append(kNow, "x", std::vector<MessageCopy>{{.owner = juliet, .peer = romeo}}));
        return {};
    });
    const ArchivePage most = page(juliet, {.max = kArchivePageMax + 1});
    EXPECT_EQ(most.messages.size(), kArchivePageMax);
    EXPECT_FALSE(most.complete);
}

TEST_P(ArchiveTest, ends_a_page_before_it_has_too_many_bytes) {
    const std::string big(kArchivePageBytesMax / 2, 'x');
    Ids ids;
    for (int i = 0; i < 3; ++i)
        ids.push_back(chat(romeo, juliet, big));
    ids.push_back(chat(romeo, juliet, std::string(kArchivePageBytesMax + 1, 'x')));
    const ArchivePage first = page(juliet);
    EXPECT_EQ(ids_of(first), some(ids, {0, 1}));
    EXPECT_FALSE(first.complete);
    EXPECT_EQ(select({.after = ids[1]}), some(ids, {2}));
    const ArchivePage last = page(juliet, {.last_page = true});
    EXPECT_EQ(ids_of(last), some(ids, {3}));
    EXPECT_FALSE(last.complete);
    EXPECT_TRUE(page(juliet, {.after = ids[2]}).complete);
}

TEST_P(ArchiveTest, leaves_groupchat_out_on_request) {
    recent_rows_max = 2;
    Ids ids;
    for (int i = 0; i < 6; ++i)
        ids.push_back(append("x", {{.owner = juliet, .peer = romeo, .groupchat = i % 3 == 0}}));
    EXPECT_EQ(select({.groupchat = false}), some(ids, {1, 2, 4, 5}));
    EXPECT_EQ(select({.with = romeo.bare(), .groupchat = false}), some(ids, {1, 2, 4, 5}));
    EXPECT_EQ(select({}), ids);
    EXPECT_TRUE(page(juliet).messages[0].groupchat);
    EXPECT_FALSE(page(juliet).messages[1].groupchat);
}

TEST_P(ArchiveTest, knows_its_ends) {
    const auto ends = [&](const xmpp::Jid& owner) {
        return database.must([&](Transaction& t) { return Archive(t).ends(owner); });
    };
    EXPECT_EQ(ends(juliet), std::nullopt);
    const Ids ids = ten();
    EXPECT_EQ(ends(juliet), (ArchiveEnds{ids[0], ids[9]}));
    EXPECT_EQ(ends(nurse), (ArchiveEnds{ids[1], ids[9]}));
    transient(jid("paris@verona.example"), "x", {{}});
    EXPECT_EQ(ends(jid("paris@verona.example")), std::nullopt);
}

TEST_P(ArchiveTest, counts_as_far_as_that_is_cheap) {
    database.must([&](Transaction& t) -> base::Result<void> {
        for (std::int64_t i = 0; i < kArchiveCountMax + 1; ++i)
            TRY(Messages(t, {}, 1000)
                    .append(kNow, "x",
                            std::vector<MessageCopy>{
                                {.owner = juliet, .peer = i < 100 ? romeo : nurse}}));
        return {};
    });
    const auto count = [&](ArchiveQuery query) {
        query.max = 0;
        query.want_count = true;
        return page(juliet, query).count;
    };
    EXPECT_EQ(count({}), kArchiveCountMax + 1);
    EXPECT_EQ(count({.start = kNow}), std::nullopt);
    EXPECT_EQ(count({.start = at(kNow.microseconds + 1)}), kArchiveCountMax);
    EXPECT_EQ(count({.with = romeo}), std::nullopt);
    EXPECT_EQ(count({.with = romeo.bare()}), 100);
    EXPECT_EQ(count({.with = nurse.bare()}), std::nullopt);
    EXPECT_EQ(count({.groupchat = false}), std::nullopt);
}

TEST_P(ArchiveTest, finds_rare_messages_of_a_peer_in_a_large_archive) {
    Ids rare;
    database.must([&](Transaction& t) -> base::Result<void> {
        for (int i = 0; i < 6000; ++i) {
            const bool from_romeo = i % 150 == 0;
            const auto appended =
                TRY(Messages(t, {}, 500)
                        .append(kNow, std::to_string(i),
                                std::vector<MessageCopy>{
                                    {.owner = juliet, .peer = from_romeo ? romeo : nurse}}));
            if (from_romeo) rare.push_back(appended.id);
        }
        return {};
    });
    ASSERT_EQ(rare.size(), 40U);
    EXPECT_EQ(select({.with = romeo.bare()}), rare);
    EXPECT_EQ(select({.with = romeo.bare(), .max = 25}), Ids(rare.begin(), rare.begin() + 25));
    EXPECT_EQ(ids_of(page(juliet, {.with = romeo.bare(), .last_page = true, .max = 25})),
              Ids(rare.end() - 25, rare.end()));
    for (std::size_t i = 0; i < rare.size(); i += 7) {
        EXPECT_EQ(ids_of(page(juliet, {.with = romeo.bare(), .after = rare[i]})),
                  Ids(rare.begin() + static_cast<std::ptrdiff_t>(i) + 1, rare.end()));
        EXPECT_EQ(ids_of(page(juliet, {.with = romeo.bare(), .before = rare[i]})),
                  Ids(rare.begin(), rare.begin() + static_cast<std::ptrdiff_t>(i)));
        EXPECT_EQ(select({.with = romeo.bare(), .start = at(rare[i]), .end = at(rare[i])}),
                  Ids{rare[i]});
    }
}

TEST_P(ArchiveTest, looks_for_a_resource_in_so_many_messages) {
    constexpr std::int64_t kRows = kArchiveResourceRowsMax + 4 * kSegmentRows;
    Ids ids;
    database.must([&](Transaction& t) -> base::Result<void> {
        for (std::int64_t i = 0; i < kRows; ++i)
            ids.push_back(
                TRY(Messages(t, {}, 100)
                        .append(kNow, "x",
                                std::vector<MessageCopy>{{.owner = juliet, .peer = romeo}}))
                    .id);
        return {};
    });
    const xmpp::Jid elsewhere = jid("romeo@montague.example/elsewhere");
    EXPECT_EQ(page_error(juliet, {.with = elsewhere}), Errc::resource_exhausted);
    EXPECT_EQ(page_error(juliet, {.with = elsewhere, .last_page = true}), Errc::resource_exhausted);
    EXPECT_EQ(select({.with = romeo}), Ids(ids.begin(), ids.begin() + 50));
    // A span with fewer is looked at whole.
    const auto start = at(ids[static_cast<std::size_t>(8 * kSegmentRows)]);
    EXPECT_EQ(select({.with = elsewhere, .start = start}), Ids());
}

TEST_P(ArchiveTest, finds_the_newest_of_a_peer_that_is_accepted) {
    const Ids ids = ten();
    int looked = 0;
    const auto newest = [&](std::uint32_t scan_max, const std::string& text) {
        looked = 0;
        return database.must([&](Transaction& t) {
            return Archive(t).find_newest(juliet, romeo, scan_max,
                                          [&](const ArchivedMessage& message) {
                                              ++looked;
                                              return message.stanza == text;
                                          });
        });
    };
    EXPECT_EQ(newest(100, "6")->id, ids[6]);
    EXPECT_EQ(looked, 2);
    EXPECT_EQ(newest(5, "0")->id, ids[0]);
    EXPECT_FALSE(newest(4, "0"));
    EXPECT_FALSE(newest(100, "1"));
}

TEST_P(ArchiveTest, looks_at_so_many_bytes_for_the_newest) {
    chat(romeo, juliet, "wanted");
    const std::string large(kArchiveScanBytesMax / 2, 'x');
    const auto finds = [&] {
        return database
            .must([&](Transaction& t) {
                return Archive(t).find_newest(juliet, romeo, 100, [](const ArchivedMessage& one) {
                    return one.stanza == "wanted";
                });
            })
            .has_value();
    };
    chat(romeo, juliet, large);
    chat(romeo, juliet, large);
    EXPECT_TRUE(finds());
    chat(romeo, juliet, "one more");
    EXPECT_FALSE(finds());
}

TEST_P(ArchiveTest, replaces_a_message_in_one_archive_only) {
    recent_rows_max = 4;
    const MessageId id = chat(romeo, juliet, "regretted");
    for (int i = 0; i < 5; ++i)
        chat(romeo, juliet, "later");
    const auto replace = [&](const xmpp::Jid& owner, std::string_view tombstone) {
        return database.write(
            [&](Transaction& t) { return Archive(t).replace(owner, id, tombstone); });
    };
    EXPECT_TRUE(replace(juliet, "tomb"));
    EXPECT_EQ(page(juliet).messages[0].stanza, "tomb");
    EXPECT_TRUE(page(juliet).messages[0].retracted);
    EXPECT_EQ(page(juliet).messages[0].id, id);
    EXPECT_EQ(page(romeo).messages[0].stanza, "regretted");
    EXPECT_FALSE(page(romeo).messages[0].retracted);
    EXPECT_TRUE(page(romeo).messages[0].outgoing);
    EXPECT_TRUE(replace(juliet, "another tomb"));
    EXPECT_EQ(page(juliet).messages[0].stanza, "another tomb");
    EXPECT_EQ(rows("messages"), 6);
    EXPECT_TRUE(replace(romeo, "his tomb"));
    EXPECT_EQ(rows("messages"), 5);
    EXPECT_EQ(replace(nurse, "x").error().code(), Errc::not_found);
}

}  // namespace
}  // namespace storage::test
