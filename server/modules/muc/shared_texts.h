// SharedTexts: what clients say of themselves in their presence is the same for many of them (their
// capabilities), so that the rooms of a shard keep it once.
#pragma once

#include "reactor/base/bytes.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server::modules::muc {

class SharedTexts {
public:
    /// Texts that are known; another one takes the place of an older.
    static constexpr std::size_t kTextsMax = 512;

    base::SharedBytes share(std::string text) {
        if (text.empty()) return {};
        if (known_.empty()) known_.resize(kTextsMax);
        base::SharedBytes& place = known_[std::hash<std::string_view>()(text) % kTextsMax];
        if (place.view() != text) place = base::SharedBytes(std::move(text));
        return place;
    }

private:
    std::vector<base::SharedBytes> known_;
};

}  // namespace server::modules::muc
