// OpenSSL's random numbers from a seed: keys and signatures of TLS differ in length from draw to
// draw, and with it how the simulated network cuts what it carries. For programs that are nothing
// but a simulation.
#pragma once

#include <cstdint>

namespace sim {

/// From now on, for the whole process.
void seed_openssl(std::uint64_t seed);

}  // namespace sim
