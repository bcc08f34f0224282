// What the database keeps of a resumable session (XEP-0198 §5), and ids of archived messages as
// clients send them: any text is refused or read, and what was read is written as the same again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reactor/base/check.h"
#include "server/routing/archive_id.h"
#include "server/sessions/netstring.h"
#include "server/sessions/saved_session.h"
#include "server/sessions/stream_management.h"

namespace {

using namespace server;

void check_session(std::string_view text) {
    const auto session = SavedSession::decode(text);
    if (!session) return;
    const std::string written = session->encode();
    const auto again = SavedSession::decode(written);
    CHECK(again.has_value());
    CHECK(again->encode() == written);
}

// A client that resumes acknowledges something, and goes on.
void check_management(std::string_view text) {
    auto stream = StreamManagement::restore(text);
    if (!stream) return;
    const std::string written = stream->save();
    auto again = StreamManagement::restore(written);
    CHECK(again.has_value());
    CHECK(again->save() == written);
    CHECK(again->unacknowledged() == stream->unacknowledged());
    static_cast<void>(stream->enter());
    stream->push({.bytes = base::SharedBytes(std::string("<iq/>"))});
    const std::size_t before = stream->unacknowledged();
    for (std::uint32_t handled : {stream->taken(), std::uint32_t{0}, std::uint32_t{7}}) {
        static_cast<void>(stream->acknowledge(handled));
        CHECK(stream->unacknowledged() <= before);
    }
}

void check_netstrings(std::string_view text) {
    NetstringReader reader(text);
    std::string written;
    while (!reader.failed() && !reader.at_end()) {
        const std::string_view one = reader.text();
        if (!reader.failed()) append_netstring(written, one);
    }
    if (reader.failed()) return;
    NetstringReader again(written);
    while (!again.at_end())
        static_cast<void>(again.text());
    CHECK(!again.failed());
}

void check_id(std::string_view text) {
    static const ArchiveIds ids(std::string(ArchiveIds::kSecretBytes, 's'));
    if (const auto id = ids.parse(text)) CHECK(ids.parse(ids.text(*id)) == id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_session(text);
    check_management(text);
    check_netstrings(text);
    check_id(text);
    return 0;
}
