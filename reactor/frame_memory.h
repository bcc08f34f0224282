// Memory for coroutine frames and pending Deferreds: a free list per thread and size class, so that
// starting, awaiting and ending a coroutine costs no malloc. Blocks may be freed on another thread.
// Under AddressSanitizer and ThreadSanitizer every block is a plain allocation, so that errors
// show.
#pragma once

#include <cstddef>
#include <cstdint>

namespace reactor::detail {

/// Throws std::bad_alloc when memory is gone, like operator new.
void* allocate_frame(std::size_t bytes);
/// `bytes` as given to allocate_frame.
void free_frame(void* block, std::size_t bytes) noexcept;

/// Of this thread. Under the sanitizers all zero.
struct FrameStatistics {
    std::uint64_t from_system = 0;  ///< Blocks that the free lists did not have.
    std::size_t kept_blocks = 0;    ///< In the free lists now.
};
FrameStatistics frame_statistics() noexcept;
/// Blocks in use that this thread made, less those it freed for others, and the same of all threads
/// that have ended: coroutines and pending Deferreds that nobody let go. For checks of leaks.
std::int64_t live_frames() noexcept;

/// Gives a class (and what derives from it) its memory from the free lists.
struct FrameAllocated {
    static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* block, std::size_t bytes) noexcept {
        free_frame(block, bytes);
    }

protected:
    ~FrameAllocated() = default;
};

}  // namespace reactor::detail
