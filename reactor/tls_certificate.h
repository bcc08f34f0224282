// Certificates as values: making a self-signed one for the first start, and looking into PEM files
// so that a broken or expiring one is reported in words before anybody connects.
#pragma once

#include "reactor/base/clock.h"
#include "reactor/base/result.h"
#include "reactor/tls.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reactor {

/// The first certificate of a PEM chain.
struct CertificateInfo {
    base::WallTime not_before;
    base::WallTime not_after;
    std::string subject;  ///< One line, "CN = example.org".
    std::string issuer;
    std::vector<std::string> dns_names;
    std::vector<std::string> xmpp_addresses;
    std::vector<std::string> ip_addresses;
    std::string fingerprint_sha256;  ///< Lower-case hex of the DER.
    bool self_signed = false;
    std::size_t chain_length = 0;  ///< Certificates in the PEM text.

    /// Whether a client that connects to `host` (A-labels, any case) would accept the names.
    bool covers(std::string_view host) const;
};

/// An ECDSA P-256 key and a certificate for `hosts` (at least one; A-labels, "*.example.org", or IP
/// addresses), valid from one hour before `now` for `days` days.
/// Errors: invalid_argument (no host, or one that is not ASCII).
base::Result<TlsIdentity> generate_self_signed(std::span<const std::string> hosts,
                                               base::WallTime now, unsigned days);

/// Errors: invalid_argument, in words for the operator ("holds a private key but no certificate").
base::Result<CertificateInfo> certificate_info(std::string_view certificate_pem);

/// Checks that the chain and the key parse, belong together and are in order; the info on success.
/// Expiry is the caller's to judge.
base::Result<CertificateInfo> check_identity(const TlsIdentity& identity);

}  // namespace reactor
