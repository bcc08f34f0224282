// See tls_certificate.h. Parsing of PEM and of subject alternative names (RFC 5280 §4.2.1.6, the
// otherName forms of RFC 6120 §13.7.1.4 and RFC 4985), and the self-signed certificate of a first
// start.
#include "reactor/tls_certificate.h"

#include "reactor/base/text.h"
#include "reactor/tls_openssl.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace reactor {
namespace {

constexpr std::string_view kXmppAddressOid = "1.3.6.1.5.5.7.8.5";
constexpr std::string_view kDnsSrvOid = "1.3.6.1.5.5.7.8.7";
constexpr std::size_t kChainLengthMax = 16;

using base::Errc;
using base::fail;
using base::Result;

std::optional<std::string> text_of(const ASN1_STRING* string) {
    const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
    std::string text(data, static_cast<std::size_t>(ASN1_STRING_length(string)));
    if (text.empty() || text.find('\0') != std::string::npos) return std::nullopt;
    return text;
}

void add(std::vector<std::string>& names, std::optional<std::string> name) {
    if (name) names.push_back(*std::move(name));
}

void add_other_name(CertificateNames& names, const OTHERNAME& other) {
    std::array<char, 64> oid{};
    OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()), other.type_id, 1);
    const std::string_view type(oid.data());
    if (other.value == nullptr) return;
    if (type == kXmppAddressOid && other.value->type == V_ASN1_UTF8STRING) {
        auto text = text_of(other.value->value.utf8string);
        if (text && base::is_valid_utf8(*text)) add(names.xmpp_addresses, std::move(text));
    } else if (type == kDnsSrvOid && other.value->type == V_ASN1_IA5STRING) {
        add(names.srv_names, text_of(other.value->value.ia5string));
    }
}

std::optional<std::string> ip_text(const ASN1_OCTET_STRING* octets) {
    const int length = ASN1_STRING_length(octets);
    if (length != 4 && length != 16) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text.data(),
              text.size());
    return std::string(text.data());
}

std::string one_line(const X509_NAME* name) {
    OpenSslPtr<BIO> out(BIO_new(BIO_s_mem()));
    if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return {};
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

// An encrypted key would make OpenSSL ask at the terminal: refuse instead.
int refuse_passphrase(char*, int, int, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Result<std::vector<OpenSslPtr<X509>>> parse_chain(std::string_view pem) {
    ERR_clear_error();
    OpenSslPtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::vector<OpenSslPtr<X509>> chain;
    bool asked = false;
    while (in) {
        OpenSslPtr<X509> next(PEM_read_bio_X509(in.get(), nullptr, refuse_passphrase, &asked));
        if (!next) break;
        chain.push_back(std::move(next));
        if (chain.size() > kChainLengthMax)
            return fail(Errc::invalid_argument, "the certificate chain holds more than " +
                                                    std::to_string(kChainLengthMax) +
                                                    " certificates");
    }
    const unsigned long last = ERR_peek_last_error();
    const bool ended =
        ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
    if (!ended)
        return fail(Errc::invalid_argument,
                    "the certificate is damaged: " + take_openssl_error("not PEM"));
    ERR_clear_error();
    if (chain.empty()) {
        const bool is_key = pem.find("PRIVATE KEY-----") != std::string_view::npos;
        return fail(Errc::invalid_argument,
                    is_key ? "holds a private key but no certificate" : "holds no certificate");
    }
    return chain;
}

Result<OpenSslPtr<EVP_PKEY>> parse_key(std::string_view pem) {
    ERR_clear_error();
    OpenSslPtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    bool asked = false;
    OpenSslPtr<EVP_PKEY> key(
        in ? PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, &asked) : nullptr);
    if (key) return key;
    const std::string reason = take_openssl_error("not PEM");
    if (asked)
        return fail(Errc::invalid_argument,
                    "the private key is encrypted: store it without a "
                    "passphrase, readable by the server only");
    if (pem.find("PRIVATE KEY-----") == std::string_view::npos)
        return fail(Errc::invalid_argument, "holds no private key");
    return fail(Errc::invalid_argument, "the private key is damaged: " + reason);
}

CertificateInfo info_of_chain(const std::vector<OpenSslPtr<X509>>& chain) {
    const X509* leaf = chain.front().get();
    CertificateNames names = names_of(leaf);
    CertificateInfo info;
    info.not_before = wall_time_of(X509_get0_notBefore(leaf));
    info.not_after = wall_time_of(X509_get0_notAfter(leaf));
    info.subject = one_line(X509_get_subject_name(leaf));
    info.issuer = one_line(X509_get_issuer_name(leaf));
    info.dns_names = std::move(names.dns_names);
    info.xmpp_addresses = std::move(names.xmpp_addresses);
    info.ip_addresses = std::move(names.ip_addresses);
    info.fingerprint_sha256 = fingerprint_of(leaf);
    info.self_signed = X509_NAME_cmp(X509_get_subject_name(leaf), X509_get_issuer_name(leaf)) == 0;
    info.chain_length = chain.size();
    return info;
}

}  // namespace

std::string take_openssl_error(std::string_view otherwise) {
    const unsigned long first = ERR_get_error();
    ERR_clear_error();
    const char* reason = first == 0 ? nullptr : ERR_reason_error_string(first);
    return reason == nullptr ? std::string(otherwise) : std::string(reason);
}

CertificateNames names_of(const X509* certificate) {
    CertificateNames names;
    OpenSslPtr<GENERAL_NAMES> all(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
        switch (name->type) {
            case GEN_DNS:
                add(names.dns_names, text_of(name->d.dNSName));
                break;
            case GEN_EMAIL:
                add(names.emails, text_of(name->d.rfc822Name));
                break;
            case GEN_IPADD:
                add(names.ip_addresses, ip_text(name->d.iPAddress));
                break;
            case GEN_OTHERNAME:
                add_other_name(names, *name->d.otherName);
                break;
            default:
                break;
        }
    }
    ERR_clear_error();
    return names;
}

std::string common_name_of(const X509* certificate) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) return {};
    std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text.find('\0') == std::string::npos ? text : std::string();
}

std::string fingerprint_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
    return base::hex_encode({reinterpret_cast<char*>(digest.data()), size});
}

base::WallTime wall_time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return base::WallTime::from_seconds(timegm(&parts));
}

Result<ParsedIdentity> parse_identity(const TlsIdentity& identity) {
    auto chain = TRY(parse_chain(identity.certificate_chain_pem));
    ParsedIdentity parsed;
    parsed.key = TRY(parse_key(identity.private_key_pem));
    if (X509_check_private_key(chain.front().get(), parsed.key.get()) != 1) {
        ERR_clear_error();
        const auto owner = std::ranges::find_if(chain, [&](const OpenSslPtr<X509>& certificate) {
            return X509_check_private_key(certificate.get(), parsed.key.get()) == 1;
        });
        ERR_clear_error();
        return fail(Errc::invalid_argument,
                    owner == chain.end()
                        ? "the private key does not belong to the certificate (" +
                              one_line(X509_get_subject_name(chain.front().get())) + ")"
                        : "the certificate chain is in the wrong order: the server's own "
                          "certificate must come first");
    }
    parsed.leaf = std::move(chain.front());
    chain.erase(chain.begin());
    parsed.intermediates = std::move(chain);
    return parsed;
}

Result<CertificateInfo> certificate_info(std::string_view certificate_pem) {
    return info_of_chain(TRY(parse_chain(certificate_pem)));
}

Result<CertificateInfo> check_identity(const TlsIdentity& identity) {
    TRY(parse_identity(identity));
    return certificate_info(identity.certificate_chain_pem);
}

bool CertificateInfo::covers(std::string_view host) const {
    const std::string wanted = base::to_lower_ascii(host);
    const std::size_t dot = wanted.find('.');
    const auto matches = [&](const std::string& raw) {
        const std::string name = base::to_lower_ascii(raw);
        if (name == wanted) return true;
        return name.starts_with("*.") && dot != std::string::npos && dot > 0 &&
               std::string_view(name).substr(1) == std::string_view(wanted).substr(dot);
    };
    return std::ranges::any_of(dns_names, matches) ||
           std::ranges::find(ip_addresses, wanted) != ip_addresses.end();
}

}  // namespace reactor
