// GatheredParts: the buffers of one vectored write as the kernel takes them; a private piece of the
// streams over descriptors.
#pragma once

#include "reactor/stream.h"

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>

namespace reactor {

class GatheredParts {
public:
    /// Of more buffers than one call takes, the first; empty ones are left out.
    explicit GatheredParts(std::span<const ConstBuffer> buffers) {
        for (const ConstBuffer& buffer : buffers) {
            if (buffer.empty()) continue;
            if (count_ == parts_.size()) break;
            // The kernel's interface has no const; it does not write there.
            parts_[count_++] = {const_cast<std::byte*>(buffer.data()), buffer.size()};
            bytes_ += buffer.size();
        }
    }

    std::span<iovec> parts() noexcept { return std::span(parts_).first(count_); }
    std::size_t bytes() const noexcept { return bytes_; }

private:
    static constexpr std::size_t kPartsMax = 64;

    std::array<iovec, kPartsMax> parts_;  // Only the first count_ mean anything.
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace reactor
