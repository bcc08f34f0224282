// Names and records as DNS carries them (RFC 1035 §3, RFC 2782, RFC 3596). What comes from the
// network is checked here: a target with bytes that no host name has does not get further.
#include "reactor/resolver_query.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace reactor {
namespace {

constexpr std::size_t kNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;
constexpr std::size_t kTextBytesMax = 255;
constexpr std::size_t kSrvFixedBytes = 6;

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}
bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLabelBytesMax &&
           std::ranges::all_of(label, is_host_character);
}
unsigned char byte_at(std::string_view bytes, std::size_t index) {
    return static_cast<unsigned char>(bytes[index]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t index) {
    return static_cast<std::uint16_t>(byte_at(bytes, index) << 8 | byte_at(bytes, index + 1));
}

/// The name that fills `wire`; empty when it is none.
std::string name_from_wire(std::string_view wire) {
    std::string name;
    while (!wire.empty()) {
        const std::size_t length = byte_at(wire, 0);
        wire.remove_prefix(1);
        if (length == 0) {
            if (!wire.empty() || name.size() > kNameBytesMax) return {};
            return name.empty() ? "." : name;
        }
        if (length > wire.size() || !is_label(wire.substr(0, length))) return {};
        if (!name.empty()) name += '.';
        name += wire.substr(0, length);
        wire.remove_prefix(length);
    }
    return {};
}

}  // namespace

std::string_view name_of(DnsType type) noexcept {
    switch (type) {
        case DnsType::a:
            return "A";
        case DnsType::txt:
            return "TXT";
        case DnsType::aaaa:
            return "AAAA";
        case DnsType::srv:
            return "SRV";
    }
    return "?";
}

std::string numeric_host(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        const std::string inner(host.substr(1, host.size() - 2));
        in6_addr v6{};
        const bool clean = inner.find('\0') == std::string::npos;
        return clean && inet_pton(AF_INET6, inner.c_str(), &v6) == 1 ? inner : std::string();
    }
    if (host.find('\0') != std::string_view::npos) return {};
    std::string text(host);
    in_addr v4{};
    in6_addr v6{};
    const std::string unscoped = text.substr(0, text.find('%'));
    const bool numeric = inet_pton(AF_INET, text.c_str(), &v4) == 1 ||
                         inet_pton(AF_INET6, unscoped.c_str(), &v6) == 1;
    return numeric ? text : std::string();
}

base::Result<std::string> checked_name(std::string_view name) {
    std::string_view rest = name;
    if (rest.ends_with('.')) rest.remove_suffix(1);
    bool good = !rest.empty() && rest.size() <= kNameBytesMax;
    if (good)
        for (const std::string_view label : base::split(rest, '.'))
            good = good && is_label(label);
    if (good) return base::to_lower_ascii(rest);
    // What is no name may be anything: nothing of it goes into a log.
    return base::fail(base::Errc::invalid_argument, "not a host name");
}

std::string address_from_rdata(std::string_view rdata, DnsType type) {
    const bool v6 = type == DnsType::aaaa;
    if (rdata.size() != (v6 ? sizeof(in6_addr) : sizeof(in_addr))) return {};
    std::array<char, INET6_ADDRSTRLEN> text{};
    inet_ntop(v6 ? AF_INET6 : AF_INET, rdata.data(), text.data(), text.size());
    return text.data();
}

std::optional<base::SrvRecord> srv_from_rdata(std::string_view rdata) {
    if (rdata.size() <= kSrvFixedBytes) return {};
    base::SrvRecord record{.priority = number_at(rdata, 0),
                           .weight = number_at(rdata, 2),
                           .port = number_at(rdata, 4),
                           .target = name_from_wire(rdata.substr(kSrvFixedBytes))};
    if (record.target.empty()) return {};
    return record;
}

std::optional<std::string> txt_from_rdata(std::string_view rdata) {
    if (rdata.empty()) return {};
    std::string text;
    while (!rdata.empty()) {
        const std::size_t length = byte_at(rdata, 0);
        rdata.remove_prefix(1);
        if (length > rdata.size()) return {};
        text += rdata.substr(0, length);
        rdata.remove_prefix(length);
    }
    return text;
}

std::string rdata_of_address(std::string_view address) {
    const bool v6 = address.contains(':');
    std::string rdata(v6 ? sizeof(in6_addr) : sizeof(in_addr), '\0');
    CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, std::string(address).c_str(), rdata.data()) == 1);
    return rdata;
}

std::string rdata_of(const base::SrvRecord& record) {
    std::string rdata;
    for (const std::uint16_t number : {record.priority, record.weight, record.port}) {
        rdata += static_cast<char>(number >> 8);
        rdata += static_cast<char>(number & 0xFF);
    }
    if (record.target != ".")
        for (const std::string_view label : base::split(record.target, '.'))
            rdata.append(1, static_cast<char>(label.size())).append(label);
    rdata += '\0';
    return rdata;
}

std::string rdata_of_text(std::string_view text) {
    std::string rdata;
    do {
        const std::string_view part = text.substr(0, kTextBytesMax);
        rdata.append(1, static_cast<char>(part.size())).append(part);
        text.remove_prefix(part.size());
    } while (!text.empty());
    return rdata;
}

}  // namespace reactor
