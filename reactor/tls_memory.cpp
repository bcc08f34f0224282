#include "reactor/tls_memory.h"

#include <openssl/crypto.h>

#include <malloc.h>
#include <array>
#include <cstddef>
#include <cstdlib>

namespace reactor {
namespace {

// What OpenSSL asks for a record and its overhead lies in between, whatever the version negotiated.
constexpr std::size_t kBufferBytesMin = 16'384;
constexpr std::size_t kBufferBytes = 18'432;
constexpr std::size_t kStockMax = 8;  // One read and one write at a time, some more at a handshake.

// Trivially destructible and constant-initialised, so access needs no guard and is good to the end
// of the thread.
struct Stock {
    std::array<void*, kStockMax> blocks;
    std::size_t count;
    bool in_use;  // False before the first block and after the thread's end: keep nothing then.
};
thread_local constinit Stock stock{};

struct StockKeeper {
    StockKeeper() noexcept { stock.in_use = true; }
    ~StockKeeper() {
        stock.in_use = false;
        while (stock.count > 0)
            std::free(stock.blocks[--stock.count]);
    }
};

void* new_buffer() noexcept {
    thread_local const StockKeeper keeper;
    return std::malloc(kBufferBytes);
}

bool is_buffer_size(std::size_t bytes) noexcept {
    return bytes >= kBufferBytesMin && bytes <= kBufferBytes;
}

void* allocate(std::size_t bytes, const char*, int) {
    if (!is_buffer_size(bytes)) return bytes == 0 ? nullptr : std::malloc(bytes);
    return stock.count > 0 ? stock.blocks[--stock.count] : new_buffer();
}

void release(void* block, const char*, int) {
    if (block == nullptr) return;
    // Any block that is large enough will do, and not much larger, wherever it came from.
    const std::size_t usable = malloc_usable_size(block);
    const bool fits = usable >= kBufferBytes && usable < kBufferBytes + 64;
    if (fits && stock.in_use && stock.count < kStockMax) {
        stock.blocks[stock.count++] = block;
    } else {
        std::free(block);
    }
}

// Unused under sanitizers, as the others are through it.
[[maybe_unused]] void* reallocate(void* block, std::size_t bytes, const char* file, int line) {
    if (block == nullptr) return allocate(bytes, file, line);
    if (bytes == 0) {
        release(block, file, line);
        return nullptr;
    }
    return std::realloc(block, bytes);
}

}  // namespace

void stock_tls_buffers() noexcept {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CRYPTO_set_mem_functions(allocate, reallocate, release);
#endif
}

}  // namespace reactor
