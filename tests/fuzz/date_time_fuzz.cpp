// XEP-0082: what is accepted reads back from its canonical form.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "reactor/base/check.h"
#include "xmpp/payloads/date_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto time = xmpp::parse_date_time(text)) {
        const auto canonical = xmpp::format_date_time(*time, xmpp::DateTimePrecision::microseconds);
        const auto again = xmpp::parse_date_time(canonical);
        CHECK(again.has_value());
        // An offset may lead out of the years that have a canonical form.
        const bool at_an_end = canonical.starts_with("0001-01-01T00:00:00.000000") ||
                               canonical.starts_with("9999-12-31T23:59:59.999999");
        CHECK(at_an_end || *again == *time);
    }
    if (const auto date = xmpp::parse_date(text)) CHECK(xmpp::format_date(*date) == text);
    return 0;
}
