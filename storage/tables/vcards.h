// Vcards: the vCard of an account (XEP-0054) as XML bytes, with the SHA-1 of its photo where the
// server knows it (XEP-0153).
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"
#include "xmpp/core/jid.h"

#include <optional>
#include <string>
#include <string_view>

namespace storage {

inline constexpr std::size_t kVcardBytesMax = base::operator""_KiB(256);

struct Vcard {
    std::string xml;
    std::optional<std::string> photo_sha1;  ///< Lower-case hex.
};

class Vcards {
public:
    explicit Vcards(Transaction& transaction) : transaction_(transaction) {}

    base::Result<std::optional<Vcard>> get(const xmpp::Jid& account);
    /// Without reading the XML: for presence broadcast.
    base::Result<std::optional<std::string>> photo_sha1(const xmpp::Jid& account);
    /// Errors: resource_exhausted over kVcardBytesMax.
    base::Result<void> put(const xmpp::Jid& account, const Vcard& vcard);
    /// True when there was one.
    base::Result<bool> remove(const xmpp::Jid& account);

private:
    Transaction& transaction_;
};

extern const StoreSchema kVcardsSchema;

}  // namespace storage
