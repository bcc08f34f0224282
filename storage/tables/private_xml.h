// PrivateXml: XML that a client keeps on the server (XEP-0049), one element per namespace and name.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace storage {

inline constexpr std::size_t kPrivateXmlBytesMax = base::operator""_KiB(256);
inline constexpr std::int64_t kPrivateXmlElementsMax = 1000;  ///< Per account.
inline constexpr std::size_t kPrivateXmlNameBytesMax = 1024;  ///< Namespace and name each.

struct PrivateXmlKey {
    std::string_view name_space;
    std::string_view name;
};

class PrivateXml {
public:
    explicit PrivateXml(Transaction& transaction) : transaction_(transaction) {}

    base::Result<std::optional<std::string>> get(const xmpp::Jid& account, PrivateXmlKey key);
    /// Errors: resource_exhausted over one of the caps above.
    base::Result<void> put(const xmpp::Jid& account, PrivateXmlKey key, std::string_view xml);
    /// True when there was one.
    base::Result<bool> remove(const xmpp::Jid& account, PrivateXmlKey key);

private:
    Transaction& transaction_;
};

extern const StoreSchema kPrivateXmlSchema;

}  // namespace storage
