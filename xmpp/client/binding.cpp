// ClientNegotiation after the login: resumption or resource binding (RFC 6120 §7), the session that
// RFC 3921 §3 wanted, and XEP-0198 §3.
#include <utility>

#include "xmpp/client/failures.h"
#include "xmpp/client/negotiation.h"
#include "xmpp/client/negotiation_texts.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

using base::Errc;

std::string request_xml(std::string_view id, Element payload) {
    Element iq("iq", ns::client);
    iq.set_attribute("type", "set").set_attribute("id", id);
    iq.add(std::move(payload));
    return to_xml(iq, ns::client);
}

}  // namespace

NegotiationStep ClientNegotiation::resume_or_bind() {
    const bool offered = result_.features.child("sm", ns::stream_management) != nullptr;
    if (!options_.resumption || !offered) return bind();
    return wait_for(Phase::resume, resume_xml());
}

std::string ClientNegotiation::resume_xml() const {
    return to_xml(
        SmResume{.previd = options_.resumption->id, .handled = options_.resumption->handled});
}

// Refused, the server lets us bind at this point (XEP-0198 §5).
NegotiationStep ClientNegotiation::on_resumption(const Element& element) {
    if (element.ns() != ns::stream_management) return unexpected(element);
    const auto answer = parse_sm(element);
    if (!answer) return broken(answer.error().text());
    if (const auto* failed = std::get_if<SmFailed>(&*answer)) {
        result_.former_handled = failed->handled;
        return bind();
    }
    const auto* resumed = std::get_if<SmResumed>(&*answer);
    if (resumed == nullptr) return unexpected(element);
    if (resumed->previd != options_.resumption->id)
        return broken("the server resumed another stream than ours");
    result_.resumed = true;
    result_.former_handled = resumed->handled;
    result_.jid = options_.resumption->jid;
    return end();
}

NegotiationStep ClientNegotiation::bind() {
    if (result_.features.child("bind", ns::bind) == nullptr)
        return refuse({Errc::unsupported, "the server offers no resource binding"});
    Element request("bind", ns::bind);
    if (options_.jid.is_full()) request.add_text_child("resource", options_.jid.resource());
    return wait_for(Phase::bind, request_xml(kBindId, std::move(request)));
}

NegotiationStep ClientNegotiation::on_bound(const Element& iq) {
    if (const auto error = error_of(iq))
        return refuse(failure_of(*error).with("the server refused the resource"));
    const Element* const bound = iq.child("bind", ns::bind);
    auto jid = Jid::parse(bound == nullptr ? std::string() : bound->child_text("jid", ns::bind));
    if (!jid || !jid->is_full()) return broken("the server bound no full JID");
    result_.jid = *std::move(jid);
    return session_or_enable();
}

NegotiationStep ClientNegotiation::session_or_enable() {
    const Element* const session = result_.features.child("session", ns::session);
    if (session == nullptr || session->child("optional") != nullptr) return enable_or_end();
    return wait_for(Phase::session, request_xml(kSessionId, Element("session", ns::session)));
}

NegotiationStep ClientNegotiation::enable_or_end() {
    const bool offered = result_.features.child("sm", ns::stream_management) != nullptr;
    if (!options_.stream_management || !offered) return end();
    return wait_for(Phase::enable, to_xml(SmEnable{.resume = true}));
}

// A server that cannot enable it now is as good as one that never could.
NegotiationStep ClientNegotiation::on_enabled(const Element& element) {
    if (element.ns() != ns::stream_management) return unexpected(element);
    auto answer = parse_sm(element);
    if (!answer) return broken(answer.error().text());
    if (std::holds_alternative<SmFailed>(*answer)) return end();
    auto* enabled = std::get_if<SmEnabled>(&*answer);
    if (enabled == nullptr) return unexpected(element);
    result_.management = std::move(*enabled);
    return end();
}

NegotiationStep ClientNegotiation::end() {
    phase_ = Phase::over;
    return NegotiationReady{std::move(result_)};
}

}  // namespace xmpp
