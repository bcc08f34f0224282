#include "xmpp/stream/features.h"

#include <gtest/gtest.h>

#include "xmpp/core/namespaces.h"

namespace xmpp {
namespace {

TEST(StreamFeatures, offers_starttls_as_required) {
    StreamFeatures features;
    features.starttls = StreamFeatures::StartTls::required;
    EXPECT_EQ(features.to_xml(),
              "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
              "</starttls></stream:features>");
    features.starttls = StreamFeatures::StartTls::optional;
    EXPECT_EQ(features.to_xml(),
              "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
              "</stream:features>");
}

TEST(StreamFeatures, offers_mechanisms_with_channel_bindings) {
    StreamFeatures features;
    features.channel_bindings = {"tls-exporter"};
    EXPECT_EQ(features.to_xml(), "<stream:features/>") << "bindings alone mean nothing";
    features.mechanisms = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    features.registration = true;
    EXPECT_EQ(features.to_xml(),
              "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
              "<mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>SCRAM-SHA-256</mechanism>"
              "</mechanisms><sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
              "<channel-binding type='tls-exporter'/></sasl-channel-binding>"
              "<register xmlns='http://jabber.org/features/iq-register'/></stream:features>");
}

TEST(StreamFeatures, offers_what_comes_after_login) {
    StreamFeatures features;
    features.bind = features.session = features.roster_versions = features.pre_approval = true;
    features.caps = CapsFeature{"sha-1", "https://example.org/", "QgayPKawpkPSDYmwT/WM94uAlu0="};
    features.limits = LimitsFeature{262144, 0};
    features.others.emplace_back("sm", ns::stream_management);
    EXPECT_EQ(features.to_xml(),
              "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
              "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"
              "<ver xmlns='urn:xmpp:features:rosterver'/>"
              "<sub xmlns='urn:xmpp:features:pre-approval'/>"
              "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://example.org/'"
              " ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>"
              "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>262144</max-bytes></limits>"
              "<sm xmlns='urn:xmpp:sm:3'/></stream:features>");
    EXPECT_TRUE(features.to_element().is("features", ns::stream));
}

}  // namespace
}  // namespace xmpp
