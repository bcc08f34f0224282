#include "xmpp/core/confusables.h"

#include <unicode/localpointer.h>
#include <unicode/uspoof.h>

#include <algorithm>

namespace xmpp {

std::string visual_skeleton(std::string_view text) {
    // A skeleton is seldom longer; ICU says how much longer.
    constexpr std::size_t kGrowth = 2;
    UErrorCode status = U_ZERO_ERROR;
    const icu::LocalUSpoofCheckerPointer checker(uspoof_open(&status));
    if (U_FAILURE(status)) return std::string(text);
    std::string skeleton(text.size() * kGrowth + 1, '\0');
    const auto convert = [&] {
        status = U_ZERO_ERROR;
        return uspoof_getSkeletonUTF8(checker.getAlias(), 0, text.data(),
                                      static_cast<std::int32_t>(text.size()), skeleton.data(),
                                      static_cast<std::int32_t>(skeleton.size()), &status);
    };
    std::int32_t size = convert();
    if (status == U_BUFFER_OVERFLOW_ERROR) {
        skeleton.resize(static_cast<std::size_t>(size) + 1);
        size = convert();
    }
    if (U_FAILURE(status)) return std::string(text);
    skeleton.resize(static_cast<std::size_t>(size));
    return skeleton;
}

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text,
                               [](char unit) { return static_cast<unsigned char>(unit) < 0x80U; });
}

}  // namespace xmpp
