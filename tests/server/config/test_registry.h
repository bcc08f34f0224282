// A registry with one key of each type, for the tests of the loader and its neighbours.
#pragma once

#include <chrono>
#include <string_view>

#include "reactor/base/units.h"
#include "server/config/config.h"
#include "server/config/keys.h"
#include "server/config/registry.h"

namespace server::test {

using namespace std::chrono_literals;
using base::operator""_KiB;
using base::operator""_MiB;

enum class Colour : std::uint8_t { red, green, blue };

inline std::string_view check_even(std::string_view value) {
    return value.size() % 2 == 0 && !value.empty() ? "" : "a text of even length";
}

inline constexpr IntegerKey kCount{"box.count", 7, 1, 100, "How many."};
inline constexpr BoolKey kOpen{"box.open", true, "Whether."};
inline constexpr StringKey kLabel{"box.label", "none", "What it says."};
inline constexpr PathKey kPlace{"box.place", "", "Where it stands."};
inline constexpr StringListKey kPairs{"box.pairs",  {"ab", "cd"}, "Texts of even length.",
                                      Reload::live, {},           check_even};
inline constexpr StringListKey kTastes{
    "box.tastes", {"sweet"}, "Some words.", Reload::live, {"sweet", "sour", "bitter"}};
inline constexpr DurationKey kDelay{"box.delay", 30s, 1s, 1h, "How long."};
inline constexpr SizeKey kRoom{"box.room", 64_KiB, 1_KiB, 1_MiB, "How big.", Reload::restart};
inline constexpr ChoiceKey<Colour> kColour{
    "box.colour", Colour::green, {"red", "green", "blue"}, "Which."};
inline constexpr IntegerKey kLevel{"level", 0, -5, 5, "A key without a section."};

inline KeyRegistry test_registry() {
    constexpr ConfigKeyRef kAll[] = {kCount,  kOpen,  kLabel, kPlace,  kPairs,
                                     kTastes, kDelay, kRoom,  kColour, kLevel};
    KeyRegistry registry;
    registry.add(kAll);
    registry.describe_section("box", "A box.");
    return registry;
}

}  // namespace server::test
