// RoomCrowd: rooms of a simulated run with their visitors, on the shard of the phones, and what
// must be true of them: RoomBook's, who sees whom, no address that leaks.
#pragma once

#include "reactor/task_set.h"
#include "tests/sim/crowd.h"
#include "tests/sim/room_visitor.h"
#include "tests/support/room_book.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sim {

class RoomCrowd {
public:
    RoomCrowd(Crowd& crowd, std::uint64_t seed, unsigned rooms);
    RoomCrowd(const RoomCrowd&) = delete;
    RoomCrowd& operator=(const RoomCrowd&) = delete;
    ~RoomCrowd();

    void make_accounts();
    void start();
    void calm_down();
    bool at_peace() const;
    void say_last_words();
    bool last_words_heard() const { return book_.all_heard_since(said_) && at_peace(); }
    void look_around();
    /// Of what they have seen by now.
    void check();
    void go_home();
    bool all_offline() const;
    void complain_of_unrest();
    const test::RoomBook::Totals& totals() const { return book_.totals(); }

private:
    template <class Function>
    void each(Function function);
    void complain(const std::string& what);
    base::MonotonicTime now() const;

    Crowd& crowd_;
    /// From being said to being acknowledged.
    std::map<test::RoomBook::Word, MessageLog::Span> spans_;
    test::RoomBook book_;
    std::uint64_t said_ = 0;  // Before the last words.
    std::vector<std::unique_ptr<Visitor>> visitors_;
    std::optional<reactor::TaskSet> tasks_;  // Ends before what the tasks use.
};

}  // namespace sim
