// The certificates of the hosts: from the files that the configuration names, or self-signed and
// made on first start in the data folder. Reads files: start-up and pool only.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/tls.h"
#include "server/config/config.h"

#include <string>
#include <vector>

namespace server {

struct Identities {
    reactor::TlsServerOptions options;  ///< `identity` and `hosts` are set.
    bool self_signed = false;           ///< Some host uses the certificate that we made.
    std::vector<std::string> warnings;  ///< Sentences: about to expire, does not cover its host.
};

/// Errors name the host, the file and the mend.
base::Result<Identities> load_identities(const Config& config, base::WallTime now);

}  // namespace server
