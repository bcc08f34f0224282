// TextMap: a hash table by text, looked up by any string_view without making a string of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace base {

struct TextHash {
    using is_transparent = void;
    // Not noexcept: that has the table keep the hashes instead of making them again in each search.
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

}  // namespace base
