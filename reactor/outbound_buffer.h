// OutboundQueue: the bytes that wait to be written to one stream, in order. Shared slices are kept
// by reference, small texts are gathered into one string. Empty, it holds no memory but itself. It
// has no cap of its own: the owner looks at size_bytes() before it appends.
#pragma once

#include "reactor/base/bytes.h"
#include "reactor/stream.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

class OutboundQueue {
public:
    OutboundQueue() = default;
    OutboundQueue(OutboundQueue&& other) noexcept;
    OutboundQueue& operator=(OutboundQueue&& other) noexcept;
    ~OutboundQueue();

    /// Copies.
    void append(std::string_view bytes);
    /// Keeps a reference, or copies when that is cheaper.
    void append(base::SharedBytes bytes);

    std::size_t size_bytes() const noexcept { return size_bytes_; }
    bool empty() const noexcept { return size_bytes_ == 0; }

    /// Writes what the stream takes. `ok`: all is gone; `would_block`: arm `writable` and come
    /// again; `failed`: the queue keeps its bytes. `bytes` is what was taken in every case.
    IoResult flush(ByteStream& stream);

    /// Forgets all but the first `bytes` bytes: the rest of something that is half written.
    void truncate(std::size_t bytes);

    /// Forgets everything; only when the stream is not written to any more (its last bytes may have
    /// been half of something).
    void clear() noexcept;

private:
    struct Slice {
        std::string owned;
        base::SharedBytes shared;
        std::string_view view() const noexcept {
            return shared.empty() ? std::string_view(owned) : shared.view();
        }
    };
    struct SpareLists;
    void consume(std::size_t bytes) noexcept;

    std::vector<Slice> slices_;
    std::size_t first_ = 0;   // Slices before it are gone.
    std::size_t offset_ = 0;  // Bytes of slices_[first_] that are gone.
    std::size_t size_bytes_ = 0;
};

}  // namespace reactor
