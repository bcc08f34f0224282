#include "server/routing/archive_id.h"

#include "reactor/base/check.h"
#include "reactor/base/text.h"

#include <openssl/evp.h>
#include <array>
#include <cstring>

namespace server {
namespace {

// One block of AES: the number, and as many zeros, by which an id that was made up is known.
constexpr std::size_t kBlockBytes = 16;
using Block = std::array<unsigned char, kBlockBytes>;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Context make_context(std::string_view secret, bool encrypts) {
    Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    CHECK(context != nullptr);
    CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_128_ecb(), nullptr,
                            reinterpret_cast<const unsigned char*>(secret.data()), nullptr,
                            encrypts ? 1 : 0) == 1);
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    return context;
}

Block crypt(const Context& context, const Block& in) {
    Block out{};
    int length = 0;
    CHECK(EVP_CipherUpdate(context.get(), out.data(), &length, in.data(), kBlockBytes) == 1);
    CHECK(length == static_cast<int>(kBlockBytes));
    return out;
}

}  // namespace

struct ArchiveIds::Cipher {
    explicit Cipher(std::string_view secret)
        : encrypting(make_context(secret, true)), decrypting(make_context(secret, false)) {}

    Context encrypting;
    Context decrypting;
};

ArchiveIds::ArchiveIds(std::string_view secret) {
    CHECK(secret.size() == kSecretBytes);
    cipher_ = std::make_unique<Cipher>(secret);
}

ArchiveIds::~ArchiveIds() = default;

std::string ArchiveIds::text(storage::MessageId id) const {
    Block block{};
    std::memcpy(block.data(), &id, sizeof id);
    const Block enciphered = crypt(cipher_->encrypting, block);
    return base::hex_encode(
        std::string_view(reinterpret_cast<const char*>(enciphered.data()), enciphered.size()));
}

std::optional<storage::MessageId> ArchiveIds::parse(std::string_view text) const {
    const std::optional<std::string> bytes = base::hex_decode(text);
    if (!bytes || bytes->size() != kBlockBytes) return std::nullopt;
    Block block{};
    std::memcpy(block.data(), bytes->data(), kBlockBytes);
    const Block plain = crypt(cipher_->decrypting, block);
    for (std::size_t i = sizeof(storage::MessageId); i < kBlockBytes; ++i)
        if (plain[i] != 0) return std::nullopt;
    storage::MessageId id = 0;
    std::memcpy(&id, plain.data(), sizeof id);
    return id;
}

}  // namespace server
