// Archive ids as clients see them (XEP-0359, XEP-0313 §3.1): a message's number enciphered, so that
// an id tells nothing about how much traffic there is and none can be made up.
#pragma once

#include "storage/tables/messages.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace server {

class ArchiveIds {
public:
    static constexpr std::size_t kSecretBytes = 16;

    /// `secret`: kSecretBytes random bytes, the same on all shards and over restarts.
    explicit ArchiveIds(std::string_view secret);
    ArchiveIds(const ArchiveIds&) = delete;
    ArchiveIds& operator=(const ArchiveIds&) = delete;
    ~ArchiveIds();

    /// 32 hexadecimal digits.
    std::string text(storage::MessageId id) const;
    /// Nothing when it is no id of ours.
    std::optional<storage::MessageId> parse(std::string_view text) const;

private:
    struct Cipher;
    std::unique_ptr<Cipher> cipher_;
};

}  // namespace server
