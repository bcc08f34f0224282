#include "server/app/identities.h"

#include "reactor/tls_certificate.h"
#include "server/app/files.h"
#include "server/config/core_keys.h"
#include "xmpp/core/idna.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace server {
namespace {

constexpr unsigned kSelfSignedDays = 730;
constexpr base::Duration kRenewBefore = std::chrono::hours(24 * 30);

base::Result<reactor::TlsIdentity> read_identity(const std::string& certificate,
                                                 const std::string& key) {
    reactor::TlsIdentity identity;
    identity.certificate_chain_pem = TRY(read_file(certificate));
    identity.private_key_pem = TRY(read_file(key));
    auto checked = reactor::check_identity(identity);
    if (!checked)
        return base::fail(base::Errc::invalid_argument,
                          fmt::format("{} with {}: {}", certificate, key,
                                      checked.error().detail()));
    return identity;
}

// Usable until it is renewed, and made for these hosts.
bool still_good(const reactor::TlsIdentity& identity, const std::vector<std::string>& hosts,
                base::WallTime now) {
    const auto info = reactor::certificate_info(identity.certificate_chain_pem);
    return info && info->not_after - now > kRenewBefore &&
           std::ranges::all_of(hosts, [&](const std::string& host) { return info->covers(host); });
}

base::Result<reactor::TlsIdentity> own_identity(const Config& config,
                                                const std::vector<std::string>& hosts,
                                                base::WallTime now) {
    const std::string folder(config.get(keys::kDataDir));
    const std::string certificate = folder + "/self-signed.crt";
    const std::string key = folder + "/self-signed.key";
    if (auto present = read_identity(certificate, key); present && still_good(*present, hosts, now))
        return present;
    reactor::TlsIdentity made =
        TRY(reactor::generate_self_signed(hosts, now, kSelfSignedDays));
    TRY(write_private_file(key, made.private_key_pem));
    TRY(write_private_file(certificate, made.certificate_chain_pem));
    return made;
}

void judge(const std::string& host, const std::string& file, const reactor::TlsIdentity& identity,
           base::WallTime now, std::vector<std::string>& warnings) {
    const auto info = reactor::certificate_info(identity.certificate_chain_pem);
    if (!info) return;
    if (!info->covers(host))
        warnings.push_back(fmt::format(
            "the certificate {} is not for {}: clients will refuse it or ask", file, host));
    if (info->not_after <= now)
        warnings.push_back(fmt::format("the certificate {} has expired: renew it", file));
    else if (info->not_after - now < kRenewBefore)
        warnings.push_back(fmt::format("the certificate {} expires in less than 30 days", file));
}

}  // namespace

base::Result<Identities> load_identities(const Config& config, base::WallTime now) {
    Identities loaded;
    std::vector<std::string> without;  // Hosts that no file serves.
    const std::string common_certificate(config.get(keys::kTlsCertificate));
    const std::string common_key(config.get(keys::kTlsPrivateKey));
    for (const HostConfig& host : config.hosts()) {
        const std::string name = TRY(xmpp::domain_to_ascii(host.name));
        const bool own = !host.certificate.empty();
        const std::string& certificate = own ? host.certificate : common_certificate;
        const std::string& key = own ? host.private_key : common_key;
        if (certificate.empty()) {
            without.push_back(name);
            continue;
        }
        auto identity = read_identity(certificate, key);
        if (!identity) return std::unexpected(identity.error().with("host " + host.name));
        judge(name, certificate, *identity, now, loaded.warnings);
        loaded.options.hosts.emplace_back(name, std::move(*identity));
    }
    if (!without.empty()) {
        const reactor::TlsIdentity identity = TRY(own_identity(config, without, now));
        loaded.self_signed = true;
        for (const std::string& name : without) loaded.options.hosts.emplace_back(name, identity);
    }
    loaded.options.identity = loaded.options.hosts.front().second;
    return loaded;
}

}  // namespace server
