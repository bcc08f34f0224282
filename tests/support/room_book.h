// RoomBook: what was said in rooms, and whether everybody heard the same: each word that the server
// took is in the room's archive, once and in the order of who said it; what a guest hears between
// entering and leaving is the archive without a gap, their own words included. Knows no XMPP:
// phones of the simulator and clients of the kill test tell it.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

class RoomBook {
public:
    using Room = std::uint32_t;
    using Guest = std::uint32_t;

    /// Numbers count from 1 for each guest and room.
    struct Word {
        Guest speaker = 0;
        Room room = 0;
        std::uint32_t number = 0;
        friend auto operator<=>(const Word&, const Word&) = default;
    };
    /// As a message says it: "r3 5 17".
    static std::string text_of(const Word& word);
    /// False: no word. Behind it may be anything.
    static bool parse(std::string_view text, Word& word);

    /// Is told what is wrong, as a sentence, when it shows.
    using Complain = std::function<void(std::string)>;
    /// Is told what happens to a word.
    using Note = std::function<void(const Word& word, const std::string& what)>;
    /// Whether the server may have refused the word because it could not store it.
    using Excuses = std::function<bool(const Word& word)>;
    explicit RoomBook(Complain complain, Note note = {}, Excuses excuses = {})
        : complain_(std::move(complain)), note_(std::move(note)), excuses_(std::move(excuses)) {}

    // --- who speaks

    Word say(Guest speaker, Room room);
    /// The server has taken it: it is there for ever, or was refused.
    void acknowledged(const Word& word);
    /// In another session than before, and before the speaker has entered: it is refused.
    void sent_again(const Word& word);
    /// With everything that was on its way to the speaker: a refusal perhaps.
    void session_lost(Guest speaker);
    /// An error came back. It may be in the archive all the same, when the disk had it and did not
    /// say so; those who were there have missed it.
    void refused(const Word& word);
    /// The guest may not speak: what they say from now on is to be heard by nobody.
    void silence(Guest speaker, Room room);
    /// From now on, and what the server has not taken yet.
    void allow(Guest speaker, Room room);
    /// Whether what they say may be refused for what they are, and has not been until now.
    void doubt(Guest speaker, Room room, bool doubted);
    /// The server has answered that the guest must not be in the room: what is said from now on is
    /// not for them.
    void ban(Guest guest, Room room) { banned_[{guest, room}] = totals_.said; }
    /// Has perhaps ended.
    void unban(Guest guest, Room room) { banned_.erase({guest, room}); }
    /// Who is not the first waits until the room is there.
    void open(Room room) { open_[room] = true; }
    bool is_open(Room room) const { return open_.contains(room); }

    // --- who listens

    /// A visit begins: the room has said that the guest is in.
    void enters(Guest guest, Room room);
    /// Whatever the reason. What is heard without a visit is a fault.
    void leaves(Guest guest, Room room);
    /// The guest has a new session of the same address as the last one, which was perhaps in a
    /// room: what was said until now may have been under way to it.
    void comes_anew(Guest guest) { anew_[guest] = totals_.said; }
    bool is_in(Guest guest, Room room) const;
    /// `stanza_id`: of the room.
    void hears(Guest guest, const Word& word, const std::string& stanza_id);
    /// Likewise, as history on entering: right before what is heard next. `first` of it: who enters
    /// once more is shown it once more.
    void shown(Guest guest, const Word& word, const std::string& stanza_id, bool first);
    /// The guest's connection lost what was on its way: the visit may have a gap here.
    void may_miss(Guest guest);

    // --- in the end

    struct Kept {
        Word word;
        std::string stanza_id;
        bool subject = false;  ///< It is not part of the history.
        friend bool operator==(const Kept&, const Kept&) = default;
    };
    /// All of the room's archive, in its order; whoever reads it finds the same.
    void archive_of(Room room, std::vector<Kept> kept);
    /// What was said behind the first `said` words, and acknowledged, was heard by somebody.
    bool all_heard_since(std::uint64_t said) const;
    /// It was refused, or that was lost on its way to the speaker.
    bool may_be_refused(const Word& word) const;
    void check_end();

    struct Totals {
        std::uint64_t said = 0;
        std::uint64_t acknowledged = 0;
        std::uint64_t refused = 0;
        std::uint64_t heard = 0;
        std::uint64_t shown = 0;
        std::uint64_t kept = 0;
        std::uint64_t excused = 0;  ///< Acknowledged, and refused by an error that was lost.
    };
    const Totals& totals() const { return totals_; }

private:
    struct Record {
        bool acknowledged = false;
        bool refused = false;
        bool silenced = false;
        bool doubtful = false;    ///< It may have been refused for what its speaker is.
        bool lost = false;        ///< A session of the speaker has ended since it was acknowledged.
        std::uint64_t place = 0;  ///< Among all that was said.
        std::uint64_t heard = 0;
    };
    struct Heard {
        Word word;
        std::string stanza_id;
        bool after_gap = false;
        bool shown = false;
    };
    struct Visit {
        Guest guest = 0;
        Room room = 0;
        bool over = false;
        std::vector<Heard> heard{};
    };

    /// nullptr: that is a fault, or not worth a note.
    Record* record_of_heard(Guest guest, const Word& word);
    Visit* visit_of(Guest guest, Room room);
    const Visit* visit_of(Guest guest, Room room) const;
    bool may_be_refused(const Word& word, const Record& record) const;
    void check_archive(Room room, const std::vector<Kept>& kept);
    void check_visit(const Visit& visit, const std::vector<Kept>& kept,
                     const std::map<std::string, std::size_t>& places);

    void note(const Word& word, const std::string& what) const {
        if (note_) note_(word, what);
    }

    Complain complain_;
    Note note_;
    Excuses excuses_;
    std::map<Word, Record> records_;
    std::map<std::pair<Guest, Room>, std::uint32_t> numbers_;
    std::map<std::pair<Guest, Room>, bool> silenced_;
    std::map<std::pair<Guest, Room>, bool> doubted_;
    std::map<Guest, std::uint64_t> anew_;                     // What had been said by then.
    std::map<std::pair<Guest, Room>, std::uint64_t> banned_;  // What had been said by then.
    std::map<Room, bool> open_;
    std::vector<Visit> visits_;
    std::map<std::pair<Guest, Room>, std::size_t> current_;
    std::map<Guest, bool> gaps_;
    std::map<Room, std::vector<Kept>> archives_;
    Totals totals_;
};

}  // namespace test
