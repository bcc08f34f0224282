#include "storage/tables/rooms.h"
#include "storage/tables/archive.h"
#include "storage/tables/users.h"
#include "tests/storage/test_database.h"

#include <gtest/gtest.h>
#include <array>
#include <string>

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

constexpr std::string_view kHost = "rooms.example.org";

class RoomTable : public EveryEngine {
protected:
    static xmpp::Jid jid(std::string_view text) { return *xmpp::Jid::parse(text); }
    static xmpp::Jid room(std::string_view name) { return *xmpp::Jid::make(name, kHost); }

    void make(std::string_view name, bool listed = true, bool persistent = true) {
        database.must([&](Transaction& t) {
            return Rooms(t).put(room(name), {.name = "The " + std::string(name),
                                             .listed = listed,
                                             .persistent = persistent,
                                             .config = "<x/>",
                                             .created_at = kNow});
        });
    }
    RoomVersion affiliate(std::string_view name, std::string_view who,
                          RoomAffiliation affiliation) {
        RoomVersion version = 0;
        database.must([&](Transaction& t) -> Result<void> {
            const std::array changes = {
                RoomAffiliationRow{.jid = jid(who), .affiliation = affiliation}};
            version = TRY(Rooms(t).put_affiliations(room(name), changes));
            return {};
        });
        return version;
    }
    std::optional<RoomState> load(std::string_view name) {
        std::optional<RoomState> state;
        database.must([&](Transaction& t) -> Result<void> {
            state = TRY(Rooms(t).load(room(name)));
            return {};
        });
        return state;
    }
    RoomPage page(const RoomListQuery& query) {
        RoomPage found;
        database.must([&](Transaction& t) -> Result<void> {
            found = TRY(Rooms(t).listed(kHost, query));
            return {};
        });
        return found;
    }
    static std::string names(const RoomPage& page) {
        std::string all;
        for (const RoomListing& one : page.rooms)
            all += std::string(one.jid.local()) + " ";
        return all;
    }
};

INSTANTIATE_TEST_SUITE_P(Engines, RoomTable, every_engine(), name_of);

TEST_P(RoomTable, keeps_a_room_with_its_affiliations) {
    EXPECT_FALSE(load("coven"));
    make("coven");
    affiliate("coven", "crone1@example.org", RoomAffiliation::owner);
    affiliate("coven", "evil.example", RoomAffiliation::outcast);
    const auto state = load("coven");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->row.name, "The coven");
    EXPECT_EQ(state->row.config, "<x/>");
    EXPECT_EQ(state->row.created_at, kNow);
    ASSERT_EQ(state->affiliations.size(), 2U);
    EXPECT_EQ(state->affiliations[0].jid, jid("crone1@example.org"));
    EXPECT_EQ(state->affiliations[1].affiliation, RoomAffiliation::outcast);
}

TEST_P(RoomTable, replaces_a_row_and_keeps_what_else_there_is) {
    make("coven");
    affiliate("coven", "crone1@example.org", RoomAffiliation::owner);
    database.must([&](Transaction& t) -> Result<void> {
        TRY(Rooms(t).put(room("coven"), {.name = "New", .config = "<y/>"}));
        return Rooms(t).set_subject(room("coven"), "<message/>", kNow);
    });
    const auto state = load("coven");
    EXPECT_EQ(state->row.name, "New");
    EXPECT_FALSE(state->row.listed);
    EXPECT_EQ(state->row.subject, "<message/>");
    EXPECT_EQ(state->row.subject_at, kNow);
    EXPECT_EQ(state->row.created_at, kNow);
    EXPECT_EQ(state->affiliations.size(), 1U);
}

TEST_P(RoomTable, numbers_each_change_of_an_affiliation) {
    make("coven");
    const RoomVersion first = affiliate("coven", "crone1@example.org", RoomAffiliation::owner);
    EXPECT_EQ(affiliate("coven", "hag66@example.org", RoomAffiliation::member), first + 1);
    EXPECT_EQ(affiliate("coven", "hag66@example.org", RoomAffiliation::none), first + 2);
    database.must([&](Transaction& t) -> Result<void> {
        const std::array two = {
            RoomAffiliationRow{.jid = jid("a@example.org"), .affiliation = RoomAffiliation::member},
            RoomAffiliationRow{.jid = jid("b@example.org"), .affiliation = RoomAffiliation::admin}};
        EXPECT_EQ(TRY(Rooms(t).put_affiliations(room("coven"), two)), first + 4);
        return {};
    });
    const auto state = load("coven");
    EXPECT_EQ(state->version, first + 4);
    ASSERT_EQ(state->affiliations.size(), 4U);
    EXPECT_EQ(state->affiliations[1].jid, jid("hag66@example.org"));
    EXPECT_EQ(state->affiliations[1].affiliation, RoomAffiliation::none);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(state->affiliations[i].version,
                  first + static_cast<RoomVersion>(i == 0 ? 0 : i + 1));
}

TEST_P(RoomTable, gives_a_room_that_is_made_again_other_versions) {
    make("coven");
    const RoomVersion before = affiliate("coven", "crone1@example.org", RoomAffiliation::owner);
    database.must([&](Transaction& t) -> Result<void> {
        EXPECT_TRUE(TRY(Rooms(t).remove(room("coven"))));
        EXPECT_FALSE(TRY(Rooms(t).remove(room("coven"))));
        return {};
    });
    EXPECT_FALSE(load("coven"));
    make("coven");
    EXPECT_TRUE(load("coven")->affiliations.empty());
    EXPECT_GT(load("coven")->forgotten, before);
}

TEST_P(RoomTable, remembers_so_many_removed_affiliations) {
    make("coven");
    RoomVersion first = 0;
    database.must([&](Transaction& t) -> Result<void> {
        Rooms rooms(t);
        first = TRY(rooms.load(room("coven")))->version;
        for (int i = 0; i <= kRoomTombstonesMax; ++i) {
            const std::array gone = {
                RoomAffiliationRow{.jid = jid("w" + std::to_string(i) + "@example.org"),
                                   .affiliation = RoomAffiliation::none}};
            TRY(rooms.put_affiliations(room("coven"), gone));
        }
        return {};
    });
    const auto state = load("coven");
    EXPECT_EQ(state->affiliations.size(), static_cast<std::size_t>(kRoomTombstonesMax));
    EXPECT_EQ(state->forgotten, first + 1);
}

TEST_P(RoomTable, refuses_what_is_not_there_or_too_big) {
    const auto failure = [&](auto function) {
        const auto result = database.write(function);
        return result ? Errc::internal : result.error().code();
    };
    EXPECT_EQ(
        failure([&](Transaction& t) { return Rooms(t).set_subject(room("heath"), "x", kNow); }),
        Errc::not_found);
    EXPECT_EQ(failure([&](Transaction& t) { return Rooms(t).put_affiliations(room("heath"), {}); }),
              Errc::not_found);
    EXPECT_EQ(failure([&](Transaction& t) {
                  return Rooms(t).put(room("heath"),
                                      {.config = std::string(kRoomConfigBytesMax + 1, 'x')});
              }),
              Errc::resource_exhausted);
}

TEST_P(RoomTable, lists_rooms_page_by_page) {
    for (const auto* name : {"e", "a", "c", "b", "d"})
        make(name);
    make("hidden", false);
    database.must([&](Transaction& t) {
        return Rooms(t).put(*xmpp::Jid::parse("x@rooms.example.net"),
                            {.listed = true, .config = "<x/>"});
    });
    EXPECT_EQ(names(page({})), "a b c d e ");
    EXPECT_EQ(page({}).rooms.at(0).name, "The a");
    const RoomPage second = page({.after = "b", .max = 2});
    EXPECT_EQ(names(second), "c d ");
    EXPECT_EQ(second.index, 2);
    EXPECT_EQ(second.count, 5);
    EXPECT_EQ(names(page({.before = "c", .max = 1})), "b ");
    EXPECT_EQ(names(page({.before = "", .max = 2})), "d e ");
    EXPECT_EQ(names(page({.max = 0})), "");
    EXPECT_EQ(page({.max = 0}).count, 5);
}

TEST_P(RoomTable, counts_no_more_rooms_than_is_cheap) {
    const auto add = [&](std::int64_t from, std::int64_t to) {
        database.must([&](Transaction& t) -> base::Result<void> {
            for (std::int64_t i = from; i < to; ++i)
                TRY(Rooms(t).put(room(std::to_string(100'000 + i)),
                                 {.listed = true, .config = "<x/>"}));
            return {};
        });
    };
    add(0, kRoomCountMax);
    EXPECT_EQ(page({.before = "", .max = 1}).count, kRoomCountMax);
    EXPECT_EQ(page({.before = "", .max = 1}).index, kRoomCountMax - 1);
    add(kRoomCountMax, kRoomCountMax + 2);
    const RoomPage last = page({.before = "", .max = 1});
    EXPECT_EQ(names(last), std::to_string(100'000 + kRoomCountMax + 1) + " ");
    EXPECT_EQ(last.count, std::nullopt);
    EXPECT_EQ(last.index, std::nullopt);
    EXPECT_EQ(page({.max = 1}).index, 0);
}

TEST_P(RoomTable, gives_back_the_occupants_once_and_sweeps_temporary_rooms) {
    make("kept", true, false);
    make("swept", true, false);
    make("persistent");
    database.must([&](Transaction& t) -> Result<void> {
        const std::array occupants = {RoomOccupantRow{.room = room("kept"),
                                                      .jid = jid("hag66@example.org/pda"),
                                                      .nick = "thirdwitch",
                                                      .role = 2,
                                                      .presence = "<show>xa</show>"}};
        return Rooms(t).save_occupants(occupants);
    });
    database.must([&](Transaction& t) -> Result<void> {
        const auto occupants = TRY(Rooms(t).take_occupants());
        EXPECT_EQ(occupants.size(), 1U);
        EXPECT_EQ(occupants.at(0).room, room("kept"));
        EXPECT_EQ(occupants.at(0).nick, "thirdwitch");
        EXPECT_EQ(occupants.at(0).role, 2);
        EXPECT_EQ(occupants.at(0).presence, "<show>xa</show>");
        return {};
    });
    EXPECT_TRUE(load("kept"));
    EXPECT_FALSE(load("swept"));
    EXPECT_TRUE(load("persistent"));
    database.must([&](Transaction& t) -> Result<void> {
        EXPECT_TRUE(TRY(Rooms(t).take_occupants()).empty());
        return {};
    });
    EXPECT_FALSE(load("kept"));
}

TEST_P(RoomTable, takes_the_archive_with_the_room) {
    make("coven");
    database.must([&](Transaction& t) -> Result<void> {
        const std::array copies = {MessageCopy{
            .owner = room("coven"), .peer = jid("hag66@example.org/pda"), .groupchat = true}};
        TRY(Messages(t).append(kNow, "<message/>", copies));
        EXPECT_TRUE(TRY(Archive(t).ends(room("coven"))));
        TRY(Rooms(t).remove(room("coven")));
        EXPECT_FALSE(TRY(Archive(t).ends(room("coven"))));
        return {};
    });
}

TEST_P(RoomTable, begins_a_new_archive_for_a_room_that_is_made_again) {
    const xmpp::Jid hag = jid("hag66@example.org/pda");
    const xmpp::Jid other = jid("other@example.org");
    const auto append = [&](Transaction& t, const xmpp::Jid& owner) -> Result<void> {
        const std::array copies = {MessageCopy{.owner = owner, .peer = hag, .groupchat = true}};
        TRY(Messages(t).append(kNow, "<message/>", copies));
        return {};
    };
    const auto kept = [](Transaction& t, const xmpp::Jid& owner) -> Result<std::size_t> {
        return TRY(Archive(t).page(owner, {})).messages.size();
    };
    make("coven");
    database.must([&](Transaction& t) { return append(t, room("coven")); });
    database.must([&](Transaction& t) -> Result<void> {
        TRY(Rooms(t).remove(room("coven")));
        return append(t, other);
    });
    make("coven");
    database.must([&](Transaction& t) -> Result<void> {
        TRY(append(t, room("coven")));
        EXPECT_EQ(TRY(kept(t, room("coven"))), 1U);
        EXPECT_EQ(TRY(kept(t, other)), 1U);
        return {};
    });
    // Earlier versions left behind who had spoken there.
    database.must([&](Transaction& t) -> Result<void> {
        TRY(
            t.execute("INSERT INTO message_peers (account, jid, owner, peer) VALUES ($1, $2, "
                      "(SELECT owner FROM message_owners WHERE jid = $3), 7)",
                      {room("heath").text(), "hag66@example.org", "other@example.org"}));
        TRY(append(t, room("heath")));
        EXPECT_EQ(TRY(kept(t, room("heath"))), 1U);
        EXPECT_EQ(TRY(kept(t, other)), 1U);
        return {};
    });
}

TEST_P(RoomTable, lists_hidden_rooms_where_asked) {
    make("open");
    make("hidden", false);
    EXPECT_EQ(names(page({})), "open ");
    EXPECT_EQ(names(page({.hidden = true})), "hidden open ");
    EXPECT_EQ(page({.hidden = true}).count, 2);
}

TEST_P(RoomTable, counts_what_somebody_owns) {
    const auto owned = [&] {
        std::int64_t count = -1;
        database.must([&](Transaction& t) -> Result<void> {
            count = TRY(Rooms(t).owned_by(jid("crone1@example.org")));
            return {};
        });
        return count;
    };
    EXPECT_EQ(owned(), 0);
    make("coven");
    make("heath");
    affiliate("coven", "crone1@example.org", RoomAffiliation::owner);
    affiliate("heath", "crone1@example.org", RoomAffiliation::admin);
    EXPECT_EQ(owned(), 1);
}

TEST_P(RoomTable, keeps_roles_oldest_first_and_only_so_many) {
    make("coven");
    database.must([&](Transaction& t) -> Result<void> {
        Rooms rooms(t);
        const std::array three = {RoomRoleRow{.jid = jid("a@example.org"), .role = 2},
                                  RoomRoleRow{.jid = jid("b@example.org"), .role = 1},
                                  RoomRoleRow{.jid = jid("a@example.org"), .role = 3}};
        TRY(rooms.put_roles(room("coven"), three));
        EXPECT_EQ(TRY(rooms.load(room("coven")))->roles,
                  (std::vector<RoomRoleRow>{{.jid = jid("b@example.org"), .role = 1},
                                            {.jid = jid("a@example.org"), .role = 3}}));
        const std::array gone = {RoomRoleRow{.jid = jid("b@example.org")}};
        TRY(rooms.put_roles(room("coven"), gone));
        EXPECT_EQ(TRY(rooms.load(room("coven")))->roles.size(), 1U);
        std::vector<RoomRoleRow> many;
        for (int i = 0; i < kRoomRolesMax; ++i)
            many.push_back({.jid = jid("w" + std::to_string(i) + "@example.org"), .role = 2});
        TRY(rooms.put_roles(room("coven"), many));
        const auto roles = TRY(rooms.load(room("coven")))->roles;
        EXPECT_EQ(roles.size(), static_cast<std::size_t>(kRoomRolesMax));
        EXPECT_EQ(roles.front().jid, jid("w0@example.org"));
        TRY(rooms.forget_roles(room("coven")));
        EXPECT_TRUE(TRY(rooms.load(room("coven")))->roles.empty());
        return {};
    });
}

TEST_P(RoomTable, keeps_hats_and_who_wears_them) {
    make("coven");
    RoomHats hats;
    hats.hats = {{.uri = "urn:x:b", .title = "B", .hue = "1"}, {.uri = "urn:x:a", .title = "A"}};
    hats.worn = {{.jid = jid("hag66@example.org"), .uri = "urn:x:a"}};
    database.must([&](Transaction& t) { return Rooms(t).put_hats(room("coven"), hats); });
    EXPECT_EQ(load("coven")->hats, hats);
    database.must([&](Transaction& t) -> Result<void> {
        EXPECT_EQ(TRY(Rooms(t).rooms_of(jid("hag66@example.org"), "", 10)).size(), 1U);
        hats.worn.clear();
        return Rooms(t).put_hats(room("coven"), hats);
    });
    EXPECT_EQ(load("coven")->hats, hats);
}

TEST_P(RoomTable, keeps_requests_oldest_first) {
    make("coven");
    database.must([&](Transaction& t) -> Result<void> {
        Rooms rooms(t);
        const std::array three = {RoomRequestRow{.jid = jid("a@example.org"), .nick = "a"},
                                  RoomRequestRow{.jid = jid("b@example.org"), .nick = "b"},
                                  RoomRequestRow{.jid = jid("a@example.org"), .nick = "other"}};
        TRY(rooms.put_requests(room("coven"), three));
        EXPECT_EQ(TRY(rooms.load(room("coven")))->requests,
                  (std::vector<RoomRequestRow>{{.jid = jid("b@example.org"), .nick = "b"},
                                               {.jid = jid("a@example.org"), .nick = "other"}}));
        EXPECT_EQ(TRY(rooms.rooms_of(jid("a@example.org"), "", 10)).size(), 1U);
        const std::array gone = {RoomRequestRow{.jid = jid("a@example.org")}};
        TRY(rooms.put_requests(room("coven"), gone));
        EXPECT_TRUE(TRY(rooms.rooms_of(jid("a@example.org"), "", 10)).empty());
        TRY(Users(t).create(jid("b@example.org"), {}, kNow));
        TRY(Users(t).remove(jid("b@example.org")));
        EXPECT_EQ(TRY(rooms.departed()).size(), 1U);
        return {};
    });
    database.must([&](Transaction& t) -> Result<void> {
        TRY(Rooms(t).remove(room("coven")));
        EXPECT_TRUE(TRY(Rooms(t).rooms_of(jid("b@example.org"), "", 10)).empty());
        return {};
    });
}

TEST_P(RoomTable, notes_the_removal_of_an_account_that_belongs_somewhere) {
    make("coven");
    make("heath");
    make("moor");
    affiliate("heath", "hag66@example.org", RoomAffiliation::owner);
    affiliate("coven", "hag66@example.org", RoomAffiliation::outcast);
    affiliate("coven", "evil@example.org", RoomAffiliation::outcast);
    database.must([&](Transaction& t) -> Result<void> {
        Rooms rooms(t);
        const std::array voice = {RoomRoleRow{.jid = jid("hag66@example.org"), .role = 2}};
        TRY(rooms.put_roles(room("moor"), voice));
        for (const auto* name : {"hag66@example.org", "evil@example.org"}) {
            TRY(Users(t).create(jid(name), {}, kNow));
            TRY(Users(t).remove(jid(name)));
        }
        const std::vector<xmpp::Jid> departed = {jid("hag66@example.org")};
        EXPECT_EQ(TRY(rooms.departed()), departed);
        const std::vector<xmpp::Jid> both = {room("heath"), room("moor")};
        EXPECT_EQ(TRY(rooms.rooms_of(departed[0], "", 10)), both);
        EXPECT_EQ(TRY(rooms.rooms_of(departed[0], "", 1)).size(), 1U);
        EXPECT_EQ(TRY(rooms.rooms_of(departed[0], both[0].text(), 10)).size(), 1U);
        EXPECT_TRUE(TRY(rooms.rooms_of(jid("evil@example.org"), "", 10)).empty());
        TRY(rooms.forget_departed(departed[0]));
        EXPECT_TRUE(TRY(rooms.departed()).empty());
        return {};
    });
}

}  // namespace
}  // namespace storage::test
