// Bytes that travel: immutable, reference-counted slices. One serialised stanza is shared by all
// its recipients on all shards, so the count is atomic and the bytes never change.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace base {

inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// An immutable byte string shared between owners and shards. Copying costs one atomic increment.
class SharedBytes {
public:
    SharedBytes() = default;
    explicit SharedBytes(std::string bytes)
        : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}

    std::string_view view() const noexcept {
        return bytes_ ? std::string_view(*bytes_) : std::string_view();
    }
    std::size_t size() const noexcept { return bytes_ ? bytes_->size() : 0; }
    bool empty() const noexcept { return size() == 0; }

private:
    std::shared_ptr<const std::string> bytes_;
};

}  // namespace base
