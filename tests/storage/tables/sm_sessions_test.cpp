#include "storage/tables/sm_sessions.h"

#include "tests/storage/tables/message_store.h"

namespace storage::test {
namespace {

using base::Errc;
using base::Result;

constexpr std::int64_t kSecond = 1'000'000;

base::WallTime seconds_later(std::int64_t seconds) {
    return {kNow.microseconds + seconds * kSecond};
}

class SmSessionsTest : public MessageStore {
protected:
    SmSessionKey create(const std::string& token, const xmpp::Jid& owner,
                        std::uint32_t max_seconds = 600) {
        return database.must([&](Transaction& t) {
            return SmSessions(t).create({token, owner, kNow, max_seconds});
        });
    }
    std::optional<SmSession> find(std::string_view token) {
        return database.must([&](Transaction& t) { return SmSessions(t).find(token); });
    }
    template <class Change>
    Result<void> change(Change function) {
        return database.write([&](Transaction& t) -> Result<void> {
            SmSessions sessions(t);
            return function(sessions);
        });
    }
    std::vector<std::string> expired(std::int64_t seconds,
                                     std::uint32_t limit = kSmSessionPageMax) {
        std::vector<std::string> tokens;
        const auto sessions = database.must(
            [&](Transaction& t) { return SmSessions(t).expired(seconds_later(seconds), limit); });
        for (const SmSession& each : sessions)
            tokens.push_back(each.token);
        return tokens;
    }
};
INSTANTIATE_TEST_SUITE_P(Engines, SmSessionsTest, every_engine(), name_of);

TEST_P(SmSessionsTest, show_a_count_in_the_write_that_raised_it) {
    const SmSessionKey key = create("one", juliet);
    std::uint32_t seen = 0;
    EXPECT_TRUE(change([&](SmSessions& sessions) -> Result<void> {
        TRY(sessions.set_taken(key, 3));
        seen = TRY(sessions.find("one"))->taken;
        TRY(sessions.set_taken(key, 5));
        TRY(sessions.set_taken(key, 4));
        return {};
    }));
    EXPECT_EQ(seen, 3U);
    EXPECT_EQ(find("one")->taken, 5U);
}

TEST_P(SmSessionsTest, have_no_count_once_they_are_removed) {
    const SmSessionKey key = create("one", juliet);
    const auto changed = change([&](SmSessions& sessions) -> Result<void> {
        TRY(sessions.set_taken(key, 3));
        TRY(sessions.remove(key));
        return sessions.set_taken(key, 4);
    });
    EXPECT_EQ(changed.error().code(), Errc::not_found);
    EXPECT_TRUE(find("one"));  // The failure undid it all.
    EXPECT_EQ(find("one")->taken, 0U);
}

TEST_P(SmSessionsTest, are_found_by_their_token) {
    EXPECT_FALSE(find("one"));
    const SmSessionKey key = create("one", juliet);
    create("two", romeo);
    const auto found = find("one");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key, key);
    EXPECT_GT(key, 0);
    EXPECT_EQ(found->token, "one");
    EXPECT_EQ(found->owner, juliet);
    EXPECT_EQ(found->created_at, kNow);
    EXPECT_EQ(found->max_seconds, 600U);
    EXPECT_EQ(found->taken, 0U);
    EXPECT_FALSE(found->detached_at);
    EXPECT_FALSE(found->state);
    EXPECT_FALSE(find("ONE"));
}

TEST_P(SmSessionsTest, refuse_tokens_that_are_taken_or_no_tokens) {
    const auto error = [&](const std::string& token, const xmpp::Jid& owner) {
        const auto key = database.write(
            [&](Transaction& t) { return SmSessions(t).create({token, owner, kNow, 1}); });
        return key ? Errc::internal : key.error().code();
    };
    create("one", juliet);
    EXPECT_EQ(error("one", romeo), Errc::already_exists);
    EXPECT_EQ(error("", juliet), Errc::invalid_argument);
    EXPECT_EQ(error("two", juliet.bare()), Errc::invalid_argument);
    create(std::string(kSmTokenBytesMax, 't'), juliet);
    EXPECT_EQ(error(std::string(kSmTokenBytesMax + 1, 't'), juliet), Errc::invalid_argument);
}

TEST_P(SmSessionsTest, count_what_was_taken_with_the_stanzas_that_it_counts) {
    const SmSessionKey key = create("one", juliet);
    for (const std::uint32_t taken : {2'000'000'000U, 4'000'000'000U, 4'294'967'295U})
        EXPECT_TRUE(change([&](SmSessions& s) { return s.set_taken(key, taken); }));
    EXPECT_EQ(find("one")->taken, 4'294'967'295U);
    const auto undone = database.write([&](Transaction& t) -> Result<void> {
        TRY(SmSessions(t).set_taken(key, 7));
        TRY(Messages(t).append(kNow, "x",
                               std::vector<MessageCopy>{{.owner = juliet, .peer = romeo}}));
        return base::fail(Errc::busy);
    });
    EXPECT_FALSE(undone);
    EXPECT_EQ(find("one")->taken, 4'294'967'295U);
    EXPECT_EQ(rows("messages"), 0);
}

TEST_P(SmSessionsTest, count_on_and_never_back) {
    const SmSessionKey key = create("one", juliet);
    const auto taken_after = [&](std::uint32_t taken) {
        EXPECT_TRUE(change([&](SmSessions& s) { return s.set_taken(key, taken); }));
        return find("one")->taken;
    };
    EXPECT_EQ(taken_after(5), 5U);
    EXPECT_EQ(taken_after(3), 5U);
    EXPECT_EQ(taken_after(5), 5U);
    EXPECT_EQ(taken_after(4'294'967'295U), 5U);
    EXPECT_EQ(taken_after(2'147'483'652U), 2'147'483'652U);
    EXPECT_EQ(taken_after(4'294'967'295U), 4'294'967'295U);
    // It wraps at 2^32.
    EXPECT_EQ(taken_after(0), 0U);
    EXPECT_EQ(taken_after(2), 2U);
    EXPECT_EQ(taken_after(4'294'967'290U), 2U);
}

TEST_P(SmSessionsTest, of_an_account_come_oldest_first) {
    create("one", juliet);
    create("two", romeo);
    create("three", juliet);
    const auto tokens = [&](const std::vector<SmSession>& sessions) {
        std::vector<std::string> list;
        for (const SmSession& session : sessions)
            list.push_back(session.token);
        return list;
    };
    const auto hers =
        database.must([&](Transaction& t) { return SmSessions(t).of_account(juliet.bare()); });
    EXPECT_EQ(tokens(hers), (std::vector<std::string>{"one", "three"}));
    const auto page = [&](SmSessionKey after) {
        return database.must([&](Transaction& t) { return SmSessions(t).page(after, 2); });
    };
    EXPECT_EQ(tokens(page(0)), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(tokens(page(page(0).back().key)), std::vector<std::string>{"three"});
}

TEST_P(SmSessionsTest, keep_their_state_until_they_are_attached_again) {
    const SmSessionKey key = create("one", juliet);
    const std::string state("\0state\xff", 7);
    EXPECT_TRUE(change([&](SmSessions& s) { return s.save_state(key, "older"); }));
    EXPECT_TRUE(change([&](SmSessions& s) { return s.save_state(key, state); }));
    EXPECT_TRUE(change([&](SmSessions& s) { return s.detach(key, kNow); }));
    EXPECT_EQ(find("one")->state, state);
    EXPECT_EQ(find("one")->detached_at, kNow);
    EXPECT_TRUE(change([&](SmSessions& s) { return s.attach(key); }));
    EXPECT_FALSE(find("one")->state);
    EXPECT_FALSE(find("one")->detached_at);
}

TEST_P(SmSessionsTest, have_a_state_of_bounded_size) {
    const SmSessionKey key = create("one", juliet);
    const std::string most(kSmStateBytesMax, 's');
    EXPECT_TRUE(change([&](SmSessions& s) { return s.save_state(key, most); }));
    EXPECT_EQ(change([&](SmSessions& s) { return s.save_state(key, most + "s"); }).error().code(),
              Errc::resource_exhausted);
}

TEST_P(SmSessionsTest, expire_when_they_were_detached_too_long) {
    const SmSessionKey ten = create("ten", juliet, 10);
    create("attached", juliet, 10);
    const SmSessionKey twenty = create("twenty", juliet, 20);
    for (const SmSessionKey key : {twenty, ten})
        EXPECT_TRUE(change([&](SmSessions& s) { return s.detach(key, kNow); }));
    EXPECT_EQ(expired(9), Texts{});
    EXPECT_EQ(expired(10), Texts{"ten"});
    EXPECT_EQ(expired(20), (Texts{"ten", "twenty"}));
    EXPECT_EQ(expired(20, 1), Texts{"ten"});
    EXPECT_TRUE(change([&](SmSessions& s) { return s.attach(ten); }));
    EXPECT_EQ(expired(20), Texts{"twenty"});
}

TEST_P(SmSessionsTest, are_all_detached_after_a_crash) {
    const SmSessionKey before = create("before", juliet, 10);
    create("attached", juliet, 10);
    EXPECT_TRUE(change([&](SmSessions& s) { return s.detach(before, kNow); }));
    EXPECT_EQ(
        database.must([&](Transaction& t) { return SmSessions(t).detach_all(seconds_later(5)); }),
        1);
    EXPECT_EQ(find("before")->detached_at, kNow);
    EXPECT_EQ(find("attached")->detached_at, seconds_later(5));
    EXPECT_EQ(expired(15), (Texts{"before", "attached"}));
}

TEST_P(SmSessionsTest, are_gone_when_removed_and_never_come_back_under_their_key) {
    const SmSessionKey key = create("one", juliet);
    incoming(juliet, romeo, "x", {{.session = key, .sequence = 1}});
    EXPECT_TRUE(change([&](SmSessions& s) { return s.save_state(key, "state"); }));
    const auto remove = [&] {
        return database.must([&](Transaction& t) { return SmSessions(t).remove(key); });
    };
    EXPECT_TRUE(remove());
    EXPECT_FALSE(remove());
    EXPECT_FALSE(find("one"));
    EXPECT_EQ(rows("deliveries") + rows("sm_session_counts") + rows("sm_session_states"), 0);
    const auto code = [&](auto function) { return change(function).error().code(); };
    EXPECT_EQ(code([&](SmSessions& s) { return s.set_taken(key, 1); }), Errc::not_found);
    EXPECT_EQ(code([&](SmSessions& s) { return s.detach(key, kNow); }), Errc::not_found);
    EXPECT_EQ(code([&](SmSessions& s) { return s.attach(key); }), Errc::not_found);
    EXPECT_EQ(code([&](SmSessions& s) { return s.save_state(key, "x"); }), Errc::not_found);
    EXPECT_GT(create("one", juliet), key);
}

}  // namespace
}  // namespace storage::test
