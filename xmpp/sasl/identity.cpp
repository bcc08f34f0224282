#include "xmpp/sasl/identity.h"

#include "xmpp/core/jid.h"

namespace xmpp::sasl {

std::optional<std::string> prepare_localpart(std::string_view username, std::string_view host) {
    if (username.empty()) return std::nullopt;
    const auto jid = Jid::make(username, host);
    if (!jid) return std::nullopt;
    return std::string(jid->local());
}

std::optional<std::string> own_authzid(std::string_view authzid, std::string_view localpart,
                                       std::string_view host) {
    const auto named = Jid::parse(authzid);
    const auto own = Jid::make(localpart, host);
    if (!named || !own || *named != *own) return std::nullopt;
    return own->text();
}

}  // namespace xmpp::sasl
