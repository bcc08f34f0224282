// Shapes: stores for modules that need no SQL of their own. A shape is a name and a Transaction;
// the rows go when their account is removed. Larger or queried data deserve a typed store
// (tables/).
//
// Owner: the bare JID of an account; or a host or room for what belongs to those. One table holds
// all shape stores; their names must be unique in the program.
#pragma once

#include "reactor/base/result.h"
#include "reactor/base/units.h"
#include "storage/schema.h"
#include "storage/transaction.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace storage {

inline constexpr std::size_t kShapeValueBytesMax = base::operator""_KiB(256);
inline constexpr std::size_t kShapeKeyBytesMax = 3071;  ///< A bare or full JID fits.

/// One value per owner.
class KeyValueStore {
public:
    /// `store` is a constant such as "blocklist". Both must outlive this object.
    KeyValueStore(Transaction& transaction, std::string_view store)
        : transaction_(transaction), store_(store) {}

    base::Result<std::optional<std::string>> get(std::string_view owner);
    /// Errors: resource_exhausted over kShapeValueBytesMax; invalid_argument for an owner that is
    /// empty or over kShapeKeyBytesMax.
    base::Result<void> put(std::string_view owner, std::string_view value);
    /// True when there was a value.
    base::Result<bool> remove(std::string_view owner);

private:
    Transaction& transaction_;
    std::string_view store_;
};

/// Values by key, per owner. Keys are UTF-8 text without NUL, 1 to kShapeKeyBytesMax bytes.
class MapStore {
public:
    using Entries = std::map<std::string, std::string, std::less<>>;

    /// `entries_max`: how many keys one owner may have; one more is resource_exhausted.
    MapStore(Transaction& transaction, std::string_view store, std::uint32_t entries_max = 10'000)
        : transaction_(transaction), store_(store), entries_max_(entries_max) {}

    base::Result<std::optional<std::string>> get(std::string_view owner, std::string_view key);
    base::Result<void> put(std::string_view owner, std::string_view key, std::string_view value);
    /// True when there was a value.
    base::Result<bool> remove(std::string_view owner, std::string_view key);
    base::Result<Entries> list(std::string_view owner);
    /// Makes `entries` all there is; on failure nothing has changed once the transaction is undone.
    base::Result<void> replace(std::string_view owner, const Entries& entries);
    base::Result<std::int64_t> count(std::string_view owner);

private:
    Transaction& transaction_;
    std::string_view store_;
    std::uint32_t entries_max_;
};

extern const StoreSchema kShapesSchema;

}  // namespace storage
