#include "tests/support/room_book.h"

#include <gtest/gtest.h>
#include <optional>

namespace test {
namespace {

class Books : public testing::Test {
protected:
    bool complains(std::string_view words) const {
        for (const std::string& line : complaints)
            if (line.find(words) != std::string::npos) return true;
        return false;
    }
    /// Says it, acknowledged, and has both guests hear it unless told otherwise.
    RoomBook::Word talk(std::uint32_t speaker, bool first = true, bool second = true) {
        const RoomBook::Word word = book.say(speaker, 0);
        book.acknowledged(word);
        const std::string id = std::to_string(++last);
        if (first) book.hears(1, word, id);
        if (second) book.hears(2, word, id);
        kept.push_back({word, id});
        return word;
    }
    void end() {
        book.archive_of(0, kept);
        book.check_end();
    }

    std::vector<std::string> complaints;
    RoomBook book{[this](std::string what) { complaints.push_back(std::move(what)); }};
    std::vector<RoomBook::Kept> kept;
    unsigned last = 0;

    void SetUp() override {
        book.enters(1, 0);
        book.enters(2, 0);
    }
};

TEST_F(Books, are_content_when_everybody_heard_everything) {
    for (int i = 0; i < 5; ++i)
        talk(1), talk(2);
    end();
    EXPECT_TRUE(complaints.empty()) << complaints.front();
    EXPECT_EQ(book.totals().heard, 20U);
    RoomBook::Word word;
    EXPECT_TRUE(RoomBook::parse(RoomBook::text_of({4, 5, 6}) + " and more", word));
    EXPECT_EQ(word, (RoomBook::Word{4, 5, 6}));
    EXPECT_FALSE(RoomBook::parse("r1 2", word));
}

TEST_F(Books, allow_to_come_later_and_to_go_earlier) {
    book.leaves(2, 0);
    talk(1, true, false);
    book.enters(2, 0);
    talk(1);
    book.leaves(2, 0);
    talk(2, true, false);
    end();
    EXPECT_TRUE(complaints.empty()) << complaints.front();
}

TEST_F(Books, find_a_gap_a_repetition_and_another_order) {
    talk(1);
    talk(1, true, false);
    talk(1);
    end();
    EXPECT_TRUE(complains("guest 2 heard r1 0 3 and missed r1 0 2"));
    complaints.clear();
    book.hears(1, {1, 0, 2}, "2");
    book.check_end();
    EXPECT_TRUE(complains("again, or too late"));
    book.archive_of(0, {});
    EXPECT_TRUE(complains("do not find the same"));
}

TEST_F(Books, find_a_gap_between_history_and_what_is_heard) {
    for (std::uint32_t number = 1; number <= 4; ++number)
        kept.push_back({book.say(1, 0), std::to_string(number), number == 2});
    book.shown(2, {1, 0, 1}, "1", true);
    book.hears(2, {1, 0, 3}, "3");        // A subject is no history.
    book.shown(2, {1, 0, 1}, "1", true);  // It has entered again.
    book.hears(2, {1, 0, 4}, "4");
    end();
    EXPECT_TRUE(complains("guest 2 heard r1 0 4 and missed r1 0 3 before it"));
    EXPECT_EQ(complaints.size(), 1U);
    EXPECT_EQ(book.totals().shown, 2U);
}

TEST_F(Books, excuse_a_gap_when_a_connection_was_lost) {
    talk(1);
    talk(1, true, false);
    book.may_miss(2);
    talk(1);
    end();
    EXPECT_TRUE(complaints.empty()) << complaints.front();
}

TEST_F(Books, find_what_is_missing_at_the_end) {
    talk(1);
    talk(1, true, false);
    end();
    EXPECT_TRUE(complains("guest 2 is in and missed r1 0 2 at the end"));
}

TEST_F(Books, find_what_the_archive_lacks_or_has_twice_or_in_another_order) {
    talk(1);
    talk(1);
    const auto lost = book.say(1, 0);
    book.acknowledged(lost);
    std::swap(kept[0], kept[1]);
    kept.push_back(kept[0]);
    end();
    EXPECT_TRUE(complains("r1 0 3 was acknowledged and is not in the archive"));
    EXPECT_TRUE(complains("twice"));
    EXPECT_TRUE(complains("r1 0 1 behind number 2"));
}

TEST_F(Books, do_not_miss_what_was_refused) {
    const auto word = book.say(1, 0);
    book.acknowledged(word);
    book.refused(word);
    end();
    EXPECT_TRUE(complaints.empty());
}

TEST_F(Books, allow_what_was_refused_to_be_in_the_archive_unheard) {
    talk(1);
    book.refused(talk(1, false, false));
    talk(1);
    book.refused(talk(2, false, false));
    end();
    EXPECT_TRUE(complaints.empty()) << complaints.front();
}

TEST_F(Books, excuse_a_refusal_that_was_lost_with_the_speakers_session) {
    const auto stored = book.say(1, 0);
    book.acknowledged(stored);
    book.session_lost(1);
    book.silence(1, 0);
    const auto refused = book.say(1, 0);
    book.acknowledged(refused);
    const auto again = book.say(2, 0);
    book.sent_again(again);
    book.acknowledged(again);
    book.session_lost(1);
    end();
    EXPECT_TRUE(complains("r1 0 1 was acknowledged and is not in the archive"));
    EXPECT_FALSE(complains("r1 0 2"));
    // Its session is there, and its refusal should have come.
    EXPECT_TRUE(complains("r2 0 1 was acknowledged and is not in the archive"));
    EXPECT_EQ(book.totals().excused, 1U);
}

TEST_F(Books, excuse_what_could_not_be_stored_when_nobody_could_be_told) {
    RoomBook other([this](std::string what) { complaints.push_back(std::move(what)); }, {},
                   [](const RoomBook::Word& word) { return word.number == 2; });
    other.enters(1, 0);
    for (int i = 0; i < 3; ++i)
        other.acknowledged(other.say(1, 0));
    other.session_lost(1);
    other.archive_of(0, {});
    other.check_end();
    EXPECT_TRUE(complains("r1 0 1 was acknowledged"));
    EXPECT_FALSE(complains("r1 0 2 was acknowledged"));
    EXPECT_TRUE(complains("r1 0 3 was acknowledged"));
}

TEST_F(Books, let_a_new_session_hear_what_was_under_way_to_the_one_before) {
    const auto before = book.say(1, 0);
    book.leaves(2, 0);
    book.comes_anew(2);
    book.hears(2, before, "1");
    EXPECT_TRUE(complaints.empty());
    book.hears(2, book.say(1, 0), "2");
    EXPECT_TRUE(complains("guest 2 hears r1 0 2 outside of the room"));
}

TEST_F(Books, find_an_outcast_who_hears_what_was_said_since) {
    const auto before = book.say(1, 0);
    book.ban(2, 0);
    book.hears(2, before, "1");
    EXPECT_TRUE(complaints.empty());
    const auto since = book.say(1, 0);
    book.hears(2, since, "2");
    EXPECT_TRUE(complains("although it is an outcast"));
}

TEST_F(Books, let_be_heard_what_was_kept_until_its_speaker_had_a_voice) {
    book.silence(1, 0);
    const auto word = book.say(1, 0);
    book.allow(1, 0);
    book.hears(2, word, "1");
    EXPECT_TRUE(complaints.empty());
}

TEST_F(Books, find_who_speaks_without_voice_and_who_hears_from_outside) {
    book.silence(1, 0);
    talk(1);
    EXPECT_TRUE(complains("of one without voice"));
    complaints.clear();
    book.allow(1, 0);
    book.leaves(2, 0);
    talk(1);
    EXPECT_TRUE(complains("outside of the room"));
}

}  // namespace
}  // namespace test
