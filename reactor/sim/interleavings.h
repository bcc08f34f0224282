// All runs of a small concurrent piece of code instead of some: every choice (who goes on next,
// what happens) is an index below a limit, and `for_all_choices` calls a scenario once for each
// sequence of them. For two or three tasks over a Lock, a Queue, a protocol; the number of runs
// grows as fast as one would fear.
#pragma once

#include "reactor/base/check.h"
#include "reactor/deferred.h"
#include "reactor/test_kit.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace reactor {

/// One run's choices: those of the run before up to the last that can be another, then zeros.
class Choices {
public:
    /// 0 to `limit` - 1; `limit` is not 0.
    std::size_t below(std::size_t limit) {
        CHECK(limit > 0);
        if (at_ == made_.size()) made_.push_back({0, limit});
        CHECK(made_[at_].limit == limit);  // The scenario must not depend on anything else.
        return made_[at_++].value;
    }
    bool either() { return below(2) == 1; }

    /// To the next run; false when there is none.
    bool advance() {
        CHECK(at_ == made_.size());
        at_ = 0;
        while (!made_.empty() && made_.back().value + 1 == made_.back().limit)
            made_.pop_back();
        if (made_.empty()) return false;
        ++made_.back().value;
        return true;
    }

private:
    struct Choice {
        std::size_t value;
        std::size_t limit;
    };
    std::vector<Choice> made_;
    std::size_t at_ = 0;
};

/// Calls `scenario(choices)` for every sequence of choices; how many runs that were. Throws
/// TestFailure beyond `runs_max`.
template <class Scenario>
std::uint64_t for_all_choices(Scenario scenario, std::uint64_t runs_max = 1'000'000) {
    Choices choices;
    std::uint64_t runs = 0;
    do {
        if (runs++ == runs_max) throw test::TestFailure("more interleavings than allowed");
        scenario(choices);
    } while (choices.advance());
    return runs;
}

/// Points at which tasks wait for each other's sake: whoever awaits `step()` goes on when `run`
/// chooses it. Everything between two points happens in one go.
class Crossing {
public:
    explicit Crossing(Choices& choices) : choices_(choices) {}

    Deferred<void> step() { return waiting_.emplace_back().deferred(); }
    /// Lets one after the other go on, in the order chosen, until nobody waits here. Also calls
    /// `between` after each step, when everything that is ready has run.
    template <class Between>
    void run(Between between) {
        for (test::run_ready(); !waiting_.empty(); test::run_ready()) {
            std::erase_if(waiting_, [](const Promise<void>& each) { return !each.wanted(); });
            if (waiting_.empty()) break;
            const auto chosen =
                waiting_.begin() + static_cast<std::ptrdiff_t>(choices_.below(waiting_.size()));
            Promise<void> promise = std::move(*chosen);
            waiting_.erase(chosen);
            promise.resolve();
            test::run_ready();
            between();
        }
    }
    void run() {
        run([] {});
    }

private:
    Choices& choices_;
    std::vector<Promise<void>> waiting_;
};

}  // namespace reactor
