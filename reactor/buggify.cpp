#include "reactor/buggify.h"

#include <string_view>

namespace reactor {
namespace {

constexpr std::uint64_t kPlaceOneIn = 2;

/// The same wherever the sources lie.
std::uint64_t number_of(std::source_location at) noexcept {
    std::string_view file = at.file_name();
    if (const std::size_t slash = file.rfind('/'); slash != std::string_view::npos)
        file.remove_prefix(slash + 1);
    std::uint64_t number = at.line();
    for (const char letter : file)
        number = number * 131 + static_cast<unsigned char>(letter);
    return number;
}

}  // namespace

bool Buggify::strikes(unsigned one_in, std::source_location at) noexcept {
    base::SplitMix64 place(seed_ ^ number_of(at));
    if (place.below(kPlaceOneIn) != 0 || numbers_.below(one_in) != 0) return false;
    ++count_;
    return true;
}

}  // namespace reactor
