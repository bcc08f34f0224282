// SASLprep through ICU's profile of RFC 4013. In its strict form ("stored strings") SASLprep
// refuses every code point newer than Unicode 3.2, emoji among them; RFC 8265, its successor, does
// not. So those pass unchanged, which is what clients of either kind compute.
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <memory>

#include "reactor/base/text.h"
#include "xmpp/sasl/scram_keys.h"

namespace xmpp::sasl {
namespace {

constexpr std::size_t kPreparedUnitsMax = 2 * kPasswordBytesMax;

struct CloseProfile {
    void operator()(UStringPrepProfile* profile) const { usprep_close(profile); }
};

bool is_plain_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::unexpected<base::Failure> refuse(const char* why) {
    return base::fail(base::Errc::invalid_argument, why);
}

}  // namespace

base::Result<std::string> saslprep(std::string_view password) {
    if (password.empty()) return refuse("the password is empty");
    if (password.size() > kPasswordBytesMax) return refuse("the password is too long");
    if (is_plain_ascii(password)) return std::string(password);
    if (!base::is_valid_utf8(password)) return refuse("the password is not UTF-8");

    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<UStringPrepProfile, CloseProfile> profile(
        usprep_openByType(USPREP_RFC4013_SASLPREP, &status));
    if (U_FAILURE(status)) return base::fail(base::Errc::internal, "ICU lacks SASLprep");

    std::array<UChar, kPasswordBytesMax> raw{};
    std::int32_t raw_units = 0;
    u_strFromUTF8(raw.data(), static_cast<std::int32_t>(raw.size()), &raw_units, password.data(),
                  static_cast<std::int32_t>(password.size()), &status);
    if (U_FAILURE(status)) return refuse("the password is not UTF-8");

    std::array<UChar, kPreparedUnitsMax> prepared{};
    const std::int32_t units = usprep_prepare(profile.get(), raw.data(), raw_units, prepared.data(),
                                              static_cast<std::int32_t>(prepared.size()),
                                              USPREP_ALLOW_UNASSIGNED, nullptr, &status);
    if (status == U_BUFFER_OVERFLOW_ERROR) return refuse("the password is too long");
    if (U_FAILURE(status)) return refuse("the password has a forbidden character");
    if (units == 0) return refuse("the password is empty");

    std::string result(kPasswordBytesMax, '\0');
    std::int32_t bytes = 0;
    u_strToUTF8(result.data(), static_cast<std::int32_t>(result.size()), &bytes, prepared.data(),
                units, &status);
    if (U_FAILURE(status)) return refuse("the password is too long");
    result.resize(static_cast<std::size_t>(bytes));
    return result;
}

}  // namespace xmpp::sasl
