// See allocations.h. Each thread counts in a place of its own without locked instructions, so that
// counting costs next to nothing. glibc's allocator is behind the replaced functions; freeing needs
// no replacement.
#include "allocations.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

// The C library's own names for its allocator.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* block, std::size_t size);             // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT
}

namespace bench {
namespace {

constexpr std::size_t kCountersMax = 256;  // More threads share.
constexpr std::size_t kCacheLine = 64;

struct alignas(kCacheLine) ThreadCounter {
    std::atomic<std::uint64_t> count;
};
constinit std::array<ThreadCounter, kCountersMax> counters{};
constinit std::atomic<std::size_t> threads = 0;
constinit thread_local ThreadCounter* own = nullptr;

void count_one() noexcept {
    if (!own) own = &counters[threads.fetch_add(1, std::memory_order_relaxed) % kCountersMax];
    own->count.store(own->count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

std::uint64_t allocations() noexcept {
    std::uint64_t sum = 0;
    for (const ThreadCounter& counter : counters)
        sum += counter.count.load(std::memory_order_relaxed);
    return sum;
}

}  // namespace bench

extern "C" {

void* malloc(std::size_t size) {
    bench::count_one();
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    bench::count_one();
    return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
    bench::count_one();
    return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    bench::count_one();
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    bench::count_one();
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
    bench::count_one();
    *block = __libc_memalign(alignment, size);
    return *block ? 0 : ENOMEM;
}
}
