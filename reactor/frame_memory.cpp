#include "reactor/frame_memory.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PARLEY_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PARLEY_PLAIN_FRAMES 1
#endif
#endif

namespace reactor::detail {

namespace {
// Blocks in use that no living thread accounts for.
constinit std::atomic<std::int64_t> live_elsewhere = 0;
}  // namespace

#ifdef PARLEY_PLAIN_FRAMES

void* allocate_frame(std::size_t bytes) {
    live_elsewhere.fetch_add(1, std::memory_order_relaxed);
    return ::operator new(bytes);
}
void free_frame(void* block, std::size_t) noexcept {
    live_elsewhere.fetch_sub(1, std::memory_order_relaxed);
    ::operator delete(block);
}
FrameStatistics frame_statistics() noexcept {
    return {};
}
std::int64_t live_frames() noexcept {
    return live_elsewhere.load(std::memory_order_relaxed);
}

#else

namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kBlockBytesMax = 1024;
constexpr std::size_t kClasses = kBlockBytesMax / kClassBytes;
constexpr std::uint32_t kFreeBlocksMax = 4096;  // Per class and thread; more go back to malloc.

struct FreeBlock {
    FreeBlock* next;
};

// Trivially destructible and constant-initialised, so access needs no guard.
struct FreeLists {
    std::array<FreeBlock*, kClasses> heads;
    std::array<std::uint32_t, kClasses> counts;
    std::uint64_t from_system;
    std::uint64_t to_system;
    bool in_use;  // False before the first block and after the thread's end: keep nothing then.
};
thread_local constinit FreeLists lists{};

std::int64_t live_of_thread() noexcept {
    auto live = static_cast<std::int64_t>(lists.from_system - lists.to_system);
    for (const std::uint32_t count : lists.counts)
        live -= count;
    return live;
}

struct Reclaimer {
    Reclaimer() { lists.in_use = true; }
    ~Reclaimer() {
        live_elsewhere.fetch_add(live_of_thread(), std::memory_order_relaxed);
        lists.in_use = false;
        for (FreeBlock*& head : lists.heads) {
            while (head) {
                FreeBlock* block = head;
                head = block->next;
                ::operator delete(block);
            }
        }
    }
};

void* from_system(std::size_t bytes) {
    thread_local Reclaimer reclaimer;
    void* const block = ::operator new(bytes);
    if (lists.in_use) {
        ++lists.from_system;
    } else {
        live_elsewhere.fetch_add(1, std::memory_order_relaxed);
    }
    return block;
}

void to_system(void* block) noexcept {
    if (lists.in_use) {
        ++lists.to_system;
    } else {
        live_elsewhere.fetch_sub(1, std::memory_order_relaxed);
    }
    ::operator delete(block);
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
    const std::size_t index = (bytes - 1) / kClassBytes;
    if (index >= kClasses) return from_system(bytes);
    FreeBlock* block = lists.heads[index];
    if (!block) return from_system((index + 1) * kClassBytes);
    lists.heads[index] = block->next;
    --lists.counts[index];
    return block;
}

void free_frame(void* block, std::size_t bytes) noexcept {
    const std::size_t index = (bytes - 1) / kClassBytes;
    if (index >= kClasses || !lists.in_use || lists.counts[index] >= kFreeBlocksMax) {
        to_system(block);
        return;
    }
    auto* free_block = static_cast<FreeBlock*>(block);
    free_block->next = lists.heads[index];
    lists.heads[index] = free_block;
    ++lists.counts[index];
}

FrameStatistics frame_statistics() noexcept {
    FrameStatistics statistics{.from_system = lists.from_system};
    for (const std::uint32_t count : lists.counts)
        statistics.kept_blocks += count;
    return statistics;
}
std::int64_t live_frames() noexcept {
    return live_of_thread() + live_elsewhere.load(std::memory_order_relaxed);
}

#endif

}  // namespace reactor::detail
