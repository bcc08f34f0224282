// The replacement is of the old interface, which OpenSSL 3 still asks first.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/sim/seeded_openssl.h"

#include "tests/sim/chance.h"

#include <openssl/rand.h>

namespace sim {
namespace {

Chance& draws() {
    static Chance made(0, 0);
    return made;
}

int fill(unsigned char* into, int count) {
    for (int i = 0; i < count; ++i)
        into[i] = static_cast<unsigned char>(draws().next());
    return 1;
}

int ready() {
    return 1;
}

}  // namespace

void seed_openssl(std::uint64_t seed) {
    static const RAND_METHOD method{.seed = nullptr,
                                    .bytes = fill,
                                    .cleanup = nullptr,
                                    .add = nullptr,
                                    .pseudorand = fill,
                                    .status = ready};
    draws() = Chance(seed, 77);
    RAND_set_rand_method(&method);
}

}  // namespace sim
