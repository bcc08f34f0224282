// See features.h.
#include "xmpp/stream/features.h"

#include "xmpp/core/namespaces.h"
#include "xmpp/xml/writer.h"

namespace xmpp {
namespace {

void add_sasl(Element& features, const StreamFeatures& offered) {
    if (offered.mechanisms.empty()) return;
    Element& mechanisms = features.add_child("mechanisms", ns::sasl);
    for (const std::string& name : offered.mechanisms)
        mechanisms.add_text_child("mechanism", name);
    if (offered.channel_bindings.empty()) return;
    Element& bindings = features.add_child("sasl-channel-binding", ns::channel_binding);
    for (const std::string& type : offered.channel_bindings) {
        bindings.add_child("channel-binding").set_attribute("type", type);
    }
}

void add_limits(Element& features, const LimitsFeature& limits) {
    Element& element = features.add_child("limits", ns::stream_limits);
    element.add_text_child("max-bytes", std::to_string(limits.bytes_max));
    if (limits.idle_seconds > 0) {
        element.add_text_child("idle-seconds", std::to_string(limits.idle_seconds));
    }
}

}  // namespace

Element StreamFeatures::to_element() const {
    Element features("features", ns::stream);
    if (starttls != StartTls::none) {
        Element& element = features.add_child("starttls", ns::tls);
        if (starttls == StartTls::required) element.add_child("required");
    }
    add_sasl(features, *this);
    if (registration) features.add_child("register", ns::registration_feature);
    if (bind) features.add_child("bind", ns::bind);
    if (session) features.add_child("session", ns::session).add_child("optional");
    if (roster_versions) features.add_child("ver", ns::roster_versions);
    if (pre_approval) features.add_child("sub", ns::pre_approval);
    if (caps) {
        features.add_child("c", ns::caps)
            .set_attribute("hash", caps->hash)
            .set_attribute("node", caps->node)
            .set_attribute("ver", caps->ver);
    }
    if (limits) add_limits(features, *limits);
    for (const Element& other : others)
        features.add(other);
    return features;
}

std::string StreamFeatures::to_xml() const {
    const Element features = to_element();
    if (features.has_no_content()) return "<stream:features/>";
    std::string xml = "<stream:features>";
    for (const Element& feature : features.children())
        append_xml(xml, feature);
    xml += "</stream:features>";
    return xml;
}

}  // namespace xmpp
