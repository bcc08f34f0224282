// Addresses and PRECIS profiles from any bytes: no crash, and what is accepted is stable, within
// its limits and takes itself apart correctly.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reactor/base/check.h"
#include "reactor/base/text.h"
#include "xmpp/core/jid.h"
#include "xmpp/core/precis.h"

namespace {

void check_jid(std::string_view text) {
    const auto jid = xmpp::Jid::parse(text);
    if (!jid) {
        CHECK(!jid.error().detail().empty());
        return;
    }
    CHECK(!jid->domain().empty());
    CHECK(jid->local().size() <= xmpp::kJidPartBytesMax);
    CHECK(jid->domain().size() <= xmpp::kJidPartBytesMax);
    CHECK(jid->resource().size() <= xmpp::kJidPartBytesMax);
    CHECK(base::is_valid_utf8(jid->text()));
    const auto again = xmpp::Jid::parse(jid->text());
    CHECK(again && *again == *jid);
    const auto made = xmpp::Jid::make(jid->local(), jid->domain(), jid->resource());
    CHECK(made && *made == *jid);
    CHECK(jid->bare().text() == jid->bare_view());
    CHECK(jid->domain_jid().text() == jid->domain());
}

void check_profile(base::Result<std::string> (*prepare)(std::string_view), std::string_view text) {
    const auto once = prepare(text);
    if (!once) return;
    CHECK(!once->empty());
    const auto twice = prepare(*once);
    CHECK(twice && *twice == *once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_jid(text);
    check_profile(xmpp::prepare_username, text);
    check_profile(xmpp::prepare_password, text);
    return 0;
}
