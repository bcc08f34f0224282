#include "reactor/frame_memory.h"

#include <array>
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

#ifdef PARLEY_PLAIN_FRAMES

void* allocate_frame(std::size_t bytes) {
    return ::operator new(bytes);
}
void free_frame(void* block, std::size_t) noexcept {
    ::operator delete(block);
}
FrameStatistics frame_statistics() noexcept {
    return {};
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
    bool in_use;  // False before the first block and after the thread's end: keep nothing then.
};
thread_local constinit FreeLists lists{};

struct Reclaimer {
    Reclaimer() { lists.in_use = true; }
    ~Reclaimer() {
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

void* allocate_new(std::size_t index) {
    thread_local Reclaimer reclaimer;
    ++lists.from_system;
    return ::operator new((index + 1) * kClassBytes);
}

}  // namespace

void* allocate_frame(std::size_t bytes) {
    const std::size_t index = (bytes - 1) / kClassBytes;
    if (index >= kClasses) {
        ++lists.from_system;
        return ::operator new(bytes);
    }
    FreeBlock* block = lists.heads[index];
    if (!block) return allocate_new(index);
    lists.heads[index] = block->next;
    --lists.counts[index];
    return block;
}

void free_frame(void* block, std::size_t bytes) noexcept {
    const std::size_t index = (bytes - 1) / kClassBytes;
    if (index >= kClasses || !lists.in_use || lists.counts[index] >= kFreeBlocksMax) {
        ::operator delete(block);
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

#endif

}  // namespace reactor::detail
