#include "server/sessions/saved_session.h"

#include "server/sessions/netstring.h"

#include <utility>

namespace server {
namespace {
constexpr std::string_view kFormat = "parley-session-1";
}  // namespace

std::string SavedSession::encode() const {
    std::string out;
    append_netstring(out, kFormat);
    for (const std::string* text : {&management, &mechanism, &lang, &presence})
        append_netstring(out, *text);
    for (const bool flag : {interested, blocklist_requested, carbons})
        append_netstring(out, flag ? 1 : 0);
    append_netstring(out, static_cast<std::int64_t>(directed.size()));
    for (const xmpp::Jid& jid : directed)
        append_netstring(out, jid.text());
    return out;
}

std::optional<SavedSession> SavedSession::decode(std::string_view text) {
    NetstringReader reader(text);
    if (reader.text() != kFormat) return std::nullopt;
    SavedSession session;
    for (std::string* field :
         {&session.management, &session.mechanism, &session.lang, &session.presence})
        *field = reader.text();
    for (bool* flag : {&session.interested, &session.blocklist_requested, &session.carbons})
        *flag = reader.number() != 0;
    const std::int64_t count = reader.number();
    if (count < 0) return std::nullopt;
    for (std::int64_t left = count; left > 0 && !reader.failed(); --left)
        if (base::Result<xmpp::Jid> jid = xmpp::Jid::parse(reader.text()))
            session.directed.push_back(*std::move(jid));
    if (reader.failed() || !reader.at_end()) return std::nullopt;
    return session;
}

}  // namespace server
