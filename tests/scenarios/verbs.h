// The steps that a scenario may have, as one table; README.md shows them to their authors. Private
// to the player.
#pragma once

#include "tests/scenarios/script.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace server::test {

class Player;

enum class Argument : std::uint8_t { none, required, optional };
/// What a step takes that not every server can give.
enum class Needs : std::uint8_t { nothing, simulation, restart };

struct VerbCall {
    const Step& step;
    const std::vector<std::string>& words;  ///< What stood for the <…> of the pattern.
};

struct Verb {
    std::string_view pattern;  ///< "<client> receives nothing for <time>"
    Argument takes_argument = Argument::none;
    Needs needs = Needs::nothing;
    void (*run)(Player& player, const VerbCall& call) = nullptr;
};

struct VerbMatch {
    const Verb* verb = nullptr;
    std::vector<std::string> words;
};

std::span<const Verb> all_verbs();
std::optional<VerbMatch> find_verb(const Step& step);

}  // namespace server::test
