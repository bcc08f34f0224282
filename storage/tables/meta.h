// Meta: values of the whole database: its id, the server's secrets.
#pragma once

#include "reactor/base/result.h"
#include "storage/schema.h"
#include "storage/transaction.h"

#include <optional>
#include <string>
#include <string_view>

namespace storage {

/// Random bytes, made once, from which the salts of users that do not exist are derived.
inline constexpr std::string_view kMetaScramFakeSaltSecret = "scram_fake_salt_secret";
/// Random bytes, made once, by which archive ids are enciphered.
inline constexpr std::string_view kMetaArchiveIdSecret = "archive_id_secret";
/// Random bytes, made once, from which rooms derive the ids of their occupants.
inline constexpr std::string_view kMetaOccupantIdSecret = "occupant_id_secret";
/// Random bytes with the times at which they were made, of the last two days.
inline constexpr std::string_view kMetaTlsTicketSecrets = "tls_ticket_secrets";
inline constexpr std::string_view kMetaDatabaseId = "database_id";

class Meta {
public:
    explicit Meta(Transaction& transaction) : transaction_(transaction) {}

    base::Result<std::optional<std::string>> get(std::string_view name);
    base::Result<void> put(std::string_view name, std::string_view value);
    /// What is stored; or `candidate` (fresh random bytes, say), which then is stored.
    base::Result<std::string> get_or_create(std::string_view name, std::string_view candidate);

private:
    Transaction& transaction_;
};

extern const StoreSchema kMetaSchema;

}  // namespace storage
