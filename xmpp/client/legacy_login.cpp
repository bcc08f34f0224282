// ClientNegotiation's login by XEP-0078, for servers without SASL: ask which fields are wanted,
// then a digest of the stream id and the password, or, through TLS only, the password itself.
#include <utility>

#include "reactor/base/text.h"
#include "xmpp/client/failures.h"
#include "xmpp/client/negotiation.h"
#include "xmpp/client/negotiation_texts.h"
#include "xmpp/sasl/crypto.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using base::Errc;

constexpr std::string_view kAuth = "jabber:iq:auth";

std::string request_xml(std::string_view type, std::string_view id, std::string_view to,
                        Element query) {
    Element iq("iq", ns::client);
    iq.set_attribute("type", type).set_attribute("id", id).set_attribute("to", to);
    iq.add(std::move(query));
    return to_xml(iq, ns::client);
}

}  // namespace

NegotiationStep ClientNegotiation::ask_legacy_fields() {
    if (!options_.jid.has_local() || options_.password.empty())
        return refuse({Errc::unsupported, "the server logs in with name and password only"});
    Element query("query", kAuth);
    query.add_text_child("username", options_.jid.local());
    return wait_for(Phase::legacy_fields,
                    request_xml("get", kFieldsId, options_.jid.domain(), std::move(query)));
}

NegotiationStep ClientNegotiation::on_legacy_fields(const Element& iq) {
    if (const auto error = error_of(iq))
        return refuse(failure_of(*error).with("the server refused a login by XEP-0078"));
    const Element* const fields = iq.child("query", kAuth);
    if (fields == nullptr) return broken("no fields in the answer to the login of XEP-0078");
    const std::string_view resource =
        options_.jid.is_full() ? options_.jid.resource() : std::string_view(options_.resource);
    auto jid = Jid::make(options_.jid.local(), options_.jid.domain(), resource);
    if (!jid || !jid->is_full())
        return refuse({Errc::invalid_argument, "XEP-0078 needs a resource"});
    result_.jid = *std::move(jid);
    Element query("query", kAuth);
    query.add_text_child("username", result_.jid.local());
    if (fields->child("digest") != nullptr && !stream_id_.empty()) {
        result_.mechanism = "XEP-0078 digest";
        const std::string digest =
            sasl::digest(sasl::ScramHash::sha1, stream_id_ + options_.password);
        query.add_text_child("digest", base::hex_encode(digest));
    } else if (fields->child("password") != nullptr && is_tls_) {
        result_.mechanism = "XEP-0078 plain";
        query.add_text_child("password", options_.password);
    } else {
        return refuse({Errc::unsupported, "the server wants the password in plain text"});
    }
    query.add_text_child("resource", result_.jid.resource());
    return wait_for(Phase::legacy_login,
                    request_xml("set", kLoginId, options_.jid.domain(), std::move(query)));
}

// Logged in means bound. Features that a server of today sends hold on: it may know XEP-0198.
NegotiationStep ClientNegotiation::on_legacy_login(const Element& iq) {
    const auto error = error_of(iq);
    if (!error) {
        authenticated_ = true;
        return enable_or_end();
    }
    base::Failure why = failure_of(*error);
    if (error->is(StanzaCondition::not_authorized))
        why = base::Failure(Errc::permission_denied, std::string(why.detail()));
    return refuse(why.with("the server refused the login"));
}

}  // namespace xmpp
