#include "server/app/ticket_secrets.h"

#include "reactor/base/check.h"
#include "reactor/tls.h"
#include "storage/tables/meta.h"

#include <cstdint>

namespace server {
namespace {

/// A time in seconds, the highest byte first, in front of each secret.
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kEntryBytes = kTimeBytes + reactor::kTicketSecretBytes;

struct Entry {
    base::WallTime made_at;
    std::string secret;
};

std::vector<Entry> decode(std::string_view stored) {
    std::vector<Entry> entries;
    if (stored.size() % kEntryBytes != 0) return entries;
    for (; !stored.empty(); stored.remove_prefix(kEntryBytes)) {
        std::uint64_t seconds = 0;
        for (const char byte : stored.substr(0, kTimeBytes))
            seconds = seconds << 8U | static_cast<unsigned char>(byte);
        entries.push_back({base::WallTime::from_seconds(static_cast<std::int64_t>(seconds)),
                           std::string(stored.substr(kTimeBytes, reactor::kTicketSecretBytes))});
    }
    return entries;
}

std::string encode(const std::vector<Entry>& entries) {
    std::string out;
    for (const Entry& entry : entries) {
        const auto seconds = static_cast<std::uint64_t>(entry.made_at.seconds());
        for (unsigned shift = 64; shift > 0; shift -= 8)
            out += static_cast<char>(seconds >> (shift - 8) & 0xffU);
        out += entry.secret;
    }
    return out;
}

}  // namespace

base::Result<std::vector<std::string>> ticket_secrets(storage::Transaction& transaction,
                                                      base::WallTime now, std::string_view fresh) {
    CHECK(fresh.size() == reactor::kTicketSecretBytes);
    storage::Meta meta(transaction);
    const auto stored = TRY(meta.get(storage::kMetaTlsTicketSecrets));
    std::vector<Entry> entries = decode(stored.value_or(std::string()));
    // One that is of the future was made by a clock that was wrong.
    std::erase_if(entries, [now](const Entry& entry) {
        const base::Duration age = now - entry.made_at;
        return age >= 2 * kTicketSecretPeriod || age < -kTicketSecretPeriod;
    });
    if (entries.empty() || now - entries.front().made_at >= kTicketSecretPeriod)
        entries.insert(entries.begin(), {now, std::string(fresh)});
    if (std::string value = encode(entries); value != stored)
        TRY(meta.put(storage::kMetaTlsTicketSecrets, value));
    std::vector<std::string> secrets;
    for (Entry& entry : entries)
        secrets.push_back(std::move(entry.secret));
    return secrets;
}

}  // namespace server
